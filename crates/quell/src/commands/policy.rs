//! `quell policy`.

use clap::{Args, Subcommand, ValueEnum};
use quell_guard::{Level, Place, Question, Verdict};
use quell_model::{Arn, Class, OuPath, Resource, Severity};
use quell_policy::schema_text;
use quell_store::{Clock, SystemClock};
use serde_json::json;

use super::when::moment;
use super::{Failure, Global};
use crate::app::App;
use crate::config::Config;
use crate::content::Content;
use crate::output::{line, safe, table};

/// Policies: which calls of which playbooks are allowed where, in Cedar
///
/// They are files of the content (policies/*.cedar); docs/policies.md says how they are written. `quell content check` checks them.
#[derive(Subcommand)]
pub enum PolicyCommand {
    /// The policies in force, with what they tell people
    List,
    /// The schema that policies are checked against, with an action for each declared call: for editors
    Schema,
    Test(Box<Test>),
}

/// What the policies say of a call of a playbook on a resource
///
/// Only the policies are asked: the guard wants a proof of the plan besides, and looks at scope, level, budgets, exceptions and freezes.
#[derive(Args)]
pub struct Test {
    /// The playbook (PB-008)
    #[arg(long, value_name = "ID")]
    playbook: String,
    /// The call (ec2:StopInstances)
    #[arg(long, value_name = "SERVICE:OPERATION")]
    action: String,
    /// What the run is about
    #[arg(long, value_name = "ARN")]
    resource: Arn,
    /// Its CloudFormation type [default: the first that the playbook is for]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Its account, when the ARN does not say it
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
    /// The organisational unit of the account [default: as under [[accounts]]]
    #[arg(long, value_name = "PATH")]
    ou: Option<OuPath>,
    /// How far the call reaches [default: as the playbook declares it]
    #[arg(long, value_enum)]
    class: Option<ClassArg>,
    /// The severity of the incident
    #[arg(long, value_enum, default_value = "high")]
    severity: SeverityArg,
    /// So many people said yes to the plan
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    approvals: usize,
    /// A person asked for the run
    #[arg(long)]
    by_person: bool,
    /// The run takes back what another did
    #[arg(long)]
    undo: bool,
    /// At this moment instead of now
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    /// Exit with 1 unless this is the answer
    #[arg(long, value_enum)]
    expect: Option<Answer>,
}

/// How far a call reaches.
#[derive(Clone, Copy, ValueEnum)]
enum ClassArg {
    R0,
    R1,
    R2,
    R3,
}

/// How bad an incident is.
#[derive(Clone, Copy, ValueEnum)]
enum SeverityArg {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// What policies say.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    Permit,
    Ask,
    Forbid,
}

impl Answer {
    fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Ask => "ask",
            Self::Forbid => "forbid",
        }
    }
}

impl PolicyCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        let content = Content::load(settings.content.as_deref())
            .map_err(|e| Failure::Setup(format!("content: {e}")))?;
        match self {
            Self::List => list(global, &content),
            Self::Schema => {
                line(&schema_text(&content.actions));
                Ok(())
            }
            Self::Test(test) => test.run(global, &settings, &content),
        }
    }
}

fn list(global: &Global, content: &Content) -> Result<(), Failure> {
    let value: Vec<_> = content
        .policies
        .entries()
        .map(|e| {
            json!({"id": e.id, "effect": e.effect.as_str(), "words": e.words, "file": e.file, "units": e.units, "text": e.text})
        })
        .collect();
    global.output.print(&value, |_| {
        let rows = content.policies.entries().map(|e| {
            vec![
                e.id.clone(),
                e.effect.as_str().to_owned(),
                e.words.clone(),
                e.file.clone(),
            ]
        });
        table(&["id", "effect", "says", "file"], rows)
    });
    let of_policies = |fault: &&quell_model::Diagnostic| fault.file.starts_with("policies");
    match content.faults.iter().find(of_policies) {
        Some(fault) => Err(Failure::Check(format!(
            "nothing is permitted, because of a fault in the policies: {fault}"
        ))),
        None => Ok(()),
    }
}

impl Test {
    fn run(&self, global: &Global, settings: &Config, content: &Content) -> Result<(), Failure> {
        let playbook = content.playbooks.get(&self.playbook).ok_or_else(|| {
            let text = format!(
                "there is no playbook {}: `quell playbook list`",
                self.playbook
            );
            Failure::Denied(text)
        })?;
        let (service, operation) = self.action.split_once(':').ok_or_else(|| {
            let text = format!("«{}» is no call: write ec2:StopInstances", self.action);
            Failure::Usage(text)
        })?;
        let resource = self.resource(&playbook.resource_types);
        let account = settings.accounts.iter().find(|a| a.id == resource.account);
        let step = playbook.steps.iter().find(|step| {
            step.service == service && step.operation == operation && step.class > Class::R0
        });
        let class = match self.class {
            Some(ClassArg::R0) => Class::R0,
            Some(ClassArg::R1) => Class::R1,
            Some(ClassArg::R2) => Class::R2,
            Some(ClassArg::R3) => Class::R3,
            None => step.map_or(Class::R3, |step| step.class),
        };
        let now = SystemClock.now();
        let at = self.at.as_deref().map(|text| moment(text, now));
        let production = account.is_none_or(App::is_production);
        let own = playbook.level.of(production);
        let question = Question {
            playbook: &playbook.id,
            version: &playbook.version,
            category: &playbook.category,
            service,
            operation,
            class,
            declared: step.is_some(),
            resource: &resource,
            place: Place {
                environment: account.map(|a| a.environment.as_str()),
                ou: self.ou.as_ref().or(account.and_then(|a| a.ou.as_ref())),
                management_account: None,
            },
            production,
            level: account.map_or(Level::Observe, |_| own.min(settings.respond.level_max)),
            undo: self.undo,
            approved_by: self.approvals,
            requested_by_person: self.by_person,
            severity: Some(self.severity()),
            now: at.transpose().map_err(Failure::Usage)?.unwrap_or(now),
        };
        self.tell(global, content, &question)
    }

    fn tell(
        &self,
        global: &Global,
        content: &Content,
        question: &Question<'_>,
    ) -> Result<(), Failure> {
        let considered = content.policies.consider(question);
        let (answer, reasons, persons) = match considered.verdict {
            Verdict::Permit => (Answer::Permit, Vec::new(), 0),
            Verdict::Ask { reasons, persons } => (Answer::Ask, reasons, persons),
            Verdict::Forbid { reasons } => (Answer::Forbid, reasons, 0),
        };
        let value = json!({"answer": answer.as_str(), "reasons": reasons, "persons": persons, "policies": considered.policies});
        global.output.print(&value, |_| {
            let mut out = vec![answer.as_str().to_owned()];
            out.extend(reasons.iter().map(|reason| format!("  {}", safe(reason))));
            if persons > 1 {
                out.push(format!("  {persons} persons have to say yes"));
            }
            if answer == Answer::Permit {
                out.push(format!("  by {}", considered.policies.join(", ")));
            }
            out.join("\n")
        });
        match self.expect {
            Some(expected) if expected != answer => Err(Failure::Check(format!(
                "the policies were expected to {}, and they {}",
                expected.as_str(),
                answer.as_str()
            ))),
            _ => Ok(()),
        }
    }

    fn resource(&self, types: &[String]) -> Resource {
        let kind = self.kind.clone().or_else(|| types.first().cloned());
        let arn = self.resource.clone();
        let id = arn
            .resource
            .rsplit(['/', ':'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut resource = Resource::new(arn, kind.unwrap_or_default(), id);
        if let Some(account) = &self.account {
            resource.account.clone_from(account);
        }
        resource
    }

    fn severity(&self) -> Severity {
        match self.severity {
            SeverityArg::Informational => Severity::Informational,
            SeverityArg::Low => Severity::Low,
            SeverityArg::Medium => Severity::Medium,
            SeverityArg::High => Severity::High,
            SeverityArg::Critical => Severity::Critical,
        }
    }
}

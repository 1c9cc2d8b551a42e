//! A playbook: a folder with two state machines (respond, undo) and its facts.

use std::collections::BTreeMap;

use quell_guard::{Declaration, Level, StepFact};
use quell_model::{
    Call, Class, Diagnostic, Finding, Part, Resource as Target, Severity, sha256_hex,
};
use quell_states::{Definition, Resource, RetriedTask};
use serde::Deserialize;
use serde_json::Value;

use crate::rights;
use crate::run::Run;
use crate::task::may_be_gate;

/// A playbook, checked and ready.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// `PB-008`.
    pub id: String,
    /// Its name in words.
    pub name: String,
    /// Semantic version; its major part is in the claim.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// Category of the incidents it is for.
    pub category: String,
    /// The CloudFormation types of what it touches: a run is about one resource of one of them.
    pub resource_types: Vec<String>,
    /// What its runs are about.
    pub subject: Subject,
    /// Findings below this severity never begin it by themselves.
    pub begins_from: Severity,
    /// What part the resource has in the findings that begin it, where their product says so.
    pub part: Option<Part>,
    /// For containment: after so many hours a person is asked whether it stays. A fix has no end.
    pub containment_hours: Option<u32>,
    /// Calls of its undo (`wafv2:UpdateIPSet`). When a run is taken back by such calls alone, nobody is asked at its end: it is taken back.
    pub taken_back_at_end: Vec<String>,
    /// How far it goes by itself.
    pub level: Levels,
    /// From detection to verified, in seconds.
    pub response_target_seconds: u64,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// Its tasks, with how far each reaches.
    pub steps: Vec<StepFact>,
    /// The IAM actions of its roles.
    pub iam: IamFacts,
    /// What its documents are given as `facts`.
    pub facts: Value,
    /// Whether its response looks at the image of the resource that a person approved.
    pub uses_approved_image: bool,
    /// The document that responds.
    pub respond: Definition,
    /// The document that undoes.
    pub undo: Definition,
    /// SHA-256 over its three files: a run is pinned to it.
    pub digest: String,
}

/// What the runs of a playbook are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// What a finding is about.
    #[default]
    Resource,
    /// Who did it: the user, or the role behind a session.
    Principal,
}

/// How far it goes by itself, by environment. An environment that is not known counts as production.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// In production, and where it is not known.
    pub production: Level,
    /// Elsewhere.
    pub non_production: Level,
}

impl Levels {
    /// How far it goes by itself where it is production, or elsewhere.
    pub fn of(self, production: bool) -> Level {
        match production {
            true => self.production,
            false => self.non_production,
        }
    }
}

/// The IAM actions a playbook needs, exactly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IamFacts {
    /// Of the role that reads.
    pub read: Vec<String>,
    /// Of the role that acts.
    pub act: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    name: String,
    version: String,
    summary: String,
    category: String,
    resource_types: Vec<String>,
    #[serde(default)]
    subject: Subject,
    begins_from: Severity,
    #[serde(default)]
    part: Option<Part>,
    #[serde(default)]
    containment_hours: Option<u32>,
    #[serde(default)]
    taken_back_at_end: Vec<String>,
    level: Levels,
    response_target_seconds: u64,
    #[serde(default)]
    attack: Vec<String>,
    steps: Vec<StepFact>,
    iam: IamFacts,
    facts: toml::Table,
    /// For people and for the notifiers to come.
    #[serde(default, rename = "escalation")]
    _escalation: Option<toml::Value>,
    #[serde(default, rename = "notification")]
    _notification: Option<toml::Value>,
}

const FACTS: &str = "playbook.toml";
const RESPOND: &str = "respond.asl.json";
/// How a task fails whose call was under way when Quell stopped: it may or may not have happened.
pub const INTERRUPTED: &str = "Quell.Interrupted";
const UNDO: &str = "undo.asl.json";
/// Where a document finds the image that a person approved.
const APPROVED_IMAGE: &str = "$states.input.baseline";

impl Playbook {
    /// Reads a playbook from the files of its folder, by name.
    ///
    /// # Errors
    /// All faults of all its files at once.
    pub fn load(
        folder: &str,
        files: &BTreeMap<String, String>,
    ) -> Result<Playbook, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let path = |name: &str| format!("{folder}/{name}");
        let text = |name: &str, faults: &mut Vec<Diagnostic>| match files.get(name) {
            Some(text) => Some(text.as_str()),
            None => {
                faults.push(Diagnostic::new(path(name), "the file is missing"));
                None
            }
        };
        let (facts, respond, undo) = (
            text(FACTS, &mut faults),
            text(RESPOND, &mut faults),
            text(UNDO, &mut faults),
        );
        let file = facts.and_then(|t| read_facts(&path(FACTS), t, &mut faults));
        let respond = respond.and_then(|t| read_document(&path(RESPOND), t, &mut faults));
        let undo = undo.and_then(|t| read_document(&path(UNDO), t, &mut faults));
        let (Some(file), Some(respond), Some(undo)) = (file, respond, undo) else {
            return Err(faults);
        };
        let digest = [FACTS, RESPOND, UNDO]
            .map(|n| sha256_hex(files.get(n).map_or("", String::as_str)))
            .concat();
        let asks = |text: &String| text.contains(APPROVED_IMAGE);
        let uses_approved_image = files.get(RESPOND).is_some_and(asks);
        let documents = (respond, undo);
        let playbook = assemble(file, documents, sha256_hex(digest), uses_approved_image);
        playbook.check(folder, &mut faults);
        if faults.is_empty() {
            Ok(playbook)
        } else {
            Err(faults)
        }
    }

    /// The major version: two majors of one playbook may both run for one cause.
    pub fn major(&self) -> u64 {
        self.version
            .split('.')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    }

    /// Whether its runs may be about a resource of this type.
    pub fn is_for(&self, resource_type: &str) -> bool {
        self.resource_types.iter().any(|own| own == resource_type)
    }

    /// What a run that a finding begins is about; `None` when it is weaker than this playbook begins for, or about nothing
    /// that this playbook touches.
    pub fn target<'f>(&self, finding: &'f Finding) -> Option<&'f Target> {
        // What another product says of somebody is about them, whoever acted.
        let target = match self.subject {
            Subject::Principal if finding.report.is_none() => &finding.principal,
            Subject::Principal | Subject::Resource => &finding.resource,
        };
        let said = finding.report.as_ref().and_then(|report| report.part);
        let is_other = self
            .part
            .is_some_and(|own| said.is_some_and(|said| said != own));
        let begins = finding.severity >= self.begins_from && self.is_for(&target.kind) && !is_other;
        begins.then_some(target)
    }

    /// Whether a finding may begin it by itself. What an outsider can cause may when this playbook has something that ends by
    /// itself; the guard then sees to it that nothing else is done for that.
    pub fn may_begin_for(&self, finding: &Finding) -> bool {
        finding.may_begin_a_change()
            || (finding.outsider && finding.stands() && !self.taken_back_at_end.is_empty())
    }

    /// Whether what a run did is taken back at its end without a question: all that takes it back is of that kind.
    pub fn ends_by_itself(&self, run: &Run) -> bool {
        let calls = run.undo.as_ref().and_then(|undo| undo.get("calls"));
        let calls = calls
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let ends = |call: &Value| {
            let resource = call.get("resource").and_then(Value::as_str);
            let call = resource.and_then(|resource| Call::of_task(resource, &Value::Null));
            call.is_some_and(|call| self.declaration().ends_by(&call))
        };
        !calls.is_empty() && calls.iter().all(ends)
    }

    /// What it declares of itself, for the guard.
    pub fn declaration(&self) -> Declaration<'_> {
        Declaration {
            playbook: &self.id,
            version: &self.version,
            category: &self.category,
            steps: &self.steps,
            facts: &self.facts,
            containment_hours: self.containment_hours,
            taken_back_at_end: &self.taken_back_at_end,
        }
    }

    fn check(&self, folder: &str, faults: &mut Vec<Diagnostic>) {
        if folder.rsplit('/').next() != Some(&self.id) {
            let message = format!("the id «{}» is not the folder's name", self.id);
            faults.push(Diagnostic::new(format!("{folder}/{FACTS}"), message).at("/id"));
        }
        self.check_end(folder, faults);
        let path = format!("{folder}/{FACTS}");
        let fault = |message: String| Diagnostic::new(&path, message).at("/iam");
        faults.extend(rights::faults(self).into_iter().map(fault));
        for (document, definition, name) in [
            ("respond", &self.respond, RESPOND),
            ("undo", &self.undo, UNDO),
        ] {
            for task in definition.tasks() {
                if let Some(message) = self.undeclared(document, task.name, task.resource) {
                    let place = format!("/States/{}", task.name);
                    faults.push(Diagnostic::new(format!("{folder}/{name}"), message).at(place));
                }
            }
            for retried in definition.retried(INTERRUPTED) {
                if self.changes(document, retried.task.name) {
                    faults.push(sent_again(format!("{folder}/{name}"), &retried));
                }
            }
        }
    }

    /// What is taken back by itself is a call of the undo, and has an end.
    fn check_end(&self, folder: &str, faults: &mut Vec<Diagnostic>) {
        let mut fault = |message: String| {
            let fault = Diagnostic::new(format!("{folder}/{FACTS}"), message);
            faults.push(fault.at("/taken_back_at_end"));
        };
        if !self.taken_back_at_end.is_empty() && self.containment_hours.is_none() {
            fault("what is taken back at the end needs an end: set containment_hours".to_owned());
        }
        for name in &self.taken_back_at_end {
            let is_it = |s: &StepFact| {
                s.document == "undo"
                    && s.class > Class::R0
                    && format!("{}:{}", s.service, s.operation) == *name
            };
            if !self.steps.iter().any(is_it) {
                fault(format!("«{name}» is no changing step of the undo"));
            }
        }
    }

    /// Whether a state is declared as one that changes something.
    fn changes(&self, document: &str, state: &str) -> bool {
        self.steps
            .iter()
            .any(|s| s.document == document && s.state == state && s.class > Class::R0)
    }

    /// Why a task is not declared as it is, if so. One that may be the gate needs no step; when it turns out not to
    /// be, its call is refused like any that is not declared.
    fn undeclared(&self, document: &str, state: &str, resource: &Resource) -> Option<String> {
        let Some(call) = Call::of_task(&resource.to_string(), &Value::Null) else {
            return Some(format!("{resource} is not a resource a playbook may use"));
        };
        if may_be_gate(resource) {
            return None;
        }
        let declared = self.steps.iter().any(|s| {
            s.document == document
                && s.state == state
                && s.service == call.service
                && s.operation == call.operation
        });
        (!declared).then(|| {
            format!("the step is not declared in {FACTS}: add it under [[steps]] with its class")
        })
    }
}

/// A change that may have happened would be made again without a look.
fn sent_again(path: String, retried: &RetriedTask<'_>) -> Diagnostic {
    let RetriedTask {
        task,
        state,
        retrier,
    } = retried;
    let message = format!(
        "{} changes something, and this has it sent again after {INTERRUPTED}, when nobody knows whether it happened",
        task.name
    );
    let help = format!(
        "put {{\"ErrorEquals\": [\"{INTERRUPTED}\"], \"MaxAttempts\": 0}} before it, and catch the error in a state that reads"
    );
    Diagnostic::new(path, message)
        .at(format!("/States/{state}/Retry/{retrier}"))
        .help(help)
}

fn read_facts(path: &str, text: &str, faults: &mut Vec<Diagnostic>) -> Option<File> {
    toml::from_str(text)
        .map_err(|e| {
            let line = e.span().map(|s| {
                text.get(..s.start)
                    .unwrap_or_default()
                    .matches('\n')
                    .count()
                    + 1
            });
            faults.push(Diagnostic::new(path, e.message()).at_line(line));
        })
        .ok()
}

fn read_document(path: &str, text: &str, faults: &mut Vec<Diagnostic>) -> Option<Definition> {
    let read = Definition::parse(text);
    read.map_err(|list| faults.extend(list.into_iter().map(|found| document_fault(path, found))))
        .ok()
}

/// What the states language says of a document, as a fault of the content file at `path`.
pub fn document_fault(path: &str, found: quell_states::Diagnostic) -> Diagnostic {
    let message = format!("{}: {}", found.code, found.message);
    Diagnostic {
        help: found.help,
        ..Diagnostic::new(path, message).at(found.location)
    }
}

fn assemble(
    file: File,
    (respond, undo): (Definition, Definition),
    digest: String,
    uses_approved_image: bool,
) -> Playbook {
    Playbook {
        id: file.id,
        name: file.name,
        version: file.version,
        summary: file.summary,
        category: file.category,
        resource_types: file.resource_types,
        subject: file.subject,
        begins_from: file.begins_from,
        part: file.part,
        containment_hours: file.containment_hours,
        taken_back_at_end: file.taken_back_at_end,
        level: file.level,
        response_target_seconds: file.response_target_seconds,
        attack: file.attack,
        steps: file.steps,
        iam: file.iam,
        facts: serde_json::to_value(file.facts).unwrap_or_default(),
        uses_approved_image,
        respond,
        undo,
        digest,
    }
}

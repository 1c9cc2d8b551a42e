//! `quell iam`.

use clap::{Args, Subcommand, ValueEnum};
use quell_guard::Family;
use quell_guard::rights::standing;
use quell_respond::rights::{Role, policies};
use serde_json::{Value, json};

use super::{Failure, Global};
use crate::config::{Account, Config};
use crate::content::Content;
use crate::output::Output;

/// What AWS has to let Quell do, and no more: policies to deploy
///
/// They are made from what the documents of the playbooks call. docs/iam.md says what goes where.
#[derive(Subcommand)]
pub enum IamCommand {
    Policy(Policy),
    Trust(Trust),
    Scp(Scp),
    /// The managed policy QuellQuarantine, which every account has before anybody needs it
    Quarantine,
}

/// The policies of Quell's roles in an account, for these playbooks or for all
///
/// For each role its policies, none longer than a managed policy may be.
#[derive(Args)]
pub struct Policy {
    /// The playbooks (PB-008) [default: all]
    #[arg(value_name = "PLAYBOOK")]
    playbooks: Vec<String>,
    /// The account [default: the only one of the settings]
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
    /// This role alone
    #[arg(long, value_enum)]
    role: Option<RoleArg>,
    /// The partition: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
}

/// The trust policy of one of Quell's roles
#[derive(Args)]
pub struct Trust {
    /// Whose role it is
    #[arg(long, value_enum)]
    role: RoleArg,
    /// Who works as it: the ARN of the role or user that Quell runs as
    #[arg(long, value_name = "ARN")]
    principal: String,
}

/// A service control policy that keeps the quarantine on whoever has it, and Quell's roles as they are
///
/// Attach it to the root or the units that Quell looks after. It binds no role of the management account.
#[derive(Args)]
pub struct Scp {
    /// Roles by which people or deployments still get through, by name or pattern, beside respond.never_touch.names
    #[arg(long, value_name = "NAME", default_values = ["OrganizationAccountAccessRole", "AWSControlTowerExecution", "stacksets-exec-*"])]
    except: Vec<String>,
    /// The partition: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
}

/// A role of Quell.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    Read,
    Network,
    Compute,
    Iam,
    S3,
    Data,
    Logging,
    /// Reads policies of the organisation, in the management account
    ReadOrganization,
    /// Attaches and detaches them
    Organization,
}

impl RoleArg {
    fn role(self) -> Role {
        match self {
            Self::Read => Role::Read,
            Self::Network => Role::Act(Family::Network),
            Self::Compute => Role::Act(Family::Compute),
            Self::Iam => Role::Act(Family::Iam),
            Self::S3 => Role::Act(Family::S3),
            Self::Data => Role::Act(Family::Data),
            Self::Logging => Role::Act(Family::Logging),
            Self::ReadOrganization => Role::ReadOrganization,
            Self::Organization => Role::Act(Family::Organization),
        }
    }
}

impl IamCommand {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        let document = match self {
            Self::Policy(policy) => policy.make(&settings)?,
            Self::Trust(trust) => standing::trust(
                &trust.principal,
                settings.aws.external_id.as_deref(),
                !trust.role.role().only_reads(),
            ),
            Self::Scp(scp) => scp.make(&settings),
            Self::Quarantine => standing::quarantine(),
        };
        // A policy is JSON, for people and for programs.
        Output::Json.print(&document, |_| String::new());
        Ok(())
    }
}

/// The account of a role, and its name there.
fn place(role: Role, account: &Account, settings: &Config) -> (String, String) {
    let [read, act] = settings.organization.roles();
    let management = settings.organization.management_account.clone();
    match role {
        Role::Read => (account.id.clone(), account.read_role.clone()),
        Role::ReadOrganization => (management.unwrap_or_default(), read),
        Role::Act(Family::Organization) => (management.unwrap_or_default(), act),
        Role::Act(family) => (account.id.clone(), account.act_role(family)),
    }
}

impl Policy {
    fn make(&self, settings: &Config) -> Result<Value, Failure> {
        let content = Content::load(settings.content.as_deref())
            .map_err(|e| Failure::Setup(format!("the content folder: {e}")))?;
        let unknown = |id: &&String| !content.playbooks.contains_key(*id);
        if let Some(id) = self.playbooks.iter().find(unknown) {
            let text = format!("there is no playbook {id}: `quell playbook list`");
            return Err(Failure::Denied(text));
        }
        let account = self.account(settings)?;
        let chosen = |id: &String| self.playbooks.is_empty() || self.playbooks.contains(id);
        let chosen = content.playbooks.values().filter(|p| chosen(&p.id));
        let management = settings.organization.management_account.as_deref();
        let all = policies(chosen, &self.partition, &account.id, management)
            .map_err(|unknown| Failure::Setup(unknown.to_string()))?;
        let asked = |role: Role| self.role.is_none_or(|asked| asked.role() == role);
        let roles = all.into_iter().filter(|(role, _)| asked(*role));
        let roles = roles.map(|(role, policies)| {
            let (account, name) = place(role, &account, settings);
            json!({"account": account, "role": name, "policies": policies})
        });
        Ok(Value::Array(roles.collect()))
    }

    /// An account that is not in the settings has roles of the usual names.
    fn account(&self, settings: &Config) -> Result<Account, Failure> {
        let known = &settings.accounts;
        match (&self.account, known.as_slice()) {
            (Some(id), _) => {
                let found = known.iter().find(|account| account.id == *id);
                Ok(found.cloned().unwrap_or_else(|| Account::new(id)))
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(Failure::Usage(
                "the settings have no one account: say which with --account DIGITS".to_owned(),
            )),
        }
    }
}

impl Scp {
    fn make(&self, settings: &Config) -> Value {
        let usual = [Account::new("")];
        let accounts = match settings.accounts.as_slice() {
            [] => usual.as_slice(),
            some => some,
        };
        let mut roles: Vec<String> = accounts
            .iter()
            .flat_map(|account| {
                let acting = Family::ALL.map(|family| account.act_role(family));
                [account.read_role.clone()].into_iter().chain(acting)
            })
            .collect();
        roles.sort();
        roles.dedup();
        let acting = accounts.first().map(|a| a.act_role(Family::Iam));
        let names = settings.respond.never_touch.names.iter();
        let except: Vec<String> = self.except.iter().chain(names).cloned().collect();
        let acting = acting.unwrap_or_default();
        standing::service_control(&self.partition, &roles, &acting, &except)
    }
}

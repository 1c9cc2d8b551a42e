//! What any plan must keep that takes back what somebody granted in IAM. It only ever takes access away, which is proven
//! by comparing the policies themselves; it takes away only what raises rights, or what goes beyond what a person approved;
//! and nothing that is evidence goes: no version of a policy, no key, no password is deleted. What is not surely new, or
//! lifts a denial, is of class R2, and a person is asked ([`concerns`]).

mod removal;
mod trust;
mod version;

use quell_model::{Class, Plan, Resource, Timestamp};
use serde_json::{Map, Value};

use super::attributes::{Asked, Deed, Subject, Way, attributes, no};
use super::{Claim, Unproven};
use crate::policies::{Document, Grant};

/// Taking back what somebody granted.
#[derive(Debug)]
pub(super) struct Drift;

/// A call that was looked at.
struct Look {
    deed: Deed,
    /// Why a person should say whether it is meant.
    doubts: Vec<String>,
}

impl Look {
    fn sure(deed: Deed) -> Self {
        Self {
            deed,
            doubts: Vec::new(),
        }
    }

    /// With doubts it reaches as far as what disrupts: by itself nobody does it.
    fn with(deed: Deed, doubts: Vec<String>) -> Self {
        let deed = match doubts.is_empty() {
            true => deed,
            false => deed.of_class(Class::R2),
        };
        Self { deed, doubts }
    }
}

impl Subject for Drift {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        look(asked).map(|look| look.deed)
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        concerns(plan, claim)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "access is only ever taken away: shown by comparing the policies themselves",
            "only what raises rights, or goes beyond what a person approved, is taken away",
            "no version of a policy, no key and no password is deleted",
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User,
    Role,
    Group,
    Policy,
}

impl Kind {
    /// As operations and their arguments write it.
    fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Role => "Role",
            Self::Group => "Group",
            Self::Policy => "Policy",
        }
    }

    /// As images write it.
    fn key(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::Policy => "policy",
        }
    }
}

/// What the run is about.
struct Target<'a> {
    kind: Kind,
    name: &'a str,
    resource: &'a Resource,
}

impl<'a> Target<'a> {
    fn of(resource: &'a Resource) -> Result<Self, Unproven> {
        let (kind, object) = match resource.kind.as_str() {
            "AWS::IAM::User" => (Kind::User, "user/"),
            "AWS::IAM::Role" => (Kind::Role, "role/"),
            "AWS::IAM::Group" => (Kind::Group, "group/"),
            "AWS::IAM::ManagedPolicy" => (Kind::Policy, "policy/"),
            other => return Err(no(format!("{other} has no policies"))),
        };
        let arn = &resource.arn;
        let path = arn.resource.strip_prefix(object);
        let name = path.and_then(|path| path.rsplit('/').next());
        match name {
            Some(name)
                if arn.service == "iam" && arn.account == resource.account && !name.is_empty() =>
            {
                Ok(Self {
                    kind,
                    name,
                    resource,
                })
            }
            _ => Err(no(format!("{arn} is nothing of this account's IAM"))),
        }
    }

    /// `user/eve/policy/…`.
    fn attribute(&self, of: &str) -> String {
        format!("{}/{}/{of}", self.kind.key(), self.name)
    }

    /// The call names this very user, role or group.
    fn is_named(&self, asked: &Asked<'_>) -> Result<(), Unproven> {
        asked.is(&format!("{}Name", self.kind.name()), &self.name.into())
    }
}

/// What a call does, and what speaks against doing it unasked.
fn look(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let target = Target::of(asked.claim.resource)?;
    let operation = asked.operation.strip_prefix("iam:").unwrap_or_default();
    let kind = target.kind.name();
    let own = operation.replacen(kind, "*", 1);
    match (target.kind, own.as_str()) {
        (Kind::Policy, "SetDefault*Version") => version::put_in_force(asked, &target),
        (Kind::Policy, _) => version::attachment(asked, &target, operation),
        (_, "Detach*Policy" | "Attach*Policy") => removal::managed(asked, &target),
        (_, "Delete*Policy" | "Put*Policy") => removal::inline(asked, &target),
        (Kind::User | Kind::Role, "Put*PermissionsBoundary" | "Delete*PermissionsBoundary") => {
            removal::boundary(asked, &target)
        }
        (Kind::User, "Remove*FromGroup" | "Add*ToGroup") => removal::membership(asked, &target),
        (Kind::User, "UpdateAccessKey") => removal::key(asked, &target),
        (Kind::Role, "UpdateAssume*Policy") => trust::put(asked, &target),
        _ => Err(no(format!(
            "what takes back grants makes no call {operation} here"
        ))),
    }
}

/// The image that a person approved.
fn approved<'a>(claim: &Claim<'a>) -> Option<&'a Map<String, Value>> {
    claim
        .known
        .baseline
        .and_then(|image| attributes(image, "approved").ok())
}

/// Whether something made then is new: made after the first event, less the seconds by which clocks differ.
fn is_new(made: Option<&Value>, claim: &Claim<'_>) -> bool {
    let made = made.and_then(Value::as_str);
    let made: Option<Timestamp> = made.and_then(|text| text.parse().ok());
    let skew = claim.facts.get("skewSeconds").and_then(Value::as_i64);
    match (made, claim.known.since, skew) {
        (Some(made), Some(since), Some(skew @ 0..=600)) => made >= since.plus_millis(-1000 * skew),
        _ => false,
    }
}

/// An action by which rights are raised, and something that it is done to.
struct Escalation {
    action: String,
    on: String,
}

/// What the playbook's facts list.
fn escalations(claim: &Claim<'_>) -> Result<Vec<Escalation>, Unproven> {
    let listed = claim.facts.get("escalation").and_then(Value::as_array);
    let arn = &claim.resource.arn;
    let account = &claim.resource.account;
    let read = |item: &Value| {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let on = text("on")?.replace("PARTITION", &arn.partition);
        Some(Escalation {
            action: text("action")?.to_owned(),
            on: on.replace("ACCOUNT", account),
        })
    };
    let all: Option<Vec<_>> = listed
        .map(|all| all.iter().map(read).collect())
        .unwrap_or(None);
    all.filter(|all| !all.is_empty())
        .ok_or_else(|| no("the playbook's facts do not say what raises rights"))
}

/// How far a policy raises rights beyond another one, or at all.
fn raises(
    document: &Document,
    beyond: Option<&Document>,
    claim: &Claim<'_>,
) -> Result<Grant, Unproven> {
    let gained = escalations(claim)?.into_iter().filter_map(|e| {
        let grant = document.grants(&e.action, &e.on);
        let was = beyond.map_or(Grant::No, |b| b.grants(&e.action, &e.on));
        (grant > was).then_some(grant)
    });
    Ok(gained.max().unwrap_or(Grant::No))
}

/// A policy from its text in an argument.
fn policy_in(asked: &Asked<'_>, name: &str) -> Result<(Value, Document), Unproven> {
    let text = asked.text(name)?;
    let value: Value = serde_json::from_str(text).map_err(|_| no(format!("{name} is no JSON")))?;
    let document = Document::of_text(text).map_err(|e| no(format!("{name}: {e}")))?;
    Ok((value, document))
}

/// Only as the way back.
fn is_back(asked: &Asked<'_>) -> Result<(), Unproven> {
    match asked.way {
        Way::Back => Ok(()),
        Way::There => Err(no(format!(
            "{} gives something: a response never does",
            asked.operation
        ))),
    }
}

/// So many would feel it at most before a person is asked, in production.
fn most(claim: &Claim<'_>) -> u64 {
    let most = claim.facts.get("attachmentsMax").and_then(Value::as_u64);
    most.unwrap_or(0)
}

/// Who else would feel it, and what is not known well enough to do it unasked.
pub(super) fn concerns(plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
    let Ok(image) = attributes(&plan.before, "before") else {
        return vec!["it is not known what is there".to_owned()];
    };
    let mut ask = Vec::new();
    for planned in &plan.calls {
        let call = quell_model::Call::of_task(&planned.resource, &planned.arguments);
        let operation = call.map(|call| format!("{}:{}", call.service, call.operation));
        let (Some(operation), Some(arguments)) = (operation, planned.arguments.as_object()) else {
            continue;
        };
        let looked = look(&Asked {
            operation: &operation,
            arguments,
            image,
            way: Way::There,
            facts: &plan.facts,
            claim,
        });
        // What is no call of this kind of plan is another proof's to speak of.
        ask.extend(looked.map(|look| look.doubts).unwrap_or_default());
    }
    ask.extend(reach(plan, claim));
    ask.dedup();
    ask
}

/// How many would feel it, in production: those that a policy is attached to, the members of a group.
fn reach(plan: &Plan, claim: &Claim<'_>) -> Option<String> {
    let count = |name: &str| plan.facts.get(name).and_then(Value::as_u64);
    let (most, kind) = (most(claim), Target::of(claim.resource).ok()?.kind);
    let (felt, what) = match kind {
        _ if !claim.production => return None,
        Kind::Policy => {
            let all = count("attachments").zip(count("boundaries"));
            (
                all.map(|(a, b)| a.saturating_add(b)),
                "users, roles and groups have this policy",
            )
        }
        Kind::Group => {
            let all = plan.facts.get("allMembers") == Some(&Value::Bool(true));
            (count("members").filter(|_| all), "users are in this group")
        }
        Kind::User | Kind::Role => return None,
    };
    match felt {
        Some(felt) if felt <= most => None,
        Some(felt) => Some(format!("{felt} {what}")),
        None => Some("it is not known how many would feel it".to_owned()),
    }
}

#[cfg(test)]
mod tests;

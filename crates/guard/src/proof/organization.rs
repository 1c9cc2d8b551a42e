//! What any plan must keep that acts on an account by the organisation's means. One of the service control policies that were
//! made for this beforehand is attached, once it was read to say exactly what it is to say, to the very account that the run is
//! about, and to nothing else: no unit, no root, no other account, and never the one that manages the organisation. Nothing is
//! written: no policy is made, changed or deleted. An undo detaches it.

use quell_model::{Class, Plan};
use serde_json::Value;

use super::attributes::{Asked, Deed, Image, Subject, Way, no};
use super::{Claim, Unproven};

/// The policies that may be attached: by name, with what they say to the letter and what people feel of it.
const STANDING: &[Standing] = &[
    Standing {
        name: "QuellDenyRoot",
        text: include_str!("organization/QuellDenyRoot.json"),
        felt: "the root user is denied everything there, also for whoever holds it rightly, until the policy is detached",
    },
    Standing {
        name: "QuellEmergencyNoDestroy",
        text: include_str!("organization/QuellEmergencyNoDestroy.json"),
        felt: "nobody there can delete backups, snapshots, images, databases, buckets or objects, nor disable a key, change its \
               policy or give it away, also where that is somebody's daily work, until the policy is detached",
    },
];

struct Standing {
    name: &'static str,
    text: &'static str,
    felt: &'static str,
}

/// What acts on an account from outside it.
#[derive(Debug)]
pub(super) struct Organization;

impl Subject for Organization {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let attaches = match (asked.operation, asked.way) {
            ("organizations:AttachPolicy", Way::There) => true,
            ("organizations:DetachPolicy", Way::Back) => false,
            (other, _) => {
                return Err(no(format!(
                    "{other} is nothing that is done to an account here"
                )));
            }
        };
        asked.only(&["PolicyId", "TargetId"])?;
        let account = asked.claim.resource.account.as_str();
        asked.is("TargetId", &account.into())?;
        let id = asked.text("PolicyId")?;
        let key = format!("account/{account}/scp/{id}");
        is_member(asked.image, account)?;
        if !attaches {
            return Ok(Deed::setting(key, Value::Null).of_class(Class::R2));
        }
        says_what_it_should(asked, id)?;
        match asked.image.contains_key(&key) {
            true => Err(no(format!("{id} is attached to {account} already"))),
            false => Ok(Deed::setting(key, "attached").of_class(Class::R2)),
        }
    }

    fn allows(&self, plan: &Plan, _: &[Deed], _: &Claim<'_>) -> Result<(), Unproven> {
        match plan.calls.len() {
            1 => Ok(()),
            _ => Err(no("one policy is attached, and nothing else is done")),
        }
    }

    /// Always somebody: it is felt by everybody in the account.
    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let named = plan.calls.iter().filter_map(|call| {
            let id = call.arguments.get("PolicyId")?.as_str()?;
            let key = format!("scp/{id}/name");
            let name = plan.before.get("attributes")?.get(key)?.as_str()?;
            STANDING.iter().find(|standing| standing.name == name)
        });
        let account = &claim.resource.account;
        named
            .map(|standing| format!("account {account}: {}", standing.felt))
            .collect()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "one policy of the organisation is attached that was made for this beforehand, read to say exactly what it is to say",
            "it is attached to this very account, to no unit or root, and not to the account that manages the organisation",
            "no policy is made, changed or deleted",
        ]
    }
}

/// The account is one of the organisation's, and not the one that manages it: no policy binds that one.
fn is_member(image: &Image, account: &str) -> Result<(), Unproven> {
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let management = image.get("organization/management").and_then(Value::as_str);
    match management.filter(|id| is_id(id)) {
        None => Err(no(
            "the image does not say which account manages the organisation",
        )),
        Some(own) if own == account => Err(no("it is the account that manages the organisation")),
        Some(_) if !is_id(account) => Err(no(format!("«{account}» is no account"))),
        Some(_) => Ok(()),
    }
}

/// The policy has the name that the playbook attaches, and was read to say what is known under that name.
fn says_what_it_should(asked: &Asked<'_>, id: &str) -> Result<(), Unproven> {
    let is_id = id.strip_prefix("p-").is_some_and(|rest| {
        (8..=128).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    if !is_id {
        return Err(no(format!("«{id}» is no policy of a customer")));
    }
    let read = |of: &str| asked.image.get(&format!("scp/{id}/{of}"));
    let name = read("name").and_then(Value::as_str);
    let wanted = asked.claim.facts.get("scp").and_then(Value::as_str);
    let standing = STANDING.iter().find(|standing| Some(standing.name) == name);
    let standing = standing.filter(|_| name == wanted).ok_or_else(|| {
        no(format!(
            "{id} is not the policy that this playbook attaches, by its name"
        ))
    })?;
    let expected: Value = serde_json::from_str(standing.text)
        .map_err(|e| no(format!("{}: its text cannot be read: {e}", standing.name)))?;
    let content = read("content").and_then(Value::as_str);
    match content.is_some_and(|text| is_to_the_letter(text, &expected)) {
        true => Ok(()),
        false => Err(no(format!(
            "{} was not read to say exactly what it is to say",
            standing.name
        ))),
    }
}

/// Whether a text says this and nothing else. A member that is there twice would be read in one way here and perhaps in another
/// by AWS; it makes the text longer.
fn is_to_the_letter(text: &str, expected: &Value) -> bool {
    let said: Option<Value> = serde_json::from_str(text).ok();
    let length = text.chars().filter(|c| !c.is_ascii_whitespace()).count();
    said.as_ref() == Some(expected) && length == expected.to_string().chars().count()
}

#[cfg(test)]
#[path = "organization_tests.rs"]
mod tests;

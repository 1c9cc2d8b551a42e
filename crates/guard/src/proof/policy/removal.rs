//! What a user, a role or a group has: policies attached and inline, groups, keys, a boundary.

use serde_json::Value;

use super::{Kind, Look, Target, approved, is_back, is_new, policy_in, raises};
use crate::policies::{DOCUMENT_BYTES_MAX, Document, Effect, Grant, narrows};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

/// Something that grants, as it is to go.
struct Granting<'a> {
    /// Its attribute.
    key: &'a str,
    /// Its name in words.
    name: &'a str,
    /// What it grants; `None` when that cannot be read.
    documents: Vec<Option<Document>>,
    /// When it was made itself.
    made: Option<&'a Value>,
}

/// Attaching a managed policy, or detaching it.
pub(super) fn managed(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    let named = format!("{}Name", target.kind.name());
    asked.only(&[&named, "PolicyArn"])?;
    target.is_named(asked)?;
    let policy = asked.text("PolicyArn")?;
    let key = target.attribute(&format!("policy/{policy}"));
    if asked.operation.starts_with("iam:Attach") {
        is_back(asked)?;
        return Ok(Look::sure(Deed::setting(key, "attached")));
    }
    is_there(asked, &key)?;
    let deed = Deed::setting(key.clone(), Value::Null);
    taken_away(asked, deed, &read_before(asked, &key, policy))
}

/// Leaving a group, or coming back to it.
pub(super) fn membership(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    asked.only(&["UserName", "GroupName"])?;
    target.is_named(asked)?;
    let group = asked.text("GroupName")?;
    let key = target.attribute(&format!("group/{group}"));
    if asked.operation == "iam:AddUserToGroup" {
        is_back(asked)?;
        return Ok(Look::sure(Deed::setting(key, "member")));
    }
    is_there(asked, &key)?;
    let deed = Deed::setting(key.clone(), Value::Null);
    taken_away(asked, deed, &read_before(asked, &key, group))
}

/// Deleting an inline policy, or putting one: as the way back the one that was there, in a response what was approved.
pub(super) fn inline(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    let named = format!("{}Name", target.kind.name());
    asked.only(&[&named, "PolicyName", "PolicyDocument"])?;
    target.is_named(asked)?;
    let name = asked.text("PolicyName")?;
    let key = target.attribute(&format!("inline/{name}"));
    if asked.operation.starts_with("iam:Put") {
        return match asked.way {
            Way::Back => given_back(asked, &key),
            Way::There => put_as_approved(asked, &key),
        };
    }
    is_there(asked, &key)?;
    asked.only(&[&named, "PolicyName"])?;
    let granting = Granting {
        key: &key,
        name,
        documents: vec![asked.image.get(&key).and_then(|d| Document::of(d).ok())],
        made: None,
    };
    taken_away(asked, Deed::setting(key.clone(), Value::Null), &granting)
}

/// As it was, to the letter: it need not be understood.
fn given_back(asked: &Asked<'_>, key: &str) -> Result<Look, Unproven> {
    let text = asked.text("PolicyDocument")?;
    let said: Option<Value> = serde_json::from_str(text).ok();
    let said = said.filter(|_| text.len() <= DOCUMENT_BYTES_MAX);
    let said = said.ok_or_else(|| no("PolicyDocument is no policy"))?;
    Ok(Look::sure(Deed::setting(key, said)))
}

/// An inline policy that was changed, as a person approved it.
fn put_as_approved(asked: &Asked<'_>, key: &str) -> Result<Look, Unproven> {
    let (said, after) = policy_in(asked, "PolicyDocument")?;
    if approved(asked.claim).and_then(|all| all.get(key)) != Some(&said) {
        return Err(no(format!("nobody approved this text for {key}")));
    }
    let is = asked.image.get(key).filter(|is| **is != said);
    let is = is.ok_or_else(|| no(format!("{key} is not there, or is so already")))?;
    let mut doubts = Vec::new();
    match Document::of(is).map(|before| (narrows(&before, &after), narrows(&after, &before))) {
        Ok((_, Ok(()))) => return Err(no(format!("{key} allows nothing that was not approved"))),
        Ok((Ok(()), Err(_))) => {}
        Ok((Err(more), Err(_))) => doubts.push(format!(
            "what was approved for {key} goes further in part: {more}"
        )),
        Err(e) => doubts.push(format!("the policy at {key} cannot be read: {e}")),
    }
    Ok(Look::with(Deed::setting(key, said), doubts))
}

/// Switching a key off that was made since it began, or on again.
pub(super) fn key(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    asked.only(&["UserName", "AccessKeyId", "Status"])?;
    target.is_named(asked)?;
    let id = asked.text("AccessKeyId")?;
    let key = target.attribute(&format!("key/{id}"));
    let made = asked.facts.get("keys").and_then(|keys| keys.get(id));
    match (asked.way, asked.text("Status")?) {
        (Way::Back, status @ ("Active" | "Inactive")) => Ok(Look::sure(Deed::setting(key, status))),
        (Way::There, "Inactive") if asked.image.get(&key) != Some(&"Active".into()) => {
            Err(no(format!("{id} is no active key of {}", target.name)))
        }
        (Way::There, "Inactive") if is_new(made, asked.claim) => {
            Ok(Look::sure(Deed::setting(key, "Inactive")))
        }
        (Way::There, "Inactive") => Err(no(format!("{id} is not known to be new"))),
        (_, other) => Err(no(format!("a key is not set to «{other}»"))),
    }
}

/// A boundary as it was approved, in the place of none or of another.
pub(super) fn boundary(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    let named = format!("{}Name", target.kind.name());
    asked.only(&[&named, "PermissionsBoundary"])?;
    target.is_named(asked)?;
    let key = target.attribute("boundary");
    if asked.operation.starts_with("iam:Delete") {
        is_back(asked)?;
        asked.only(&[&named])?;
        return Ok(Look::sure(Deed::setting(key, Value::Null)));
    }
    let policy = asked.text("PermissionsBoundary")?;
    let deed = Deed::setting(key.clone(), policy);
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    if approved(asked.claim).and_then(|all| all.get(&key)) != Some(&policy.into()) {
        return Err(no(format!("nobody approved {policy} as the boundary")));
    }
    let doubts = match asked.image.get(&key) {
        None => Vec::new(),
        Some(is) if *is == policy => return Err(no("the boundary is so already")),
        Some(is) => vec![format!(
            "{is} is the boundary now: whether the approved one allows less is not known"
        )],
    };
    Ok(Look::with(deed, doubts))
}

fn is_there(asked: &Asked<'_>, key: &str) -> Result<(), Unproven> {
    if asked.way == Way::Back {
        return Err(no(format!(
            "{} takes away: no response is taken back so",
            asked.operation
        )));
    }
    match asked.image.contains_key(key) {
        true => Ok(()),
        false => Err(no(format!("{key} is not there"))),
    }
}

/// What was read of something that grants, beside the image.
fn read_before<'a>(asked: &Asked<'a>, key: &'a str, name: &'a str) -> Granting<'a> {
    let read = asked.facts.get("grants").and_then(|all| all.get(key));
    let documents = read.and_then(|read| read.get("documents")?.as_array());
    let documents = documents
        .into_iter()
        .flatten()
        .map(|d| Document::of(d).ok());
    Granting {
        key,
        name,
        documents: documents.collect(),
        made: read.and_then(|read| read.get("created")),
    }
}

/// Whether it may go, and whether a person has to say so first. What only denies (a quarantine is such a policy) raises no rights
/// and stays; a name protects nothing, since whoever makes a policy chooses it.
fn taken_away(asked: &Asked<'_>, deed: Deed, granting: &Granting<'_>) -> Result<Look, Unproven> {
    let (key, name, claim) = (granting.key, granting.name, asked.claim);
    let baseline = approved(claim);
    let wanted = baseline.and_then(|all| all.get(key));
    if wanted.is_some_and(|wanted| asked.image.get(key) == Some(wanted)) {
        return Err(no(format!("a person approved {key}")));
    }
    let mut doubts = Vec::new();
    let (mut raised, mut allows) = (Grant::No, false);
    for document in &granting.documents {
        let Some(document) = document else {
            doubts.push(format!("not all that {name} says can be read"));
            (raised, allows) = (raised.max(Grant::Conditioned), true);
            continue;
        };
        raised = raised.max(raises(document, None, claim)?);
        allows |= document
            .statements
            .iter()
            .any(|s| s.effect == Effect::Allow);
        if document.denies() {
            doubts.push(format!(
                "{name} denies something too, which would be denied no more"
            ));
        }
    }
    if !allows || (baseline.is_none() && raised == Grant::No) {
        return Err(no(format!("{name} raises no rights: it is not taken away")));
    }
    if baseline.is_none() {
        let created = asked.facts.get("created");
        doubts.extend(undated(
            name,
            is_new(granting.made, claim) || is_new(created, claim),
            raised,
        ));
    }
    Ok(Look::with(deed, doubts))
}

/// Without an approved state only what is surely new and surely raises rights goes unasked.
fn undated(name: &str, is_new: bool, raised: Grant) -> Option<String> {
    match (is_new, raised) {
        (true, Grant::Open) => None,
        (true, _) => Some(format!(
            "{name} raises rights under a condition only, or in a limited way"
        )),
        (false, _) => Some(format!(
            "it is not known since when {name} is here: it may be meant"
        )),
    }
}

impl Kind {
    /// Its names in operations on a policy: `Detach`, `Attach`.
    pub(super) fn of_operation(operation: &str, verb: &str) -> Option<Self> {
        let object = operation.strip_prefix(verb)?.strip_suffix("Policy")?;
        [Self::User, Self::Role, Self::Group]
            .into_iter()
            .find(|kind| kind.name() == object)
    }
}

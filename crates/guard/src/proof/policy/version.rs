//! A managed policy: which version is in force, and who has it.

use serde_json::Value;

use super::{Kind, Look, Target, approved, is_back, is_new, raises};
use crate::policies::{Document, Grant, adds_nothing, lifts_no_denial};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Image, Way, no};

const IN_FORCE: &str = "policy/default";

/// A version of the policy, as the image has it.
struct Version<'a> {
    id: &'a str,
    made: Option<&'a Value>,
    document: Document,
}

fn version<'a>(image: &'a Image, id: &'a str) -> Result<Version<'a>, Unproven> {
    let read = image.get(&format!("policy/version/{id}"));
    let read = read.ok_or_else(|| no(format!("there is no version {id}")))?;
    let document = read.get("document").unwrap_or(&Value::Null);
    Ok(Version {
        id,
        made: read.get("created"),
        document: Document::of(document).map_err(|e| no(format!("version {id}: {e}")))?,
    })
}

/// Another version comes into force, for everybody who has the policy. In a response one that allows nothing more.
pub(super) fn put_in_force(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    asked.only(&["PolicyArn", "VersionId"])?;
    asked.is("PolicyArn", &target.resource.arn.to_string().into())?;
    let wanted = asked.text("VersionId")?;
    let deed = Deed::setting(IN_FORCE, wanted);
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    let now = asked.image.get(IN_FORCE).and_then(Value::as_str);
    let now = version(
        asked.image,
        now.ok_or_else(|| no("no version is in force"))?,
    )?;
    let wanted = version(asked.image, wanted)?;
    adds_nothing(&now.document, &wanted.document).map_err(|more| {
        no(format!(
            "{} is not proven to allow nothing that {} does not: {more}",
            wanted.id, now.id
        ))
    })?;
    let raised = raises(&now.document, Some(&wanted.document), asked.claim)?;
    if raised == Grant::No {
        return Err(no(format!(
            "{} raises no rights that {} does not",
            now.id, wanted.id
        )));
    }
    let mut doubts = doubts(asked, &now, &wanted, raised);
    doubts.extend(may_be_ours(target));
    Ok(Look::with(deed, doubts))
}

/// What is called so may be what Quell works by. A name proves nothing: a person decides, and nobody wins immunity by it.
fn may_be_ours(target: &Target<'_>) -> Option<String> {
    let text = format!("{} may be what Quell itself works by", target.name);
    target.name.starts_with("Quell").then_some(text)
}

fn doubts(
    asked: &Asked<'_>,
    now: &Version<'_>,
    wanted: &Version<'_>,
    raised: Grant,
) -> Vec<String> {
    let mut doubts = Vec::new();
    if lifts_no_denial(&now.document, &wanted.document).is_err() {
        doubts.push(format!(
            "{} denies something that {} does not: it would be denied no more",
            now.id, wanted.id
        ));
    }
    let is_approved =
        approved(asked.claim).and_then(|all| all.get(IN_FORCE)) == Some(&wanted.id.into());
    if is_approved {
        return doubts;
    }
    if !is_new(now.made, asked.claim) || is_new(wanted.made, asked.claim) {
        doubts.push(format!(
            "{} is not known to be what was in force before it began",
            wanted.id
        ));
    }
    if raised != Grant::Open {
        doubts.push(format!(
            "{} raises rights under a condition only, or in a limited way",
            now.id
        ));
    }
    doubts
}

/// A new policy is detached from somebody who has it, or given back.
pub(super) fn attachment(
    asked: &Asked<'_>,
    target: &Target<'_>,
    operation: &str,
) -> Result<Look, Unproven> {
    let detached = Kind::of_operation(operation, "Detach");
    let kind = detached.or_else(|| Kind::of_operation(operation, "Attach"));
    let kind = kind.ok_or_else(|| {
        no(format!(
            "what takes back grants makes no call {operation} here"
        ))
    })?;
    let named = format!("{}Name", kind.name());
    asked.only(&[&named, "PolicyArn"])?;
    asked.is("PolicyArn", &target.resource.arn.to_string().into())?;
    let key = format!("policy/attached/{}/{}", kind.key(), asked.text(&named)?);
    if detached.is_none() {
        is_back(asked)?;
        return Ok(Look::sure(Deed::setting(key, "attached")));
    }
    if !asked.image.contains_key(&key) || asked.way == Way::Back {
        return Err(no(format!("{key} is not there")));
    }
    let now = asked.image.get(IN_FORCE).and_then(Value::as_str);
    let now = version(
        asked.image,
        now.ok_or_else(|| no("no version is in force"))?,
    )?;
    let raised = raises(&now.document, None, asked.claim)?;
    if raised == Grant::No {
        return Err(no(format!("{} raises no rights: it stays", target.name)));
    }
    let mut doubts = Vec::from_iter(may_be_ours(target));
    if now.document.denies() {
        doubts.push(format!(
            "{} denies something too, which would be denied no more",
            target.name
        ));
    }
    if !is_new(asked.facts.get("created"), asked.claim) {
        doubts.push(format!(
            "{} is not known to be new: it may be meant",
            target.name
        ));
    }
    if raised != Grant::Open {
        doubts.push(format!(
            "{} raises rights under a condition only, or in a limited way",
            target.name
        ));
    }
    Ok(Look::with(Deed::setting(key, Value::Null), doubts))
}

//! Credentials of one session: the role that something works as is denied everything for the session that this very thing has, and for
//! no other. A Deny for the role as a whole would stop everything that works as it; only `aws:userid` with the role's id and the session's
//! name is this one. It holds for what was stolen, and after each renewal.

use serde_json::{Value, json};

use super::Unproven;
use super::attributes::{Asked, Deed, Image, Way, no};

/// The role that something works as.
pub(super) struct Holder<'a> {
    /// Its name.
    pub role: &'a str,
    /// Its id: what stands before the session's name in `aws:userid`.
    pub id: &'a str,
}

/// What a call does to the session of what the run is about, whose name is the resource's id: an instance's, a function's name, a task's.
/// `holder` finds its role in the image. `None` of a call that is about no session.
pub(super) fn read<'a>(
    asked: &Asked<'a>,
    holder: impl FnOnce(&'a Image) -> Option<Holder<'a>>,
) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("iam:PutRolePolicy", Way::There) => deny(asked, holder(asked.image)),
        ("iam:DeleteRolePolicy", Way::Back) => lift(asked),
        _ => return None,
    })
}

/// The name of the one policy that Quell sets.
fn policy_name(asked: &Asked<'_>) -> Value {
    format!("QuellSession-{}", asked.claim.resource.id).into()
}

fn key(role: &str, policy: &Value) -> String {
    format!("role/{role}/inline/{}", policy.as_str().unwrap_or_default())
}

fn deny(asked: &Asked<'_>, holder: Option<Holder<'_>>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName", "PolicyDocument"])?;
    let role = asked.text("RoleName")?;
    let holder = holder.ok_or_else(|| no("it has no role"))?;
    if holder.role != role {
        return Err(no(format!(
            "it works as «{}», not as «{role}»",
            holder.role
        )));
    }
    let name = policy_name(asked);
    asked.is("PolicyName", &name)?;
    let session = format!("{}:{}", holder.id, asked.claim.resource.id);
    let wanted = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "QuellSession", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": session}},
    }]});
    let given: Value = serde_json::from_str(asked.text("PolicyDocument")?).unwrap_or_default();
    if given != wanted {
        return Err(no(format!(
            "the policy is not exactly a Deny for the session «{session}»"
        )));
    }
    let key = key(role, &name);
    match asked.image.contains_key(&key) {
        true => Err(no(format!(
            "{key} is there already, and would be overwritten"
        ))),
        false => Ok(Deed::setting(key, wanted)),
    }
}

fn lift(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName"])?;
    let name = policy_name(asked);
    asked.is("PolicyName", &name)?;
    Ok(Deed::setting(
        key(asked.text("RoleName")?, &name),
        Value::Null,
    ))
}

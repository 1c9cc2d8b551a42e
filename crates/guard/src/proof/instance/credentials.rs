//! Credentials: the instance's role is denied everything for the session that this instance has, and for no other.

use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Way, no};
use crate::proof::Unproven;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("iam:PutRolePolicy", Way::There) => deny(asked),
        ("iam:DeleteRolePolicy", Way::Back) => lift(asked),
        _ => return None,
    })
}

/// The name of the one policy that Quell sets for an instance.
fn policy_name(asked: &Asked<'_>) -> Value {
    format!("QuellSession-{}", asked.claim.resource.id).into()
}

/// A Deny for the role as a whole would stop every instance that works as it: only `aws:userid` with this instance's id,
/// which is the name of its session, is this one. It holds for what was stolen, and after each renewal.
fn deny(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName", "PolicyDocument"])?;
    let role = asked.text("RoleName")?;
    let profile = asked.image.get("profile");
    let of = |name: &str| profile.and_then(|p| p.get(name)).and_then(Value::as_str);
    let (Some(own), Some(role_id)) = (of("role"), of("roleId")) else {
        return Err(no("the instance has no role"));
    };
    if own != role {
        return Err(no(format!(
            "the instance works as «{own}», not as «{role}»"
        )));
    }
    let name = policy_name(asked);
    asked.is("PolicyName", &name)?;
    let session = format!("{role_id}:{}", asked.claim.resource.id);
    let wanted = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "QuellSession", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": session}},
    }]});
    let text = asked.text("PolicyDocument")?;
    let given: Value = serde_json::from_str(text).unwrap_or_default();
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

fn key(role: &str, policy: &Value) -> String {
    format!("role/{role}/inline/{}", policy.as_str().unwrap_or_default())
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

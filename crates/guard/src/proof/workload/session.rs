//! Credentials: the role is denied everything for the session that this function or task has, and for no other.

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

/// The name of the one policy that Quell sets.
fn policy_name(asked: &Asked<'_>) -> Value {
    format!("QuellSession-{}", asked.claim.resource.id).into()
}

fn key(role: &str, policy: &Value) -> String {
    format!("role/{role}/inline/{}", policy.as_str().unwrap_or_default())
}

/// The name of a session is the function's name, or the task's id: `aws:userid` is that behind the role's id.
fn deny(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName", "PolicyDocument"])?;
    let role = asked.image.get("role");
    let of = |name: &str| role.and_then(|r| r.get(name)).and_then(Value::as_str);
    let (Some(own), Some(role_id)) = (of("name"), of("id")) else {
        return Err(no("it has no role"));
    };
    asked.is("RoleName", &own.into())?;
    let name = policy_name(asked);
    asked.is("PolicyName", &name)?;
    let session = format!("{role_id}:{}", asked.claim.resource.id);
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
    let key = key(own, &name);
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

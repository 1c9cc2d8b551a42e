//! A key of KMS: its deletion is called off, it is enabled again when it was, and its policy becomes the approved one.
//!
//! A deletion that was called off is never scheduled again, neither by an undo nor when a later step fails. A key whose
//! deletion was called off is disabled; whether it was enabled before is shown by what it was last used for.

use quell_model::Timestamp;
use serde_json::{Value, json};

use super::history::History;
use super::{Look, approved, from_to, unknown};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

/// When it will be deleted; absent when it will not.
const DELETION: &str = "key/deletion";
const ENABLED: &str = "key/enabled";
const POLICY: &str = "key/policy";
/// A state beside enabled and disabled: without its material, out of reach.
const STATE: &str = "key/state";

pub(super) fn look(asked: &Asked<'_>) -> Result<Look, Unproven> {
    asked.is("KeyId", &json!(asked.claim.resource.arn.to_string()))?;
    match (asked.operation, asked.way) {
        ("kms:CancelKeyDeletion", Way::There) => call_off(asked),
        ("kms:EnableKey", Way::There) => enable(asked),
        ("kms:DisableKey", Way::Back) => {
            asked.only(&["KeyId"])?;
            from_to(asked, ENABLED, &json!(true), json!(false)).map(Look::sure)
        }
        ("kms:PutKeyPolicy", _) => put_policy(asked),
        _ => Err(unknown(asked)),
    }
}

fn call_off(asked: &Asked<'_>) -> Result<Look, Unproven> {
    asked.only(&["KeyId"])?;
    match asked.image.contains_key(DELETION) {
        true => Ok(Look::sure(Deed::setting(DELETION, Value::Null).kept())),
        false => Err(no("the key is not about to be deleted")),
    }
}

fn enable(asked: &Asked<'_>) -> Result<Look, Unproven> {
    asked.only(&["KeyId"])?;
    if let Some(key) = [DELETION, STATE]
        .iter()
        .find(|key| asked.image.contains_key(**key))
    {
        return Err(no(format!("with {key} the key cannot be enabled")));
    }
    let deed = from_to(asked, ENABLED, &json!(false), json!(true))?;
    let doubt = match approved(asked.claim).map(|image| image.get(ENABLED)) {
        Some(Some(Value::Bool(true))) => None,
        Some(_) => return Err(no("nobody approved that this key is enabled")),
        None if was_enabled(asked) == Some(true) => None,
        None => Some("the key is not known to have been enabled before it began: whoever may use it could use it again".to_owned()),
    };
    Ok(Look::with(deed, doubt))
}

/// Whether it was enabled when it began: it was used since, or it was used (or made, for then it is enabled) not too long before
/// and nobody disabled it between.
fn was_enabled(asked: &Asked<'_>) -> Option<bool> {
    let history = History::of(asked, &["DisableKey", "ScheduleKeyDeletion"])?;
    let used = asked.facts.get("enabledAt")?.as_str()?;
    let used: Timestamp = used.parse().ok()?;
    let is_undisturbed = { history.before.iter() }.all(|event| event.at < used);
    Some(used >= history.began || (history.reaches(used) && is_undisturbed))
}

fn put_policy(asked: &Asked<'_>) -> Result<Look, Unproven> {
    asked.only(&[
        "KeyId",
        "PolicyName",
        "Policy",
        "BypassPolicyLockoutSafetyCheck",
    ])?;
    asked.is("PolicyName", &json!("default"))?;
    // KMS refuses a policy after which its caller could not change it again.
    asked.is("BypassPolicyLockoutSafetyCheck", &json!(false))?;
    let policy: Value = serde_json::from_str(asked.text("Policy")?)
        .map_err(|_| no("the policy of the key is no JSON"))?;
    let deed = Deed::setting(POLICY, policy.clone());
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    if approved(asked.claim).and_then(|image| image.get(POLICY)) != Some(&policy) {
        return Err(no("nobody approved this policy of the key"));
    }
    if asked.image.get(POLICY) == Some(&policy) {
        return Err(no("the policy of the key would be as it is"));
    }
    Ok(Look::sure(deed.of_class(quell_model::Class::R2)))
}

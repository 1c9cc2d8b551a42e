use super::*;

fn call_off() -> Trial {
    let before = json!({"key/deletion": "2026-11-28T10:00:00Z", "key/enabled": false});
    let call = said(
        "kms:cancelKeyDeletion",
        json!({"KeyId": KEY}),
        "key/deletion",
        Value::Null,
    );
    Trial::new(key(), before, call, None)
}

fn enable() -> Trial {
    let to = |operation: &str, on: bool| {
        said(operation, json!({"KeyId": KEY}), "key/enabled", json!(on))
    };
    let back = to("kms:disableKey", false);
    Trial::new(
        key(),
        json!({"key/enabled": false}),
        to("kms:enableKey", true),
        Some(back),
    )
}

#[test]
fn a_deletion_is_called_off_and_never_scheduled_again() {
    call_off().holds();
    let mut again = call_off();
    again.call.undo = vec![said(
        "kms:scheduleKeyDeletion",
        json!({"KeyId": KEY, "PendingWindowInDays": 7}),
        "key/deletion",
        json!("2026-11-28T10:00:00Z"),
    )];
    again.refused("no call that saves");
    let mut none = call_off();
    none.before = json!({"key/enabled": false});
    none.refused("not about to be deleted");
    call_off()
        .argument("KeyId", json!(KEY.replace("0a1b2c3d", "another")))
        .refused("KeyId is");
    for operation in [
        "scheduleKeyDeletion",
        "disableKey",
        "deleteImportedKeyMaterial",
        "createGrant",
        "revokeGrant",
        "retireGrant",
    ] {
        let mut other = enable();
        other.call.resource = format!("arn:aws:states:::aws-sdk:kms:{operation}");
        other.refused("no call that saves");
    }
}

#[test]
fn a_key_is_enabled_unasked_only_when_it_was() {
    let used = |at: &str| enable().fact("enabledAt", json!(at));
    used("2026-11-21T10:00:02.000Z").holds();
    used("2026-11-20T10:00:00.000Z").holds();
    let off = |event: &str, at: &str| json!([{"event": event, "at": at}]);
    used("2026-11-20T10:00:00Z")
        .telling(off("DisableKey", "2026-11-19T10:00:00Z"))
        .holds();
    used("2026-11-20T10:00:00Z")
        .telling(off("DisableKey", "2026-11-21T10:00:01Z"))
        .holds();
    let doubt = "not known to have been enabled";
    enable().doubted(doubt);
    used("2026-08-20T10:00:00Z").doubted(doubt);
    for event in ["DisableKey", "ScheduleKeyDeletion"] {
        used("2026-11-20T10:00:00Z")
            .telling(off(event, "2026-11-21T09:59:59Z"))
            .doubted(doubt);
    }
    used("2026-11-20T10:00:00Z")
        .fact("historyIsWhole", json!(false))
        .doubted(doubt);
    used("2026-11-20T10:00:00Z")
        .telling(json!([{"event": "DisableKey", "at": "soon"}]))
        .doubted(doubt);
    used("yesterday").doubted(doubt);
}

#[test]
fn an_approved_image_says_whether_a_key_is_enabled() {
    enable().approved(json!({"key/enabled": true})).holds();
    let used = enable().fact("enabledAt", json!("2026-11-21T10:00:02Z"));
    used.approved(json!({"key/enabled": false}))
        .refused("nobody approved");
    enable().approved(json!({})).refused("nobody approved");
    for more in ["key/deletion", "key/state"] {
        let mut not_now = enable().approved(json!({"key/enabled": true}));
        not_now.before[more] = json!("PendingImport");
        not_now.refused("cannot be enabled");
    }
}

fn policy(account: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "kms:*", "Resource": "*"}]})
}

#[test]
fn a_key_s_policy_becomes_the_approved_one_or_stays() {
    let put = |policy: &Value| {
        let arguments = json!({"KeyId": KEY, "PolicyName": "default", "Policy": policy.to_string(), "BypassPolicyLockoutSafetyCheck": false});
        said("kms:putKeyPolicy", arguments, "key/policy", policy.clone())
    };
    let (own, foreign) = (policy(OWNER), policy("999988887777"));
    let plan = |from: &Value, to: &Value| {
        Trial::new(key(), json!({"key/policy": from}), put(to), Some(put(from))).of_class(Class::R2)
    };
    let approved = json!({"key/policy": own});
    plan(&foreign, &own).approved(approved.clone()).holds();
    plan(&foreign, &own)
        .of_class(Class::R1)
        .approved(approved.clone())
        .refused("class R2 at least");
    plan(&foreign, &own).refused("nobody approved this policy");
    plan(&own, &foreign)
        .approved(approved.clone())
        .refused("nobody approved this policy");
    plan(&own, &own)
        .approved(approved.clone())
        .refused("as it is");
    let bypassed = plan(&foreign, &own).approved(approved);
    bypassed
        .argument("BypassPolicyLockoutSafetyCheck", json!(true))
        .refused("Bypass");
}

/// An ARN of another account is nobody's to save here.
#[test]
fn what_is_of_another_account_is_left_alone() {
    let mut foreign = call_off();
    foreign.about = Resource::new(
        KEY.replace(OWNER, "999988887777").parse().unwrap(),
        "AWS::KMS::Key",
        "0a1b2c3d",
    );
    foreign.about.account = OWNER.to_owned();
    foreign.refused("nothing of this account");
}

//! A bucket: old versions are kept again, rules that would delete its objects are switched off or are the approved ones again,
//! and objects under keys that writers bring along are refused.

use quell_model::Class;
use serde_json::{Value, json};

use super::history::{Event, History};
use super::{Look, approved, from_to, unknown};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

const VERSIONING: &str = "bucket/versioning";
const LIFECYCLE: &str = "bucket/lifecycle";
const ENCRYPTION: &str = "bucket/encryption";
/// What S3 calls a key that the writer brings along.
const BROUGHT: &str = "SSE-C";

pub(super) fn look(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let resource = asked.claim.resource;
    if resource.arn.resource != resource.id {
        return Err(no("it is not known which bucket is meant"));
    }
    asked.is("Bucket", &json!(resource.id))?;
    asked.is("ExpectedBucketOwner", &json!(resource.account))?;
    match asked.operation {
        "s3:PutBucketVersioning" => versioning(asked),
        "s3:PutBucketLifecycleConfiguration" => lifecycle(asked),
        "s3:PutBucketEncryption" => encryption(asked),
        _ => Err(unknown(asked)),
    }
}

fn versioning(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let name = "VersioningConfiguration";
    asked.only(&["Bucket", "ExpectedBucketOwner", name])?;
    let (on, off) = (json!("Enabled"), json!("Suspended"));
    if asked.way == Way::Back {
        asked.is(name, &json!({"Status": off}))?;
        return from_to(asked, VERSIONING, &on, off).map(Look::sure);
    }
    asked.is(name, &json!({"Status": on}))?;
    let deed = from_to(asked, VERSIONING, &off, on.clone())?;
    let doubt = match approved(asked.claim).map(|image| image.get(VERSIONING)) {
        Some(is) if is == Some(&on) => None,
        Some(_) => return Err(no("nobody approved that versions are kept")),
        None if was_on(asked) => None,
        None => Some(
            "versions are not known to have been kept before it began: it may cost, and nothing else"
                .to_owned(),
        ),
    };
    Ok(Look::with(deed, doubt))
}

/// The last call before it began switched it on; or there was none in the whole history, and somebody suspended it since.
fn was_on(asked: &Asked<'_>) -> bool {
    let history = History::of(asked, &["PutBucketVersioning"]);
    history.is_some_and(|history| match history.last("status") {
        Some(is) => is == "Enabled",
        None => history.says_since("status", &json!("Suspended")),
    })
}

fn lifecycle(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let (name, size) = (
        "LifecycleConfiguration",
        "TransitionDefaultMinimumObjectSize",
    );
    let given = asked.only(&["Bucket", "ExpectedBucketOwner", name, size])?;
    let mut after = given.get(name).and_then(Value::as_object).cloned();
    let after = after.as_mut().filter(|given| given.keys().eq(["Rules"]));
    let after =
        after.ok_or_else(|| no("a lifecycle configuration is replaced as a whole: Rules"))?;
    if let Some(size) = given.get(size) {
        after.insert(
            "TransitionDefaultMinimumObjectSize".to_owned(),
            size.clone(),
        );
    }
    let after = Value::Object(after.clone());
    let deed = Deed::setting(LIFECYCLE, after.clone());
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    let before = asked.image.get(LIFECYCLE);
    let before = before.ok_or_else(|| no("the bucket has no lifecycle rules"))?;
    if *before == after {
        return Err(no("the lifecycle rules would be as they are"));
    }
    match approved(asked.claim).map(|image| image.get(LIFECYCLE)) {
        Some(Some(approved)) if *approved == after => {}
        Some(Some(_)) => return Err(no("nobody approved these lifecycle rules")),
        Some(None) => switches_off(before, &after, |_| true)?,
        None => switches_off(before, &after, |rule| is_new(rule, asked))?,
    }
    Ok(Look::sure(deed))
}

/// All is word for word as it was, but that rules which delete something, and may be switched off, are.
fn switches_off(
    before: &Value,
    after: &Value,
    may: impl Fn(&Value) -> bool,
) -> Result<(), Unproven> {
    let rules = |of: &Value| {
        of.get("Rules")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut expected = before.clone();
    let mut changed = rules(before);
    for (rule, wanted) in changed.iter_mut().zip(rules(after)) {
        if *rule == wanted {
            continue;
        }
        let id = rule.get("Id").cloned().unwrap_or_default();
        if deletes(rule).is_none() || !may(rule) {
            return Err(no(format!(
                "the rule {id} is not known to be new, and one that deletes"
            )));
        }
        if rule.get("Status") != Some(&json!("Enabled")) {
            return Err(no(format!("the rule {id} is off already")));
        }
        if let Some(rule) = rule.as_object_mut() {
            rule.insert("Status".to_owned(), json!("Disabled"));
        }
    }
    if let Some(all) = expected.as_object_mut() {
        all.insert("Rules".to_owned(), Value::Array(changed));
    }
    match expected == *after {
        true => Ok(()),
        false => Err(no(
            "a rule is only ever switched off, and stays otherwise as it is",
        )),
    }
}

/// After how long a rule deletes, as one text: days, date, days that a version is not the current one. `None` when it does not.
fn deletes(rule: &Value) -> Option<String> {
    let at = |pointer: &str| rule.pointer(pointer);
    let number = |pointer: &str| at(pointer).map(Value::to_string).unwrap_or_default();
    let date = at("/Expiration/Date").and_then(Value::as_str);
    let date: String = date.unwrap_or_default().chars().take(10).collect();
    let days = number("/Expiration/Days");
    let versions = number("/NoncurrentVersionExpiration/NoncurrentDays");
    let text = format!("{days}/{date}/{versions}");
    (text != "//").then_some(text)
}

/// It stands in the request of a call that was made since it began, and in none before.
fn is_new(rule: &Value, asked: &Asked<'_>) -> bool {
    let names = ["PutBucketLifecycle", "PutBucketLifecycleConfiguration"];
    let Some(history) = History::of(asked, &names) else {
        return false;
    };
    let id = rule.get("Id").and_then(Value::as_str).unwrap_or_default();
    let when = deletes(rule);
    // S3 gives an id to a rule that was put without one.
    let is_it = |said: &Value| {
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        (text("id") == Some("") || text("id") == Some(id)) && text("deletes") == when.as_deref()
    };
    let has = |event: &Event<'_>| {
        let rules = event.says("rules").and_then(Value::as_array);
        rules.is_some_and(|rules| rules.iter().any(is_it))
    };
    history.since.iter().any(has) && !history.before.iter().any(has)
}

fn encryption(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let name = "ServerSideEncryptionConfiguration";
    let given = asked.only(&["Bucket", "ExpectedBucketOwner", name])?;
    let after = given.get(name).cloned().unwrap_or_default();
    let deed = Deed::setting(ENCRYPTION, after.clone());
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    let before = asked.image.get(ENCRYPTION);
    let before = before.ok_or_else(|| no("it is not known how the bucket is encrypted"))?;
    if refusing_brought_keys(before).as_ref() != Some(&after) {
        return Err(no(
            "only SSE-C is refused beside what is refused, and the rest stays word for word",
        ));
    }
    if refuses_brought_keys(before) {
        return Err(no("SSE-C is refused already"));
    }
    let was_refused = approved(asked.claim).and_then(|image| image.get(ENCRYPTION));
    if was_refused.is_some_and(refuses_brought_keys) {
        return Ok(Look::sure(deed));
    }
    match asked.claim.facts.get("refuseCustomerKeys") == Some(&Value::Bool(true)) {
        true => Ok(Look::sure(deed.of_class(Class::R2))),
        false => Err(no("the playbook's facts do not ask to refuse SSE-C")),
    }
}

/// What kinds of encryption the one rule refuses.
fn refused(encryption: &Value) -> Option<Vec<Value>> {
    let [rule] = encryption.get("Rules")?.as_array()?.as_slice() else {
        return None;
    };
    let kinds = rule.pointer("/BlockedEncryptionTypes/EncryptionType");
    Some(kinds.and_then(Value::as_array).cloned().unwrap_or_default())
}

fn refuses_brought_keys(encryption: &Value) -> bool {
    refused(encryption).is_some_and(|kinds| kinds.contains(&json!(BROUGHT)))
}

/// The same with SSE-C refused too.
fn refusing_brought_keys(encryption: &Value) -> Option<Value> {
    let mut kinds = refused(encryption)?;
    kinds.retain(|kind| kind != "NONE" && kind != BROUGHT);
    kinds.push(json!(BROUGHT));
    let mut after = encryption.clone();
    let rule = after.pointer_mut("/Rules/0")?.as_object_mut()?;
    rule.insert(
        "BlockedEncryptionTypes".to_owned(),
        json!({"EncryptionType": kinds}),
    );
    Some(after)
}

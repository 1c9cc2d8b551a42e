//! Replication rules: which go, and whether that is surely right.

use quell_model::{Class, Timestamp};
use serde_json::{Value, json};

use super::REPLICATION;
use crate::proof::attributes::{Asked, Deed, Way, no};
use crate::proof::{Claim, Unproven};

/// What was put so long before the first event is still of the trouble: findings come late.
const BEFORE_MILLIS: i64 = 60 * 60 * 1000;

/// The whole document is replaced: what stays has to stay as it is.
pub(super) fn put(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let name = "ReplicationConfiguration";
    let given = asked.only(&["Bucket", "ExpectedBucketOwner", name])?;
    let after = given.get(name).cloned().unwrap_or_default();
    let deed = Deed::setting(REPLICATION, after.clone());
    if way == Way::Back {
        return Ok(deed);
    }
    let before = asked.image.get(REPLICATION);
    let gone = removed(before, Some(&after))?;
    if rules(Some(&after))?.is_empty() {
        return Err(no(
            "replication would have no rule left: then it is deleted",
        ));
    }
    class_of(&gone, asked).map(|class| deed.of_class(class))
}

/// Nothing would be left of it.
pub(super) fn delete(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["Bucket", "ExpectedBucketOwner"])?;
    let gone = removed(asked.image.get(REPLICATION), None)?;
    let class = class_of(&gone, asked)?;
    Ok(Deed::setting(REPLICATION, Value::Null).of_class(class))
}

fn class_of(gone: &[&Value], asked: &Asked<'_>) -> Result<Class, Unproven> {
    let mut class = Class::R1;
    for rule in gone {
        let bucket = destination(rule, "Bucket");
        if named(asked.claim.facts, "trustedBuckets", bucket) {
            return Err(no(format!(
                "replication to {bucket} is by the playbook's own facts"
            )));
        }
        if doubt(rule, asked.claim, asked.facts).is_some() {
            class = Class::R2;
        }
    }
    Ok(class)
}

/// The rules that go. What stays is in the same order, to the letter, and has the same role.
///
/// # Errors
/// [`Unproven`]: none goes, or something else is different.
pub(super) fn removed<'a>(
    before: Option<&'a Value>,
    after: Option<&Value>,
) -> Result<Vec<&'a Value>, Unproven> {
    let old = rules(before)?;
    let new = match after {
        Some(after) => {
            if before.and_then(|b| b.get("Role")) != after.get("Role") {
                return Err(no("replication would be by another role"));
            }
            rules(Some(after))?
        }
        None => &[],
    };
    let mut stays = new.iter().peekable();
    let gone: Vec<&Value> = { old.iter() }
        .filter(|rule| stays.next_if_eq(rule).is_none())
        .collect();
    match (stays.next(), gone.is_empty()) {
        (Some(_), _) => Err(no("a replication rule would be put in, rewritten or moved")),
        (None, true) => Err(no("no replication rule would go")),
        (None, false) => Ok(gone),
    }
}

fn rules(replication: Option<&Value>) -> Result<&[Value], Unproven> {
    let whole = replication.and_then(Value::as_object);
    let is_whole = whole.is_some_and(|members| {
        members.len() == 2 && members.get("Role").is_some_and(Value::is_string)
    });
    let rules = whole.and_then(|w| w.get("Rules")?.as_array());
    rules
        .filter(|_| is_whole)
        .map(Vec::as_slice)
        .ok_or_else(|| no("replication is a role and rules, and nothing else"))
}

fn destination<'a>(rule: &'a Value, member: &str) -> &'a str {
    let found = rule.get("Destination").and_then(|d| d.get(member));
    found.and_then(Value::as_str).unwrap_or_default()
}

fn named(facts: &Value, list: &str, wanted: &str) -> bool {
    let list = facts.get(list).and_then(Value::as_array);
    list.is_some_and(|list| list.contains(&json!(wanted)))
}

/// Why it is not sure that a rule is the thief's: its account may be one of ours, or it was there before. `None` when it is
/// sure.
pub(super) fn doubt(rule: &Value, claim: &Claim<'_>, facts: &Value) -> Option<String> {
    let (bucket, account) = (destination(rule, "Bucket"), destination(rule, "Account"));
    let known = &claim.known;
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if known.accounts.is_empty() || !is_account {
        return Some(format!("it is not known whose {bucket} is"));
    }
    if known.accounts.contains(&account)
        || claim.resource.account == account
        || named(claim.facts, "trustedAccounts", account)
    {
        return Some(format!(
            "the rule for {bucket} says that it is of {account}, which is one of ours"
        ));
    }
    let first = first_put(facts, bucket);
    let is_new = known
        .since
        .zip(first)
        .is_some_and(|(since, first)| first.millis() >= since.millis() - BEFORE_MILLIS);
    (!is_new).then(|| {
        format!("nothing shows that replication to {bucket} (account {account}) is newer than the trouble")
    })
}

/// When the event history first shows a rule for the bucket.
fn first_put(facts: &Value, bucket: &str) -> Option<Timestamp> {
    let shown = facts.get("removed").and_then(Value::as_array)?;
    let of_it = |one: &&Value| one.get("bucket").and_then(Value::as_str) == Some(bucket);
    let put = shown.iter().find(of_it)?.get("firstPut")?;
    put.as_str()?.parse().ok()
}

//! Statements that refuse objects: to principals by their ids, or to everybody outside of the organisation.

use quell_model::{Arn, Class};
use serde_json::{Value, json};

use crate::never_touch;
use crate::proof::attributes::{Asked, Deed, Way, no};
use crate::proof::bucket::policy::{each, new_policy, without_statements};
use crate::proof::bucket::{POLICY, policy_put};
use crate::proof::{Claim, Unproven};

/// The statement that names principals.
const SUSPECTS: &str = "QuellDenySuspects";
/// The statement that names the organisation.
const STRANGERS: &str = "QuellDenyStrangers";
/// What is refused: objects, and nothing that is about the bucket itself.
const ACTIONS: [&str; 4] = [
    "s3:DeleteObject*",
    "s3:GetObject*",
    "s3:ListBucket*",
    "s3:PutObject*",
];

/// A policy with more refusals.
pub(super) fn put(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let after = policy_put(asked, way)?;
    let deed = Deed::setting(POLICY, after.clone());
    if way == Way::Back {
        return Ok(deed);
    }
    adds_only_refusals(asked.image.get(POLICY), &after, asked)?;
    Ok(deed.of_class(Class::R2))
}

/// The refusals of a policy, and whatever else it says.
#[derive(Default)]
struct Said<'a> {
    others: Vec<&'a Value>,
    ids: Option<Vec<&'a str>>,
    strangers: Option<&'a Value>,
}

fn said<'a>(policy: Option<&'a Value>, bucket: &str) -> Result<Said<'a>, Unproven> {
    let mut said = Said::default();
    for statement in each(policy.and_then(|p| p.get("Statement"))) {
        let sid = statement.get("Sid").and_then(Value::as_str);
        let is_first = match sid {
            Some(SUSPECTS) => {
                let ids = ids_of(statement, bucket)?;
                said.ids.replace(ids).is_none()
            }
            Some(STRANGERS) => said.strangers.replace(statement).is_none(),
            _ => {
                said.others.push(statement);
                true
            }
        };
        if !is_first {
            return Err(no(format!("the policy has two statements {sid:?}")));
        }
    }
    Ok(said)
}

fn refusal(sid: &str, bucket: &str, condition: &Value) -> Value {
    json!({
        "Sid": sid, "Effect": "Deny", "Principal": "*", "Action": ACTIONS,
        "Resource": [bucket, format!("{bucket}/*")], "Condition": condition,
    })
}

/// Whom a statement of this name refuses objects; it has to do that and nothing else.
fn ids_of<'a>(statement: &'a Value, bucket: &str) -> Result<Vec<&'a str>, Unproven> {
    let named = statement.pointer("/Condition/StringEquals/aws:userid");
    let ids: Vec<&str> = each(named).filter_map(Value::as_str).collect();
    let one = ids.first().filter(|_| ids.len() == 1);
    let condition = |ids: Value| json!({"StringEquals": {"aws:userid": ids}});
    let is_it = *statement == refusal(SUSPECTS, bucket, &condition(json!(ids)))
        || one.is_some_and(|id| *statement == refusal(SUSPECTS, bucket, &condition(json!(id))));
    match is_it && !ids.is_empty() {
        true => Ok(ids),
        false => Err(no(format!(
            "the statement {SUSPECTS} does not just refuse objects to principals by their ids"
        ))),
    }
}

/// Whether `after` is `before` with principals more that objects are refused to, or with everybody outside of the organisation.
fn adds_only_refusals(
    before: Option<&Value>,
    after: &Value,
    asked: &Asked<'_>,
) -> Result<(), Unproven> {
    let claim = asked.claim;
    let kept = without_statements(Some(after))?;
    if before.is_some() && without_statements(before)? != kept
        || before.is_none() && kept != new_policy()
    {
        return Err(no("the policy would be different beside its statements"));
    }
    let bucket = claim.resource.arn.to_string();
    let (old, new) = (said(before, &bucket)?, said(Some(after), &bucket)?);
    if old.others != new.others {
        return Err(no(
            "a statement of the policy would be rewritten, moved, put in or taken out",
        ));
    }
    let (was, is) = (old.ids.unwrap_or_default(), new.ids.unwrap_or_default());
    if was.iter().any(|id| !is.contains(id)) {
        return Err(no("somebody who is refused would be let in again"));
    }
    let fresh: Vec<&&str> = is.iter().filter(|id| !was.contains(id)).collect();
    for id in &fresh {
        may_be_refused(id, asked)?;
    }
    match (old.strangers, new.strangers) {
        (None, Some(statement)) => is_for_strangers(statement, &bucket, claim)?,
        (old, new) if old != new => {
            return Err(no("what is refused to everybody outside would change"));
        }
        _ if fresh.is_empty() => return Err(no("nobody more would be refused")),
        _ => {}
    }
    Ok(())
}

/// It refuses everybody outside of the organisation that the playbook's facts name, and no service of AWS.
fn is_for_strangers(statement: &Value, bucket: &str, claim: &Claim<'_>) -> Result<(), Unproven> {
    let organisation = claim.facts.get("organisation").and_then(Value::as_str);
    let organisation = organisation.filter(|id| {
        let rest = id.strip_prefix("o-").unwrap_or_default();
        (10..=32).contains(&rest.len())
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    let organisation =
        organisation.ok_or_else(|| no("the playbook's facts name no organisation"))?;
    let condition = json!({
        "StringNotEquals": {"aws:PrincipalOrgID": organisation},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    });
    match *statement == refusal(STRANGERS, bucket, &condition) {
        true => Ok(()),
        false => Err(no(format!(
            "the statement {STRANGERS} does not just refuse objects to everybody outside of {organisation}"
        ))),
    }
}

/// Whether the incident's own records know the id as that of a user or a session of this account that may be refused.
///
/// Some products tell of an id and a name, and of no ARN: then the ARN that was read counts, if it is of that name.
fn may_be_refused(id: &str, asked: &Asked<'_>) -> Result<(), Unproven> {
    let (session, claim) = (id_parts(id)?, asked.claim);
    let read = arn_read(id, asked.facts);
    let actors = claim.known.actors.and_then(Value::as_array);
    let mut known = { actors.into_iter().flatten() }
        .filter(|actor| actor.get("principalId").and_then(Value::as_str) == Some(id))
        .peekable();
    if known.peek().is_none() {
        return Err(no(format!("{id} is none of the incident's actors")));
    }
    for actor in known {
        let text = |member: &str| actor.get(member).and_then(Value::as_str);
        let arn: Option<Arn> = text("arn").or(read).and_then(|arn| arn.parse().ok());
        let arn = arn.ok_or_else(|| no(format!("nobody knows whose id {id} is")))?;
        let wanted = match session {
            Some(_) => ("AssumedRole", "sts", "assumed-role/"),
            None => ("IAMUser", "iam", "user/"),
        };
        let named = text("name").filter(|_| text("arn").is_none());
        let is_such = text("kind") == Some(wanted.0)
            && arn.service == wanted.1
            && arn.resource.starts_with(wanted.2)
            && session.is_none_or(|name| arn.resource.rsplit('/').next() == Some(name))
            && (text("arn").is_some() || named == arn.resource.rsplit('/').next());
        if !is_such || arn.account != claim.resource.account {
            return Err(no(format!(
                "{arn} is no user and no session of this account with the id {id}"
            )));
        }
        if let Some(reason) = never_touch::of_arn(&arn, claim.known.never_touch) {
            return Err(no(reason));
        }
    }
    Ok(())
}

/// The ARN that the plan says was read for an id.
fn arn_read<'a>(id: &str, facts: &'a Value) -> Option<&'a str> {
    let suspects = facts.get("suspects").and_then(Value::as_array)?;
    let mut all = suspects.iter();
    let one = all.find(|one| one.get("id").and_then(Value::as_str) == Some(id))?;
    one.get("arn").and_then(Value::as_str)
}

/// The session's name in the id of a session; `None` for a user. What else there is (root, a service, a wildcard, a variable) is
/// no id of either.
fn id_parts(id: &str) -> Result<Option<&str>, Unproven> {
    let unique = |text: &str, prefix: &str| {
        text.strip_prefix(prefix).is_some_and(|rest| {
            (3..=124).contains(&rest.len())
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
    };
    let is_name = |name: &str| {
        (2..=64).contains(&name.len()) && { name.bytes() }
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
    };
    match id.split_once(':') {
        None if unique(id, "AIDA") => Ok(None),
        Some((role, name)) if unique(role, "AROA") && is_name(name) => Ok(Some(name)),
        _ => Err(no(format!("«{id}» is no id of a user or of a session"))),
    }
}

/// Who else would feel it.
pub(super) fn concerns(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let mut ask = Vec::new();
    let statement = |policy: Option<&Value>, sid: &str| {
        let mut all = each(policy.and_then(|p| p.get("Statement")));
        all.find(|s| s.get("Sid") == Some(&json!(sid))).cloned()
    };
    if statement(before, STRANGERS).is_none() && statement(after, STRANGERS).is_some() {
        ask.push("everybody outside of the organisation is refused the objects: partners, and other accounts that the policy names, too".to_owned());
    }
    let (old, new) = (statement(before, SUSPECTS), statement(after, SUSPECTS));
    let named = new.as_ref().filter(|_| old != new);
    let ids = named.and_then(|s| s.pointer("/Condition/StringEquals/aws:userid"));
    let sessions = each(ids).filter_map(Value::as_str);
    let sessions = sessions.filter_map(|id| id.split_once(':'));
    ask.extend(sessions.map(|(_, name)| {
        format!(
            "every session «{name}» of its role is refused: whoever begins one chooses that name"
        )
    }));
    ask
}

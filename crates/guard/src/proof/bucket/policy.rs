//! What a proof about a bucket has to know of its policy.

use serde_json::{Map, Value, json};

use super::Unproven;
use crate::proof::attributes::no;

/// S3 takes no larger policy.
const POLICY_BYTES_MAX: usize = 20 * 1024;
/// The one statement that is ever added goes by this name.
const DENY_SID: &str = "QuellDenyInsecureTransport";

/// Services that deliver logs by a statement of their own.
const LOG_WRITERS: &[&str] = &[
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "logging.s3.amazonaws.com",
    "logs.amazonaws.com",
];

/// A policy as it was read.
pub(super) struct Policy<'a>(pub &'a Value);

impl<'a> Policy<'a> {
    fn allowing(&self) -> impl Iterator<Item = &'a Value> {
        each(self.0.get("Statement")).filter(|s| s.get("Effect") == Some(&json!("Allow")))
    }

    /// Whether a statement lets everybody in and sets no condition.
    pub(super) fn allows_everyone_plainly(&self) -> bool {
        let has_none = |s: &Value| s.get("Condition").is_none_or(Value::is_null);
        { self.allowing() }.any(|s| is_for_everyone(s) && has_none(s))
    }

    /// Whether a service may deliver logs by it.
    pub(super) fn lets_logs_in(&self) -> bool {
        let services = self.allowing().flat_map(|s| principals(s, "Service"));
        { services }.any(|service| LOG_WRITERS.contains(&service))
    }

    /// Whether CloudFront reads by it, as a service or by an identity of its own.
    pub(super) fn names_cloudfront(&self) -> bool {
        { self.allowing() }.any(|s| {
            { principals(s, "Service") }.any(|p| p == "cloudfront.amazonaws.com")
                || { principals(s, "AWS") }.any(|p| p.contains("::cloudfront:"))
                || principals(s, "CanonicalUser").next().is_some()
        })
    }

    /// How many principals it lets in by name.
    pub(super) fn named_beside_everyone(&self) -> usize {
        let named = self.allowing().flat_map(|s| principals(s, "AWS"));
        named
            .filter(|p| *p != "*" && !p.contains("::cloudfront:"))
            .count()
    }
}

/// The items of a list, or the one thing that stands where a list may.
pub(in crate::proof) fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Some(Value::Array(items)) => (items.as_slice(), None),
        other => (&[][..], other),
    };
    list.iter().chain(one)
}

fn principals<'a>(statement: &'a Value, kind: &str) -> impl Iterator<Item = &'a str> {
    let of_kind = statement.get("Principal").and_then(|p| p.get(kind));
    each(of_kind).filter_map(Value::as_str)
}

fn is_for_everyone(statement: &Value) -> bool {
    statement.get("NotPrincipal").is_some() || statement.get("Principal") == Some(&json!("*")) || {
        principals(statement, "AWS")
    }
    .any(|who| who == "*")
}

/// A policy's text as what it says.
///
/// # Errors
/// [`Unproven`]: it is too long for S3, or no policy.
pub(in crate::proof) fn parse(text: &str) -> Result<Value, Unproven> {
    if text.len() > POLICY_BYTES_MAX {
        let size = text.len();
        return Err(no(format!(
            "the policy has {size} bytes, and S3 takes {POLICY_BYTES_MAX}"
        )));
    }
    let policy: Option<Value> = serde_json::from_str(text).ok();
    let policy = policy.filter(Value::is_object);
    policy.ok_or_else(|| no("the policy is no JSON object"))
}

/// Whether `after` is `before` with one statement more, which refuses requests without TLS: nothing is taken out or
/// rewritten, and whoever uses TLS is not refused, so that nobody is locked out.
///
/// # Errors
/// [`Unproven`] says what else is different.
pub(super) fn adds_only_tls(
    before: Option<&Value>,
    after: &Value,
    bucket: &str,
) -> Result<(), Unproven> {
    let (was, kept) = (
        without_statements(before)?,
        without_statements(Some(after))?,
    );
    if before.is_some() && was != kept || before.is_none() && kept != new_policy() {
        return Err(no("the policy would be more than one statement longer"));
    }
    let old: Vec<&Value> = each(before.and_then(|b| b.get("Statement"))).collect();
    let new: Vec<&Value> = each(after.get("Statement")).collect();
    let Some((added, rest)) = new.split_last() else {
        return Err(no("the policy would have no statement"));
    };
    if rest != old.as_slice() {
        return Err(no(
            "a statement of the policy would be rewritten, moved or taken out",
        ));
    }
    if old.iter().any(|s| s.get("Sid") == Some(&json!(DENY_SID))) {
        return Err(no(format!("the policy has a statement {DENY_SID} already")));
    }
    let wanted = json!({
        "Sid": DENY_SID, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    match **added == wanted {
        true => Ok(()),
        false => Err(no(
            "the added statement does more than refuse requests without TLS",
        )),
    }
}

/// What a policy that is new has besides its statements.
pub(in crate::proof) fn new_policy() -> Map<String, Value> {
    Map::from_iter([("Version".to_owned(), json!("2012-10-17"))])
}

/// What a policy has besides its statements.
///
/// # Errors
/// [`Unproven`]: it is no policy.
pub(in crate::proof) fn without_statements(
    policy: Option<&Value>,
) -> Result<Map<String, Value>, Unproven> {
    let members = match policy {
        Some(policy) => policy
            .as_object()
            .ok_or_else(|| no("a policy is no JSON object"))?
            .clone(),
        None => Map::new(),
    };
    Ok(members
        .into_iter()
        .filter(|(name, _)| name != "Statement")
        .collect())
}

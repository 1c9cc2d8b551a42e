//! What any plan about a bucket must keep: it only closes. A flag of the public access block is only ever added, the
//! encryption of new objects only ever gets stronger, and of a policy every statement stays as it is: one may be added,
//! which refuses requests without TLS. Every call says whose bucket it is, and the account's own block is nobody's to change.

mod encryption;
pub(super) mod policy;

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{Claim, Unproven};
use encryption::Rule;
use policy::Policy;

/// The public access block of the bucket: four flags.
const BLOCK: &str = "bucket/public-access-block";
/// Its policy, as what its text says.
pub(super) const POLICY: &str = "bucket/policy";
/// How new objects are encrypted.
const ENCRYPTION: &str = "bucket/encryption";
/// Its access control list: `grantee PERMISSION`.
const ACL: &str = "bucket/acl";
/// Whether it serves a web site.
const WEBSITE: &str = "bucket/website";

/// Whom a list lets in so that logs can be delivered: S3's own group, and the account from which CloudFront's come.
const LOG_GRANTEES: [&str; 2] = [
    "http://acs.amazonaws.com/groups/s3/LogDelivery ",
    "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0 ",
];

const FLAGS: [&str; 4] = [
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
];
/// The flag that cuts off who uses a public policy, strangers and accounts that it names alike.
const CUTS: &str = "RestrictPublicBuckets";

/// Plans that close a bucket.
pub(super) struct Bucket;

impl Subject for Bucket {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        is_this_bucket(asked)?;
        match (asked.operation, asked.way) {
            ("s3:PutPublicAccessBlock", way) => put_block(asked, way),
            ("s3:PutBucketEncryption", way) => put_encryption(asked, way),
            ("s3:PutBucketPolicy", way) => put_policy(asked, way),
            ("s3:DeletePublicAccessBlock", Way::Back) => gone(asked, BLOCK),
            ("s3:DeleteBucketEncryption", Way::Back) => gone(asked, ENCRYPTION),
            ("s3:DeleteBucketPolicy", Way::Back) => gone(asked, POLICY),
            (other, _) => Err(no(format!("{other} is no call that closes a bucket"))),
        }
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        concerns(plan)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "no flag of the public access block is taken away",
            "encryption of new objects only gets stronger",
            "every statement of the bucket policy stays as it is; at most one is added, which refuses requests without TLS",
            "the account's own public access block is not changed",
        ]
    }
}

/// A bucket's ARN names no account, and names are given to others once they are free: each call says whose it is meant to be.
pub(super) fn is_this_bucket(asked: &Asked<'_>) -> Result<(), Unproven> {
    let resource = asked.claim.resource;
    if resource.arn.resource != resource.id || resource.account.is_empty() {
        return Err(no("it is not known which bucket of which account is meant"));
    }
    asked.is("Bucket", &json!(resource.id))?;
    asked.is("ExpectedBucketOwner", &json!(resource.account))
}

pub(super) fn gone(asked: &Asked<'_>, key: &str) -> Result<Deed, Unproven> {
    asked.only(&["Bucket", "ExpectedBucketOwner"])?;
    Ok(Deed::setting(key, Value::Null))
}

fn put_block(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let name = "PublicAccessBlockConfiguration";
    let given = asked.only(&["Bucket", "ExpectedBucketOwner", name])?;
    let block = given.get(name).cloned().unwrap_or_default();
    let is_whole = block.as_object().is_some_and(|flags| {
        flags.len() == FLAGS.len()
            && FLAGS
                .iter()
                .all(|flag| flags.get(*flag).is_some_and(Value::is_boolean))
    });
    if !is_whole {
        return Err(no(format!(
            "a public access block is replaced as a whole: {} and nothing else, each true or false",
            FLAGS.join(", ")
        )));
    }
    let deed = Deed::setting(BLOCK, block.clone());
    if way == Way::Back {
        return Ok(deed);
    }
    let before = asked.image.get(BLOCK);
    let is_on = |block: Option<&Value>, flag: &str| {
        block.and_then(|flags| flags.get(flag)) == Some(&Value::Bool(true))
    };
    if let Some(flag) = FLAGS
        .iter()
        .find(|flag| is_on(before, flag) && !is_on(Some(&block), flag))
    {
        return Err(no(format!("{flag} would be taken off")));
    }
    if !FLAGS
        .iter()
        .any(|flag| is_on(Some(&block), flag) && !is_on(before, flag))
    {
        return Err(no("the public access block would add nothing"));
    }
    let cuts = is_on(Some(&block), CUTS) && !is_on(before, CUTS);
    Ok(match cuts && may_be_public(asked.image, asked.facts) {
        true => deed.of_class(Class::R2),
        false => deed,
    })
}

/// Whether somebody may be using the policy as everybody: unless there is none, or AWS says no and its words do not say
/// yes.
fn may_be_public(image: &Image, facts: &Value) -> bool {
    image.get(POLICY).is_some_and(|policy| {
        let judged = facts.get("policyIsPublic");
        judged != Some(&Value::Bool(false)) || Policy(policy).allows_everyone_plainly()
    })
}

fn put_encryption(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let name = "ServerSideEncryptionConfiguration";
    let given = asked.only(&["Bucket", "ExpectedBucketOwner", name])?;
    let given = given.get(name).unwrap_or(&Value::Null);
    let after = Rule::of(given)?;
    let deed = Deed::setting(ENCRYPTION, given.clone());
    if way == Way::Back {
        return Ok(deed);
    }
    let before = asked.image.get(ENCRYPTION).map(Rule::of).transpose()?;
    Ok(deed.of_class(after.improves(&before.unwrap_or_default(), asked)?))
}

/// The policy that a call puts, and no way to lock its caller out with it.
///
/// # Errors
/// [`Unproven`]: other arguments, or no policy.
pub(super) fn policy_put(asked: &Asked<'_>, way: Way) -> Result<Value, Unproven> {
    let names = ["Bucket", "ExpectedBucketOwner", "Policy"];
    let confirm = "ConfirmRemoveSelfBucketAccess";
    if way == Way::There {
        asked.only(&[names[0], names[1], names[2], confirm])?;
        asked.is(confirm, &Value::Bool(false))?;
    } else {
        asked.only(&names)?;
    }
    policy::parse(asked.text("Policy")?)
}

fn put_policy(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let after = policy_put(asked, way)?;
    let deed = Deed::setting(POLICY, after.clone());
    if way == Way::Back {
        return Ok(deed);
    }
    if asked.claim.facts.get("requireTls") != Some(&Value::Bool(true)) {
        return Err(no(
            "the playbook's facts do not ask for TLS, and nothing else is changed in a policy",
        ));
    }
    let before = asked.image.get(POLICY);
    policy::adds_only_tls(before, &after, &asked.claim.resource.arn.to_string())?;
    Ok(deed.of_class(Class::R2))
}

/// Who else would feel it. Read from the images, as far as they tell.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let (Ok(before), Ok(after)) = (
        attributes(&plan.before, "before"),
        attributes(&plan.after, "after"),
    ) else {
        return vec!["it is not known what is on the bucket".to_owned()];
    };
    let mut ask = Vec::new();
    let policy = before.get(POLICY).map(Policy);
    if before.contains_key(WEBSITE) {
        ask.push("the bucket serves a web site".to_owned());
    }
    if plan.facts.get("cors") != Some(&Value::Bool(false)) {
        ask.push(
            "web pages may read the bucket: it has rules for other origins, or nobody looked"
                .to_owned(),
        );
    }
    let mut grants = policy::each(before.get(ACL)).filter_map(Value::as_str);
    let by_list = grants.any(|grant| LOG_GRANTEES.iter().any(|who| grant.starts_with(who)));
    if by_list || policy.as_ref().is_some_and(Policy::lets_logs_in) {
        ask.push("logs are delivered to the bucket".to_owned());
    }
    let is_cut =
        |image: &Image| image.get(BLOCK).and_then(|b| b.get(CUTS)) == Some(&Value::Bool(true));
    let cuts = !is_cut(before) && is_cut(after) && may_be_public(before, &plan.facts);
    if let Some(policy) = policy.filter(|_| cuts) {
        if policy.names_cloudfront() {
            ask.push("CloudFront reads by a policy that is open to everybody, and would be cut off with everybody: give it a statement of its own (origin access control)".to_owned());
        }
        let named = policy.named_beside_everyone();
        if named > 0 {
            ask.push(format!("{named} principals that the open policy names would be cut off as well, unless they are of the account"));
        }
    }
    let is_kms = |image: &Image| {
        image
            .get(ENCRYPTION)
            .is_some_and(|e| Rule::of(e).is_ok_and(|r| r.is_kms()))
    };
    if is_kms(after)
        && !is_kms(before)
        && plan.facts.get("replication") != Some(&Value::Bool(false))
    {
        ask.push("the bucket is replicated, and replication has to be told of a key before it copies what is encrypted with it".to_owned());
    }
    ask
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;

//! What any plan that stops data from leaving a bucket must keep. Replication rules are taken out one by one and none is put in;
//! batch jobs are cancelled and nothing else is done to them; of the policy every statement stays, and what is added refuses objects, and
//! nothing but objects, to principals that the incident's own records name, or to everybody outside of the organisation. Whoever may
//! change the policy can still change it.

mod deny;
mod replication;

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::attributes::{Asked, Deed, Subject, Way, attributes, no};
use super::bucket::{POLICY, gone, is_this_bucket};
use super::{Claim, Unproven};

/// Where new objects are copied to: role and rules, as S3 says them.
const REPLICATION: &str = "bucket/replication";

/// Plans that stop data from leaving a bucket.
pub(super) struct Exfiltration;

impl Subject for Exfiltration {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        if asked.operation == "s3control:UpdateJobStatus" && asked.way == Way::There {
            return cancel(asked);
        }
        is_this_bucket(asked)?;
        match (asked.operation, asked.way) {
            ("s3:PutBucketReplication", way) => replication::put(asked, way),
            ("s3:DeleteBucketReplication", Way::There) => replication::delete(asked),
            ("s3:PutBucketPolicy", way) => deny::put(asked, way),
            ("s3:DeleteBucketPolicy", Way::Back) => gone(asked, POLICY),
            (other, _) => Err(no(format!(
                "{other} is no call that keeps data in a bucket"
            ))),
        }
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let (Ok(before), Ok(after)) = (
            attributes(&plan.before, "before"),
            attributes(&plan.after, "after"),
        ) else {
            return vec!["it is not known what is on the bucket".to_owned()];
        };
        let gone = replication::removed(before.get(REPLICATION), after.get(REPLICATION));
        let gone = gone.unwrap_or_default().into_iter();
        let mut ask: Vec<String> = gone
            .filter_map(|rule| replication::doubt(rule, claim, &plan.facts))
            .collect();
        ask.extend(deny::concerns(before.get(POLICY), after.get(POLICY)));
        ask
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "no replication rule is put in or rewritten; those that go are taken out one by one",
            "every statement of the bucket policy stays as it is, but that Quell's own may name more principals",
            "what is refused is reading, listing, writing and deleting objects; whoever may change the policy still may, root and Quell's own roles among them",
            "who is refused by name is an actor of this incident and a user or a session of this account, never one of AWS's, of Quell's or of those that people come in by when nothing else works",
        ]
    }
}

/// A cancelled job stays cancelled.
fn cancel(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["AccountId", "JobId", "RequestedJobStatus"])?;
    asked.is("AccountId", &json!(asked.claim.resource.account))?;
    asked.is("RequestedJobStatus", &json!("Cancelled"))?;
    let key = format!("job/{}", asked.text("JobId")?);
    if asked.image.get(&key) != Some(&json!("live")) {
        return Err(no(format!("{key} is none that is at work on the bucket")));
    }
    Ok(Deed::setting(key, Value::from("cancelled"))
        .of_class(Class::R3)
        .kept())
}

#[cfg(test)]
#[path = "exfiltration_tests.rs"]
mod tests;

//! S3: one bucket with its settings, the block of its account, and the keys of KMS. One file for each object; a new one is a row
//! in [`OBJECTS`].
//!
//! A case has `bucket` (`null` is one that is gone) with what is configured of `owner` (an account), `ownerId`, `policy`,
//! `publicAccessBlock`, `acl` (grants), `encryption`, `ownership`, `website`, `cors`, `logging`, `notifications`, `replication`, `versioning`, `lifecycle`, `tags`,
//! each as S3 shows it; `accountBlock`; `keys`, by ARN, and `grants` on them; `buckets`, the names of the account's; and `jobs`, as they are described. What is not there is not configured. `denied` lists operations that are refused.

mod access;
mod account;
mod encryption;
mod jobs;
mod keys;
mod lifecycle;
mod policy;
mod replication;
mod serving;
mod versioning;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

type Answer = Result<Value, String>;

/// What answers for a part of the bucket's settings; `None` when the call is about another.
const OBJECTS: &[fn(&mut S3, &Call) -> Option<Answer>] = &[
    access::call,
    encryption::call,
    lifecycle::call,
    policy::call,
    replication::call,
    serving::call,
    versioning::call,
];

#[derive(Clone)]
pub struct S3 {
    bucket: Option<Map<String, Value>>,
    account_block: Option<Value>,
    keys: Map<String, Value>,
    grants: Vec<Value>,
    own: Vec<String>,
    jobs: Vec<Value>,
    denied: Vec<String>,
}

const OWNER: &str = "444455556666";

fn absent(words: &str) -> String {
    format!(
        "S3.S3Exception: {words} (Service: S3, Status Code: 404, Request ID: r) (SDK Attempt Count: 1)"
    )
}

fn denied() -> String {
    "S3.S3Exception: Access Denied (Service: S3, Status Code: 403, Request ID: r) (SDK Attempt Count: 1)".to_owned()
}

impl S3 {
    pub fn of(case: &Value) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        let texts = |name: &str| {
            let texts = list(name).into_iter();
            texts.map(|t| t.as_str().unwrap().to_owned()).collect()
        };
        let mut bucket = case["bucket"].as_object().cloned();
        if let Some(policy) = bucket.as_mut().and_then(|b| b.get_mut("policy"))
            && !policy.is_string()
        {
            *policy = json!(policy.to_string());
        }
        Self {
            bucket,
            account_block: case.get("accountBlock").cloned(),
            keys: case["keys"].as_object().cloned().unwrap_or_default(),
            grants: list("grants"),
            own: texts("buckets"),
            jobs: list("jobs"),
            denied: texts("denied"),
        }
    }

    /// The settings of the bucket, each by its name in a case.
    fn bucket(&mut self) -> &mut Map<String, Value> {
        self.bucket.as_mut().unwrap()
    }

    /// What is configured, or S3's words that it is not.
    fn configured(&self, name: &str, words: &str) -> Answer {
        let bucket = self.bucket.as_ref().unwrap();
        bucket.get(name).cloned().ok_or_else(|| absent(words))
    }

    fn delete(&mut self, name: &str) -> Answer {
        self.bucket().remove(name);
        Ok(json!({}))
    }

    fn of_bucket(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        assert!(params["Bucket"].is_string(), "{call:?}");
        let owner = params["ExpectedBucketOwner"].as_str();
        let owner = owner.unwrap_or_else(|| panic!("{} says not whose bucket", call.operation));
        let Some(bucket) = &self.bucket else {
            return Err(absent("The specified bucket does not exist"));
        };
        let real = bucket.get("owner").and_then(Value::as_str);
        if real.unwrap_or(OWNER) != owner || self.denied.contains(&call.operation) {
            return Err(denied());
        }
        let answer = OBJECTS.iter().find_map(|object| object(self, call));
        answer.unwrap_or_else(|| panic!("the world knows no s3:{}", call.operation))
    }
}

impl World for S3 {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        match call.service.as_str() {
            "s3control" => account::call(self, call),
            "kms" => keys::call(self, call),
            _ if call.operation == "ListBuckets" => account::buckets(self, call),
            _ => self.of_bucket(call),
        }
    }

    fn image(&self) -> Value {
        json!({"bucket": self.bucket, "accountBlock": self.account_block})
    }

    fn evidence(&self) -> Value {
        json!(self.jobs)
    }

    /// Somebody else lets another account in by the list; where versions are kept, the root user's device is wanted to change that.
    fn meddle(&mut self, _: &Call) {
        if let Some(versioning) = self.bucket().get_mut("versioning") {
            versioning["MfaDelete"] = json!("Enabled");
        }
        let grant =
            json!({"Grantee": {"Id": "meddler", "Type": "CanonicalUser"}, "Permission": "READ"});
        let own = json!({"Grantee": {"Id": "owner", "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"});
        let acl = self.bucket().entry("acl").or_insert_with(|| json!([own]));
        acl.as_array_mut().unwrap().push(grant);
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

//! S3: one bucket with its settings, the block of its account, and the keys of KMS.
//!
//! A case has `bucket` (`null` is one that is gone) with what is configured of `owner` (an account), `ownerId`, `policy`,
//! `publicAccessBlock`, `acl` (grants), `encryption`, `ownership`, `website`, `cors`, `logging`, `replication`, `tags`, each as S3
//! shows it; `accountBlock`; and `keys`, by ARN. What is not there is not configured. `denied` lists operations that are refused.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct S3 {
    bucket: Option<Map<String, Value>>,
    account_block: Option<Value>,
    keys: Map<String, Value>,
    denied: Vec<String>,
}

const OWNER: &str = "444455556666";
const POLICY_BYTES_MAX: usize = 20 * 1024;
const FLAGS: [&str; 4] = [
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
];

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
        let denied = case["denied"].as_array().cloned().unwrap_or_default();
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
            denied: { denied.iter() }
                .map(|d| d.as_str().unwrap().to_owned())
                .collect(),
        }
    }

    fn bucket(&mut self) -> &mut Map<String, Value> {
        self.bucket.as_mut().unwrap()
    }

    /// What is configured, or S3's words that it is not.
    fn configured(&self, name: &str, words: &str) -> Result<Value, String> {
        let bucket = self.bucket.as_ref().unwrap();
        bucket.get(name).cloned().ok_or_else(|| absent(words))
    }

    fn policy_text(&self) -> Result<String, String> {
        let policy = self.configured("policy", "The bucket policy does not exist")?;
        Ok(policy.as_str().unwrap().to_owned())
    }

    fn put_policy(&mut self, params: &Value) -> Result<Value, String> {
        let text = params["Policy"].as_str().unwrap();
        let policy: Value = serde_json::from_str(text).unwrap();
        let block = self.bucket().get("publicAccessBlock").cloned();
        let is_blocked = block.is_some_and(|b| b["BlockPublicPolicy"] == true);
        if text.len() > POLICY_BYTES_MAX {
            return Err("S3.S3Exception: Policies must not exceed the maximum size".to_owned());
        }
        if is_blocked && is_public(&policy) {
            return Err(denied());
        }
        self.bucket().insert("policy".to_owned(), json!(text));
        Ok(json!({}))
    }

    fn put_encryption(&mut self, params: &Value) -> Result<Value, String> {
        let mut encryption = params["ServerSideEncryptionConfiguration"].clone();
        for rule in encryption["Rules"].as_array_mut().unwrap() {
            assert!(rule["ApplyServerSideEncryptionByDefault"]["SseAlgorithm"].is_string());
            if rule.get("BucketKeyEnabled").is_none() {
                rule["BucketKeyEnabled"] = json!(false);
            }
        }
        self.bucket().insert("encryption".to_owned(), encryption);
        Ok(json!({}))
    }

    fn put_block(&mut self, params: &Value) -> Result<Value, String> {
        let given = &params["PublicAccessBlockConfiguration"];
        // A flag that is not named is off.
        let block = FLAGS.map(|flag| (flag.to_owned(), json!(given[flag] == true)));
        let block = Value::Object(Map::from_iter(block));
        self.bucket().insert("publicAccessBlock".to_owned(), block);
        Ok(json!({}))
    }

    fn delete(&mut self, name: &str) -> Result<Value, String> {
        self.bucket().remove(name);
        Ok(json!({}))
    }

    fn of_kms(&self, call: &Call) -> Result<Value, String> {
        let key = call.params["KeyId"].as_str().unwrap();
        match (call.operation.as_str(), self.keys.get(key)) {
            ("DescribeKey", Some(key)) => Ok(json!({"KeyMetadata": key})),
            ("DescribeKey", None) => Err("Kms.NotFoundException: no such key".to_owned()),
            (other, _) => panic!("the world knows no kms:{other}"),
        }
    }

    fn of_account(&self, call: &Call) -> Result<Value, String> {
        assert_eq!(call.params["AccountId"], OWNER);
        let words = "The public access block configuration was not found (Service: S3Control, Status Code: 404, Request ID: r)";
        match (call.operation.as_str(), &self.account_block) {
            ("GetPublicAccessBlock", Some(block)) => {
                Ok(json!({"PublicAccessBlockConfiguration": block}))
            }
            ("GetPublicAccessBlock", None) => Err(format!(
                "S3Control.NoSuchPublicAccessBlockConfigurationException: {words}"
            )),
            (other, _) => panic!("the account's own block is nobody's to change: {other}"),
        }
    }

    fn of_bucket(&mut self, call: &Call) -> Result<Value, String> {
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
        match call.operation.as_str() {
            "PutPublicAccessBlock" => self.put_block(params),
            "PutBucketPolicy" => self.put_policy(params),
            "PutBucketEncryption" => self.put_encryption(params),
            "DeletePublicAccessBlock" => self.delete("publicAccessBlock"),
            "DeleteBucketPolicy" => self.delete("policy"),
            "DeleteBucketEncryption" => self.delete("encryption"),
            _ => self.get(call),
        }
    }

    fn get(&self, call: &Call) -> Result<Value, String> {
        Ok(match call.operation.as_str() {
            "GetPublicAccessBlock" => {
                let words = "The public access block configuration was not found";
                json!({"PublicAccessBlockConfiguration": self.configured("publicAccessBlock", words)?})
            }
            "GetBucketPolicy" => json!({"Policy": self.policy_text()?}),
            "GetBucketPolicyStatus" => {
                let policy = serde_json::from_str(&self.policy_text()?).unwrap();
                json!({"PolicyStatus": {"IsPublic": is_public(&policy)}})
            }
            "GetBucketAcl" => {
                let id = self.configured("ownerId", "").unwrap_or(json!("owner"));
                let own = json!([{"Grantee": {"Id": id, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]);
                json!({"Owner": {"Id": id}, "Grants": self.configured("acl", "").unwrap_or(own)})
            }
            "GetBucketEncryption" => {
                let words = "The server side encryption configuration was not found";
                json!({"ServerSideEncryptionConfiguration": self.configured("encryption", words)?})
            }
            "GetBucketWebsite" => self.configured(
                "website",
                "The specified bucket does not have a website configuration",
            )?,
            "GetBucketOwnershipControls" => {
                let words = "The bucket ownership controls were not found";
                json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": self.configured("ownership", words)?}]}})
            }
            "GetBucketCors" => {
                let words = "The CORS configuration does not exist";
                json!({"CorsRules": self.configured("cors", words)?})
            }
            // S3 answers with nothing when nothing is logged.
            "GetBucketLogging" => self
                .configured("logging", "")
                .map_or(json!({}), |l| json!({"LoggingEnabled": l})),
            "GetBucketReplication" => {
                let words = "The replication configuration was not found";
                json!({"ReplicationConfiguration": self.configured("replication", words)?})
            }
            other => panic!("the world knows no s3:{other}"),
        })
    }
}

/// Whether AWS calls a policy public: everybody, with no condition or with one that anybody can meet.
fn is_public(policy: &Value) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    statements.iter().any(|s| {
        let who = [&s["Principal"], &s["Principal"]["AWS"]];
        let all = json!("*");
        let everyone = who
            .iter()
            .any(|w| **w == all || w.as_array().is_some_and(|l| l.contains(&all)));
        let text = s["Condition"].to_string();
        let narrows = ["aws:PrincipalOrgID", "aws:SourceVpce", "aws:SourceAccount"];
        s["Effect"] == "Allow" && everyone && !narrows.iter().any(|key| text.contains(key))
    })
}

impl World for S3 {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        match call.service.as_str() {
            "s3control" => self.of_account(call),
            "kms" => self.of_kms(call),
            _ => self.of_bucket(call),
        }
    }

    fn image(&self) -> Value {
        json!({"bucket": self.bucket, "accountBlock": self.account_block})
    }

    /// Somebody else lets another account in by the list.
    fn meddle(&mut self, _: &Call) {
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

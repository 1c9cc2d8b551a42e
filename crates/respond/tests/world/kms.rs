//! KMS: one key. A case has `key` (`null` is one that is gone) with its `state`, `policy`, and perhaps `deletionDate`, `created`, `origin`,
//! `usedAt` and `grants`. `denied` lists operations that are refused.
//!
//! Whether a deletion is scheduled is no part of the image: a deletion that was called off stays off on purpose.

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct Kms {
    key: Option<Key>,
    denied: Vec<Value>,
}

#[derive(Clone)]
struct Key {
    state: String,
    deletion: Option<Value>,
    policy: Value,
    shown: Value,
    used_at: Option<Value>,
    grants: Value,
}

impl Kms {
    pub fn of(case: &Value) -> Self {
        let key = case["key"].as_object().map(|key| Key {
            state: key["state"].as_str().unwrap().to_owned(),
            deletion: key.get("deletionDate").cloned(),
            policy: key.get("policy").cloned().unwrap_or_else(own),
            shown: json!({
                "CreationDate": key.get("created").cloned().unwrap_or(json!("2024-02-01T08:00:00.000Z")),
                "Origin": key.get("origin").cloned().unwrap_or(json!("AWS_KMS")),
            }),
            used_at: key.get("usedAt").cloned(),
            grants: key.get("grants").cloned().unwrap_or(json!([])),
        });
        let denied = case["denied"].as_array().cloned().unwrap_or_default();
        Self { key, denied }
    }
}

/// The policy that KMS gives a key.
fn own() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "own", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:*", "Resource": "*"}]})
}

fn invalid(state: &str) -> Result<Value, String> {
    Err(format!("Kms.KmsInvalidStateException: the key is {state}"))
}

impl Key {
    fn describe(&self) -> Value {
        let mut shown = self.shown.clone();
        shown["KeyState"] = json!(self.state);
        if let Some(date) = &self.deletion {
            shown["DeletionDate"] = date.clone();
        }
        json!({"KeyMetadata": shown})
    }

    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let is_pending = self.state.starts_with("Pending");
        match call.operation.as_str() {
            "DescribeKey" => Ok(self.describe()),
            "GetKeyPolicy" => {
                assert_eq!(call.params["PolicyName"], "default");
                Ok(json!({"Policy": self.policy.to_string(), "PolicyName": "default"}))
            }
            "GetKeyLastUsage" => Ok(match &self.used_at {
                Some(at) => json!({"KeyLastUsage": {"Operation": "Decrypt", "Timestamp": at}}),
                None => json!({}),
            }),
            "ListGrants" => Ok(match self.grants.as_array().unwrap().is_empty() {
                true => json!({"Truncated": false}),
                false => json!({"Grants": self.grants, "Truncated": false}),
            }),
            "CancelKeyDeletion"
                if self.deletion.is_some() || self.state == "PendingReplicaDeletion" =>
            {
                (self.state, self.deletion) = ("Disabled".to_owned(), None);
                Ok(json!({}))
            }
            "EnableKey" | "DisableKey" if !is_pending => {
                self.state = call.operation.replace("Key", "d");
                Ok(json!({}))
            }
            "CancelKeyDeletion" | "EnableKey" | "DisableKey" => invalid(&self.state),
            "PutKeyPolicy" => {
                assert_eq!(call.params["BypassPolicyLockoutSafetyCheck"], false);
                self.policy =
                    serde_json::from_str(call.params["Policy"].as_str().unwrap()).unwrap();
                Ok(json!({}))
            }
            other => panic!("the world knows no kms:{other}"),
        }
    }
}

impl World for Kms {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        if self.denied.contains(&json!(call.operation)) {
            return Err("Kms.KmsException: not authorized".to_owned());
        }
        assert!(
            call.params["KeyId"].as_str().unwrap().starts_with("arn:"),
            "{call:?}"
        );
        match &mut self.key {
            Some(key) => key.call(call),
            None => Err("Kms.NotFoundException: Key does not exist".to_owned()),
        }
    }

    fn image(&self) -> Value {
        let key = self.key.as_ref();
        json!(key.map(|key| json!({"enabled": key.state == "Enabled", "policy": key.policy})))
    }

    fn evidence(&self) -> Value {
        json!(self.key.as_ref().map(|key| key.deletion.is_some()))
    }

    /// Somebody else lets another account in; when that is what the call is about, nobody may use the key any more.
    fn meddle(&mut self, call: &Call) {
        let key = self.key.as_mut().unwrap();
        match call.operation.as_str() {
            "PutKeyPolicy" => "Disabled".clone_into(&mut key.state),
            _ => {
                key.policy["Statement"][0]["Principal"]["AWS"] =
                    json!("arn:aws:iam::999988887777:root")
            }
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

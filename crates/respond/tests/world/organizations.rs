//! AWS Organizations, as the account that manages it sees it: service control policies, and what they are attached to.
//!
//! A case has `policies`: by id, `{"name", "content"}`, the content as text or as the JSON that it is; `attached`: by target, the ids;
//! `id`, when it is another organisation; `management`, when it is another account; `pageSize`; `attachedMax`, so many policies fit on a target.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct Organizations {
    id: String,
    management: String,
    policies: BTreeMap<String, Value>,
    attached: BTreeMap<String, BTreeSet<String>>,
    page: usize,
    attached_max: usize,
}

type Answer = Result<Value, String>;

impl Organizations {
    pub fn of(case: &Value) -> Self {
        let policies = case["policies"].as_object().cloned().unwrap_or_default();
        let attached = case["attached"].clone();
        Self {
            id: case["id"].as_str().unwrap_or("o-example").into(),
            management: case["management"].as_str().unwrap_or("100020003000").into(),
            policies: policies.into_iter().collect(),
            attached: serde_json::from_value(attached).unwrap_or_default(),
            page: case["pageSize"].as_u64().unwrap_or(20) as usize,
            attached_max: case["attachedMax"].as_u64().unwrap_or(5) as usize,
        }
    }

    fn summary(&self, id: &str) -> Value {
        let aws = if self.is_aws(id) {
            "aws"
        } else {
            &self.management
        };
        json!({
            "Id": id, "Name": self.policies[id]["name"], "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": self.is_aws(id),
            "Arn": format!("arn:aws:organizations::{aws}:policy/o-example/service_control_policy/{id}"),
        })
    }

    fn is_aws(&self, id: &str) -> bool {
        id == "p-FullAWSAccess"
    }

    fn paged(&self, ids: &[&String], params: &Value) -> Value {
        assert_eq!(params["Filter"], "SERVICE_CONTROL_POLICY");
        let from = params["NextToken"]
            .as_str()
            .map_or(0, |t| t.parse().unwrap());
        let to = (from + self.page).min(ids.len());
        let all: Vec<Value> = ids[from..to].iter().map(|id| self.summary(id)).collect();
        match to < ids.len() {
            true => json!({"Policies": all, "NextToken": to.to_string()}),
            false => json!({"Policies": all}),
        }
    }

    fn target(&mut self, params: &Value) -> Result<&mut BTreeSet<String>, String> {
        let target = params["TargetId"].as_str().unwrap();
        let found = self.attached.get_mut(target);
        found.ok_or_else(|| {
            "Organizations.TargetNotFoundException: You specified a target that doesn't exist."
                .into()
        })
    }

    fn known(&self, params: &Value) -> Result<String, String> {
        let id = params["PolicyId"].as_str().unwrap();
        match self.policies.contains_key(id) {
            true => Ok(id.to_owned()),
            false => Err(
                "Organizations.PolicyNotFoundException: You specified a policy that doesn't exist."
                    .into(),
            ),
        }
    }

    fn attach(&mut self, params: &Value) -> Answer {
        let (id, max) = (self.known(params)?, self.attached_max);
        let attached = self.target(params)?;
        if attached.contains(&id) {
            return Err("Organizations.DuplicatePolicyAttachmentException: A policy with the same name already exists.".into());
        }
        if attached.len() >= max {
            return Err("Organizations.ConstraintViolationException: You have attached the maximum number of policies to the specified target.".into());
        }
        attached.insert(id);
        Ok(json!({}))
    }

    fn detach(&mut self, params: &Value) -> Answer {
        let id = self.known(params)?;
        match self.target(params)?.remove(&id) {
            true => Ok(json!({})),
            false => Err("Organizations.PolicyNotAttachedException: The specified policy is not attached to the specified target.".into()),
        }
    }
}

impl World for Organizations {
    fn call(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        match call.operation.as_str() {
            "DescribeOrganization" => Ok(json!({"Organization": {
                "Id": self.id, "MasterAccountId": self.management, "FeatureSet": "ALL",
            }})),
            "DescribeAccount" => {
                let id = params["AccountId"].as_str().unwrap();
                let arn = format!(
                    "arn:aws:organizations::{}:account/{}/{id}",
                    self.management, self.id
                );
                Ok(json!({"Account": {"Id": id, "Arn": arn, "Status": "ACTIVE"}}))
            }
            "ListPolicies" => Ok(self.paged(&self.policies.keys().collect::<Vec<_>>(), params)),
            "DescribePolicy" => {
                let id = self.known(params)?;
                let content = &self.policies[&id]["content"];
                let text = content
                    .as_str()
                    .map_or_else(|| content.to_string(), str::to_owned);
                Ok(json!({"Policy": {"PolicySummary": self.summary(&id), "Content": text}}))
            }
            "ListPoliciesForTarget" => {
                let attached = self.target(params)?.clone();
                Ok(self.paged(&attached.iter().collect::<Vec<_>>(), params))
            }
            "AttachPolicy" => self.attach(params),
            "DetachPolicy" => self.detach(params),
            other => panic!("the world knows no {other}"),
        }
    }

    fn image(&self) -> Value {
        json!({"policies": self.policies, "attached": self.attached})
    }

    /// Somebody else writes another text into the policy.
    fn meddle(&mut self, call: &Call) {
        let id = call.params["PolicyId"].as_str().unwrap();
        self.policies.get_mut(id).unwrap()["content"] =
            json!({"Version": "2012-10-17", "Statement": []});
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

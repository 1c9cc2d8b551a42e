//! Network Firewall: stateful rule groups. A case has `ruleGroups`, each as DescribeRuleGroup shows it: `RuleGroup` and `RuleGroupResponse`.
//!
//! Whoever writes a group by the token of a recorded way back has just read it.

use quell_model::Call;
use serde_json::{Value, json};

use super::World;
use super::waf::TOKEN_OF_NOW;

#[derive(Clone)]
pub struct Firewall {
    groups: Vec<Value>,
    /// How often the group that is written next is changed by somebody else before that.
    meanwhile: u64,
    writes: u32,
}

impl Firewall {
    pub fn of(case: &Value) -> Self {
        Self {
            groups: case["ruleGroups"].as_array().cloned().unwrap_or_default(),
            meanwhile: case["meanwhile"].as_u64().unwrap_or(0),
            writes: 0,
        }
    }

    fn token(&self) -> String {
        format!("token-{}", self.writes)
    }

    fn find(&mut self, params: &Value) -> Result<&mut Value, String> {
        let arn = &params["RuleGroupArn"];
        let mut groups = self.groups.iter_mut();
        let found = groups.find(|group| group["RuleGroupResponse"]["RuleGroupArn"] == *arn);
        found.ok_or_else(|| "NetworkFirewall.ResourceNotFoundException: no such group".to_owned())
    }

    fn update(&mut self, params: &Value) -> Result<Value, String> {
        if self.meanwhile > 0 {
            self.meanwhile -= 1;
            self.writes += 1;
        }
        let (given, token) = (&params["UpdateToken"], self.token());
        if *given != token.as_str() && *given != TOKEN_OF_NOW {
            return Err("NetworkFirewall.InvalidTokenException: it was changed since".to_owned());
        }
        let group = self.find(params)?;
        group["RuleGroup"] = params["RuleGroup"].clone();
        // What is not said again is gone.
        for member in ["Description", "EncryptionConfiguration", "SourceMetadata"] {
            let shown = group["RuleGroupResponse"].as_object_mut().unwrap();
            match params.get(member) {
                Some(value) => drop(shown.insert(member.to_owned(), value.clone())),
                None => drop(shown.remove(member)),
            }
        }
        self.writes += 1;
        Ok(json!({"UpdateToken": self.token(), "RuleGroupResponse": {}}))
    }
}

impl World for Firewall {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        match call.operation.as_str() {
            "DescribeRuleGroup" => {
                let mut shown = self.find(&call.params)?.clone();
                shown["UpdateToken"] = self.token().into();
                Ok(shown)
            }
            "UpdateRuleGroup" => self.update(&call.params),
            other => panic!("the world knows no {other}"),
        }
    }

    fn image(&self) -> Value {
        Value::from(self.groups.clone())
    }

    /// Somebody adds a rule.
    fn meddle(&mut self, call: &Call) {
        self.writes += 1;
        let group = self.find(&call.params).unwrap();
        group["RuleGroup"]["RulesSource"]["RulesString"] = "pass ip any any -> any any".into();
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

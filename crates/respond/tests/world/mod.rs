//! A security group made of data: just enough of EC2 for a document to run on.

use quell_model::Call;
use serde_json::{Map, Value, json};

pub struct World {
    rules: Vec<Value>,
    group: Value,
    lists: Map<String, Value>,
    attachments: Vec<Value>,
    page: usize,
    next_id: u32,
    pub revoked: Vec<String>,
    /// Calls that changed something.
    pub changes: u32,
}

impl World {
    pub fn of(case: &Value) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        Self {
            rules: list("rules"),
            group: case["group"].clone(),
            lists: case["prefixLists"].as_object().cloned().unwrap_or_default(),
            attachments: list("attachments"),
            page: case["pageSize"].as_u64().unwrap_or(250) as usize,
            next_id: 0,
            revoked: Vec::new(),
            changes: 0,
        }
    }

    pub fn add(&mut self, rule: Value) {
        self.rules.push(rule);
    }

    /// The rules without their ids, sorted: what an undo must bring back.
    pub fn essences(&self) -> Vec<String> {
        let mut out: Vec<String> = self
            .rules
            .iter()
            .map(|rule| {
                let mut rule = rule.clone();
                let fields = rule.as_object_mut().unwrap();
                for id in [
                    "SecurityGroupRuleId",
                    "SecurityGroupRuleArn",
                    "GroupOwnerId",
                ] {
                    fields.remove(id);
                }
                // Tags are a set: none at all and an empty list are one, and their order says nothing.
                if let Some(mut tags) = fields
                    .remove("Tags")
                    .and_then(|t| t.as_array().cloned())
                    .filter(|t| !t.is_empty())
                {
                    tags.sort_by_key(ToString::to_string);
                    fields.insert("Tags".into(), tags.into());
                }
                if fields.get("IpProtocol") == Some(&json!("-1")) {
                    fields.remove("FromPort");
                    fields.remove("ToPort");
                }
                quell_model::canonical_json(&rule)
            })
            .collect();
        out.sort();
        out
    }

    pub fn call(&mut self, call: &Call) -> Result<Value, String> {
        let params = &call.params;
        match call.operation.as_str() {
            "DescribeSecurityGroups" if self.group.is_null() => Ok(json!({})),
            "DescribeSecurityGroups" => Ok(json!({"SecurityGroups": [self.group]})),
            "DescribeSecurityGroupRules" => {
                Ok(self.paged("SecurityGroupRules", &self.rules, params))
            }
            "DescribeNetworkInterfaces" => {
                Ok(self.paged("NetworkInterfaces", &self.attachments, params))
            }
            "GetManagedPrefixListEntries" => {
                let entries = self
                    .lists
                    .get(params["PrefixListId"].as_str().unwrap())
                    .and_then(Value::as_array);
                let entries = entries.ok_or("InvalidPrefixListID.NotFound")?;
                let entries: Vec<Value> = entries.iter().map(|c| json!({"Cidr": c})).collect();
                Ok(self.paged("Entries", &entries, params))
            }
            "RevokeSecurityGroupIngress" => self.revoke(params),
            "AuthorizeSecurityGroupIngress" => self.authorize(params),
            other => panic!("the world knows no {other}"),
        }
    }

    fn paged(&self, name: &str, all: &[Value], params: &Value) -> Value {
        let from: usize = params["NextToken"]
            .as_str()
            .map_or(0, |t| t.parse().unwrap());
        let to = (from + self.page).min(all.len());
        let mut out = json!({name: all[from..to]});
        if to < all.len() {
            out["NextToken"] = json!(to.to_string());
        }
        // EC2 leaves an empty list out of its answer.
        if from == to {
            out.as_object_mut().unwrap().remove(name);
        }
        out
    }

    fn revoke(&mut self, params: &Value) -> Result<Value, String> {
        let ids: Vec<String> = params["SecurityGroupRuleIds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect();
        let known = |id: &String| self.rules.iter().any(|r| r["SecurityGroupRuleId"] == **id);
        if !ids.iter().all(known) {
            return Err("InvalidSecurityGroupRuleId.NotFound".into());
        }
        self.rules
            .retain(|r| !ids.iter().any(|id| r["SecurityGroupRuleId"] == **id));
        self.revoked.extend(ids);
        self.revoked.sort();
        self.changes += 1;
        Ok(json!({"Return": true}))
    }

    fn authorize(&mut self, params: &Value) -> Result<Value, String> {
        let permission = &params["IpPermissions"][0];
        let mut rule = json!({"GroupId": params["GroupId"], "IsEgress": false, "IpProtocol": permission["IpProtocol"]});
        for port in ["FromPort", "ToPort"] {
            rule[port] = permission.get(port).cloned().unwrap_or(json!(-1));
        }
        for (list, from, to) in [
            ("IpRanges", "CidrIp", "CidrIpv4"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("PrefixListIds", "PrefixListId", "PrefixListId"),
        ] {
            if let Some(range) = permission.get(list).and_then(|l| l.get(0)) {
                rule[to] = range[from].clone();
                if let Some(text) = range.get("Description") {
                    rule["Description"] = text.clone();
                }
            }
        }
        rule["GroupOwnerId"] = self.group["OwnerId"].clone();
        rule["Tags"] = params
            .pointer("/TagSpecifications/0/Tags")
            .cloned()
            .unwrap_or(json!([]));
        self.next_id += 1;
        rule["SecurityGroupRuleId"] = json!(format!("sgr-new{}", self.next_id));
        self.rules.push(rule.clone());
        self.changes += 1;
        Ok(json!({"Return": true, "SecurityGroupRules": [rule]}))
    }
}

//! EC2: a security group with its rules.
//!
//! A case has `rules`, `group` (`null` is a group that is gone), `prefixLists` and `attachments` as EC2 shows them;
//! `pageSize` cuts the answers into pages of that size.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct Ec2 {
    rules: Vec<Value>,
    group: Value,
    lists: Map<String, Value>,
    attachments: Vec<Value>,
    page: usize,
    next_id: u32,
}

impl Ec2 {
    pub fn of(case: &Value) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        Self {
            rules: list("rules"),
            group: case["group"].clone(),
            lists: case["prefixLists"].as_object().cloned().unwrap_or_default(),
            attachments: list("attachments"),
            page: case["pageSize"].as_u64().unwrap_or(250) as usize,
            next_id: 0,
        }
    }

    /// The rules without their ids, sorted: what an undo must bring back.
    fn essences(&self) -> Vec<Value> {
        let essence = |rule: &Value| {
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
            let tags = fields.remove("Tags");
            let tags = tags.and_then(|tags| tags.as_array().cloned());
            if let Some(mut tags) = tags.filter(|tags| !tags.is_empty()) {
                tags.sort_by_key(ToString::to_string);
                fields.insert("Tags".into(), tags.into());
            }
            if fields.get("IpProtocol") == Some(&json!("-1")) {
                fields.remove("FromPort");
                fields.remove("ToPort");
            }
            rule
        };
        let mut out: Vec<Value> = self.rules.iter().map(essence).collect();
        out.sort_by_key(quell_model::canonical_json);
        out
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
            return Err("Ec2.Ec2Exception: InvalidSecurityGroupRuleId.NotFound".into());
        }
        self.rules
            .retain(|r| !ids.iter().any(|id| r["SecurityGroupRuleId"] == **id));
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
        let opens = |rule: &Value| {
            [
                "IpProtocol",
                "FromPort",
                "ToPort",
                "CidrIpv4",
                "CidrIpv6",
                "PrefixListId",
            ]
            .map(|member| rule.get(member).cloned())
        };
        let same = |known: &Value| known["IsEgress"] == false && opens(known) == opens(&rule);
        if self.rules.iter().any(same) {
            return Err("Ec2.Ec2Exception: InvalidPermission.Duplicate".into());
        }
        rule["GroupOwnerId"] = self.group["OwnerId"].clone();
        rule["Tags"] = params
            .pointer("/TagSpecifications/0/Tags")
            .cloned()
            .unwrap_or(json!([]));
        self.next_id += 1;
        rule["SecurityGroupRuleId"] = json!(format!("sgr-new{}", self.next_id));
        self.rules.push(rule.clone());
        Ok(json!({"Return": true, "SecurityGroupRules": [rule]}))
    }
}

impl World for Ec2 {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
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
                let entries = entries.ok_or("Ec2.Ec2Exception: InvalidPrefixListID.NotFound")?;
                let entries: Vec<Value> = entries.iter().map(|c| json!({"Cidr": c})).collect();
                Ok(self.paged("Entries", &entries, params))
            }
            "RevokeSecurityGroupIngress" => self.revoke(params),
            "AuthorizeSecurityGroupIngress" => self.authorize(params),
            other => panic!("the world knows no {other}"),
        }
    }

    fn image(&self) -> Value {
        json!({"group": self.group, "rules": self.essences()})
    }

    /// A harmless rule more.
    fn meddle(&mut self, call: &Call) {
        self.next_id += 1;
        let id = format!("sgr-theirs{}", self.next_id);
        self.rules.push(json!({
            "SecurityGroupRuleId": id, "GroupId": call.params["GroupId"],
            "GroupOwnerId": self.group["OwnerId"], "IsEgress": false, "IpProtocol": "tcp",
            "FromPort": 8443, "ToPort": 8443, "CidrIpv4": "203.0.113.0/24", "Tags": [],
        }));
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

//! Security groups and their rules.

use serde_json::{Value, json};

use super::{Answer, Ec2, filtered, find, given_tags, no, only, tagged};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeSecurityGroups" => {
            let groups = filtered(&world.groups, params, |group, name| match name {
                "group-id" => vec![group["GroupId"].clone()],
                "vpc-id" => vec![group["VpcId"].clone()],
                other => tagged(group, other),
            });
            world.all("SecurityGroups", &groups, params)
        }
        "DescribeSecurityGroupRules" => {
            let rules = filtered(&world.rules, params, |rule, _| {
                vec![rule["GroupId"].clone()]
            });
            world.all("SecurityGroupRules", &rules, params)
        }
        "GetManagedPrefixListEntries" => world.entries(params),
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => world.revoke(params),
        "AuthorizeSecurityGroupIngress" => world.authorize(params),
        "CreateSecurityGroup" => world.create_group(params),
        "DeleteSecurityGroup" => world.delete_group(params),
        _ => return None,
    })
}

impl Ec2 {
    /// The rules without their ids, sorted: what an undo must bring back.
    pub(super) fn rule_essences(&self) -> Vec<Value> {
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

    fn entries(&self, params: &Value) -> Answer {
        let list = params["PrefixListId"].as_str().unwrap();
        let entries = self.lists.get(list).and_then(Value::as_array);
        let entries = entries.ok_or_else(|| no("InvalidPrefixListID.NotFound"))?;
        let entries: Vec<Value> = entries.iter().map(|c| json!({"Cidr": c})).collect();
        self.all("Entries", &entries, params)
    }

    fn revoke(&mut self, params: &Value) -> Answer {
        only(params, &["GroupId", "SecurityGroupRuleIds"]);
        let ids = params["SecurityGroupRuleIds"].as_array().unwrap().clone();
        let is = |rule: &Value, id: &Value| {
            rule["SecurityGroupRuleId"] == *id && rule["GroupId"] == params["GroupId"]
        };
        if !ids
            .iter()
            .all(|id| self.rules.iter().any(|rule| is(rule, id)))
        {
            return Err(no("InvalidSecurityGroupRuleId.NotFound"));
        }
        self.rules.retain(|rule| !ids.iter().any(|id| is(rule, id)));
        Ok(json!({"Return": true}))
    }

    fn authorize(&mut self, params: &Value) -> Answer {
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
        let group = find(
            &mut self.groups,
            "GroupId",
            &params["GroupId"],
            "InvalidGroup.NotFound",
        )?;
        rule["GroupOwnerId"] = group["OwnerId"].clone();
        rule["Tags"] = given_tags(params);
        rule["SecurityGroupRuleId"] = self.new_id("sgr-new").into();
        self.rules.push(rule.clone());
        Ok(json!({"Return": true, "SecurityGroupRules": [rule]}))
    }

    /// As EC2 does: everything may go out, over IPv6 too where the VPC has it.
    fn create_group(&mut self, params: &Value) -> Answer {
        only(
            params,
            &["GroupName", "Description", "VpcId", "TagSpecifications"],
        );
        let same =
            |g: &Value| g["GroupName"] == params["GroupName"] && g["VpcId"] == params["VpcId"];
        if self.groups.iter().any(same) {
            return Err(no("InvalidGroup.Duplicate"));
        }
        let id = self.new_id("sg-made");
        self.groups.push(json!({
            "GroupId": id, "GroupName": params["GroupName"], "Description": params["Description"],
            "VpcId": params["VpcId"], "OwnerId": "444455556666", "Tags": given_tags(params),
        }));
        let families = [("CidrIpv4", "0.0.0.0/0"), ("CidrIpv6", "::/0")];
        for (family, all) in families.into_iter().take(1 + usize::from(self.ipv6)) {
            let rule = self.new_id("sgr-made");
            self.rules.push(json!({
                "SecurityGroupRuleId": rule, "GroupId": id, "GroupOwnerId": "444455556666", "IsEgress": true,
                "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, family: all, "Tags": [],
            }));
        }
        Ok(json!({"GroupId": id}))
    }

    fn delete_group(&mut self, params: &Value) -> Answer {
        only(params, &["GroupId"]);
        let id = &params["GroupId"];
        find(&mut self.groups, "GroupId", id, "InvalidGroup.NotFound")?;
        let uses = |interface: &Value| {
            let mut groups = interface["Groups"].as_array().into_iter().flatten();
            groups.any(|group| group["GroupId"] == *id)
        };
        if self.interfaces.iter().any(uses) {
            return Err(no("DependencyViolation"));
        }
        self.groups.retain(|group| group["GroupId"] != *id);
        self.rules.retain(|rule| rule["GroupId"] != *id);
        Ok(json!({"Return": true}))
    }
}

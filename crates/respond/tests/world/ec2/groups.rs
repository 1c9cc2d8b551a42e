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
        "RevokeSecurityGroupIngress" => world.revoke(params, false),
        "RevokeSecurityGroupEgress" => world.revoke(params, true),
        "AuthorizeSecurityGroupIngress" => world.authorize(params, false),
        "AuthorizeSecurityGroupEgress" => world.authorize(params, true),
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
        let missed = self
            .rules
            .iter()
            .filter(|rule| !self.is_unused(&rule["GroupId"]));
        let mut out: Vec<Value> = missed.map(essence).collect();
        out.sort_by_key(quell_model::canonical_json);
        out
    }

    /// A group that a run made, that is as new, and that nothing uses: nobody would miss it.
    fn is_unused(&self, id: &Value) -> bool {
        let made =
            |group: &Value| group["GroupId"] == *id && !tagged(group, "tag:quell:run").is_empty();
        let rules = self.rules.iter().filter(|rule| rule["GroupId"] == *id);
        let mut rules = rules.peekable();
        self.groups.iter().any(made)
            && rules.peek().is_some()
            && rules.all(|rule| rule["IsEgress"] == true && rule["IpProtocol"] == "-1")
            && !self.interfaces.iter().any(|interface| is_in(interface, id))
    }

    /// The groups that somebody would miss.
    pub(super) fn missed_groups(&self) -> Vec<&Value> {
        let missed = |group: &&Value| !self.is_unused(&group["GroupId"]);
        self.groups.iter().filter(missed).collect()
    }

    fn entries(&self, params: &Value) -> Answer {
        let list = params["PrefixListId"].as_str().unwrap();
        let entries = self.lists.get(list).and_then(Value::as_array);
        let entries = entries.ok_or_else(|| no("InvalidPrefixListID.NotFound"))?;
        let entries: Vec<Value> = entries.iter().map(|c| json!({"Cidr": c})).collect();
        self.all("Entries", &entries, params)
    }

    /// By id, or by what the rules say.
    fn revoke(&mut self, params: &Value, egress: bool) -> Answer {
        only(
            params,
            &["GroupId", "SecurityGroupRuleIds", "IpPermissions"],
        );
        let of_group =
            |rule: &Value| rule["GroupId"] == params["GroupId"] && rule["IsEgress"] == egress;
        let gone: Vec<usize> = match params["SecurityGroupRuleIds"].as_array() {
            Some(ids) => {
                let at = |id: &Value| {
                    let is = |rule: &Value| of_group(rule) && rule["SecurityGroupRuleId"] == *id;
                    self.rules.iter().position(is)
                };
                let found: Option<Vec<usize>> = ids.iter().map(at).collect();
                found.ok_or_else(|| no("InvalidSecurityGroupRuleId.NotFound"))?
            }
            None => {
                let at = |said: Value| {
                    let is = |rule: &Value| of_group(rule) && opening(rule) == opening(&said);
                    self.rules.iter().position(is)
                };
                let found: Option<Vec<usize>> = said(params, egress).into_iter().map(at).collect();
                found.ok_or_else(|| no("InvalidPermission.NotFound"))?
            }
        };
        let mut at = 0;
        self.rules.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
        Ok(json!({"Return": true}))
    }

    /// All of them or none.
    fn authorize(&mut self, params: &Value, egress: bool) -> Answer {
        only(params, &["GroupId", "IpPermissions", "TagSpecifications"]);
        let group = find(
            &mut self.groups,
            "GroupId",
            &params["GroupId"],
            "InvalidGroup.NotFound",
        )?;
        let owner = group["OwnerId"].clone();
        let mut made = said(params, egress);
        let is_there = |rule: &Value| {
            let same = |known: &Value| {
                known["GroupId"] == rule["GroupId"]
                    && known["IsEgress"] == rule["IsEgress"]
                    && opening(known) == opening(rule)
            };
            self.rules.iter().any(same)
        };
        if made.iter().any(is_there) {
            return Err(no("InvalidPermission.Duplicate"));
        }
        for rule in &mut made {
            rule["GroupOwnerId"] = owner.clone();
            rule["Tags"] = given_tags(params);
            rule["SecurityGroupRuleId"] = self.new_id("sgr-new").into();
        }
        self.rules.extend(made.clone());
        Ok(json!({"Return": true, "SecurityGroupRules": made}))
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
        if self.interfaces.iter().any(|interface| is_in(interface, id)) {
            return Err(no("DependencyViolation"));
        }
        self.groups.retain(|group| group["GroupId"] != *id);
        self.rules.retain(|rule| rule["GroupId"] != *id);
        Ok(json!({"Return": true}))
    }
}

/// What a rule opens, apart from its names and descriptions. Of all traffic the ports say nothing.
fn opening(rule: &Value) -> Vec<Value> {
    let all = rule["IpProtocol"] == "-1";
    let ports = ["FromPort", "ToPort"].map(|port| if all { json!(-1) } else { rule[port].clone() });
    let of =
        ["IpProtocol", "CidrIpv4", "CidrIpv6", "PrefixListId"].map(|member| rule[member].clone());
    [
        &ports[..],
        &of[..],
        &[rule["ReferencedGroupInfo"]["GroupId"].clone()],
    ]
    .concat()
}

/// The rules that a call names by what they say.
fn said(params: &Value, egress: bool) -> Vec<Value> {
    let mut rules = Vec::new();
    for permission in params["IpPermissions"]
        .as_array()
        .expect("rules by id or by what they say")
    {
        only(
            permission,
            &[
                "IpProtocol",
                "FromPort",
                "ToPort",
                "IpRanges",
                "Ipv6Ranges",
                "PrefixListIds",
                "UserIdGroupPairs",
            ],
        );
        for (list, from, to) in [
            ("IpRanges", "CidrIp", "CidrIpv4"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("PrefixListIds", "PrefixListId", "PrefixListId"),
            ("UserIdGroupPairs", "GroupId", "ReferencedGroupInfo"),
        ] {
            for range in permission[list].as_array().into_iter().flatten() {
                let mut rule = json!({"GroupId": params["GroupId"], "IsEgress": egress, "IpProtocol": permission["IpProtocol"]});
                for port in ["FromPort", "ToPort"] {
                    rule[port] = permission.get(port).cloned().unwrap_or(json!(-1));
                }
                rule[to] = match to {
                    "ReferencedGroupInfo" => {
                        json!({"GroupId": range["GroupId"], "UserId": range["UserId"]})
                    }
                    _ => range[from].clone(),
                };
                if let Some(text) = range.get("Description") {
                    rule["Description"] = text.clone();
                }
                rules.push(rule);
            }
        }
    }
    rules
}

/// Whether an interface has a group.
fn is_in(interface: &Value, group: &Value) -> bool {
    let mut groups = interface["Groups"].as_array().into_iter().flatten();
    groups.any(|own| own["GroupId"] == *group)
}

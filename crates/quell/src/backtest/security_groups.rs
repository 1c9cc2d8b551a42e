//! Security groups as the events tell them: groups that were made, rules that were added, changed and revoked.
//!
//! A group whose making is among the events is known whole. Of another one only the rules are known that the events added; who reads the
//! result is told so. What uses a group, and what a prefix list holds, no event here tells.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Call, Resource, sha256_hex};
use serde_json::{Map, Value, json};

use super::world::{Change, Place, Seen, World};

const CALLS: &[&str] = &[
    "CreateSecurityGroup",
    "DeleteSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    "ModifySecurityGroupRules",
];

/// The groups, by where they are and their id.
#[derive(Debug, Default)]
pub(super) struct SecurityGroups {
    groups: BTreeMap<(Place, String), Group>,
}

#[derive(Debug, Default)]
struct Group {
    /// What CreateSecurityGroup said; nothing when it is not among the events.
    made: Option<Made>,
    deleted: bool,
    /// As DescribeSecurityGroupRules gives them, by id.
    rules: BTreeMap<String, Value>,
    /// What the playbook took away, and nobody else yet.
    taken: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct Made {
    name: String,
    vpc: Option<String>,
    description: String,
}

impl SecurityGroups {
    /// Whether a call changes a group.
    pub(super) fn is_change(source: &str, name: &str) -> bool {
        source == "ec2.amazonaws.com" && CALLS.contains(&name)
    }

    /// In which order calls of one second are taken to have happened: CloudTrail's times have no parts of a second.
    pub(super) fn rank(name: &str) -> usize {
        match name {
            "CreateSecurityGroup" => 0,
            "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => 1,
            "ModifySecurityGroupRules" => 2,
            "DeleteSecurityGroup" => 4,
            _ => 3,
        }
    }

    fn group(&mut self, place: &Place, id: &str) -> &mut Group {
        let key = (place.clone(), id.to_owned());
        self.groups.entry(key).or_default()
    }

    fn of(&self, resource: &Resource) -> Option<&Group> {
        self.groups.get(&(place_of(resource), resource.id.clone()))
    }
}

fn place_of(resource: &Resource) -> Place {
    Place {
        account: resource.account.clone(),
        region: resource.region.clone(),
    }
}

impl World for SecurityGroups {
    fn apply(&mut self, change: &Change) -> Vec<String> {
        let Ok(record) = serde_json::from_str::<Value>(&change.body) else {
            return Vec::new();
        };
        let at = |pointer: &str| record.pointer(pointer).unwrap_or(&Value::Null);
        let (request, response) = (at("/requestParameters"), at("/responseElements"));
        let egress = change.name.ends_with("Egress");
        let id = match change.name.as_str() {
            "CreateSecurityGroup" => text(response, "groupId"),
            "ModifySecurityGroupRules" => text(at(MODIFY), "GroupId"),
            _ => text(request, "groupId"),
        };
        let named = response.pointer("/securityGroupRuleSet/items/0/groupId");
        let Some(id) = id.or_else(|| named.and_then(Value::as_str)) else {
            return Vec::new();
        };
        let account = change.place.account.clone();
        let group = self.group(&change.place, id);
        match change.name.as_str() {
            "CreateSecurityGroup" => {
                group.made = Some(Made {
                    name: text(request, "groupName").unwrap_or_default().to_owned(),
                    vpc: text(request, "vpcId").map(str::to_owned),
                    description: text(request, "groupDescription")
                        .unwrap_or_default()
                        .to_owned(),
                });
                // As EC2 does: everything may go out.
                let rule = made_rule_id(change, 0);
                let all = json!({
                    "SecurityGroupRuleId": rule, "GroupId": id, "GroupOwnerId": account, "IsEgress": true,
                    "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0", "Tags": [],
                });
                group.rules.insert(rule, all);
                Vec::new()
            }
            "DeleteSecurityGroup" => {
                group.deleted = true;
                group.rules.clear();
                std::mem::take(&mut group.taken).into_keys().collect()
            }
            "ModifySecurityGroupRules" => {
                items(at(&format!("{MODIFY}/SecurityGroupRule")))
                    .for_each(|update| group.modify(update));
                Vec::new()
            }
            name if name.starts_with("Authorize") => {
                for rule in added(change, (id, &account), (request, response), egress) {
                    if let Some(rule_id) = text(&rule, "SecurityGroupRuleId") {
                        group.rules.insert(rule_id.to_owned(), rule.clone());
                    }
                }
                Vec::new()
            }
            _ => group.revoke(&revoked(request, response, egress)),
        }
    }

    fn read(&self, of: &Resource, call: &Call, notes: &mut BTreeSet<String>) -> Seen {
        let group = self.of(of);
        match (call.service.as_str(), call.operation.as_str()) {
            ("ec2", "DescribeSecurityGroups") => {
                if group.is_none_or(|g| g.made.is_none()) {
                    notes.insert(
                        "the group's name, VPC and tags: it was made before these events"
                            .to_owned(),
                    );
                }
                let is_there = group.is_none_or(|g| !g.deleted);
                let groups = is_there.then(|| described(of, group));
                Seen::Answer(json!({"SecurityGroups": groups.into_iter().collect::<Vec<_>>()}))
            }
            ("ec2", "DescribeSecurityGroupRules") => {
                if group.is_none_or(|g| g.made.is_none()) {
                    notes.insert("the group's rules from before these events".to_owned());
                }
                let rules: Vec<_> = group.iter().flat_map(|g| g.rules.values()).collect();
                Seen::Answer(json!({"SecurityGroupRules": rules}))
            }
            ("ec2", "DescribeNetworkInterfaces") => {
                notes.insert("what uses the group (network interfaces): many, or a service's own, would have asked a person".to_owned());
                Seen::Answer(json!({"NetworkInterfaces": []}))
            }
            _ => Seen::Untold,
        }
    }

    fn act(&mut self, of: &Resource, call: &Call) -> Vec<String> {
        let ids = self.takes(call);
        let group = self.group(&place_of(of), &of.id);
        for id in &ids {
            if let Some(rule) = group.rules.remove(id) {
                group.taken.insert(id.clone(), rule);
            }
        }
        ids
    }

    fn takes(&self, call: &Call) -> Vec<String> {
        let is_revoke = call.service == "ec2"
            && matches!(
                call.operation.as_str(),
                "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress"
            );
        let ids = call
            .params
            .get("SecurityGroupRuleIds")
            .and_then(Value::as_array);
        let ids = ids.filter(|_| is_revoke).into_iter().flatten();
        ids.filter_map(|id| Some(id.as_str()?.to_owned())).collect()
    }
}

/// Which rules are meant: by id, or by what they say.
struct Meant {
    ids: Vec<String>,
    says: Vec<Value>,
}

impl Group {
    /// Answers those that the playbook had taken away before.
    fn revoke(&mut self, meant: &Meant) -> Vec<String> {
        let is_meant = |id: &String, rule: &Value| {
            meant.ids.contains(id) || meant.says.iter().any(|said| says_the_same(said, rule))
        };
        self.rules.retain(|id, rule| !is_meant(id, rule));
        let gone = self.taken.extract_if(.., |id, rule| is_meant(id, rule));
        gone.map(|(id, _)| id).collect()
    }

    /// A rule that the playbook has taken away cannot be changed any more.
    fn modify(&mut self, update: &Value) {
        let id = text(update, "SecurityGroupRuleId");
        let Some(rule) = id
            .and_then(|id| self.rules.get_mut(id))
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        let Some(says) = update.get("SecurityGroupRule").and_then(Value::as_object) else {
            return;
        };
        // What a rule admits is replaced as a whole.
        for source in [
            "CidrIpv4",
            "CidrIpv6",
            "PrefixListId",
            "ReferencedGroupInfo",
        ] {
            rule.remove(source);
        }
        for (name, value) in says {
            let (name, value) = match name.as_str() {
                "ReferencedGroupId" => ("ReferencedGroupInfo", json!({"GroupId": value})),
                other => (other, value.clone()),
            };
            rule.insert(name.to_owned(), value);
        }
    }
}

const MODIFY: &str = "/requestParameters/ModifySecurityGroupRulesRequest";

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

/// The items of a list, as records write lists: `{"items": […]}`, an array, or the one thing itself.
fn items(list: &Value) -> impl Iterator<Item = &Value> {
    let inner = list.get("items").unwrap_or(list);
    let (many, one) = match inner {
        Value::Array(all) => (Some(all.iter()), None),
        Value::Object(empty) if empty.is_empty() => (None, None),
        Value::Null => (None, None),
        one => (None, Some(one)),
    };
    many.into_iter().flatten().chain(one)
}

/// An id for a rule whose own is in no event. It cannot be one of EC2's.
fn made_rule_id(change: &Change, n: usize) -> String {
    let hash = sha256_hex(format!("{}/{n}", change.record));
    format!("sgr-untold-{}", hash.get(..16).unwrap_or_default())
}

/// The rules that a call made: as EC2 answered, or as they were asked for where older records have no answer.
fn added(
    change: &Change,
    (group, account): (&str, &str),
    (request, response): (&Value, &Value),
    egress: bool,
) -> Vec<Value> {
    let set = response.get("securityGroupRuleSet").unwrap_or(&Value::Null);
    let answered: Vec<Value> = items(set).map(spelt).collect();
    let mut rules = match answered.is_empty() {
        true => said(request),
        false => answered,
    };
    for (n, rule) in rules.iter_mut().enumerate() {
        let Some(rule) = rule.as_object_mut() else {
            continue;
        };
        let mut default = |name: &str, value: Value| {
            rule.entry(name).or_insert(value);
        };
        default("SecurityGroupRuleId", made_rule_id(change, n).into());
        default("GroupId", group.into());
        default("GroupOwnerId", account.into());
        default("IsEgress", egress.into());
        default("Tags", json!([]));
    }
    rules
}

/// Which rules a call took away.
fn revoked(request: &Value, response: &Value, egress: bool) -> Meant {
    let answered = response
        .get("revokedSecurityGroupRuleSet")
        .unwrap_or(&Value::Null);
    let asked = request.get("securityGroupRuleIds").unwrap_or(&Value::Null);
    let id = |item: &Value| {
        let id = item.as_str().or_else(|| text(item, "securityGroupRuleId"));
        id.map(str::to_owned)
    };
    let ids: Vec<String> = items(answered).chain(items(asked)).filter_map(id).collect();
    let mut says = match ids.is_empty() {
        true => said(request),
        false => Vec::new(),
    };
    for rule in says.iter_mut().filter_map(Value::as_object_mut) {
        rule.insert("IsEgress".to_owned(), egress.into());
    }
    Meant { ids, says }
}

/// A rule of `securityGroupRuleSet` as DescribeSecurityGroupRules would have given it.
fn spelt(item: &Value) -> Value {
    let mut rule = Map::new();
    for (from, to) in [
        ("securityGroupRuleId", "SecurityGroupRuleId"),
        ("groupId", "GroupId"),
        ("groupOwnerId", "GroupOwnerId"),
        ("isEgress", "IsEgress"),
        ("ipProtocol", "IpProtocol"),
        ("fromPort", "FromPort"),
        ("toPort", "ToPort"),
        ("cidrIpv4", "CidrIpv4"),
        ("cidrIpv6", "CidrIpv6"),
        ("prefixListId", "PrefixListId"),
        ("description", "Description"),
    ] {
        if let Some(value) = item.get(from) {
            rule.insert(to.to_owned(), value.clone());
        }
    }
    let referenced = item
        .get("referencedGroupInfo")
        .and_then(|info| text(info, "groupId"));
    if let Some(group) = referenced.or_else(|| text(item, "referencedGroupId")) {
        rule.insert("ReferencedGroupInfo".to_owned(), json!({"GroupId": group}));
    }
    let tags = items(item.get("tagSet").unwrap_or(&Value::Null));
    let tags = tags.map(|tag| json!({"Key": text(tag, "key"), "Value": text(tag, "value")}));
    rule.insert("Tags".to_owned(), tags.collect());
    Value::Object(rule)
}

/// The rules that a request names by what they say: one in the call itself, or several in a list.
fn said(request: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    if let Some(cidr) = request.get("cidrIp") {
        out.push(opening(request, "CidrIpv4", cidr.clone(), None));
    }
    for permission in items(request.get("ipPermissions").unwrap_or(&Value::Null)) {
        for (list, member, to) in [
            ("ipRanges", "cidrIp", "CidrIpv4"),
            ("ipv6Ranges", "cidrIpv6", "CidrIpv6"),
            ("prefixListIds", "prefixListId", "PrefixListId"),
            ("groups", "groupId", "ReferencedGroupInfo"),
        ] {
            for range in items(permission.get(list).unwrap_or(&Value::Null)) {
                let Some(source) = range.get(member) else {
                    continue;
                };
                let source = match to {
                    "ReferencedGroupInfo" => json!({"GroupId": source}),
                    _ => source.clone(),
                };
                out.push(opening(permission, to, source, range.get("description")));
            }
        }
    }
    out
}

fn opening(of: &Value, to: &str, source: Value, description: Option<&Value>) -> Value {
    let mut rule = Map::new();
    for (from, to) in [
        ("ipProtocol", "IpProtocol"),
        ("fromPort", "FromPort"),
        ("toPort", "ToPort"),
    ] {
        rule.insert(to.to_owned(), of.get(from).cloned().unwrap_or(json!(-1)));
    }
    rule.insert(to.to_owned(), source);
    if let Some(text) = description {
        rule.insert("Description".to_owned(), text.clone());
    }
    Value::Object(rule)
}

/// Whether two rules open the same. Of all traffic the ports say nothing.
fn says_the_same(one: &Value, other: &Value) -> bool {
    let all = one.get("IpProtocol") == Some(&json!("-1"));
    let same = |name: &&str| one.get(*name) == other.get(*name);
    let what = [
        "IsEgress",
        "IpProtocol",
        "CidrIpv4",
        "CidrIpv6",
        "PrefixListId",
    ];
    let group = |rule: &Value| rule.pointer("/ReferencedGroupInfo/GroupId").cloned();
    what.iter().all(same)
        && (all || ["FromPort", "ToPort"].iter().all(same))
        && group(one) == group(other)
}

/// A group as DescribeSecurityGroups would have given it.
fn described(of: &Resource, group: Option<&Group>) -> Value {
    let mut out = json!({"GroupId": of.id, "OwnerId": of.account, "Tags": []});
    let made = group.and_then(|group| group.made.as_ref());
    if let Some(out) = out.as_object_mut() {
        let name = made.map_or("", |made| made.name.as_str());
        out.insert("GroupName".to_owned(), name.into());
        if let Some(made) = made {
            out.insert("Description".to_owned(), made.description.clone().into());
            if let Some(vpc) = &made.vpc {
                out.insert("VpcId".to_owned(), vpc.clone().into());
            }
        }
    }
    out
}

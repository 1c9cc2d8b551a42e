//! EC2 with what stands before it: security groups and their rules, instances with disks, interfaces and addresses, Auto
//! Scaling groups, load balancers.
//!
//! A case has lists of things as the services show them, each left out when there is none:
//!
//! * `group` with `rules`, `prefixLists` and `attachments` (one group; `null` is a group that is gone), or `groups`, each
//!   with its `Rules`; `ipv6`: whether the VPC has it, so that a new group lets that out too;
//! * `instances`, each with its `Attributes` (`DisableApiTermination`, …) beside what EC2 shows; `interfaces`; `addresses`;
//!   `snapshots`; `locks`: false where snapshots cannot be locked; `images`; `sharingBlocked`: whether nothing can be made public;
//! * `acls`, `vpcs`; `fleets`; `scalingGroups`; `targetGroups`, each with its `Targets`; `loadBalancers`.
//!
//! `pageSize` cuts the answers into pages of that size; `meanwhile` is what an intruder does at once after a call, each once:
//! `[{"after": "ModifyNetworkInterfaceAttribute", "calls": [[operation, {…}]]}]`.

mod acls;
mod groups;
mod images;
mod machines;
mod network;
mod service;
mod sharing;
mod snapshots;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct Ec2 {
    groups: Vec<Value>,
    rules: Vec<Value>,
    lists: Map<String, Value>,
    ipv6: bool,
    instances: Vec<Value>,
    interfaces: Vec<Value>,
    addresses: Vec<Value>,
    snapshots: Vec<Value>,
    images: Vec<Value>,
    sharing_blocked: bool,
    lockable: bool,
    scaling_groups: Vec<Value>,
    target_groups: Vec<Value>,
    load_balancers: Vec<Value>,
    fleets: Vec<Value>,
    acls: Vec<Value>,
    vpcs: Vec<Value>,
    page: usize,
    meanwhile: Vec<Value>,
    next_id: u32,
}

type Answer = Result<Value, String>;

impl Ec2 {
    pub fn of(case: &Value) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        let one = Some(&case["group"]).filter(|group| !group.is_null());
        let mut rules = list("rules");
        let mut groups: Vec<Value> = one.cloned().into_iter().chain(list("groups")).collect();
        for group in &mut groups {
            let own = group.as_object_mut().unwrap().remove("Rules");
            for mut rule in own
                .as_ref()
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
            {
                rule["GroupId"] = group["GroupId"].clone();
                rules.push(rule);
            }
        }
        Self {
            groups,
            rules,
            lists: case["prefixLists"].as_object().cloned().unwrap_or_default(),
            ipv6: case["ipv6"].as_bool().unwrap_or(false),
            instances: list("instances"),
            interfaces: [list("attachments"), list("interfaces")].concat(),
            addresses: list("addresses"),
            snapshots: list("snapshots"),
            images: list("images"),
            sharing_blocked: case["sharingBlocked"].as_bool().unwrap_or(false),
            lockable: case["locks"].as_bool().unwrap_or(true),
            scaling_groups: list("scalingGroups"),
            target_groups: list("targetGroups"),
            load_balancers: list("loadBalancers"),
            fleets: list("fleets"),
            acls: list("acls"),
            vpcs: list("vpcs"),
            page: case["pageSize"].as_u64().unwrap_or(250) as usize,
            meanwhile: list("meanwhile"),
            next_id: 0,
        }
    }

    fn new_id(&mut self, prefix: &str) -> String {
        self.next_id += 1;
        format!("{prefix}{}", self.next_id)
    }

    /// The same with groups that a run made called by their names: EC2 gives their ids anew each time.
    fn with_names(&self) -> Self {
        let mut it = self.clone();
        for group in &self.groups {
            if tagged(group, "tag:quell:run").is_empty() {
                continue;
            }
            let [id, name] = ["GroupId", "GroupName"].map(|member| group[member].to_string());
            for list in [&mut it.groups, &mut it.rules, &mut it.interfaces] {
                let text = Value::from(std::mem::take(list)).to_string();
                *list = serde_json::from_str(&text.replace(&id, &name)).unwrap();
            }
        }
        it.groups
            .sort_by_key(|group| group["GroupName"].to_string());
        it
    }

    /// What somebody would miss.
    fn missed(&self) -> Value {
        json!({
            "groups": self.missed_groups(), "rules": self.rule_essences(), "machines": self.machine_image(),
            "network": self.network_image(), "acls": self.acl_image(), "service": self.service_image(),
            "sharing": self.sharing_image(),
        })
    }

    /// A page of a list; `token` is what the service calls where the next one begins.
    fn paged(&self, name: &str, all: &[Value], params: &Value, token: [&str; 2]) -> Value {
        let [asked, told] = token;
        let from: usize = params[asked].as_str().map_or(0, |t| t.parse().unwrap());
        let to = (from + self.page).min(all.len());
        let mut out = json!({name: all[from..to]});
        if to < all.len() {
            out[told] = json!(to.to_string());
        }
        // AWS leaves an empty list out of its answer.
        if from == to {
            out.as_object_mut().unwrap().remove(name);
        }
        out
    }

    fn all(&self, name: &str, all: &[Value], params: &Value) -> Answer {
        Ok(self.paged(name, all, params, ["NextToken"; 2]))
    }
}

/// What all the filters of a call let through. `at` gives the values that a thing has for a filter's name.
fn filtered(all: &[Value], params: &Value, at: impl Fn(&Value, &str) -> Vec<Value>) -> Vec<Value> {
    let filters = params["Filters"].as_array().cloned().unwrap_or_default();
    let passes = |thing: &&Value| {
        filters.iter().all(|filter| {
            let has = at(thing, filter["Name"].as_str().unwrap());
            filter["Values"]
                .as_array()
                .unwrap()
                .iter()
                .any(|value| has.contains(value))
        })
    };
    all.iter().filter(passes).cloned().collect()
}

/// The values of a tag for a filter `tag:<key>`, the keys of all tags for `tag-key`.
fn tagged(thing: &Value, filter: &str) -> Vec<Value> {
    let tags = thing["Tags"].as_array().into_iter().flatten();
    if filter == "tag-key" {
        return tags.map(|tag| tag["Key"].clone()).collect();
    }
    let key = filter.strip_prefix("tag:");
    let key = key.unwrap_or_else(|| panic!("no filter «{filter}» is known"));
    tags.filter(|tag| tag["Key"] == key)
        .map(|tag| tag["Value"].clone())
        .collect()
}

/// The tags that a call gives to what it makes.
fn given_tags(params: &Value) -> Value {
    params
        .pointer("/TagSpecifications/0/Tags")
        .cloned()
        .unwrap_or(json!([]))
}

fn no(code: &str) -> String {
    format!("Ec2.Ec2Exception: {code}")
}

fn find<'a>(
    all: &'a mut [Value],
    key: &str,
    id: &Value,
    code: &str,
) -> Result<&'a mut Value, String> {
    all.iter_mut()
        .find(|thing| thing[key] == *id)
        .ok_or_else(|| no(code))
}

/// The members of a call, and no others: a world that takes what it does not know proves nothing.
fn only(params: &Value, known: &[&str]) {
    for key in params.as_object().unwrap().keys() {
        assert!(
            known.contains(&key.as_str()),
            "the world knows no argument {key}"
        );
    }
}

impl Ec2 {
    fn answer(&mut self, service: &str, operation: &str, params: &Value) -> Answer {
        let answer = match service {
            "ec2" => groups::call(self, operation, params)
                .or_else(|| snapshots::call(self, operation, params))
                .or_else(|| images::call(self, operation, params))
                .or_else(|| machines::call(self, operation, params))
                .or_else(|| network::call(self, operation, params))
                .or_else(|| acls::call(self, operation, params)),
            _ => service::call(self, operation, params),
        };
        answer.unwrap_or_else(|| panic!("the world knows no {operation}"))
    }
}

impl World for Ec2 {
    fn call(&mut self, call: &Call) -> Answer {
        let answer = self.answer(&call.service, &call.operation, &call.params);
        let due = self.meanwhile.iter();
        let due = due
            .clone()
            .position(|m| m["after"] == call.operation.as_str());
        if let Some(due) = due.map(|at| self.meanwhile.remove(at)) {
            for theirs in due["calls"].as_array().unwrap() {
                self.answer("ec2", theirs[0].as_str().unwrap(), &theirs[1])
                    .unwrap();
            }
        }
        answer
    }

    fn image(&self) -> Value {
        self.with_names().missed()
    }

    fn evidence(&self) -> Value {
        let tags = |i: &Value| i["Tags"].clone();
        json!({"snapshots": self.kept_snapshots(), "tags": self.instances.iter().map(tags).collect::<Vec<_>>()})
    }

    /// Another option of the metadata service; a harmless rule more, or a private address more; an account more that something is shared
    /// with, where there is only that.
    fn meddle(&mut self, call: &Call) {
        if call.operation == "ModifyInstanceMetadataOptions" {
            self.instances[0]["MetadataOptions"]["InstanceMetadataTags"] = json!("enabled");
            return;
        }
        if acls::meddle(self, call) || (self.groups.is_empty() && self.share_more()) {
            return;
        }
        let id = self.new_id("");
        match self
            .interfaces
            .first_mut()
            .filter(|_| !self.instances.is_empty())
        {
            Some(interface) => {
                let more = json!({"Primary": false, "PrivateIpAddress": format!("10.0.9.{id}")});
                interface["PrivateIpAddresses"]
                    .as_array_mut()
                    .unwrap()
                    .push(more);
            }
            None => self.rules.push(json!({
                "SecurityGroupRuleId": format!("sgr-theirs{id}"), "GroupId": call.params["GroupId"],
                "GroupOwnerId": self.groups[0]["OwnerId"], "IsEgress": false, "IpProtocol": "tcp",
                "FromPort": 8443, "ToPort": 8443, "CidrIpv4": "203.0.113.0/24", "Tags": [],
            })),
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

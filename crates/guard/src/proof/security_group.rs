//! What any plan about a security group must keep: only ingress rules of that group, by rule id, that open a
//! critical port to the public; afterwards nothing else has changed, nothing is exposed any more, and every
//! revoked rule can be put back as it was.

use std::collections::BTreeSet;

use quell_model::{Plan, PlannedCall, UndoCall};
use serde_json::{Map, Value};

use super::loss::{self, Loss};
use super::{Claim, Proof, Unproven};
use crate::addresses::{AddressSet, FAMILIES, Family, cidr};
use crate::traffic::{Flow, Sources};

const REVOKE: &str = "arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress";
const AUTHORIZE: &str = "arn:aws:states:::aws-sdk:ec2:authorizeSecurityGroupIngress";

/// When a port counts as exposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The critical ports.
    pub ports: Vec<i64>,
    /// The share of public address space from which a port may not be reachable, 0 to 1.
    pub share: f64,
}

impl Exposure {
    /// From a playbook's facts.
    fn of(facts: &Value) -> Result<Self, Unproven> {
        let ports: Option<Vec<i64>> = facts
            .get("criticalPorts")
            .and_then(Value::as_array)
            .and_then(|a| a.iter().map(Value::as_i64).collect());
        match (ports, facts.get("exposedShare").and_then(Value::as_f64)) {
            (Some(ports), Some(share)) if !ports.is_empty() && share > 0.0 => {
                Ok(Self { ports, share })
            }
            _ => Err(Unproven(
                "the playbook's facts lack criticalPorts or exposedShare".into(),
            )),
        }
    }

    /// The ports that are exposed by these rules together, with the family.
    fn exposed(&self, rules: &[Rule]) -> Vec<(i64, Family)> {
        let mut out = Vec::new();
        for port in &self.ports {
            for family in FAMILIES {
                let open = rules
                    .iter()
                    .filter(|r| r.opens(*port))
                    .filter_map(|r| r.source(family));
                let all = open.fold(AddressSet::default(), |all, one| all.union(one));
                if all.public_share(family) >= self.share {
                    out.push((*port, family));
                }
            }
        }
        out
    }
}

/// A rule as EC2's DescribeSecurityGroupRules gives it.
#[derive(Debug)]
struct Rule {
    id: String,
    protocol: String,
    from: i64,
    to: i64,
    flow: Flow,
}

impl Rule {
    fn opens(&self, port: i64) -> bool {
        match self.protocol.as_str() {
            "-1" => true,
            "tcp" | "udp" | "6" | "17" => self.from <= port && port <= self.to,
            _ => false,
        }
    }

    fn source(&self, family: Family) -> Option<&AddressSet> {
        let set = match family {
            Family::V4 => &self.flow.sources.v4,
            Family::V6 => &self.flow.sources.v6,
        };
        (!set.is_empty()).then_some(set)
    }
}

fn no(text: impl Into<String>) -> Unproven {
    Unproven(text.into())
}

fn rules_of<'a>(image: &'a Value, name: &str) -> Result<&'a Vec<Value>, Unproven> {
    image
        .get("securityGroupRules")
        .and_then(Value::as_array)
        .ok_or_else(|| {
            no(format!(
                "the plan's «{name}» image has no securityGroupRules"
            ))
        })
}

fn id_of(rule: &Value) -> Result<&str, Unproven> {
    rule.get("SecurityGroupRuleId")
        .and_then(Value::as_str)
        .ok_or_else(|| no("a rule has no SecurityGroupRuleId"))
}

/// The ingress rules of the group.
fn ingress(
    image: (&Value, &str),
    group: &str,
    lists: Option<&Value>,
) -> Result<Vec<Rule>, Unproven> {
    let mut out = Vec::new();
    for rule in rules_of(image.0, image.1)? {
        let text = |name: &str| rule.get(name).and_then(Value::as_str);
        if text("GroupId").is_some_and(|id| id != group) {
            return Err(no(format!("rule {} is of another group", id_of(rule)?)));
        }
        if rule.get("IsEgress") != Some(&Value::Bool(false)) {
            continue;
        }
        let mut blocks: Vec<&str> = [text("CidrIpv4"), text("CidrIpv6")]
            .into_iter()
            .flatten()
            .collect();
        if let Some(list) = text("PrefixListId") {
            let entries = lists.and_then(|l| l.get(list)).and_then(Value::as_array);
            blocks.extend(entries.into_iter().flatten().filter_map(Value::as_str));
        }
        out.push(read_rule(rule, &blocks)?);
    }
    Ok(out)
}

fn read_rule(rule: &Value, blocks: &[&str]) -> Result<Rule, Unproven> {
    let id = id_of(rule)?;
    let number = |name: &str| rule.get(name).and_then(Value::as_i64).unwrap_or(-1);
    let (mut v4, mut v6) = (AddressSet::default(), AddressSet::default());
    // Another account's group may have the same id as nothing here: the whole reference is its name.
    let referenced = rule.get("ReferencedGroupInfo");
    let groups = referenced.map(quell_model::canonical_json);
    for block in blocks {
        match cidr(block) {
            Some((Family::V4, set)) => v4 = v4.union(&set),
            Some((Family::V6, set)) => v6 = v6.union(&set),
            None => {
                return Err(no(format!(
                    "rule {id} has a source that is not a CIDR block"
                )));
            }
        }
    }
    Ok(Rule {
        id: id.to_owned(),
        protocol: rule
            .get("IpProtocol")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        from: number("FromPort"),
        to: number("ToPort"),
        flow: loss::flow(
            id,
            rule,
            Sources {
                v4,
                v6,
                groups: groups.into_iter().collect(),
            },
        )?,
    })
}

/// Exactly these members and no other.
fn only<'a>(arguments: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, Unproven> {
    let map = arguments
        .as_object()
        .ok_or_else(|| no("a call's arguments are not an object"))?;
    match map.keys().find(|k| !names.contains(&k.as_str())) {
        Some(stranger) => Err(no(format!(
            "the call has an argument «{stranger}» that no such plan needs"
        ))),
        None => Ok(map),
    }
}

/// Proves a plan, and says what was shown.
pub(super) fn prove(plan: &Plan, claim: &Claim<'_>) -> Result<Proof, Unproven> {
    if let Some(undo) = claim.undo {
        prove_undo(plan, claim, undo)?;
        return Ok(Proof {
            shown: vec![
                "only rules that the run had revoked are made again, each as it was".to_owned(),
            ],
            ..Proof::default()
        });
    }
    let loss = prove_respond(plan, claim)?;
    let shown = [
        "only ingress rules of this group are revoked, by their ids, and each of them opens a critical port to the public",
        "afterwards no critical port is open to the public, by the union of all sources, prefix lists included",
        "no other rule changes",
        "every revoked rule can be made again as it was",
    ];
    let mut concerns = concerns(plan, claim.facts);
    let web: Option<Vec<i64>> = { claim.facts.get("webPorts") }
        .and_then(Value::as_array)
        .and_then(|ports| ports.iter().map(Value::as_i64).collect());
    concerns.extend(loss.concern(web.as_deref()));
    Ok(Proof {
        shown: { shown.into_iter().map(str::to_owned) }
            .chain(loss.shown())
            .collect(),
        concerns,
        lost: loss.parts(),
    })
}

/// Proves a response, and says what it closes.
fn prove_respond(plan: &Plan, claim: &Claim<'_>) -> Result<Loss, Unproven> {
    let exposure = Exposure::of(claim.facts)?;
    let revoked = revoked_ids(plan, claim.resource.id.as_str())?;
    let lists = plan.facts.get("prefixLists");
    let group = claim.resource.id.as_str();
    let rules = ingress((&plan.before, "before"), group, lists)?;
    let exposed = exposure.exposed(&rules);
    for id in &revoked {
        let has_addresses = |r: &&Rule| r.id == *id && r.flow.sources.groups.is_empty();
        let rule = rules.iter().find(has_addresses).ok_or_else(|| {
            no(format!(
                "{id} is not an ingress rule of {} with an address as its source",
                claim.resource.id.as_str()
            ))
        })?;
        let guilty = exposed.iter().any(|(port, family)| {
            rule.opens(*port)
                && rule
                    .source(*family)
                    .is_some_and(|s| s.public_share(*family) > 0.0)
        });
        if !guilty {
            return Err(no(format!(
                "{id} does not open a critical port to the public"
            )));
        }
    }
    let (gone, kept): (Vec<Rule>, Vec<Rule>) =
        { rules.into_iter() }.partition(|r| revoked.contains(&r.id));
    if let Some((port, family)) = exposure.exposed(&kept).first() {
        return Err(no(format!(
            "after the plan port {port} would still be open to the public ({family:?})"
        )));
    }
    prove_images(plan, &revoked)?;
    prove_way_back(plan, &revoked)?;
    let left = ingress((&plan.after, "after"), group, lists)?;
    let [gone, kept, left] =
        [gone, kept, left].map(|rules| rules.into_iter().map(|rule| rule.flow).collect::<Vec<_>>());
    Loss::of(&gone, &kept, &left, &exposed)
}

/// The one call of such a plan, and the rule ids in it.
fn revoked_ids(plan: &Plan, group: &str) -> Result<BTreeSet<String>, Unproven> {
    let [call] = plan.calls.as_slice() else {
        return Err(no("a plan about a security group has exactly one call"));
    };
    if call.resource != REVOKE {
        return Err(no(format!(
            "the call is {}, not the revocation of ingress rules",
            call.resource
        )));
    }
    let arguments = only(&call.arguments, &["GroupId", "SecurityGroupRuleIds"])?;
    if arguments.get("GroupId").and_then(Value::as_str) != Some(group) {
        return Err(no("the call is about another group than the run"));
    }
    let ids: Option<BTreeSet<String>> = arguments
        .get("SecurityGroupRuleIds")
        .and_then(Value::as_array)
        .and_then(|ids| {
            ids.iter()
                .map(|id| id.as_str().map(str::to_owned))
                .collect()
        });
    ids.filter(|ids| !ids.is_empty())
        .ok_or_else(|| no("the call names no rule ids: a whole permission is never revoked"))
}

/// after = before − revoked, and nothing else.
fn prove_images(plan: &Plan, revoked: &BTreeSet<String>) -> Result<(), Unproven> {
    let mut wanted = Vec::new();
    for rule in rules_of(&plan.before, "before")? {
        if !revoked.contains(id_of(rule)?) {
            wanted.push(rule);
        }
    }
    let after: Vec<&Value> = rules_of(&plan.after, "after")?.iter().collect();
    if same_rules(&wanted, &after) {
        Ok(())
    } else {
        Err(no("the predicted state is not «before, less the plan»"))
    }
}

/// Equal as sets, whatever their order.
fn same_rules(a: &[&Value], b: &[&Value]) -> bool {
    let sorted = |rules: &[&Value]| {
        let mut texts: Vec<String> = rules
            .iter()
            .map(|r| quell_model::canonical_json(r))
            .collect();
        texts.sort_unstable();
        texts
    };
    sorted(a) == sorted(b)
}

/// One authorisation for each revoked rule, saying exactly what the rule said.
fn prove_way_back(plan: &Plan, revoked: &BTreeSet<String>) -> Result<(), Unproven> {
    let undo: Vec<_> = plan.calls.iter().flat_map(|c| &c.undo).collect();
    let mut left: Vec<Value> = Vec::new();
    for rule in rules_of(&plan.before, "before")? {
        if revoked.contains(id_of(rule)?) {
            left.push(essence_of_rule(rule));
        }
    }
    for call in undo {
        let essence = essence_of_call(call)?;
        match left.iter().position(|rule| *rule == essence) {
            Some(found) => drop(left.swap_remove(found)),
            None => {
                return Err(no(
                    "an undo call would restore something that was not there",
                ));
            }
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(no("a revoked rule has no way back"))
    }
}

/// What a rule says, without its id.
fn essence_of_rule(rule: &Value) -> Value {
    let pick = |name: &str| rule.get(name).cloned().unwrap_or(Value::Null);
    let source = ["CidrIpv4", "CidrIpv6", "PrefixListId"].map(pick);
    let tags = rule
        .get("Tags")
        .and_then(Value::as_array)
        .filter(|t| !t.is_empty())
        .cloned();
    serde_json::json!([
        pick("IpProtocol"),
        ports(rule),
        source,
        pick("Description"),
        tags
    ])
}

/// EC2 shows −1 for the ports of a rule without ports, and takes none.
fn ports(rule: &Value) -> [Value; 2] {
    ["FromPort", "ToPort"].map(|name| match rule.get(name).and_then(Value::as_i64) {
        Some(n) if rule.get("IpProtocol").and_then(Value::as_str) != Some("-1") => n.into(),
        _ => Value::Null,
    })
}

fn essence_of_call(call: &UndoCall) -> Result<Value, Unproven> {
    if call.resource != AUTHORIZE {
        return Err(no(format!(
            "an undo call is {}, not an authorisation",
            call.resource
        )));
    }
    let arguments = only(
        &call.arguments,
        &["GroupId", "IpPermissions", "TagSpecifications"],
    )?;
    let one = |value: Option<&Value>| match value.and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => Some(only.clone()),
        _ => None,
    };
    let permission = one(arguments.get("IpPermissions"))
        .ok_or_else(|| no("an undo call restores exactly one rule"))?;
    only(
        &permission,
        &[
            "IpProtocol",
            "FromPort",
            "ToPort",
            "IpRanges",
            "Ipv6Ranges",
            "PrefixListIds",
        ],
    )?;
    let mut source = [Value::Null, Value::Null, Value::Null];
    let mut description = Value::Null;
    for (slot, (list, member)) in source.iter_mut().zip([
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId"),
    ]) {
        if permission.get(list).is_some() {
            let range = one(permission.get(list))
                .ok_or_else(|| no("an undo call restores exactly one source"))?;
            *slot = range.get(member).cloned().unwrap_or(Value::Null);
            description = range.get("Description").cloned().unwrap_or(Value::Null);
        }
    }
    let specification = one(arguments.get("TagSpecifications"));
    let tags = specification
        .as_ref()
        .and_then(|s| s.get("Tags"))
        .and_then(Value::as_array)
        .cloned();
    let protocol = permission.get("IpProtocol").cloned().unwrap_or(Value::Null);
    Ok(serde_json::json!([
        protocol,
        ports(&permission),
        source,
        description,
        tags
    ]))
}

/// An undo makes exactly the calls that were recorded, in their order, on the state that was left behind; but for those that
/// an earlier try made, whose rules are there.
fn prove_undo(plan: &Plan, claim: &Claim<'_>, undo: &Value) -> Result<(), Unproven> {
    let recorded = undo.get("calls").cloned();
    let recorded: Option<Vec<UndoCall>> = recorded.and_then(|c| serde_json::from_value(c).ok());
    let recorded = recorded.ok_or_else(|| no("nothing was recorded to undo"))?;
    let mut made = Vec::new();
    let mut planned = plan.calls.iter().peekable();
    for call in &recorded {
        let is_it = |p: &&PlannedCall| p.resource == call.resource && p.arguments == call.arguments;
        if planned.next_if(is_it).is_none() {
            made.push(essence_of_call(call)?);
        }
    }
    if planned.next().is_some() {
        return Err(no("the calls are not the recorded undo calls"));
    }
    for call in &plan.calls {
        if call.arguments.get("GroupId").and_then(Value::as_str) != Some(claim.resource.id.as_str())
        {
            return Err(no("an undo call is about another group than the run"));
        }
    }
    let left = undo
        .get("after")
        .ok_or_else(|| no("no after-image was recorded"))?;
    let (left, live) = (
        rules_of(left, "recorded after")?,
        rules_of(&plan.before, "before")?,
    );
    prove_left(left, live, made)
}

/// The group is as the run left it, with what an earlier try has put back.
fn prove_left(left: &[Value], live: &[Value], mut made: Vec<Value>) -> Result<(), Unproven> {
    let mut left: Vec<&Value> = left.iter().collect();
    for rule in live {
        let kept = left.iter().position(|known| same_rules(&[*known], &[rule]));
        let essence = essence_of_rule(rule);
        match (kept, made.iter().position(|known| *known == essence)) {
            (Some(kept), _) => drop(left.swap_remove(kept)),
            (None, Some(back)) => drop(made.swap_remove(back)),
            (None, None) => return Err(no("the group is not as the run left it")),
        }
    }
    match (left.is_empty(), made.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(no("the group is not as the run left it")),
        (true, false) => Err(no("the calls are not the recorded undo calls")),
    }
}

/// Groups with such names are mostly made by AWS Directory Service, or by Quell itself. A name proves nothing, since
/// whoever makes a group chooses it: a person decides, and an attacker wins no immunity by it.
const RESERVED_GROUP_NAMES: &[&str] = &["quell-", "d-"];

/// Who else would feel it.
fn concerns(plan: &Plan, declared: &Value) -> Vec<String> {
    let mut ask = Vec::new();
    let facts = &plan.facts;
    let attachments = facts
        .get("attachments")
        .and_then(Value::as_array)
        .map(Vec::as_slice);
    let Some(attachments) = attachments else {
        return vec!["it is not known what uses the resource".to_owned()];
    };
    match facts.get("groupName").and_then(Value::as_str) {
        None => ask.push("the group's name is not known".to_owned()),
        Some(name) if RESERVED_GROUP_NAMES.iter().any(|p| name.starts_with(p)) => {
            ask.push(format!(
                "groups named like «{name}» are mostly made by AWS or by Quell"
            ));
        }
        Some(_) => {}
    }
    let count = facts.get("attachmentCount").and_then(Value::as_u64);
    let count = count.unwrap_or_else(|| u64::try_from(attachments.len()).unwrap_or(u64::MAX));
    let managed = attachments
        .iter()
        .filter(|a| a.get("requesterManaged") != Some(&Value::Bool(false)))
        .count();
    if managed > 0 {
        ask.push(format!(
            "{managed} of the interfaces that use it are managed by an AWS service"
        ));
    }
    if facts.get("isDefault") != Some(&Value::Bool(false)) && count > 0 {
        ask.push("it is the VPC's default group and in use".to_owned());
    }
    let limit = declared
        .get("maxAttachments")
        .and_then(Value::as_u64)
        .unwrap_or(20);
    if count > limit {
        ask.push(format!("{count} interfaces use it, more than {limit}"));
    }
    if facts.get("wideRange") == Some(&Value::Bool(true)) {
        ask.push("a rule to revoke also opens ports that are not critical".to_owned());
    }
    ask
}

#[cfg(test)]
#[path = "security_group_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "security_group_algebra_tests.rs"]
mod algebra_tests;

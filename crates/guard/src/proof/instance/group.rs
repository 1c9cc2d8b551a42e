//! The group that an instance is shut into: made by the run, and nothing but a group without any rule counts as one.

use serde_json::Value;

use super::super::attributes::{Asked, Deed, Way, no};
use super::{interfaces, prove_marked};
use crate::proof::Unproven;

/// Names say who made it, for people; they prove nothing.
const NAME_PREFIX: &str = "quell-quarantine-";

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("ec2:CreateSecurityGroup", Way::There) => make(asked),
        ("ec2:RevokeSecurityGroupEgress", Way::There) => empty(asked),
        ("ec2:DeleteSecurityGroup", Way::Back) => delete(asked),
        _ => return None,
    })
}

/// The one VPC of all its interfaces.
pub(super) fn vpc<'a>(asked: &Asked<'a>) -> Result<&'a Value, Unproven> {
    let vpc = |eni: &str| asked.image.get(&format!("eni/{eni}/vpc"));
    let mut all = interfaces(asked.image).map(vpc);
    let first = all.next().flatten();
    let first = first.ok_or_else(|| no("it is not known in which VPC the instance is"))?;
    match all.all(|other| other == Some(first)) {
        true => Ok(first),
        false => Err(no("its interfaces are in several VPCs")),
    }
}

fn make(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["GroupName", "Description", "VpcId", "TagSpecifications"])?;
    asked.is("VpcId", vpc(asked)?)?;
    prove_marked(asked, "security-group")?;
    let name = asked.text("GroupName")?;
    let key = format!("made/{name}");
    match name.starts_with(NAME_PREFIX) && !asked.image.contains_key(&key) {
        true => Ok(Deed::setting(key, "made").kept()),
        false => Err(no(format!(
            "«{name}» is no name for a group of this run's own"
        ))),
    }
}

/// A group is new as it was made: a new one lets everything out, over IPv4, and over IPv6 where the VPC has it. All of that
/// goes, by rule id. A group with any other rule is not trusted, whoever made it.
fn empty(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["GroupId", "SecurityGroupRuleIds"])?;
    let group = asked.text("GroupId")?;
    let fresh = asked.facts.get("fresh");
    let fresh = fresh.filter(|f| f.get("groupId").and_then(Value::as_str) == Some(group));
    let fresh = fresh.ok_or_else(|| no(format!("{group} is no group that this run made")))?;
    let mut ids = Vec::new();
    for rule in fresh
        .get("rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if !lets_all_out(rule) {
            return Err(no(format!("{group} has a rule that no new group has")));
        }
        ids.push(rule.get("SecurityGroupRuleId").cloned().unwrap_or_default());
    }
    let mut revoked = asked
        .arguments
        .get("SecurityGroupRuleIds")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for list in [&mut ids, &mut revoked] {
        list.sort_by_key(Value::to_string);
    }
    if ids.is_empty() || ids != revoked {
        return Err(no(format!(
            "rules of {group} would stay, or are not its own"
        )));
    }
    if uses(asked, group) {
        return Err(no(format!("{group} is in use")));
    }
    Ok(Deed::setting(
        format!("quarantine/{group}"),
        vpc(asked)?.clone(),
    ))
}

fn lets_all_out(rule: &Value) -> bool {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    let anywhere = match (text("CidrIpv4"), text("CidrIpv6")) {
        (Some(v4), None) => v4 == "0.0.0.0/0",
        (None, Some(v6)) => v6 == "::/0",
        _ => false,
    };
    let elsewhere = ["PrefixListId", "ReferencedGroupInfo"];
    anywhere
        && rule.get("IsEgress") == Some(&Value::Bool(true))
        && text("IpProtocol") == Some("-1")
        && elsewhere.iter().all(|name| rule.get(*name).is_none())
}

/// Whether one of its interfaces is in a group.
fn uses(asked: &Asked<'_>, group: &str) -> bool {
    interfaces(asked.image).any(|eni| {
        let groups = asked.image.get(&format!("eni/{eni}/groups"));
        let mut groups = groups.and_then(Value::as_array).into_iter().flatten();
        groups.any(|id| id.as_str() == Some(group))
    })
}

/// What the run made goes with it, once nothing is in it.
fn delete(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["GroupId"])?;
    let group = asked.text("GroupId")?;
    let key = format!("quarantine/{group}");
    match asked.image.contains_key(&key) && !uses(asked, group) {
        true => Ok(Deed::setting(key, Value::Null)),
        false => Err(no(format!("{group} is no group of this run's, or in use"))),
    }
}

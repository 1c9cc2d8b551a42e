//! Entries of the network ACLs of an instance's subnets, where no list stands before it. They are numbered, and the lowest number
//! that fits decides; they know no state, so that both directions are denied.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Class, Plan};
use serde_json::Value;

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Image, no};
use super::address::Block;
use super::may_be_blocked;

/// So many entries an ACL has in each direction, where nobody had it raised.
const ENTRIES_MAX: usize = 20;

/// Denies one block in one direction.
pub(super) fn deny(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&[
        "NetworkAclId",
        "RuleNumber",
        "Protocol",
        "RuleAction",
        "Egress",
        "CidrBlock",
        "Ipv6CidrBlock",
    ])?;
    asked.is("Protocol", &"-1".into())?;
    asked.is("RuleAction", &"deny".into())?;
    let blocks = ["CidrBlock", "Ipv6CidrBlock"].map(|name| Some((name, arguments.get(name)?)));
    let block = match blocks {
        [Some((_, block)), None] if !is_six(block) => block,
        [None, Some((_, block))] if is_six(block) => block,
        _ => return Err(no("an entry is not about one block of addresses")),
    };
    let text = block.as_str().unwrap_or_default();
    let block = Block::parse(text).ok_or_else(|| no(format!("{text} is no block")))?;
    may_be_blocked(&block, asked)?;
    let (acl, way, number) = place(asked)?;
    let subnets = asked
        .image
        .iter()
        .filter(|(key, _)| key.starts_with("subnet/") && key.ends_with("/acl"));
    if !subnets.into_iter().any(|(_, of)| of.as_str() == Some(acl)) {
        return Err(no(format!(
            "{acl} is not known as the network ACL of a subnet of the instance"
        )));
    }
    let entries = entries(asked.image, acl, way)?;
    let allows = |(_, text): &(&i64, &&str)| !text.starts_with("deny ");
    let lowest = entries
        .iter()
        .find(|entry| allows(entry))
        .map(|(number, _)| *number);
    if entries.contains_key(&number) || number < 1 || lowest.is_some_and(|lowest| number >= lowest)
    {
        return Err(no(format!(
            "{number} of {acl} is taken, or is behind an entry that allows"
        )));
    }
    if entries.len() >= ENTRIES_MAX {
        return Err(no(format!(
            "{acl} has {ENTRIES_MAX} entries already ({way})"
        )));
    }
    let key = format!("acl/{acl}/{way}/{number}");
    Ok(Deed::setting(key, format!("deny -1 {}", block.text())).of_class(Class::R2))
}

fn is_six(block: &Value) -> bool {
    block.as_str().is_some_and(|block| block.contains(':'))
}

/// Deletes an entry that denies one block, and no other.
pub(super) fn delete(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["NetworkAclId", "RuleNumber", "Egress"])?;
    let (acl, way, number) = place(asked)?;
    let key = format!("acl/{acl}/{way}/{number}");
    let text = asked.image.get(&key).and_then(Value::as_str);
    let block = text.and_then(|text| Block::parse(text.strip_prefix("deny -1 ")?));
    match block.map(|block| block.is_fit()) {
        Some(Ok(())) => Ok(Deed::setting(key, Value::Null)),
        _ => Err(no(format!("{key} is no entry that blocks one address"))),
    }
}

fn place<'a>(asked: &Asked<'a>) -> Result<(&'a str, &'static str, i64), Unproven> {
    let egress = asked.arguments.get("Egress").and_then(Value::as_bool);
    let number = asked.arguments.get("RuleNumber").and_then(Value::as_i64);
    match (egress, number) {
        (Some(egress), Some(number)) => {
            let way = if egress { "egress" } else { "ingress" };
            Ok((asked.text("NetworkAclId")?, way, number))
        }
        _ => Err(no("an entry has no number or no direction")),
    }
}

/// The entries of an ACL in one direction, by number.
fn entries<'a>(image: &'a Image, acl: &str, way: &str) -> Result<BTreeMap<i64, &'a str>, Unproven> {
    let prefix = format!("acl/{acl}/{way}/");
    let own = image
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)));
    let entries = own.map(|(number, value)| Some((number.parse().ok()?, value.as_str()?)));
    let entries: Option<BTreeMap<i64, &str>> = entries.collect();
    entries.ok_or_else(|| no(format!("an entry of {acl} has no number")))
}

/// Whether what is denied one way is denied the other way too.
pub(super) fn in_both_directions(plan: &Plan) -> Result<(), Unproven> {
    let mut ways: BTreeMap<(String, String), BTreeSet<bool>> = BTreeMap::new();
    for call in &plan.calls {
        let of = |name: &str| {
            call.arguments
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let block = of("CidrBlock").or_else(|| of("Ipv6CidrBlock"));
        let egress = call.arguments.get("Egress").and_then(Value::as_bool);
        if let (Some(acl), Some(block), Some(egress)) = (of("NetworkAclId"), block, egress) {
            ways.entry((acl, block)).or_default().insert(egress);
        }
    }
    let before = plan.before.get("attributes").and_then(Value::as_object);
    for ((acl, block), ways) in ways {
        let text = Block::parse(&block).map(|block| format!("deny -1 {}", block.text()));
        let there = |way: &str| {
            let prefix = format!("acl/{acl}/{way}/");
            let mut own = before
                .into_iter()
                .flatten()
                .filter(|(key, _)| key.starts_with(&prefix));
            own.any(|(_, value)| value.as_str() == text.as_deref())
        };
        if !(ways.contains(&false) || there("ingress"))
            || !(ways.contains(&true) || there("egress"))
        {
            return Err(no(format!(
                "{block} would be denied in one direction of {acl} only"
            )));
        }
    }
    Ok(())
}

/// The ACLs that a plan changes.
pub(super) fn touched(plan: &Plan) -> BTreeSet<&str> {
    let acl = |call: &'_ quell_model::PlannedCall| call.arguments.get("NetworkAclId").is_some();
    let calls = plan.calls.iter().filter(|call| acl(call));
    calls
        .filter_map(|call| call.arguments.get("NetworkAclId")?.as_str())
        .collect()
}

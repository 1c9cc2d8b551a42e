//! What a plan may do to keep addresses out, written apart from the document: which addresses may be blocked, on which lists, and
//! that each block has an end. Whoever attacks chooses the address, so that nothing is taken from it but what it is.

mod acl;
mod address;
mod list;

use quell_model::{Class, Plan, Resource};
use serde_json::Value;

use super::attributes::{Asked, Deed, Subject, Way, no};
use super::{Claim, Unproven};

pub(super) use address::Block;

/// Blocks of addresses.
pub(super) struct Blocks;

/// So long a block lasts at most: a week.
const HOURS_MAX: u32 = 168;

impl Subject for Blocks {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let deed = match (asked.operation, asked.way) {
            ("wafv2:UpdateIPSet", _) => list::ip_set(asked)?,
            ("networkfirewall:UpdateRuleGroup", _) => list::rule_group(asked)?,
            ("ec2:CreateNetworkAclEntry", Way::There) => acl::deny(asked)?,
            ("ec2:DeleteNetworkAclEntry", Way::Back) => acl::delete(asked)?,
            (other, _) => return Err(no(format!("{other} is no way to block an address"))),
        };
        Ok(deed)
    }

    fn stands_for(&self, recorded: &Value, made: &Value) -> bool {
        recorded == made || list::is_rebased(recorded, made)
    }

    fn allows(&self, plan: &Plan, deeds: &[Deed], claim: &Claim<'_>) -> Result<(), Unproven> {
        match claim.known.ends_after_hours {
            Some(1..=HOURS_MAX) => {}
            Some(hours) => {
                return Err(no(format!(
                    "a block would last {hours} hours, and {HOURS_MAX} are the most"
                )));
            }
            None => return Err(no("a block would have no end")),
        }
        let in_subnets = deeds.iter().any(|deed| deed.class > Class::R1);
        if in_subnets && listed(claim).next().is_some() {
            return Err(no(
                "a block list stands before it: the network ACLs of its subnets stay as they are",
            ));
        }
        acl::in_both_directions(plan)
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        let acls = acl::touched(plan);
        acls.iter()
            .map(|acl| format!("{acl} is the network ACL of whole subnets: all that is in them is cut off from these addresses"))
            .collect()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "only public addresses are blocked, one by one (of IPv6 at most a network of 56 bits), none of our own by the facts or by what was read",
            "only a list that people named for this is changed, nobody goes from it, and it holds 200 blocks at most",
            "every block is taken back by itself at its end",
        ]
    }
}

/// The lists that people named before resources like the run's.
fn listed<'a>(claim: &'a Claim<'_>) -> impl Iterator<Item = &'a Value> {
    let lists = claim.facts.get("lists").and_then(Value::as_array);
    let Resource {
        kind,
        account,
        region,
        ..
    } = claim.resource;
    lists.into_iter().flatten().filter(move |list| {
        let is = |name: &str, value: &str| list.get(name).and_then(Value::as_str) == Some(value);
        let before = list.get("before").and_then(Value::as_array);
        let stands = before.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(kind)));
        stands && is("account", account) && is("region", region)
    })
}

/// Whether a block may be made.
fn may_be_blocked(block: &Block, asked: &Asked<'_>) -> Result<(), Unproven> {
    block.is_fit()?;
    let ours = asked.claim.facts.get("ours").and_then(Value::as_array);
    for own in ours.into_iter().flatten().filter_map(Value::as_str) {
        match Block::parse(own) {
            Some(own) if own.meets(block) => {
                return Err(no(format!(
                    "{} is in {}, which is ours",
                    block.text(),
                    own.text()
                )));
            }
            Some(_) => {}
            None => {
                return Err(no(format!(
                    "the fact «ours» has «{own}», which is no block of addresses"
                )));
            }
        }
    }
    for key in asked
        .image
        .keys()
        .filter_map(|key| key.strip_prefix("own/"))
    {
        let own = Block::parse(key);
        if own.is_none_or(|own| own.meets(block)) {
            return Err(no(format!("{} is an address of our own", block.text())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

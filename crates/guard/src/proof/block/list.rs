//! Lists that people made: an IP set of WAF, or a variable of a rule group of Network Firewall. A list is written whole, with
//! a token of the state that was read: whoever else changed it meanwhile, AWS refuses the call.

use std::collections::BTreeSet;

use quell_model::Class;
use serde_json::{Map, Value};

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Image, Way, no};
use super::address::Block;
use super::{listed, may_be_blocked};

/// So many blocks a list holds at most: more hide what one of them is for.
const BLOCKS_MAX: usize = 200;

/// Writes an IP set.
pub(super) fn ip_set(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&[
        "Name",
        "Scope",
        "Id",
        "Description",
        "Addresses",
        "LockToken",
    ])?;
    let [name, scope, id] = [asked.text("Name")?, asked.text("Scope")?, asked.text("Id")?];
    asked.text("LockToken")?;
    named(
        asked,
        "wafv2",
        &[("name", name), ("scope", scope), ("id", id)],
    )?;
    let at = format!("list/wafv2/{scope}/{name}/{id}");
    let said = arguments.get("Description").and_then(Value::as_str);
    let kept = asked.image.get(&format!("{at}/description"));
    if kept.and_then(Value::as_str) != Some(said.unwrap_or_default()) {
        return Err(no(format!(
            "{name} would have another description, or it was not read"
        )));
    }
    entries(asked, &at, arguments.get("Addresses"))
}

/// Writes a rule group, of which nothing but the variable changes.
pub(super) fn rule_group(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let mut passed = asked.arguments.clone();
    let mut take = |name: &str| passed.remove(name);
    let (arn, group) = (take("RuleGroupArn"), take("RuleGroup"));
    let token = take("UpdateToken");
    if token.as_ref().and_then(Value::as_str).is_none() || take("Type") != Some("STATEFUL".into()) {
        return Err(no(
            "a rule group would be written without its token, or it is none of a stateful kind",
        ));
    }
    let arn = arn.as_ref().and_then(Value::as_str).unwrap_or_default();
    let name = arn.split_once(":stateful-rulegroup/").map(|(_, name)| name);
    let name = name.ok_or_else(|| no(format!("«{arn}» is no stateful rule group")))?;
    let mut group =
        group.ok_or_else(|| no(format!("{name} would be written without its rules")))?;
    let prefix = format!("list/network-firewall/{name}/");
    let mut variables = asked
        .image
        .keys()
        .filter_map(|key| key.strip_prefix(&prefix)?.strip_suffix("/rules"));
    let variable = match (variables.next(), variables.next()) {
        (Some(variable), None) => variable,
        _ => {
            return Err(no(format!(
                "which variable of {name} holds the blocks is not known"
            )));
        }
    };
    named(
        asked,
        "network-firewall",
        &[("arn", arn), ("variable", variable)],
    )?;
    let at = format!("{prefix}{variable}");
    let sets = group
        .pointer_mut("/RuleVariables/IpSets")
        .and_then(Value::as_object_mut);
    let definition = sets.and_then(|sets| sets.remove(variable));
    let definition = definition.as_ref().and_then(Value::as_object);
    let definition = definition
        .filter(|own| own.len() == 1)
        .and_then(|own| own.get("Definition"));
    if asked.image.get(&format!("{at}/rules")) != Some(&group) {
        return Err(no(format!(
            "{name} would have other rules than it has, beside {variable}"
        )));
    }
    if asked.image.get(&format!("{at}/passed")) != Some(&Value::Object(passed)) {
        return Err(no(format!(
            "{name} would have another description or encryption than it has"
        )));
    }
    entries(asked, &at, definition)
}

/// Whether people named this list for blocks before such a resource. A block that is there is taken from it even when they do so no more.
fn named(asked: &Asked<'_>, kind: &str, members: &[(&str, &str)]) -> Result<(), Unproven> {
    let is = |list: &Value, name: &str, value: &str| {
        list.get(name).and_then(Value::as_str) == Some(value)
    };
    let mut lists = listed(asked.claim).filter(|list| is(list, "kind", kind));
    let known = lists.any(|list| members.iter().all(|(name, value)| is(list, name, value)));
    match known || asked.way == Way::Back {
        true => Ok(()),
        false => Err(no(format!(
            "{members:?} is no block list that the facts name for {}",
            asked.claim.resource.kind
        ))),
    }
}

/// What the new entries change of the old ones: of a response that more are blocked, of what takes it back that those are no more.
fn entries(asked: &Asked<'_>, at: &str, new: Option<&Value>) -> Result<Deed, Unproven> {
    let (others, own) = held(asked.image, at)?;
    let old: BTreeSet<&String> = others.union(&own).collect();
    let new = texts(new).ok_or_else(|| {
        no(format!(
            "{at}: what it would hold are not blocks of addresses, each once"
        ))
    })?;
    let (mut come, mut gone) = (Vec::new(), Vec::new());
    come.extend(new.iter().filter(|text| !old.contains(text)));
    gone.extend(old.into_iter().filter(|text| !new.contains(*text)));
    let fits = match asked.way {
        Way::There => gone.is_empty() && new.len() <= BLOCKS_MAX,
        Way::Back => come.is_empty() && gone.iter().all(|text| own.contains(*text)),
    };
    if !fits {
        return Err(no(format!(
            "{at}: {gone:?} would go, {come:?} would come, and it would hold {} of {BLOCKS_MAX}",
            new.len()
        )));
    }
    let mut sets = Map::new();
    for text in come {
        let block = Block::parse(text).ok_or_else(|| no(format!("{text} is no block")))?;
        may_be_blocked(&block, asked)?;
        sets.insert(format!("{at}/{text}"), "listed".into());
    }
    sets.extend(
        gone.into_iter()
            .map(|text| (format!("{at}/{text}"), Value::Null)),
    );
    Ok(Deed {
        sets,
        class: Class::R1,
        kept: false,
    })
}

/// What the list holds as it was read: the blocks that this run is not about, and those that it is about.
fn held(image: &Image, at: &str) -> Result<(BTreeSet<String>, BTreeSet<String>), Unproven> {
    let others = texts(image.get(&format!("{at}/others")));
    let others = others.ok_or_else(|| no(format!("{at} was not read")))?;
    let prefix = format!("{at}/");
    let listed = image
        .iter()
        .filter(|(_, value)| value.as_str() == Some("listed"));
    let own = listed.filter_map(|(key, _)| key.strip_prefix(&prefix));
    Ok((others, own.map(str::to_owned).collect()))
}

/// Blocks, each once, in one text for each; `None` when they are not.
fn texts(list: Option<&Value>) -> Option<BTreeSet<String>> {
    let list = list?.as_array()?;
    let block = |text: &Value| Some(Block::parse(text.as_str()?)?.text());
    let all: BTreeSet<String> = list.iter().map(block).collect::<Option<_>>()?;
    (all.len() == list.len()).then_some(all)
}

/// Whether a call of an undo is the recorded one, but for who else is on the list by now, and the token of that.
pub(super) fn is_rebased(recorded: &Value, made: &Value) -> bool {
    let without = |arguments: &Value| {
        let mut rest = arguments.as_object().cloned().unwrap_or_default();
        let is_group = rest.contains_key("RuleGroupArn");
        for name in match is_group {
            true => &["UpdateToken", "RuleGroup"][..],
            false => &["LockToken", "Addresses"][..],
        } {
            rest.remove(*name);
        }
        rest
    };
    without(recorded) == without(made)
}

//! What a plan that restricts the egress of network interfaces must keep: each interface goes from its own groups into
//! copies of them, one for one; a copy lets in exactly what its original lets in, and out nothing but what the facts allow
//! and the original lets out too. Which group is a copy, its rules say and never its name.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Class, Plan};
use serde_json::{Map, Value, json};

use super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{Claim, Unproven};
use crate::addresses::cidr;

/// The subject of such plans.
pub(super) struct Egress;

impl Subject for Egress {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        match (asked.operation, asked.way) {
            ("ec2:CreateSecurityGroup", Way::There) => make(asked),
            ("ec2:RevokeSecurityGroupEgress", Way::There) => close(asked),
            ("ec2:AuthorizeSecurityGroupIngress", Way::There) => let_in(asked),
            ("ec2:AuthorizeSecurityGroupEgress", Way::There) => let_out(asked),
            ("ec2:ModifyNetworkInterfaceAttribute", _) => put_into(asked),
            ("ec2:RevokeSecurityGroupIngress", Way::Back) => empty(asked, "ingress"),
            ("ec2:RevokeSecurityGroupEgress", Way::Back) => empty(asked, "egress"),
            ("ec2:DeleteSecurityGroup", Way::Back) => delete(asked),
            (other, _) => Err(no(format!("{other} restricts no egress"))),
        }
    }

    fn allows(&self, plan: &Plan, _: &[Deed], claim: &Claim<'_>) -> Result<(), Unproven> {
        let changes_interfaces =
            |resource: &str| resource.ends_with(":modifyNetworkInterfaceAttribute");
        let interfaces = plan
            .calls
            .iter()
            .filter(|call| changes_interfaces(&call.resource));
        if !matches!(interfaces.count(), n if n == 0 || n == plan.calls.len()) {
            return Err(no(
                "an interface is put into copies in a plan of its own, once they have been read back",
            ));
        }
        let after = attributes(&plan.after, "after")?;
        let copies = after
            .iter()
            .filter_map(|(key, of)| Some((key.strip_prefix("copy/")?, of)));
        for (id, of) in copies.filter(|(id, _)| !id.contains('/')) {
            let of = of
                .as_str()
                .ok_or_else(|| no(format!("{id} is a copy of nothing")))?;
            is_right(after, id, of, claim)?;
        }
        Ok(())
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        concerns(plan, claim.facts)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "each interface goes from its groups into copies of them, one for one",
            "a copy lets in exactly what its original lets in",
            "a copy lets out nothing but what the facts of the playbook and its original both let out",
        ]
    }
}

/// Who else would feel such a plan, for the person who is asked.
pub(super) fn concerns(plan: &Plan, declared: &Value) -> Vec<String> {
    let instance = plan.facts.get("instance").and_then(Value::as_str);
    let scanners = declared.get("scanners").and_then(Value::as_array);
    let is_it = |scanner: &&Value| {
        instance.is_some() && scanner.get("instance").and_then(Value::as_str) == instance
    };
    let known = scanners.into_iter().flatten().filter(is_it);
    let until = known.map(|scanner| {
        scanner
            .get("until")
            .and_then(Value::as_str)
            .unwrap_or("nobody knows when")
    });
    until
        .map(|until| {
            format!(
                "{} is listed as a scanner of our own until {until}",
                instance.unwrap_or_default()
            )
        })
        .collect()
}

const NAME: &str = "quell-egress-";
/// What an AWS tag, and a description of a rule, may hold at most.
const TEXT_CHARS_MAX: usize = 256;

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The interfaces of the image that have this group, by id.
fn interfaces_with<'a>(image: &'a Image, group: &'a str) -> impl Iterator<Item = &'a str> {
    let has = move |groups: &Value| {
        let groups = groups.as_array();
        groups.is_some_and(|groups| groups.iter().any(|g| g.as_str() == Some(group)))
    };
    let interfaces = image.iter().filter(move |(_, groups)| has(groups));
    interfaces.filter_map(|(key, _)| key.strip_prefix("eni/")?.strip_suffix("/groups"))
}

fn of_interface<'a>(image: &'a Image, interface: &str, what: &str) -> Option<&'a Value> {
    image.get(&format!("eni/{interface}/{what}"))
}

/// The VPC in which a copy of this group belongs: that of an interface that has it.
fn vpc_of<'a>(image: &'a Image, group: &'a str) -> Result<&'a str, Unproven> {
    let mut vpcs =
        interfaces_with(image, group).filter_map(|id| of_interface(image, id, "vpc")?.as_str());
    vpcs.next().ok_or_else(|| {
        no(format!(
            "{group} is no group of the interfaces that the run is about"
        ))
    })
}

/// A new group beside one that an interface has. What is in it is not known before it is there.
fn make(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["GroupName", "Description", "VpcId", "TagSpecifications"])?;
    let (name, run) = (asked.text("GroupName")?, asked.claim.run);
    let of = name
        .strip_prefix(NAME)
        .and_then(|rest| rest.strip_prefix(run)?.strip_prefix('-'));
    let of = of.ok_or_else(|| no(format!("{name} is no name of a copy that this run makes")))?;
    asked.is("VpcId", &vpc_of(asked.image, of)?.into())?;
    asked.is(
        "Description",
        &format!("Quell: copy of {of} with restricted egress").into(),
    )?;
    let tags = json!([{"ResourceType": "security-group", "Tags": [
        {"Key": "quell:run", "Value": run}, {"Key": "quell:copy-of", "Value": of},
    ]}]);
    asked.is("TagSpecifications", &tags)?;
    Ok(Deed::setting(format!("made/{name}"), "made").kept())
}

/// The copy that a call is about, and what it is a copy of. It is none of the groups that are in use.
fn copy<'a>(asked: &Asked<'a>) -> Result<(&'a str, &'a str), Unproven> {
    let id = asked.text("GroupId")?;
    let said = asked.facts.get("copies").and_then(|copies| copies.get(id));
    let said = said.ok_or_else(|| no(format!("{id} is not known as a copy")))?;
    let of = text(said, "of").ok_or_else(|| no(format!("{id} is a copy of nothing")))?;
    let vpc = vpc_of(asked.image, of)?;
    let in_use = interfaces_with(asked.image, id).next().is_some();
    let original = format!("rules/{id}/");
    if in_use || asked.image.keys().any(|key| key.starts_with(&original)) {
        return Err(no(format!(
            "{id} is a group that is in use, and its rules stay as they are"
        )));
    }
    let name = format!("{NAME}{}-{of}", asked.claim.run);
    if text(said, "name") != Some(&name) || text(said, "vpc") != Some(vpc) {
        return Err(no(format!(
            "{id} is not the copy of {of} that this run made"
        )));
    }
    Ok((id, of))
}

/// Takes out the egress that every new group has.
fn close(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let (id, of) = copy(asked)?;
    for rule in rules(asked)?.keys() {
        if rule != "all 0.0.0.0/0" && rule != "all ::/0" {
            return Err(no(format!(
                "{id}: «{rule}» is no egress that a new group has"
            )));
        }
    }
    Ok(Deed::setting(format!("copy/{id}"), of))
}

/// Lets in what the original lets in.
fn let_in(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let (id, of) = copy(asked)?;
    let rules = rules(asked)?;
    for (rule, description) in &rules {
        if asked.image.get(&format!("rules/{of}/ingress/{rule}"))
            != Some(&description.as_str().into())
        {
            return Err(no(format!(
                "{id} would let in «{rule}», which {of} does not let in like that"
            )));
        }
    }
    Ok(deed(rules, |rule, description| {
        (format!("copy/{id}/ingress/{rule}"), description.into())
    }))
}

/// Lets out what the facts allow and the original lets out.
fn let_out(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let (id, of) = copy(asked)?;
    let rules = rules(asked)?;
    for rule in rules.keys() {
        may_leave(asked.image, id, of, rule, asked.claim)?;
    }
    Ok(deed(rules, |rule, description| {
        (format!("copy/{id}/egress/{rule}"), description.into())
    }))
}

/// Whether a copy may let this out.
fn may_leave(
    image: &Image,
    id: &str,
    of: &str,
    rule: &str,
    claim: &Claim<'_>,
) -> Result<(), Unproven> {
    let vpc = vpc_of(image, of).ok();
    let account = &claim.resource.account;
    let places = claim
        .facts
        .get("egress")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let place = |place: &Value| {
        let own = ["cidrIpv4", "cidrIpv6", "prefixListId"]
            .into_iter()
            .find_map(|name| text(place, name));
        let group = || Some(format!("{account}/{}", text(place, "groupId")?));
        own.map(str::to_owned).or_else(group)
    };
    // Interfaces that have left their groups say no more in which VPC those are; what was allowed was allowed then.
    let here = places.filter(|place| vpc.is_none() || text(place, "vpc") == vpc);
    let mut allowed = here.filter_map(place);
    let to = rule.strip_prefix("tcp 443-443 ");
    let to = to.filter(|to| allowed.any(|place| place == *to));
    let to = to.ok_or_else(|| {
        no(format!(
            "{id} would let out «{rule}», which the facts do not allow"
        ))
    })?;
    let outlets = format!("rules/{of}/egress/");
    let mut outlets = image.keys().filter_map(|key| key.strip_prefix(&outlets));
    match outlets.any(|outlet| lets_out(outlet, to)) {
        true => Ok(()),
        false => Err(no(format!(
            "{id} would let out «{rule}», which {of} does not: egress is never widened"
        ))),
    }
}

/// Whether a rule lets TCP 443 out to that place. A prefix list or a group counts as within all of IPv4.
fn lets_out(outlet: &str, to: &str) -> bool {
    let Some((what, place)) = outlet.rsplit_once(' ') else {
        return false;
    };
    let has_443 = |ports: &str| {
        let (from, upto) = ports.split_once('-')?;
        let (from, upto): (u16, u16) = (from.parse().ok()?, upto.parse().ok()?);
        Some(from <= 443 && 443 <= upto)
    };
    let speaks = match what.split_once(' ') {
        None => what == "all",
        Some(("tcp" | "6", ports)) => has_443(ports).unwrap_or(false),
        Some(_) => false,
    };
    let reaches = match (cidr(place), cidr(to)) {
        (Some((family, all)), Some((of, part))) => family == of && all.intersection(&part) == part,
        (Some(_), None) => place == "0.0.0.0/0",
        _ => place == to,
    };
    speaks && reaches
}

/// Puts an interface into the copies of its groups, or back.
fn put_into(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["NetworkInterfaceId", "Groups"])?;
    let id = asked.text("NetworkInterfaceId")?;
    let (resource, image) = (asked.claim.resource, asked.image);
    if resource.kind == "AWS::EC2::NetworkInterface" && resource.id != id {
        return Err(no(format!("{id} is another interface than the run's")));
    }
    let now = names(of_interface(image, id, "groups"));
    let now = now.ok_or_else(|| no(format!("{id} is no interface of {}", resource.id)))?;
    let new = names(asked.arguments.get("Groups")).filter(|new| !new.is_empty());
    let new = new.ok_or_else(|| no(format!("{id} would be in no group")))?;
    if asked.way == Way::There {
        if resource.kind == "AWS::EC2::Instance"
            && text(asked.facts, "instance") != Some(&resource.id)
        {
            return Err(no(format!(
                "{id} is not said to be an interface of {}",
                resource.id
            )));
        }
        let is = |what: &str| of_interface(image, id, what).and_then(Value::as_bool);
        if is("sourceDestCheck") != Some(true) || is("requesterManaged") != Some(false) {
            return Err(no(format!(
                "{id} forwards the traffic of others, or a service manages it: it is never cut off"
            )));
        }
        if new.len() != now.len() {
            return Err(no(format!(
                "{id} would not have one copy for each of its groups"
            )));
        }
        for (copy, of) in new.iter().zip(&now) {
            if image.get(&format!("copy/{copy}")) != Some(&(*of).into()) {
                return Err(no(format!(
                    "{copy} is no copy of {of} that lets nothing out"
                )));
            }
            is_right(image, copy, of, asked.claim)?;
        }
    }
    Ok(Deed::setting(format!("eni/{id}/groups"), new).of_class(Class::R2))
}

fn names(groups: Option<&Value>) -> Option<Vec<&str>> {
    groups?.as_array()?.iter().map(Value::as_str).collect()
}

/// Whether a copy lets in exactly what its original does, and out nothing but what it may.
fn is_right(image: &Image, id: &str, of: &str, claim: &Claim<'_>) -> Result<(), Unproven> {
    let rules = |prefix: String| -> BTreeMap<&str, &Value> {
        let rules = image.iter();
        rules
            .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)))
            .collect()
    };
    if rules(format!("copy/{id}/ingress/")) != rules(format!("rules/{of}/ingress/")) {
        return Err(no(format!(
            "{id} does not let in exactly what {of} lets in"
        )));
    }
    for rule in rules(format!("copy/{id}/egress/")).keys() {
        may_leave(image, id, of, rule, claim)?;
    }
    Ok(())
}

/// Takes rules out of a copy again.
fn empty(asked: &Asked<'_>, way: &str) -> Result<Deed, Unproven> {
    let id = asked.text("GroupId")?;
    Ok(deed(rules(asked)?, |rule, _| {
        (format!("copy/{id}/{way}/{rule}"), Value::Null)
    }))
}

/// Deletes a copy, and nothing that is not one.
fn delete(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["GroupId"])?;
    let key = format!("copy/{}", asked.text("GroupId")?);
    match asked.image.contains_key(&key) {
        true => Ok(Deed::setting(key, Value::Null)),
        false => Err(no(format!("{key} is not there: only a copy is deleted"))),
    }
}

fn deed(rules: BTreeMap<String, String>, set: impl Fn(String, String) -> (String, Value)) -> Deed {
    Deed {
        sets: rules
            .into_iter()
            .map(|(rule, description)| set(rule, description))
            .collect(),
        class: Class::R1,
        kept: false,
    }
}

/// The rules of a call as an image writes them, with their descriptions: `tcp 22-22 10.0.0.0/8`, `all ::/0`,
/// `tcp 443-443 444455556666/sg-1`.
fn rules(asked: &Asked<'_>) -> Result<BTreeMap<String, String>, Unproven> {
    let arguments = asked.only(&["GroupId", "IpPermissions"])?;
    let permissions = arguments.get("IpPermissions").and_then(Value::as_array);
    let permissions = permissions.filter(|list| !list.is_empty());
    let permissions =
        permissions.ok_or_else(|| no(format!("{} names no rules", asked.operation)))?;
    let rules: Option<Vec<_>> = permissions.iter().map(rule).collect();
    let rules = rules.ok_or_else(|| {
        no(format!(
            "{}: a permission is not exactly one rule",
            asked.operation
        ))
    })?;
    let names: BTreeSet<&String> = rules.iter().map(|(name, _)| name).collect();
    match names.len() == rules.len() {
        true => Ok(rules.into_iter().collect()),
        false => Err(no(format!("{} names a rule twice", asked.operation))),
    }
}

static SOURCES: [(&str, &str); 3] = [
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId"),
];

/// One permission with one source, as text, and its description.
fn rule(permission: &Value) -> Option<(String, String)> {
    let permission = permission.as_object()?;
    let protocol = permission.get("IpProtocol")?.as_str()?;
    let ports = ["FromPort", "ToPort"].map(|name| permission.get(name).map(Value::as_i64));
    let what = match (protocol, ports) {
        ("-1", [None, None]) => "all".to_owned(),
        ("-1", _) => return None,
        (protocol, [Some(Some(from)), Some(Some(upto))]) => format!("{protocol} {from}-{upto}"),
        _ => return None,
    };
    let mut sources = permission
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "IpProtocol" | "FromPort" | "ToPort"));
    let ((list, ranges), None) = (sources.next()?, sources.next()) else {
        return None;
    };
    let [range] = ranges.as_array()?.as_slice() else {
        return None;
    };
    let range = range.as_object()?;
    let (members, source) = source(list, range)?;
    let description = range.get("Description").map_or(Some(""), Value::as_str)?;
    let known = range
        .keys()
        .all(|name| members.contains(&name.as_str()) || name == "Description");
    let fits = known && description.chars().count() < TEXT_CHARS_MAX;
    fits.then(|| (format!("{what} {source}"), description.to_owned()))
}

/// Which members say the source, and the source.
fn source(list: &str, range: &Map<String, Value>) -> Option<(&'static [&'static str], String)> {
    let member = |name: &str| range.get(name).and_then(Value::as_str);
    if list == "UserIdGroupPairs" {
        let source = format!(
            "{}/{}",
            member("UserId").unwrap_or_default(),
            member("GroupId")?
        );
        return Some((&["UserId", "GroupId", "VpcPeeringConnectionId"], source));
    }
    let (_, name) = SOURCES.iter().find(|(known, _)| *known == list)?;
    Some((std::slice::from_ref(name), member(name)?.to_owned()))
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;

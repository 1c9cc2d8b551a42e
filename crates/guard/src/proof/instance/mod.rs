//! What any plan about an EC2 instance must keep: it is about this instance and what hangs on it; evidence comes first
//! and stays; the instance is only ever shut in, into a group that has no rules at all, with every one of its interfaces;
//! its role is denied for this instance's own session and for no other.
//!
//! The image of an instance:
//!
//! | attribute | value |
//! |---|---|
//! | `attribute/disableApiTermination`, `attribute/disableApiStop` | whether it is so |
//! | `attribute/instanceInitiatedShutdownBehavior` | `stop` or `terminate` |
//! | `device/<name>/volume`, `device/<name>/deleteOnTermination` | a volume's id; whether it goes with the instance |
//! | `snapshot/<volume id>` | `taken`, by this run |
//! | `lock/<snapshot id>` | `governance` |
//! | `tag/<key>` | a tag that Quell set |
//! | `eni/<id>/groups`, `…/vpc`, `…/addresses` | ids in their order; id; private addresses |
//! | `eni/<id>/sourceDestCheck`, `…/requesterManaged` | whether it is so |
//! | `made/<name>` | `made`: this run made a group of that name |
//! | `quarantine/<group id>` | the VPC of a group that Quell made and that has no rules at all |
//! | `address/<allocation id>` | `{interface, privateIp}` that an elastic address is associated with |
//! | `scaling-group`, `scaling-group/protected` | the name of its Auto Scaling group; whether scale-in spares it |
//! | `target/<target group ARN>` | `["<id>:<port>", …]` that is registered there |
//! | `load-balancer/<name>` | `registered`, with a classic load balancer |
//! | `profile` | `{arn, role, roleId}` |
//! | `instance/state` | `running` or `stopped` |
//! | `scaling-group/suspended` | the processes of its Auto Scaling group that are suspended, in order |
//! | `fleet/<id>/target` | how much its fleet keeps up: in all, on demand, Spot |
//! | `metadata/httpTokens`, `metadata/hopLimit`, `metadata/endpoint` | `required` or `optional`; a number; `enabled` or `disabled` |
//! | `role/<name>/inline/<policy>` | the parsed policy, of the one policy that Quell sets |

mod capacity;
mod controllers;
mod evidence;
mod group;
mod isolation;
mod metadata;
mod stop;

use quell_model::{Plan, PlannedCall};
use serde_json::{Map, Value};

use super::attributes::{Asked, Deed, Image, Subject, attributes, no};
use super::session::{self, Holder};
use super::{Claim, Unproven};

/// Plans about an instance. One subject for all its parts, since what takes a run back has calls of all of them.
pub(super) struct Instance;

/// What a part says of a call: `None` of an operation that is not its own.
type Part = fn(&Asked<'_>) -> Option<Result<Deed, Unproven>>;

/// The parts. The first that proves a call counts, else the first that refuses it.
const PARTS: &[Part] = &[
    evidence::read,
    group::read,
    capacity::read,
    isolation::read,
    credentials,
    metadata::read,
    controllers::read,
    stop::read,
];

/// Its role is that of its profile.
fn credentials(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    session::read(asked, |image| {
        let profile = image.get("profile")?;
        let of = |name: &str| profile.get(name).and_then(Value::as_str);
        Some(Holder {
            role: of("role")?,
            id: of("roleId")?,
        })
    })
}

impl Subject for Instance {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let mut refused = None;
        for part in PARTS {
            match part(asked) {
                Some(Ok(deed)) => return Ok(deed),
                Some(Err(why)) => drop(refused.get_or_insert(why)),
                None => {}
            }
        }
        Err(refused.unwrap_or_else(|| {
            no(format!(
                "{} is nothing that is done to an instance",
                asked.operation
            ))
        }))
    }

    fn allows(&self, plan: &Plan, _deeds: &[Deed], _claim: &Claim<'_>) -> Result<(), Unproven> {
        let before = attributes(&plan.before, "before")?;
        prove_may_be_touched(before)?;
        stop::prove_whole(plan)?;
        isolation::prove_whole(plan, before, attributes(&plan.after, "after")?)
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        concerns(plan)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "the plan is about this instance and what hangs on it",
            "evidence is saved before anything is cut off, and stays",
            "the instance goes only into a group that has no rules, with every interface",
            "only this instance's own session of its role is denied",
        ]
    }
}

/// Who else would feel it.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let mut ask = stop::concerns(plan);
    ask.extend(metadata::concerns(plan));
    if plan.calls.iter().any(isolates) {
        ask.extend(capacity::concerns(&plan.facts));
    }
    ask
}

/// Whether a call takes part in cutting the instance off. What only protects or denies is felt by nobody else.
fn isolates(call: &PlannedCall) -> bool {
    ISOLATING
        .iter()
        .any(|operation| call.resource.ends_with(operation))
}

const ISOLATING: &[&str] = &[
    ":autoscaling:detachInstances",
    ":elasticloadbalancingv2:deregisterTargets",
    ":elasticloadbalancing:deregisterInstancesFromLoadBalancer",
    ":ec2:disassociateAddress",
    ":ec2:modifyNetworkInterfaceAttribute",
];

/// What is never touched, by its live state: what passes on traffic of others, what an AWS service manages, Quell's own.
fn prove_may_be_touched(image: &Image) -> Result<(), Unproven> {
    for eni in interfaces(image) {
        let at = |what: &str| image.get(&format!("eni/{eni}/{what}"));
        if at("requesterManaged") != Some(&Value::Bool(false)) {
            return Err(no(format!(
                "{eni} is managed by an AWS service, or it is not known: it cannot be isolated"
            )));
        }
        if at("sourceDestCheck") != Some(&Value::Bool(true)) {
            return Err(no(format!(
                "{eni} passes on traffic of others (no source/destination check): a network hangs on it"
            )));
        }
    }
    let role = image.get("profile").and_then(|p| p.get("role"));
    match role.and_then(Value::as_str) {
        Some(role) if role.starts_with("Quell") => Err(no(format!(
            "the instance works as «{role}»: Quell's own are never touched"
        ))),
        _ => Ok(()),
    }
}

/// The ids of its interfaces.
fn interfaces(image: &Image) -> impl Iterator<Item = &str> {
    image
        .keys()
        .filter_map(|key| key.strip_prefix("eni/")?.strip_suffix("/groups"))
}

/// The volumes of its devices.
fn volumes(image: &Image) -> impl Iterator<Item = &str> {
    let volume = |key: &str| key.starts_with("device/") && key.ends_with("/volume");
    image
        .iter()
        .filter(move |(key, _)| volume(key))
        .filter_map(|(_, value)| value.as_str())
}

/// The call is about the instance of the run.
fn about_it(asked: &Asked<'_>, id: Option<&Value>) -> Result<(), Unproven> {
    let own = asked.claim.resource.id.as_str();
    match id.and_then(Value::as_str) {
        Some(id) if id == own => Ok(()),
        Some(id) => Err(no(format!(
            "{} is about {id}, the run about {own}",
            asked.operation
        ))),
        None => Err(no(format!("{} names no instance", asked.operation))),
    }
}

/// The call is about the instance of the run and no other: `["i-…"]`.
fn about_it_alone(asked: &Asked<'_>, name: &str) -> Result<(), Unproven> {
    match asked
        .arguments
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([only]) => about_it(asked, Some(only)),
        _ => Err(no(format!(
            "{} has to name one instance in {name}",
            asked.operation
        ))),
    }
}

/// Tags that mark something as made by this run: keys of Quell's own, with `quell:run` this run.
fn prove_marked(asked: &Asked<'_>, resource_type: &str) -> Result<(), Unproven> {
    let specification = asked.arguments.get("TagSpecifications");
    let one = match specification.and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => one.as_object(),
        _ => None,
    };
    let one = one.ok_or_else(|| no(format!("{} is not tagged", asked.operation)))?;
    let of_type = one.get("ResourceType").and_then(Value::as_str) == Some(resource_type);
    let tags = tags(one.get("Tags"))?;
    let run = tags.get("quell:run").and_then(Value::as_str);
    match of_type && one.len() == 2 && run == Some(asked.claim.run) {
        true => Ok(()),
        false => Err(no(format!(
            "{} is not tagged as made by this run",
            asked.operation
        ))),
    }
}

/// A tag is Quell's, and no longer than a tag may be.
const TAG_BYTES_MAX: usize = 256;

/// Tags as `[{Key, Value}]`, each of Quell's own.
fn tags(list: Option<&Value>) -> Result<Map<String, Value>, Unproven> {
    let wrong = || no("a tag is not a key of Quell's («quell:…») with a text");
    let mut out = Map::new();
    for tag in list.and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str);
        let (key, value) = text("Key").zip(text("Value")).ok_or_else(wrong)?;
        let fits = key.starts_with("quell:") && key.len().max(value.len()) <= TAG_BYTES_MAX;
        if !fits || out.insert(key.to_owned(), value.into()).is_some() {
            return Err(wrong());
        }
    }
    match out.is_empty() {
        true => Err(wrong()),
        false => Ok(out),
    }
}

#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod tests;

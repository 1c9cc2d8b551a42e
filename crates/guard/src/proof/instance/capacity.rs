//! Out of service, without killing capacity: out of its Auto Scaling group, which then replaces it, and out of load balancers.

use quell_model::Class;
use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Way, no};
use super::{about_it_alone, interfaces};
use crate::proof::Unproven;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("autoscaling:DetachInstances", Way::There) => detach(asked),
        ("autoscaling:AttachInstances", Way::Back) => attach(asked),
        ("elasticloadbalancingv2:DeregisterTargets", Way::There)
        | ("elasticloadbalancingv2:RegisterTargets", Way::Back) => targets(asked),
        ("elasticloadbalancing:DeregisterInstancesFromLoadBalancer", Way::There)
        | ("elasticloadbalancing:RegisterInstancesWithLoadBalancer", Way::Back) => classic(asked),
        _ => return None,
    })
}

/// The group keeps its size: it launches another. What the group itself serves in, it takes the instance out of.
fn detach(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&[
        "AutoScalingGroupName",
        "InstanceIds",
        "ShouldDecrementDesiredCapacity",
    ])?;
    about_it_alone(asked, "InstanceIds")?;
    asked.is("ShouldDecrementDesiredCapacity", &Value::Bool(false))?;
    let name = asked.text("AutoScalingGroupName")?;
    if asked.image.get("scaling-group").and_then(Value::as_str) != Some(name) {
        return Err(no(format!(
            "the instance is not in the Auto Scaling group «{name}»"
        )));
    }
    let mut deed = Deed::setting("scaling-group", Value::Null).of_class(Class::R2);
    deed.sets
        .insert("scaling-group/protected".to_owned(), Value::Null);
    let serves = asked.facts.get("serves").and_then(Value::as_array);
    for key in serves.into_iter().flatten().filter_map(Value::as_str) {
        let is_one = key.starts_with("target/") || key.starts_with("load-balancer/");
        if !is_one || !asked.image.contains_key(key) {
            return Err(no(format!("the instance serves in no «{key}»")));
        }
        deed.sets.insert(key.to_owned(), Value::Null);
    }
    Ok(deed)
}

/// Whether scale-in spares it then is what its group says; that is set right by a call of its own.
fn attach(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["AutoScalingGroupName", "InstanceIds"])?;
    about_it_alone(asked, "InstanceIds")?;
    Ok(Deed::setting(
        "scaling-group",
        asked.text("AutoScalingGroupName")?,
    ))
}

/// A target is the instance, or one of its private addresses.
fn targets(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["TargetGroupArn", "Targets"])?;
    let group = asked.text("TargetGroupArn")?;
    let targets = asked.arguments.get("Targets").and_then(Value::as_array);
    let mut names = Vec::new();
    for target in targets.into_iter().flatten() {
        let id = target.get("Id").and_then(Value::as_str).unwrap_or_default();
        let port = target
            .get("Port")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if *target != json!({"Id": id, "Port": port}) || !is_own(asked, id) {
            return Err(no(format!("{target} is no target that this instance is")));
        }
        names.push(Value::from(format!("{id}:{port}")));
    }
    let key = format!("target/{group}");
    let names = Value::from(names);
    match asked.way {
        Way::There if asked.image.get(&key) != Some(&names) => Err(no(format!(
            "the targets are not those that are registered in {group}"
        ))),
        Way::There => Ok(Deed::setting(key, Value::Null).of_class(Class::R2)),
        Way::Back => Ok(Deed::setting(key, names)),
    }
}

fn is_own(asked: &Asked<'_>, id: &str) -> bool {
    id == asked.claim.resource.id
        || interfaces(asked.image).any(|eni| {
            let addresses = asked.image.get(&format!("eni/{eni}/addresses"));
            let mut addresses = addresses.and_then(Value::as_array).into_iter().flatten();
            addresses.any(|ip| ip.as_str() == Some(id))
        })
}

fn classic(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["LoadBalancerName", "Instances"])?;
    let it = json!([{"InstanceId": asked.claim.resource.id}]);
    asked.is("Instances", &it)?;
    let key = format!("load-balancer/{}", asked.text("LoadBalancerName")?);
    match asked.way {
        Way::There if !asked.image.contains_key(&key) => Err(no(format!(
            "the instance is not registered with {}",
            key.trim_start_matches("load-balancer/")
        ))),
        Way::There => Ok(Deed::setting(key, Value::Null).of_class(Class::R2)),
        Way::Back => Ok(Deed::setting(key, "registered")),
    }
}

/// Who else would feel it when the instance is taken out of service. `facts.service`: what was read of who shares its work.
pub(super) fn concerns(facts: &Value) -> Vec<String> {
    let Some(service) = facts.get("service").filter(|s| s.is_object()) else {
        return vec!["it is not known who shares the instance's work".to_owned()];
    };
    let mut ask = Vec::new();
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_i64);
    let list = |name: &str| {
        let list = service.get(name).and_then(Value::as_array);
        list.map_or(&[][..], Vec::as_slice)
    };
    if let Some(group) = service.get("scalingGroup") {
        let counts = ["inService", "minSize", "desired"].map(|name| number(group, name));
        match counts {
            [Some(serving), Some(least), Some(desired)] => {
                let needed = least.max(desired.saturating_add(1).div_euclid(2));
                let left = serving.saturating_sub(1);
                if left < needed {
                    ask.push(format!(
                        "its Auto Scaling group would be left with {left} in service, and needs {needed}, until a new one serves"
                    ));
                }
            }
            _ => ask
                .push("it is not known how many its Auto Scaling group has in service".to_owned()),
        }
    }
    for (all, counted) in [("targets", "healthy"), ("loadBalancers", "registered")] {
        for one in list(all) {
            let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
            match number(one, counted) {
                Some(count) if count >= 2 => {}
                Some(count) => ask.push(format!(
                    "«{name}» has {count} {counted}, and may be left with none"
                )),
                None => ask.push(format!("it is not known how many «{name}» has {counted}")),
            }
        }
    }
    if !list("clusters").is_empty() {
        ask.push(
            "it is a node of a cluster: what runs on it is cut off with it and not drained"
                .to_owned(),
        );
    }
    ask
}

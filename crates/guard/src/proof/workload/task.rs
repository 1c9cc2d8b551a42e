//! A task of ECS: its session is denied, and it is stopped.

use quell_model::{Class, Plan};
use serde_json::Value;

use super::super::attributes::{Asked, Deed, Subject, Way, attributes, no};
use super::{is_in_its_cluster, is_not_our_own, is_this, of_session};
use crate::proof::{Claim, Unproven};

/// Plans about a task.
pub(in crate::proof) struct Task;

impl Subject for Task {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        if let Some(deed) = of_session(asked) {
            return deed;
        }
        match (asked.operation, asked.way) {
            ("ecs:StopTask", Way::There) => stop(asked),
            (other, _) => Err(no(format!("{other} contains no task"))),
        }
    }

    fn allows(&self, plan: &Plan, deeds: &[Deed], _: &Claim<'_>) -> Result<(), Unproven> {
        // What cannot be taken back is decided by itself.
        if deeds.len() > 1 && deeds.iter().any(|deed| deed.kept) {
            return Err(no("a task is stopped by a plan of its own"));
        }
        is_not_our_own(attributes(&plan.before, "before")?)
    }

    fn concerns(&self, _: &Plan, _: &Claim<'_>) -> Vec<String> {
        Vec::new()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "no other task is touched, and no service",
            "only this task's own session of its role is denied",
            "a task that is stopped does not run again: this alone is not taken back",
        ]
    }
}

/// A stopped task never runs again. Its service starts another; where there is none, nothing does.
fn stop(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["Cluster", "Task", "Reason"])?;
    is_in_its_cluster(asked)?;
    is_this(asked, "Task")?;
    if asked.image.get("task/state") != Some(&"running".into()) {
        return Err(no("it does not run"));
    }
    let group = asked.image.get("task/group").and_then(Value::as_str);
    let class = match group.is_some_and(|group| group.starts_with("service:")) {
        true => Class::R2,
        false => Class::R3,
    };
    Ok(Deed::setting("task/state", "stopped")
        .of_class(class)
        .kept())
}

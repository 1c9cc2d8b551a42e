//! What any plan about a function, a service or task of ECS, or a cluster of EKS must keep: it is about this one; it only
//! throttles, closes, stops or denies; its role is denied for this one's own session and for no other; and what takes it back
//! gives back exactly what was there. A file for each type.
//!
//! | attribute | value |
//! |---|---|
//! | `function/concurrency` | how much is reserved for a function; of most nothing is |
//! | `provisioned/<qualifier>` | how much of a version or alias is kept warm |
//! | `url/<qualifier>` | how its URL asks who calls: `NONE` or `AWS_IAM` |
//! | `statement/<qualifier>/<sid>` | a statement of its policy |
//! | `source/<id>` | the queue or stream that is read for it |
//! | `role` | `{name, id}` of the role that a function or a task works as |
//! | `role/<name>/inline/<policy>` | the parsed policy, of the one policy that Quell sets |
//! | `service/desired`, `service/scheduling`, `service/targets` | how many tasks are wanted; `REPLICA` or `DAEMON`; its target groups |
//! | `task/state`, `task/group` | `running` or `stopped`; `service:<name>` of what starts another |
//! | `endpoint/public` | the blocks from which the API server of a cluster is reached; absent when it is not public |
//! | `endpoint/private` | whether it is reached from its VPC |
//!
//! The qualifier of a function itself is `$LATEST`.

mod cluster;
mod function;
mod service;
mod task;

use serde_json::Value;

use super::Unproven;
use super::attributes::{Asked, Deed, Image, no};
use super::session::{self, Holder};

pub(super) use cluster::Cluster;
pub(super) use function::Function;
pub(super) use service::Service;
pub(super) use task::Task;

/// The call is about what the run is about.
fn is_this(asked: &Asked<'_>, member: &str) -> Result<(), Unproven> {
    asked.is(member, &asked.claim.resource.id.as_str().into())
}

/// What a call does to its session.
fn of_session(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    session::read(asked, |image| {
        let role = image.get("role")?;
        let of = |name: &str| role.get(name).and_then(Value::as_str);
        Some(Holder {
            role: of("name")?,
            id: of("id")?,
        })
    })
}

/// The cluster of an ECS resource stands in its ARN: `service/<cluster>/<name>`.
fn is_in_its_cluster(asked: &Asked<'_>) -> Result<(), Unproven> {
    let mut parts = asked.claim.resource.arn.resource.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(cluster), Some(_), None) => asked.is("Cluster", &cluster.into()),
        _ => Err(no("the ARN does not say which cluster it is in")),
    }
}

/// What works as one of Quell's own roles is never touched.
fn is_not_our_own(image: &Image) -> Result<(), Unproven> {
    let role = image.get("role").and_then(|role| role.get("name"));
    match role.and_then(Value::as_str) {
        Some(role) if role.starts_with("Quell") => Err(no(format!(
            "it works as «{role}»: Quell's own are never touched"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

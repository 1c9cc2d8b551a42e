//! A database of RDS, as an instance or a cluster: it is protected against deletion, and its automated backups are kept as
//! long again as they were.
//!
//! To change for how long, the modification is applied at once, which carries out whatever else is pending: with anything
//! else pending nobody does it. Protection against deletion is applied at once in any case, and nothing with it.

use quell_model::Class;
use serde_json::{Value, json};

use super::history::History;
use super::{Look, approved, switched_on, unknown};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

const PROTECTION: &str = "db/deletion-protection";
/// For how many days backups are kept, or will be once what is pending is carried out.
const RETENTION: &str = "db/backup-retention-days";
/// Which other modifications are pending; absent when there are none.
const PENDING: &str = "db/pending";
/// The cluster that an instance belongs to, whose settings they are then.
const OF_CLUSTER: &str = "db/cluster";
/// What RDS keeps backups for at most.
const DAYS_MAX: u64 = 35;

/// How an instance and a cluster differ.
pub(super) struct Kind {
    modify: &'static str,
    id: &'static str,
    events: [&'static str; 2],
}

pub(super) const INSTANCE: Kind = Kind {
    modify: "rds:ModifyDBInstance",
    id: "DbInstanceIdentifier",
    events: ["ModifyDBInstance", "CreateDBInstance"],
};

pub(super) const CLUSTER: Kind = Kind {
    modify: "rds:ModifyDBCluster",
    id: "DbClusterIdentifier",
    events: ["ModifyDBCluster", "CreateDBCluster"],
};

pub(super) fn look(asked: &Asked<'_>, kind: &Kind) -> Result<Look, Unproven> {
    if asked.operation != kind.modify {
        return Err(unknown(asked));
    }
    asked.is(kind.id, &json!(asked.claim.resource.id))?;
    if asked.image.contains_key(OF_CLUSTER) {
        return Err(no("the settings of a cluster's instance are the cluster's"));
    }
    if asked.arguments.contains_key("DeletionProtection") {
        asked.only(&[kind.id, "DeletionProtection", "ApplyImmediately"])?;
        asked.is("ApplyImmediately", &json!(false))?;
        return switched_on(asked, PROTECTION, "DeletionProtection").map(Look::sure);
    }
    asked.only(&[kind.id, "BackupRetentionPeriod", "ApplyImmediately"])?;
    // What was only pending is made pending again.
    let waits = asked.way == Way::Back && asked.is("ApplyImmediately", &json!(false)).is_ok();
    match waits {
        true => {}
        false => asked.is("ApplyImmediately", &json!(true))?,
    }
    retention(asked, kind, waits)
}

fn retention(asked: &Asked<'_>, kind: &Kind, waits: bool) -> Result<Look, Unproven> {
    if let Some(pending) = asked.image.get(PENDING).filter(|_| !waits) {
        return Err(no(format!(
            "{pending} is pending, and would be carried out with it"
        )));
    }
    let days = asked.arguments.get("BackupRetentionPeriod");
    let days = days
        .and_then(Value::as_u64)
        .filter(|days| *days <= DAYS_MAX);
    let days = days.ok_or_else(|| no("backups are kept for 0 to 35 days"))?;
    let deed = Deed::setting(RETENTION, days);
    if asked.way == Way::Back {
        return Ok(Look::sure(deed));
    }
    let now = asked.image.get(RETENTION).and_then(Value::as_u64);
    let now = now.ok_or_else(|| no("it is not known for how long backups are kept"))?;
    if days <= now {
        return Err(no("backups would not be kept for longer than now"));
    }
    if were_kept(asked, kind) != Some(days) {
        return Err(no(format!(
            "backups are not known to have been kept for {days} days"
        )));
    }
    // From none to some, RDS restarts the database.
    let in_force = asked.facts.get("daysInForce").and_then(Value::as_u64);
    Ok(Look::sure(match in_force {
        Some(1..) => deed,
        _ => deed.of_class(Class::R2),
    }))
}

/// For how many days they were kept: as a person approved it; as the answer to the last call before it began has it, with what was
/// pending then; or as the answer to the call that shortened it says, which still shows what was in force.
fn were_kept(asked: &Asked<'_>, kind: &Kind) -> Option<u64> {
    if let Some(image) = approved(asked.claim) {
        return image.get(RETENTION)?.as_u64();
    }
    let history = History::of(asked, &kind.events)?;
    let last = { history.before.iter() }
        .find_map(|event| event.says("pending").or_else(|| event.says("days")));
    let shortened = { history.since.iter() }
        .find(|event| event.says("wanted").is_some())
        .and_then(|event| event.says("days"));
    last.or(shortened)?.as_u64()
}

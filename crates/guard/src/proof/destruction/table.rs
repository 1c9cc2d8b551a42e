//! A table of DynamoDB: it is protected against deletion, and its recovery to any moment is switched on again when it was on.

use serde_json::{Value, json};

use super::history::History;
use super::{Look, approved, switched_on, unknown};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

const PROTECTION: &str = "table/deletion-protection";
/// For so many days back; absent when it is off.
const RECOVERY: &str = "table/recovery-days";
/// How many days DynamoDB keeps when nothing else is said, which is also the most.
const DAYS_MAX: u64 = 35;

pub(super) fn look(asked: &Asked<'_>) -> Result<Look, Unproven> {
    asked.is("TableName", &json!(asked.claim.resource.id))?;
    match asked.operation {
        "dynamodb:UpdateTable" => {
            asked.only(&["TableName", "DeletionProtectionEnabled"])?;
            switched_on(asked, PROTECTION, "DeletionProtectionEnabled").map(Look::sure)
        }
        "dynamodb:UpdateContinuousBackups" => recovery(asked),
        _ => Err(unknown(asked)),
    }
}

fn recovery(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let name = "PointInTimeRecoverySpecification";
    asked.only(&["TableName", name])?;
    if asked.way == Way::Back {
        asked.is(name, &json!({"PointInTimeRecoveryEnabled": false}))?;
        return Ok(Look::sure(Deed::setting(RECOVERY, Value::Null)));
    }
    if asked.image.contains_key(RECOVERY) {
        return Err(no("the table can be recovered already"));
    }
    let days = was_on(asked)
        .ok_or_else(|| no("the recovery of the table is not known to have been on"))?;
    asked.is(
        name,
        &json!({"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": days}),
    )?;
    Ok(Look::sure(Deed::setting(RECOVERY, days)))
}

/// For how many days back it was on: as a person approved it, or as the last call before it began had it. When there was none,
/// that somebody switched it off since.
fn was_on(asked: &Asked<'_>) -> Option<u64> {
    if let Some(image) = approved(asked.claim) {
        return image.get(RECOVERY)?.as_u64();
    }
    let history = History::of(asked, &["UpdateContinuousBackups"])?;
    let was_on = match history.last("enabled") {
        Some(is) => is == &Value::Bool(true),
        None => history.says_since("enabled", &Value::Bool(false)),
    };
    let days = history.last("days").and_then(Value::as_u64);
    was_on.then(|| days.unwrap_or(DAYS_MAX))
}

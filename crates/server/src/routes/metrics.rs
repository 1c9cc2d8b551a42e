//! `GET /api/v1/metrics`, as the second requirements document has it: measured, with the counts they rest on.

use axum::Json;
use axum::extract::State as Extract;
use quell_model::{Incident, Timestamp};
use quell_store::{Kind, Query};
use serde_json::{Value, json};

use crate::Services;
use crate::problem::Problem;

const DAY_MILLIS: i64 = 24 * 3600 * 1000;
/// Means are over the newest so many incidents.
const WINDOW: usize = 1000;

/// MTTD is from the event to the finding, MTTR from the finding to the verified end; both in minutes, as text with
/// as many digits as it takes to be other than zero. `null` says that nothing has been measured.
pub(super) async fn show(Extract(services): Extract<Services>) -> Result<Json<Value>, Problem> {
    let page = services
        .state
        .list(&Query::all(Kind::Incident).newest().limit(WINDOW))
        .await?;
    let incidents: Vec<Incident> = page.read()?;
    Ok(Json(summary(&incidents, services.clock.now())))
}

fn summary(incidents: &[Incident], now: Timestamp) -> Value {
    let detect: Vec<i64> = incidents
        .iter()
        .map(|i| i.detected_at.millis_since(i.first_event_at).max(0))
        .collect();
    let respond: Vec<i64> = incidents
        .iter()
        .filter_map(|i| Some(i.resolved_at?.millis_since(i.detected_at)))
        .collect();
    let day = incidents
        .iter()
        .filter(|i| now.millis_since(i.detected_at) < DAY_MILLIS)
        .count();
    json!({
        "mttd": minutes(&detect),
        "mttr": minutes(&respond),
        "compliance_score": null,
        "incidents_last_24h": day,
        "false_positive_rate": null,
        "measured": {
            "mttd_incidents": detect.len(), "mttr_incidents": respond.len(), "window_incidents": WINDOW,
            "unit": "minutes",
            "notes": {
                "compliance_score": "not assessed: there are no controls yet",
                "false_positive_rate": "not measured: incidents have no dispositions yet"
            }
        }
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of incidents fit a double"
)]
fn minutes(millis: &[i64]) -> Option<String> {
    if millis.is_empty() {
        return None;
    }
    let mean = millis.iter().sum::<i64>() as f64 / millis.len() as f64 / 60_000.0;
    Some(if mean >= 1.0 {
        format!("{mean:.1}")
    } else {
        format!("{mean:.4}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_null_not_zero() {
        let empty = summary(&[], Timestamp::default());
        assert_eq!(
            (empty["mttd"].clone(), empty["mttr"].clone()),
            (Value::Null, Value::Null)
        );
        assert_eq!(minutes(&[138_000]), Some("2.3".into()));
        assert_eq!(minutes(&[500, 700]), Some("0.0100".into()));
    }
}

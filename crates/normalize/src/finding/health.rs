//! AWS Health: what AWS tells an account, of which a part is about security.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Detection, Facts};
use super::look::{items, moment, name, need, text};

/// Entities that are looked at for one of the account's.
const ENTITIES_MAX: usize = 100;

pub(super) fn read(value: &Value, envelope: Option<&Value>) -> Result<Draft, FindingError> {
    let code = need(value, "/eventTypeCode")?;
    let account = text(value, "/affectedAccount").or_else(|| text(envelope?, "/account"));
    let account = account.ok_or(FindingError::Missing {
        field: "/affectedAccount",
    })?;
    let region = text(value, "/eventRegion")
        .or_else(|| text(envelope?, "/region"))
        .unwrap_or("us-east-1");
    let times = ["/lastUpdatedTime", "/startTime"];
    let mut updated = None;
    for field in times {
        updated = updated.or(moment(value, field)?);
    }
    let sent = match envelope {
        Some(envelope) => moment(envelope, "/time")?,
        None => None,
    };
    let whose = Whose {
        product: Product::Health,
        uid: need(value, "/eventArn")?,
        account,
        region,
        updated_at: updated.or(sent).ok_or(FindingError::Missing {
            field: "/startTime",
        })?,
    };
    let mut draft = Draft::new(
        &whose,
        code,
        severity(code, text(value, "/eventTypeCategory")),
    )?;
    draft.explanation = text(value, "/eventDescription/0/latestDescription")
        .unwrap_or_default()
        .to_owned();
    draft.first = moment(value, "/startTime")?;
    if text(value, "/statusCode") == Some("closed") {
        draft.set_state(ReportState::Resolved);
    }
    // Who complains of abuse may be anybody.
    draft.outsider = code
        .contains("ABUSE")
        .then_some("anybody can complain of abuse");
    let entities = items(value, "/affectedEntities").iter().take(ENTITIES_MAX);
    let values: Vec<&str> = entities
        .filter_map(|entity| text(entity, "/entityValue"))
        .collect();
    draft.resource = values
        .iter()
        .find_map(|text| about::arn(text, account, None));
    let key = values.iter().find(|text| is_access_key(text));
    draft.actor.access_key_id = key.map(|key| (*key).to_owned());
    draft.facts = Facts::Detection(Box::new(Detection {
        kind: name(code),
        ..Detection::default()
    }));
    Ok(draft)
}

/// Health has no severities. `RISK` is what AWS found out about the account's own credentials.
fn severity(code: &str, category: Option<&str>) -> Severity {
    match category {
        _ if code.starts_with("AWS_RISK_") => Severity::Critical,
        _ if code.contains("ABUSE") => Severity::High,
        Some("issue") => Severity::Low,
        _ => Severity::Informational,
    }
}

fn is_access_key(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (16..=128).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text.bytes().all(good)
}

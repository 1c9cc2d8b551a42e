//! AWS Config: a rule says anew whether a resource keeps it.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Compliance, ComplianceStatus, Facts};
use super::look::{moment, name, need, text, wrong};

pub(super) fn read(value: &Value) -> Result<Draft, FindingError> {
    let (account, region) = (need(value, "/awsAccountId")?, need(value, "/awsRegion")?);
    let (rule, kind, id) = (
        need(value, "/configRuleName")?,
        need(value, "/resourceType")?,
        need(value, "/resourceId")?,
    );
    let new = "/newEvaluationResult/resultRecordedTime";
    let updated_at = match moment(value, new)? {
        Some(time) => time,
        None => moment(value, "/notificationCreationTime")?
            .ok_or(FindingError::Missing { field: new })?,
    };
    let status = need(value, "/newEvaluationResult/complianceType")?;
    let (compliance, state, severity) = match status {
        // Config has no severities. A rule that somebody wanted and that is broken is worth a look.
        "NON_COMPLIANT" => (
            ComplianceStatus::Fail,
            ReportState::Active,
            Severity::Medium,
        ),
        "COMPLIANT" => (
            ComplianceStatus::Pass,
            ReportState::Resolved,
            Severity::Informational,
        ),
        "NOT_APPLICABLE" | "INSUFFICIENT_DATA" => (
            ComplianceStatus::Unknown,
            ReportState::Resolved,
            Severity::Informational,
        ),
        other => {
            return Err(wrong(
                "/newEvaluationResult/complianceType",
                other,
                "one of Config's",
            ));
        }
    };
    // One finding for a rule and a resource: what the rule says next is an update of it.
    let uid = format!("{rule}|{kind}|{id}");
    let whose = Whose {
        product: Product::Config,
        uid: &uid,
        account,
        region,
        updated_at,
    };
    let mut draft = Draft::new(&whose, rule, severity)?;
    draft.title = name(&match compliance {
        ComplianceStatus::Fail => format!("{kind} breaks the rule {rule}"),
        _ => format!("{kind} and the rule {rule}: {status}"),
    });
    draft.explanation = text(value, "/newEvaluationResult/annotation")
        .unwrap_or_default()
        .to_owned();
    draft.set_state(state);
    draft.resource = match kind {
        "AWS::::Account" => None,
        _ if id.starts_with("arn:") => about::arn(id, account, Some(kind)),
        _ => crate::resource::of_id(kind, id, account, region),
    };
    draft.facts = Facts::Compliance(Compliance {
        control: name(rule),
        standards: vec!["AWS Config".to_owned()],
        status: compliance,
        detail: text(value, "/newEvaluationResult/annotation").map(name),
        ..Compliance::default()
    });
    Ok(draft)
}

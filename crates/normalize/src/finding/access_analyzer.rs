//! IAM Access Analyzer: who from outside may reach a resource, who from inside may, and what nobody uses.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Detection, Facts};
use super::look::{is_true, items, moment, name, need, need_moment, text};

/// So many actions are told of in words.
const ACTIONS_MAX: usize = 20;

pub(super) fn read(value: &Value, envelope: Option<&Value>) -> Result<Draft, FindingError> {
    let field = |pointer| text(value, pointer);
    let uid = field("/id").or_else(|| field("/findingId"));
    let account = field("/accountId").or_else(|| field("/resourceOwnerAccount"));
    let account = account.ok_or(FindingError::Missing {
        field: "/accountId",
    })?;
    let resource = field("/resource");
    // From a file, where no event says it, the resource may; what is global is looked at from Northern Virginia.
    let region = field("/region").or_else(|| text(envelope?, "/region"));
    let in_arn = || {
        resource
            .and_then(|arn| arn.split(':').nth(3))
            .filter(|region| !region.is_empty())
    };
    let region = region.or_else(in_arn).unwrap_or("us-east-1");
    let whose = Whose {
        product: Product::AccessAnalyzer,
        uid: uid.ok_or(FindingError::Missing { field: "/id" })?,
        account,
        region,
        updated_at: need_moment(value, "/updatedAt")?,
    };
    let kind = field("/findingType").unwrap_or("ExternalAccess");
    let mut draft = Draft::new(&whose, kind, severity(value, kind))?;
    let type_of = need(value, "/resourceType")?;
    draft.title = name(&title(kind, type_of, is_true(value, "/isPublic")));
    draft.explanation = explanation(value);
    draft.first = moment(value, "/createdAt")?;
    draft.last = moment(value, "/analyzedAt")?;
    draft.set_state(match field("/status") {
        _ if is_true(value, "/isDeleted") => ReportState::Resolved,
        Some("ARCHIVED") => ReportState::Archived,
        Some("RESOLVED") => ReportState::Resolved,
        _ => ReportState::Active,
    });
    draft.resource = resource.and_then(|arn| about::arn(arn, account, Some(type_of)));
    draft.facts = Facts::Detection(Box::new(Detection {
        kind: name(kind),
        ..Detection::default()
    }));
    Ok(draft)
}

/// Access Analyzer says none. What anybody may reach is bad, what some stranger may reach is worth a look, the rest is
/// tidiness.
fn severity(value: &Value, kind: &str) -> Severity {
    match kind {
        _ if text(value, "/error").is_some() => Severity::Informational,
        "ExternalAccess" if is_true(value, "/isPublic") => Severity::High,
        "ExternalAccess" => Severity::Medium,
        _ => Severity::Low,
    }
}

fn title(kind: &str, type_of: &str, public: bool) -> String {
    match kind {
        "ExternalAccess" if public => format!("{type_of} can be reached by anybody"),
        "ExternalAccess" => format!("{type_of} can be reached from outside the zone of trust"),
        "InternalAccess" => format!("{type_of} can be reached by others of the organisation"),
        "UnusedIAMRole" => "A role that nobody uses".to_owned(),
        "UnusedIAMUserAccessKey" => "An access key that nobody uses".to_owned(),
        "UnusedIAMUserPassword" => "A password that nobody uses".to_owned(),
        "UnusedPermission" => "Permissions that nobody uses".to_owned(),
        other => format!("{other} of {type_of}"),
    }
}

fn explanation(value: &Value) -> String {
    let actions: Vec<&str> = items(value, "/action")
        .iter()
        .filter_map(Value::as_str)
        .take(ACTIONS_MAX)
        .collect();
    let who = value.pointer("/principal").and_then(Value::as_object);
    let who: Vec<String> = who
        .into_iter()
        .flatten()
        .take(ACTIONS_MAX)
        .map(|(kind, who)| format!("{kind} {}", who.as_str().unwrap_or("?")))
        .collect();
    match (who.is_empty(), actions.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("Actions: {}", actions.join(", ")),
        (false, true) => format!("For: {}", who.join(", ")),
        (false, false) => format!("For: {}. Actions: {}", who.join(", "), actions.join(", ")),
    }
}

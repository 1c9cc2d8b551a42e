//! AWS Config's changes of resources: Entity Management (3004).
//!
//! Security Lake has no source for them. Device Config State, which has a name like it, is about a device.

use quell_model::{Record, Severity, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::base::{Activity, Cloud, ENTITY_MANAGEMENT, Observables, Product, event, metadata};
use super::{OcsfError, OcsfEvent};

const SOURCE: &str = "Config";

/// Whether a record is a change of a resource that AWS Config saw, by its envelope or, from a file, by its fields.
pub fn is_configuration(record: &Record) -> bool {
    match &record.envelope {
        Some(envelope) => {
            envelope
                .get("source")
                .is_some_and(|source| source == "aws.config")
                && envelope
                    .get("detail-type")
                    .is_some_and(|kind| kind == "Config Configuration Item Change")
        }
        None => is_configuration_form(record.body.get()),
    }
}

/// Whether an object is a configuration item, or the change of one, by its fields.
pub(crate) fn is_configuration_form(text: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        configuration_item_status: Option<IgnoredAny>,
        configuration_item_capture_time: Option<IgnoredAny>,
        configuration_item: Option<IgnoredAny>,
        configuration_item_diff: Option<IgnoredAny>,
    }
    serde_json::from_str::<Form>(text).is_ok_and(|form| {
        let item = form.configuration_item_status.is_some()
            && form.configuration_item_capture_time.is_some();
        item || (form.configuration_item.is_some() && form.configuration_item_diff.is_some())
    })
}

/// A configuration item, or the event around one, in OCSF.
///
/// # Errors
/// [`OcsfError`] when it is neither.
pub fn of_configuration(record: &Record) -> Result<OcsfEvent, OcsfError> {
    let body: Value = serde_json::from_str(record.body.get()).map_err(|error| OcsfError::Form {
        source_name: SOURCE,
        error,
    })?;
    let wrong = |field| OcsfError::Field {
        source_name: SOURCE,
        field,
    };
    let item = body.get("configurationItem").unwrap_or(&body);
    let text = |field: &str| {
        item.get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let time: Timestamp = text("configurationItemCaptureTime")
        .and_then(|time| time.parse().ok())
        .ok_or(wrong("configurationItemCaptureTime"))?;
    let id = text("resourceId").ok_or(wrong("resourceId"))?;
    let change = body
        .pointer("/configurationItemDiff/changeType")
        .and_then(Value::as_str);
    let activity = match (change, text("configurationItemStatus")) {
        (Some("CREATE"), _) | (None, Some("ResourceDiscovered")) => Activity::new(1, "Create"),
        (Some("DELETE"), _) | (None, Some("ResourceDeleted" | "ResourceDeletedNotRecorded")) => {
            Activity::new(4, "Delete")
        }
        (Some("UPDATE") | None, _) => Activity::new(3, "Update"),
        (Some(other), _) => Activity::other(other),
    };
    let arn = text("ARN").or_else(|| text("arn"));
    let state = item
        .get("configurationStateId")
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let mut entity = json!({
        "name": text("resourceName").unwrap_or(id),
        "uid": arn.unwrap_or(id),
        "type": text("resourceType"),
        "version": state,
    });
    let configuration = item.get("configuration").filter(|data| !data.is_null());
    if let (Some(fields), Some(configuration)) = (entity.as_object_mut(), configuration) {
        fields.insert(
            "data".to_owned(),
            json!(quell_model::canonical_json(configuration)),
        );
    }
    let mut observables = Observables::default();
    observables.resource("entity.uid", arn);
    let version = text("configurationItemVersion").or_else(|| text("version"));
    let product = Product {
        name: "AWS Config",
        feature: Some("Configuration Items"),
        version,
    };
    let changed = body
        .pointer("/configurationItemDiff/changedProperties")
        .filter(|changed| !changed.is_null());
    let attributes = json!({
        "metadata": metadata(&product, None, &["cloud"]),
        "entity": entity,
        "status": "Success",
        "status_id": 1,
        "observables": observables.into_value(),
        "unmapped": changed.map(|changed| json!({"changedProperties": quell_model::canonical_json(changed)})),
    });
    let cloud = Cloud {
        account: text("awsAccountId"),
        region: text("awsRegion"),
    };
    Ok(event(
        &ENTITY_MANAGEMENT,
        &activity,
        time,
        Severity::Informational,
        &cloud,
        attributes,
    ))
}

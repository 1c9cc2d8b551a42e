//! What every class of OCSF has, and how an event is put together.

use quell_model::{Severity, Timestamp};
use serde_json::{Map, Value, json};

use super::{OcsfEvent, STRING_CHARS_MAX, VERSION};

/// A class of events.
pub(super) struct Class {
    pub uid: u64,
    pub name: &'static str,
    pub category_uid: u64,
    pub category: &'static str,
}

pub(super) const API_ACTIVITY: Class = Class {
    uid: 6003,
    name: "API Activity",
    category_uid: 6,
    category: "Application Activity",
};
pub(super) const AUTHENTICATION: Class = Class {
    uid: 3002,
    name: "Authentication",
    category_uid: 3,
    category: "Identity & Access Management",
};
pub(super) const NETWORK_ACTIVITY: Class = Class {
    uid: 4001,
    name: "Network Activity",
    category_uid: 4,
    category: "Network Activity",
};
pub(super) const HTTP_ACTIVITY: Class = Class {
    uid: 4002,
    name: "HTTP Activity",
    category_uid: 4,
    category: "Network Activity",
};
pub(super) const DNS_ACTIVITY: Class = Class {
    uid: 4003,
    name: "DNS Activity",
    category_uid: 4,
    category: "Network Activity",
};
pub(super) const ENTITY_MANAGEMENT: Class = Class {
    uid: 3004,
    name: "Entity Management",
    category_uid: 3,
    category: "Identity & Access Management",
};
pub(super) const DETECTION_FINDING: Class = Class {
    uid: 2004,
    name: "Detection Finding",
    category_uid: 2,
    category: "Findings",
};
pub(super) const COMPLIANCE_FINDING: Class = Class {
    uid: 2003,
    name: "Compliance Finding",
    category_uid: 2,
    category: "Findings",
};
pub(super) const VULNERABILITY_FINDING: Class = Class {
    uid: 2002,
    name: "Vulnerability Finding",
    category_uid: 2,
    category: "Findings",
};

/// What was done, in the words of the class.
pub(super) struct Activity {
    pub id: u64,
    /// The schema's caption, which is also the end of the type's name.
    pub caption: &'static str,
    /// The source's own word for it, where the schema has only «Other».
    pub name: Option<String>,
}

impl Activity {
    pub(super) fn new(id: u64, caption: &'static str) -> Self {
        Self {
            id,
            caption,
            name: None,
        }
    }

    pub(super) fn other(name: &str) -> Self {
        Self {
            id: 99,
            caption: "Other",
            name: Some(name.to_owned()),
        }
    }
}

/// Where an event happened.
pub(super) struct Cloud<'a> {
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
}

/// The product that wrote it.
pub(super) struct Product<'a> {
    pub name: &'a str,
    pub feature: Option<&'a str>,
    pub version: Option<&'a str>,
}

/// The severity in OCSF's numbers and words.
pub(super) fn severity(severity: Severity) -> (u64, &'static str) {
    match severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// An event of a class, with the attributes in `more` added. Attributes that are null or empty are left out.
pub(super) fn event(
    class: &Class,
    activity: &Activity,
    time: Timestamp,
    how_bad: Severity,
    cloud: &Cloud<'_>,
    more: Value,
) -> OcsfEvent {
    let (severity_id, severity) = severity(how_bad);
    let mut value = json!({
        "class_uid": class.uid,
        "class_name": class.name,
        "category_uid": class.category_uid,
        "category_name": class.category,
        "activity_id": activity.id,
        "activity_name": activity.name.as_deref().unwrap_or(activity.caption),
        "type_uid": class.uid * 100 + activity.id,
        "type_name": format!("{}: {}", class.name, activity.caption),
        "severity_id": severity_id,
        "severity": severity,
        "time": time.millis(),
        "cloud": {"provider": "AWS", "region": cloud.region, "account": account(cloud.account)},
    });
    if let (Some(base), Value::Object(more)) = (value.as_object_mut(), more) {
        base.extend(more);
    }
    prune(&mut value);
    OcsfEvent(value)
}

/// `metadata`, by the product and with the profiles that the event keeps.
pub(super) fn metadata(product: &Product<'_>, uid: Option<&str>, profiles: &[&str]) -> Value {
    json!({
        "version": VERSION,
        "uid": uid,
        "profiles": profiles,
        "product": {
            "name": product.name,
            "vendor_name": "AWS",
            "version": product.version,
            "feature": {"name": product.feature},
        },
    })
}

/// An AWS account.
pub(super) fn account(uid: Option<&str>) -> Value {
    match uid {
        Some(uid) => json!({"uid": uid, "type": "AWS Account", "type_id": 10}),
        None => Value::Null,
    }
}

/// An endpoint that has at least a name: an address when the text is one, else a service or a name.
pub(super) fn endpoint(text: Option<&str>) -> Value {
    match text {
        Some(text) if text.parse::<std::net::IpAddr>().is_ok() => json!({"ip": text}),
        Some(text) if text.ends_with(".amazonaws.com") => json!({"svc_name": text}),
        Some(text) => json!({"name": text}),
        None => json!({"name": "unknown"}),
    }
}

/// What can be searched for, whatever the class: addresses, names, resources. Each once.
#[derive(Default)]
pub(super) struct Observables(Vec<Value>);

/// So many of one event are of use.
const OBSERVABLES_MAX: usize = 50;

impl Observables {
    pub(super) fn add(&mut self, name: &str, type_id: u64, kind: &str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return;
        };
        let found = json!({"name": name, "type_id": type_id, "type": kind, "value": value});
        if self.0.len() < OBSERVABLES_MAX && !self.0.contains(&found) {
            self.0.push(found);
        }
    }

    pub(super) fn ip(&mut self, name: &str, value: Option<&str>) {
        let value = value.filter(|text| text.parse::<std::net::IpAddr>().is_ok());
        self.add(name, 2, "IP Address", value);
    }

    pub(super) fn resource(&mut self, name: &str, value: Option<&str>) {
        self.add(name, 10, "Resource UID", value);
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(self.0)
    }
}

/// Takes what is null or empty away, and cuts what is too long. What is JSON of a source's own (`data`, `unmapped`) stays as it is.
fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if name != "data" && name != "unmapped" {
                    prune(field);
                }
            }
            *fields = std::mem::take(fields)
                .into_iter()
                .filter(|(_, field)| !is_empty(field))
                .collect::<Map<_, _>>();
        }
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !is_empty(item));
        }
        Value::String(text) if text.len() > STRING_CHARS_MAX => {
            *text = text.chars().take(STRING_CHARS_MAX).collect();
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_left_out_and_what_is_a_sources_own_stays() {
        let mut value = json!({"a": null, "b": {"c": ""}, "d": [null, {"e": []}], "f": 0, "api": {"data": {"x": null}}, "s": "x".repeat(70_000)});
        prune(&mut value);
        assert_eq!(value["s"].as_str().unwrap().len(), STRING_CHARS_MAX);
        value.as_object_mut().unwrap().remove("s");
        assert_eq!(value, json!({"f": 0, "api": {"data": {"x": null}}}));
    }

    #[test]
    fn an_endpoint_always_has_a_name() {
        assert_eq!(endpoint(Some("203.0.113.7")), json!({"ip": "203.0.113.7"}));
        assert_eq!(
            endpoint(Some("ec2.amazonaws.com")),
            json!({"svc_name": "ec2.amazonaws.com"})
        );
        assert_eq!(
            endpoint(Some("AWS Internal")),
            json!({"name": "AWS Internal"})
        );
        assert_eq!(endpoint(None), json!({"name": "unknown"}));
    }
}

//! CloudTrail: API Activity (6003), and Authentication (3002) for who signs in or takes on a role.

use quell_model::{Record, Severity, Timestamp};
use serde_json::{Value, json};

use super::base::{
    API_ACTIVITY, AUTHENTICATION, Activity, Class, Cloud, Observables, Product, account, endpoint,
    event, metadata,
};
use super::{OcsfError, OcsfEvent};

const SOURCE: &str = "CloudTrail";

/// Calls that give somebody a session. (`signin.amazonaws.com` has others of its own.)
const SESSIONS: [&str; 6] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetFederationToken",
    "GetSessionToken",
];

/// A CloudTrail record in OCSF.
///
/// # Errors
/// [`OcsfError`] when it is not a CloudTrail record.
pub fn of_cloudtrail(record: &Record) -> Result<OcsfEvent, OcsfError> {
    let body: Value = serde_json::from_str(record.body.get()).map_err(|error| OcsfError::Form {
        source_name: SOURCE,
        error,
    })?;
    let trail = Trail(&body);
    let wrong = |field| OcsfError::Field {
        source_name: SOURCE,
        field,
    };
    let time: Timestamp = trail
        .text("/eventTime")
        .and_then(|time| time.parse().ok())
        .ok_or(wrong("eventTime"))?;
    let name = trail.text("/eventName").ok_or(wrong("eventName"))?;
    let source = trail.text("/eventSource").ok_or(wrong("eventSource"))?;
    let (class, activity, more) = match sign_in(source, name) {
        Some(activity) => (&AUTHENTICATION, activity, trail.authentication(source)),
        None => (
            &API_ACTIVITY,
            trail.activity(name),
            json!({"resources": trail.resources()}),
        ),
    };
    let cloud = Cloud {
        account: trail.text("/recipientAccountId"),
        region: trail.text("/awsRegion"),
    };
    let mut attributes = trail.common(class, source, name);
    if let (Some(all), Value::Object(more)) = (attributes.as_object_mut(), more) {
        all.extend(more);
    }
    Ok(event(
        class,
        &activity,
        time,
        Severity::Informational,
        &cloud,
        attributes,
    ))
}

/// What signing in it is, when it is.
fn sign_in(source: &str, name: &str) -> Option<Activity> {
    match (source, name) {
        ("signin.amazonaws.com", "ConsoleLogin" | "SwitchRole") => Some(Activity::new(1, "Logon")),
        ("signin.amazonaws.com", "ExitRole") => Some(Activity::new(2, "Logoff")),
        ("signin.amazonaws.com", other) => Some(Activity::other(other)),
        ("sts.amazonaws.com", name) if SESSIONS.contains(&name) => {
            Some(Activity::new(3, "Authentication Ticket"))
        }
        _ => None,
    }
}

struct Trail<'a>(&'a Value);

impl<'a> Trail<'a> {
    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.0
            .pointer(pointer)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// JSON of the source's own, as text: a column of it has one type whatever the call was.
    fn json(&self, pointer: &str) -> Option<String> {
        let found = self.0.pointer(pointer).filter(|found| !found.is_null())?;
        Some(quell_model::canonical_json(found))
    }

    fn failed(&self) -> bool {
        self.text("/errorCode").is_some()
            || self.text("/responseElements/ConsoleLogin") == Some("Failure")
    }

    fn activity(&self, name: &str) -> Activity {
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        let reads = self.0.pointer("/readOnly").and_then(Value::as_bool);
        match () {
            () if reads == Some(true) => Activity::new(2, "Read"),
            () if reads.is_none()
                && begins(&["Get", "List", "Describe", "Head", "Lookup", "Search"]) =>
            {
                Activity::new(2, "Read")
            }
            () if begins(&[
                "Create", "Run", "Allocate", "Register", "Add", "Import", "Copy", "Issue",
                "Upload", "Publish",
            ]) =>
            {
                Activity::new(1, "Create")
            }
            () if begins(&[
                "Delete",
                "Remove",
                "Terminate",
                "Deregister",
                "Release",
                "Purge",
                "ScheduleKeyDeletion",
            ]) =>
            {
                Activity::new(4, "Delete")
            }
            () if begins(&[
                "Update",
                "Modify",
                "Put",
                "Set",
                "Attach",
                "Detach",
                "Associate",
                "Disassociate",
                "Enable",
                "Disable",
                "Start",
                "Stop",
                "Authorize",
                "Revoke",
                "Change",
                "Replace",
                "Reset",
                "Restore",
                "Tag",
                "Untag",
                "Cancel",
                "Rotate",
            ]) =>
            {
                Activity::new(3, "Update")
            }
            () => Activity::other(name),
        }
    }

    fn common(&self, class: &Class, source: &str, name: &str) -> Value {
        let failed = self.failed();
        let product = Product {
            name: "CloudTrail",
            feature: self.text("/eventCategory"),
            version: self.text("/eventVersion"),
        };
        let mut metadata = metadata(&product, self.text("/eventID"), &["cloud"]);
        if let Some(fields) = metadata.as_object_mut() {
            fields.insert("event_code".to_owned(), json!(self.text("/eventType")));
            fields.insert("original_time".to_owned(), json!(self.text("/eventTime")));
            fields.insert(
                "tenant_uid".to_owned(),
                json!(self.text("/recipientAccountId")),
            );
        }
        let mut source_endpoint = endpoint(self.text("/sourceIPAddress"));
        if let Some(fields) = source_endpoint.as_object_mut() {
            fields.insert("uid".to_owned(), json!(self.text("/vpcEndpointId")));
        }
        let mut observables = Observables::default();
        observables.ip("src_endpoint.ip", self.text("/sourceIPAddress"));
        observables.add("actor.user.name", 4, "User Name", self.user_name());
        observables.resource("actor.user.uid", self.text("/userIdentity/arn"));
        if class.uid == API_ACTIVITY.uid {
            for resource in self
                .0
                .pointer("/resources")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                observables.resource(
                    "resources[].uid",
                    resource.get("ARN").and_then(Value::as_str),
                );
            }
        }
        json!({
            "metadata": metadata,
            "status": if failed { "Failure" } else { "Success" },
            "status_id": if failed { 2 } else { 1 },
            "status_code": self.text("/errorCode"),
            "status_detail": self.text("/errorMessage"),
            "actor": self.actor(),
            "src_endpoint": source_endpoint,
            "http_request": {"user_agent": self.text("/userAgent")},
            "api": self.api(source, name),
            "observables": observables.into_value(),
            "unmapped": self.unmapped(),
        })
    }

    fn api(&self, source: &str, name: &str) -> Value {
        let request = self
            .text("/requestID")
            .map(|uid| json!({"uid": uid, "data": self.json("/requestParameters")}));
        // The schema wants a request's id; without one the parameters are still worth having.
        let request = request.or_else(|| {
            self.json("/requestParameters")
                .map(|data| json!({"uid": "unknown", "data": data}))
        });
        json!({
            "operation": name,
            "version": self.text("/apiVersion"),
            "service": {"name": source},
            "request": without_null_data(request),
            "response": without_null_data(Some(json!({
                "error": self.text("/errorCode"),
                "error_message": self.text("/errorMessage"),
                "data": self.json("/responseElements"),
            }))),
        })
    }

    fn user_name(&self) -> Option<&'a str> {
        self.text("/userIdentity/userName")
            .or_else(|| self.text("/userIdentity/sessionContext/sessionIssuer/userName"))
    }

    fn actor(&self) -> Value {
        let user = json!({
            "type": self.text("/userIdentity/type"),
            "name": self.user_name(),
            "uid": self.text("/userIdentity/arn"),
            "uid_alt": self.text("/userIdentity/principalId"),
            "credential_uid": self.text("/userIdentity/accessKeyId"),
            "account": account(self.text("/userIdentity/accountId").or_else(|| self.text("/recipientAccountId"))),
        });
        let session = "/userIdentity/sessionContext";
        let created = self
            .text(&format!("{session}/attributes/creationDate"))
            .and_then(|time| time.parse::<Timestamp>().ok());
        let mfa = self
            .text(&format!("{session}/attributes/mfaAuthenticated"))
            .and_then(|mfa| mfa.parse::<bool>().ok());
        let idp = self
            .text("/userIdentity/sessionContext/webIdFederationData/federatedProvider")
            .or_else(|| self.text("/userIdentity/identityProvider"));
        // A user without an account, a name or an id says nothing; the schema then wants another actor.
        let is_somebody = ["name", "uid", "account"]
            .iter()
            .any(|field| user.get(*field).is_some_and(|field| !field.is_null()));
        json!({
            "user": if is_somebody { user } else { json!({"name": "unknown"}) },
            "session": {
                "created_time": created.map(Timestamp::millis),
                "is_mfa": mfa,
                "issuer": self.text(&format!("{session}/sessionIssuer/arn")),
            },
            "idp": {"name": idp},
            "invoked_by": self.text("/userIdentity/invokedBy"),
        })
    }

    fn resources(&self) -> Value {
        let resources = self
            .0
            .pointer("/resources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let text = |resource: &Value, field: &str| {
            resource
                .get(field)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let of = |resource: &Value| {
            let uid = text(resource, "ARN").filter(|uid| !uid.is_empty())?;
            let owner =
                text(resource, "accountId").map(|uid| json!({"account": account(Some(&uid))}));
            Some(json!({"uid": uid, "type": text(resource, "type"), "owner": owner}))
        };
        Value::Array(resources.filter_map(of).collect())
    }

    fn authentication(&self, source: &str) -> Value {
        let role = self.text("/requestParameters/roleArn");
        let user = match role {
            Some(role) => {
                json!({"uid": role, "name": self.text("/requestParameters/roleSessionName"), "type": "AssumedRole"})
            }
            None => self.actor().get("user").cloned().unwrap_or_default(),
        };
        let used = self
            .text("/additionalEventData/MFAUsed")
            .map(|used| used == "Yes");
        json!({
            "user": user,
            "service": {"name": source},
            "is_mfa": used,
            "is_remote": true,
            "dst_endpoint": self.text("/additionalEventData/LoginTo").map(|to| json!({"svc_name": to})),
        })
    }

    fn unmapped(&self) -> Value {
        let fields = [
            "additionalEventData",
            "serviceEventDetails",
            "sharedEventID",
            "managementEvent",
            "tlsDetails",
            "edgeDeviceDetails",
        ];
        let found = fields.iter().filter_map(|field| {
            Some((
                (*field).to_owned(),
                self.0.get(*field).filter(|value| !value.is_null())?.clone(),
            ))
        });
        Value::Object(found.collect())
    }
}

/// `data` is a source's own and not pruned; where there is none it must not be there as null.
fn without_null_data(value: Option<Value>) -> Value {
    let mut value = value.unwrap_or_default();
    if let Some(fields) = value.as_object_mut()
        && fields.get("data").is_some_and(Value::is_null)
    {
        fields.remove("data");
    }
    value
}

//! Amazon Macie: what is in buckets, and who may see it.

use quell_model::{Actor, Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Detection, Facts};
use super::look::{is_true, moment, name, need, need_moment, text, wrong};

pub(super) fn read(value: &Value) -> Result<Draft, FindingError> {
    let (account, kind) = (need(value, "/accountId")?, need(value, "/type")?);
    let whose = Whose {
        product: Product::Macie,
        uid: need(value, "/id")?,
        account,
        region: need(value, "/region")?,
        updated_at: need_moment(value, "/updatedAt")?,
    };
    let mut draft = Draft::new(&whose, kind, severity(value)?)?;
    if let Some(title) = text(value, "/title") {
        draft.title = name(title);
    }
    draft.explanation = text(value, "/description").unwrap_or_default().to_owned();
    draft.first = moment(value, "/createdAt")?;
    draft.count = value.pointer("/count").and_then(Value::as_u64).unwrap_or(1);
    draft.sample = is_true(value, "/sample") || draft.title.starts_with("[SAMPLE]");
    if is_true(value, "/archived") {
        draft.set_state(ReportState::Archived);
    }
    draft.outsider = (!kind.starts_with("Policy:"))
        .then_some("what is in a bucket may have been uploaded from outside");
    let bucket = text(value, "/resourcesAffected/s3Bucket/arn");
    draft.resource = bucket.and_then(|arn| about::arn(arn, account, None));
    draft.actor = actor(value);
    // A session is a role's: the role can be looked up.
    let who = draft
        .actor
        .issuer_arn
        .as_deref()
        .or(draft.actor.arn.as_deref());
    draft.principal = who.and_then(|arn| about::arn(arn, account, None));
    draft.facts = Facts::Detection(Box::new(Detection {
        kind: name(kind),
        operation: text(value, "/policyDetails/action/apiCallDetails/api").map(name),
        service: text(value, "/policyDetails/action/apiCallDetails/apiServiceName").map(name),
        remote_ip: text(value, "/policyDetails/actor/ipAddressDetails/ipAddressV4")
            .filter(|address| address.parse::<std::net::IpAddr>().is_ok())
            .map(str::to_owned),
        ..Detection::default()
    }));
    Ok(draft)
}

fn severity(value: &Value) -> Result<Severity, FindingError> {
    match need(value, "/severity/description")? {
        "Low" => Ok(Severity::Low),
        "Medium" => Ok(Severity::Medium),
        "High" => Ok(Severity::High),
        other => Err(wrong("/severity/description", other, "Low, Medium or High")),
    }
}

fn actor(value: &Value) -> Actor {
    let Some(identity) = value.pointer("/policyDetails/actor/userIdentity") else {
        return Actor::default();
    };
    let kinds = [
        "iamUser",
        "assumedRole",
        "federatedUser",
        "root",
        "awsAccount",
    ];
    let nothing = Value::Null;
    let who = kinds
        .iter()
        .find_map(|kind| identity.get(kind).filter(|who| who.is_object()))
        .unwrap_or(&nothing);
    let field = |pointer| text(who, pointer).map(name);
    Actor {
        kind: text(identity, "/type").map(name).unwrap_or_default(),
        arn: field("/arn"),
        principal_id: field("/principalId"),
        access_key_id: field("/accessKeyId"),
        issuer_arn: field("/sessionContext/sessionIssuer/arn"),
        account: field("/accountId"),
        name: field("/userName"),
        invoked_by: text(identity, "/awsService/invokedBy").map(name),
    }
}

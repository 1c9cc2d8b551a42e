//! Amazon GuardDuty: the finding as its API, its events and its export to S3 have it.

use quell_model::{Actor, Product, ReportState, Resource, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Detection, Facts, Signal};
use super::look::{is_true, items, moment, name, need, need_moment, text, wrong};
use super::types::GuardDutyTypes;

/// Where the other end of an action stands.
const REMOTE_ADDRESS: [&str; 2] = [
    "/remoteIpDetails/ipAddressV4",
    "/remoteIpDetails/ipAddressV6",
];
/// A sequence has a hundred signals at most.
const SIGNALS_MAX: usize = 100;
/// So many are told of in words.
const SIGNALS_TOLD_MAX: usize = 10;

pub(super) fn read(value: &Value, types: &GuardDutyTypes) -> Result<Draft, FindingError> {
    let kind = need(value, "/type")?;
    let whose = Whose {
        product: Product::GuardDuty,
        uid: need(value, "/id")?,
        account: need(value, "/accountId")?,
        region: need(value, "/region")?,
        updated_at: need_moment(value, "/updatedAt")?,
    };
    let mut draft = Draft::new(&whose, kind, severity(value)?)?;
    if let Some(title) = text(value, "/title") {
        draft.title = name(title);
    }
    draft.explanation = text(value, "/description").unwrap_or_default().to_owned();
    draft.first = moment(value, "/service/eventFirstSeen")?.or(moment(value, "/createdAt")?);
    draft.last = moment(value, "/service/eventLastSeen")?;
    draft.count = value
        .pointer("/service/count")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    draft.sample = is_sample(value);
    if is_true(value, "/service/archived") {
        draft.set_state(ReportState::Archived);
    }
    let known = types.get(kind);
    let role = text(value, "/service/resourceRole");
    draft.set_part(role);
    let is_actor = role == Some("ACTOR");
    draft.outsider = match known {
        Some(known) => known.outsider.reason(is_actor),
        None => Some("this type is not known"),
    };
    draft.attack = known.map(|known| known.attack.clone()).unwrap_or_default();
    draft.actor = from_outside(value, is_actor).unwrap_or_else(|| actor(value));
    draft.principal = principal(value, &draft).or_else(|| user_of_sequence(value, draft.account()));
    draft.resource = resource(value, &draft).or_else(|| draft.principal.clone());
    let mut detection = detection(value, kind);
    detection.tactic = known.map(|known| known.tactic.clone());
    sequence(value, &mut draft, &mut detection);
    draft.facts = Facts::Detection(Box::new(detection));
    Ok(draft)
}

/// GuardDuty's bands; what is below the first is informational.
fn severity(value: &Value) -> Result<Severity, FindingError> {
    let found = value
        .pointer("/severity")
        .ok_or(FindingError::Missing { field: "/severity" })?;
    match found.as_f64() {
        Some(number) if (0.0..1.0).contains(&number) => Ok(Severity::Informational),
        Some(number) if (1.0..4.0).contains(&number) => Ok(Severity::Low),
        Some(number) if (4.0..7.0).contains(&number) => Ok(Severity::Medium),
        Some(number) if (7.0..9.0).contains(&number) => Ok(Severity::High),
        Some(number) if (9.0..=10.0).contains(&number) => Ok(Severity::Critical),
        _ => Err(wrong(
            "/severity",
            &found.to_string(),
            "a number from 0 to 10",
        )),
    }
}

/// GuardDuty says in three places that a finding is a sample.
fn is_sample(value: &Value) -> bool {
    let inside = || {
        let text = text(value, "/service/additionalInfo/value")?;
        let info: Value = serde_json::from_str(text).ok()?;
        Some(is_true(&info, "/sample"))
    };
    is_true(value, "/service/additionalInfo/sample")
        || inside().unwrap_or(false)
        || text(value, "/title").is_some_and(|title| title.starts_with("[SAMPLE]"))
}

/// Who came from an address, and is known by nothing else: the other end of a connection that came in, or whoever logs in to a
/// database. When the resource was the actor, the other end is its victim.
fn from_outside(value: &Value, is_actor: bool) -> Option<Actor> {
    let action = value.pointer("/service/action").filter(|_| !is_actor)?;
    let inbound = text(action, "/networkConnectionAction/connectionDirection") == Some("INBOUND");
    let connection = action.get("networkConnectionAction").filter(|_| inbound);
    let remote = connection.or_else(|| action.get("rdsLoginAttemptAction"))?;
    let address = REMOTE_ADDRESS.iter().find_map(|at| text(remote, at))?;
    address.parse().ok().map(Actor::of_address)
}

fn actor(value: &Value) -> Actor {
    let field = |pointer| text(value, pointer).map(name);
    let principal_id = field("/resource/accessKeyDetails/principalId");
    let kind = field("/resource/accessKeyDetails/userType").unwrap_or_default();
    let user = field("/resource/accessKeyDetails/userName");
    // The session's name stands behind the role's id.
    let session = principal_id
        .as_deref()
        .and_then(|id| id.split_once(':'))
        .map(|(_, session)| session.to_owned());
    Actor {
        name: match kind.as_str() {
            "AssumedRole" => session.or(user),
            _ => user,
        },
        kind,
        principal_id,
        access_key_id: field("/resource/accessKeyDetails/accessKeyId"),
        ..Actor::default()
    }
}

fn principal(value: &Value, draft: &Draft) -> Option<Resource> {
    let kind = text(value, "/resource/accessKeyDetails/userType")?;
    if kind == "Root" {
        return Some(about::account(draft.account(), draft.region()));
    }
    let user = text(value, "/resource/accessKeyDetails/userName")?;
    about::identity(kind, user, draft.account(), draft.region())
}

/// Where each type of resource stands: an ARN, or the id of a type.
const PLACES: [(&str, &str); 17] = [
    ("/resource/s3BucketDetails/0/arn", ""),
    ("/resource/s3BucketDetails/0/name", "AWS::S3::Bucket"),
    ("/resource/eksClusterDetails/arn", ""),
    // A task is more than the cluster that it runs in: that is what is done something about.
    ("/resource/ecsClusterDetails/taskDetails/arn", ""),
    ("/resource/ecsClusterDetails/arn", ""),
    ("/resource/lambdaDetails/functionArn", ""),
    (
        "/resource/lambdaDetails/functionName",
        "AWS::Lambda::Function",
    ),
    ("/resource/rdsDbInstanceDetails/dbInstanceArn", ""),
    (
        "/resource/rdsDbInstanceDetails/dbInstanceIdentifier",
        "AWS::RDS::DBInstance",
    ),
    ("/resource/rdsLimitlessDbDetails/dbShardGroupArn", ""),
    ("/resource/recoveryPointDetails/recoveryPointArn", ""),
    ("/resource/ebsSnapshotDetails/snapshotArn", ""),
    ("/resource/ec2ImageDetails/imageArn", ""),
    ("/resource/bedrockGuardrailDetails/guardrailArn", ""),
    // An instance is named last: findings about a container on it, or a volume of it, name both.
    ("/resource/instanceDetails/instanceId", "AWS::EC2::Instance"),
    (
        "/resource/ebsVolumeDetails/scannedVolumeDetails/0/volumeArn",
        "",
    ),
    (
        "/resource/ebsVolumeDetails/skippedVolumeDetails/0/volumeArn",
        "",
    ),
];

fn resource(value: &Value, draft: &Draft) -> Option<Resource> {
    let (account, region) = (draft.account(), draft.region());
    // What the finding is about by its own word: an access key is somebody's, whatever else it was used on.
    let kind = text(value, "/resource/resourceType");
    let named = match kind {
        Some("AccessKey") => return principal(value, draft),
        Some("Instance") => text(value, "/resource/instanceDetails/instanceId")
            .and_then(|id| crate::resource::of_id("AWS::EC2::Instance", id, account, region)),
        _ => None,
    };
    named
        .or_else(|| {
            PLACES.iter().find_map(|(pointer, kind)| {
                let text = text(value, pointer)?;
                match *kind {
                    "" => about::arn(text, account, None),
                    kind => crate::resource::of_id(kind, text, account, region),
                }
            })
        })
        .or_else(|| of_sequence(value, account))
}

/// The resource that an attack sequence is about: the kind of its name before all others.
fn of_sequence(value: &Value, account: &str) -> Option<Resource> {
    let resources = items(value, "/service/detection/sequence/resources");
    let count = |kind: &str| {
        let of_kind = |resource: &&Value| text(resource, "/resourceType") == Some(kind);
        resources.iter().filter(of_kind).count()
    };
    let wanted: &[&str] = match text(value, "/type")?.split(['/', ':']).nth(1)? {
        "S3" => &["S3_BUCKET"],
        "EKS" => &["EKS_CLUSTER"],
        // One task that is named alone is what something is done about; of several the cluster is told.
        "ECS" if count("ECS_TASK") == 1 => &["ECS_TASK"],
        "ECS" => &["ECS_CLUSTER"],
        "EC2" => &["AUTOSCALING_AUTO_SCALING_GROUP", "EC2_INSTANCE"],
        // Who it was is in the actors.
        "IAM" => return user_of_sequence(value, account),
        _ => &[],
    };
    let of = |kind: Option<&str>| {
        let mut fitting = resources
            .iter()
            .filter(|resource| kind.is_none() || text(resource, "/resourceType") == kind);
        fitting.find_map(|resource| about::arn(text(resource, "/uid")?, account, None))
    };
    wanted
        .iter()
        .find_map(|kind| of(Some(kind)))
        .or_else(|| of(None))
}

fn user_of_sequence(value: &Value, account: &str) -> Option<Resource> {
    items(value, "/service/detection/sequence/actors")
        .iter()
        .find_map(|actor| {
            let (kind, user) = (text(actor, "/user/type")?, text(actor, "/user/name")?);
            let own = text(actor, "/user/account/uid").is_none_or(|uid| uid == account);
            let region = text(value, "/region")?;
            about::identity(kind, user, account, region).filter(|_| own)
        })
}

fn detection(value: &Value, kind: &str) -> Detection {
    let actions = [
        "awsApiCallAction",
        "networkConnectionAction",
        "dnsRequestAction",
        "portProbeAction",
        "kubernetesApiCallAction",
        "rdsLoginAttemptAction",
    ];
    let nothing = Value::Null;
    let action = actions
        .iter()
        .find_map(|action| {
            value
                .pointer("/service/action")?
                .get(action)
                .filter(|action| action.is_object())
        })
        .unwrap_or(&nothing);
    // A probe has its parts one level deeper.
    let part = action.pointer("/portProbeDetails/0").unwrap_or(action);
    let address = REMOTE_ADDRESS
        .iter()
        .find_map(|pointer| text(part, pointer));
    let port = |pointer| {
        part.pointer(pointer)
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok())
    };
    Detection {
        kind: name(kind),
        remote_ip: address
            .filter(|address| address.parse::<std::net::IpAddr>().is_ok())
            .map(str::to_owned),
        remote_port: port("/remotePortDetails/port"),
        local_port: port("/localPortDetails/port"),
        inbound: match text(action, "/connectionDirection") {
            Some("INBOUND") => Some(true),
            Some("OUTBOUND") => Some(false),
            _ => None,
        },
        protocol: text(action, "/protocol").map(name),
        domain: text(action, "/domain").map(name),
        service: text(action, "/serviceName").map(name),
        operation: text(action, "/api")
            .or_else(|| text(action, "/verb"))
            .map(name),
        ..Detection::default()
    }
}

/// What an attack sequence is made of, in fields and in words.
fn sequence(value: &Value, draft: &mut Draft, detection: &mut Detection) {
    let Some(sequence) = value
        .pointer("/service/detection/sequence")
        .filter(|s| s.is_object())
    else {
        return;
    };
    for signal in items(sequence, "/signals").iter().take(SIGNALS_MAX) {
        let (Some(uid), Some(kind)) = (text(signal, "/uid"), text(signal, "/type")) else {
            continue;
        };
        let signal_name = name(text(signal, "/name").unwrap_or(kind));
        detection.signals.push(Signal {
            uid: name(uid),
            kind: name(kind),
            name: signal_name,
        });
    }
    for indicator in items(sequence, "/sequenceIndicators")
        .iter()
        .take(SIGNALS_MAX)
    {
        if text(indicator, "/key") == Some("ATTACK_TECHNIQUE") {
            for technique in items(indicator, "/values") {
                draft.add_attack(technique);
            }
        }
    }
    if !detection.signals.is_empty() {
        let told = detection.signals.iter().take(SIGNALS_TOLD_MAX);
        let told: Vec<String> = told
            .map(|signal| format!("{} ({})", signal.name, signal.kind))
            .collect();
        let count = detection.signals.len();
        draft.explanation = format!(
            "{count} signals: {}. {}",
            told.join(", "),
            draft.explanation
        );
    }
    let keys: Vec<&str> = items(sequence, "/sequenceIndicators")
        .iter()
        .filter_map(|i| text(i, "/key"))
        .take(SIGNALS_MAX)
        .collect();
    if !keys.is_empty() {
        draft.explanation = format!(
            "Indicators: {}. {}",
            name(&keys.join(", ")),
            draft.explanation
        );
    }
}

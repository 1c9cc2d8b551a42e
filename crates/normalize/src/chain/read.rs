//! What a record says of sessions: who made the call, and which session it made.

use std::borrow::Cow;

use quell_model::{Arn, Event, InitiatorKind, Record, Resource, Timestamp};
use serde::Deserialize;

use super::{Caller, Link, Session, Somebody};
use crate::is_from_aws;

/// A session is not longer than this: 36 hours are STS's most, for a session token. Where a record does not say.
const SESSION_MILLIS_MAX: i64 = 36 * 60 * 60 * 1000;
/// IAM's names and keys are shorter; others' subjects are cut.
const TEXT_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow, default)]
    user_identity: Identity<'a>,
    #[serde(borrow)]
    request_parameters: Option<Request<'a>>,
    #[serde(borrow)]
    response_elements: Option<Response<'a>>,
    #[serde(borrow, rename = "sharedEventID")]
    shared: Option<Cow<'a, str>>,
    #[serde(borrow)]
    additional_event_data: Option<Additional<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    identity_provider: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_context: Option<Context<'a>>,
    #[serde(borrow)]
    in_scope_of: Option<Scope<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    attributes: Option<Attributes<'a>>,
    #[serde(borrow)]
    ec2_role_delivery: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'a> {
    #[serde(borrow)]
    creation_date: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scope<'a> {
    #[serde(borrow)]
    credentials_issued_to: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    role_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role_session_name: Option<Cow<'a, str>>,
    duration_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(borrow)]
    credentials: Option<Credentials<'a>>,
    #[serde(borrow)]
    assumed_role_user: Option<AssumedRoleUser<'a>>,
    #[serde(borrow, rename = "SwitchRole")]
    switch_role: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    #[serde(borrow)]
    access_key_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AssumedRoleUser<'a> {
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Additional<'a> {
    #[serde(borrow)]
    switch_from: Option<Cow<'a, str>>,
}

/// Who made a call. `None` when the record does not say enough.
pub fn caller(event: &Event, record: &Record) -> Option<Caller> {
    if !is_from_aws(record.envelope.as_ref()) {
        return None;
    }
    let body: Body<'_> = serde_json::from_str(record.body.get()).ok()?;
    caller_of(event, &body)
}

fn caller_of(event: &Event, body: &Body<'_>) -> Option<Caller> {
    let (actor, identity) = (&event.actor, &body.user_identity);
    let account = actor.account.as_deref().filter(|a| is_account(a));
    let somebody = |kind, id: String, label: String, account: Option<&str>| {
        let account = account.map(str::to_owned);
        Some(Caller::Somebody(Somebody {
            kind,
            id,
            label,
            account,
        }))
    };
    match actor.kind.as_str() {
        "IAMUser" => user(actor.arn.as_deref()?),
        // The user behind a federation token; root may make one too.
        "FederatedUser" => user(actor.issuer_arn.as_deref()?),
        "Root" => {
            let account = account?;
            let id = format!(
                "arn:{}:iam::{account}:root",
                crate::resource::partition(&event.region)
            );
            somebody(
                InitiatorKind::Root,
                id,
                format!("root of {account}"),
                Some(account),
            )
        }
        "SAMLUser" | "WebIdentityUser" => {
            let kind = match actor.kind.as_str() {
                "SAMLUser" => InitiatorKind::SamlUser,
                _ => InitiatorKind::WebIdentity,
            };
            let subject = cut(identity.user_name.as_deref().or(actor.name.as_deref())?);
            let provider = cut(identity.identity_provider.as_deref().unwrap_or("unknown"));
            // The provider's own name, without where the account keeps it: one person, whatever account.
            let provider = provider
                .rsplit("provider/")
                .next()
                .unwrap_or_default()
                .to_owned();
            somebody(
                kind,
                format!("{provider}/{subject}"),
                format!("{subject} of {provider}"),
                None,
            )
        }
        "AWSService" => {
            let service = cut(actor.invoked_by.as_deref()?);
            somebody(InitiatorKind::Service, service.clone(), service, None)
        }
        "AWSAccount" => Some(Caller::Foreign {
            account: account?.to_owned(),
            principal_id: actor.principal_id.clone(),
        }),
        "AssumedRole" => session_of(event, identity),
        _ => None,
    }
}

fn user(arn: &str) -> Option<Caller> {
    let parsed: Arn = arn.parse().ok()?;
    let (kind, label) = match parsed.resource.strip_prefix("user/") {
        Some(path) => (
            InitiatorKind::User,
            format!("user {} of {}", path.rsplit('/').next()?, parsed.account),
        ),
        None if parsed.resource == "root" => {
            (InitiatorKind::Root, format!("root of {}", parsed.account))
        }
        None => return None,
    };
    let good = parsed.service == "iam" && is_account(&parsed.account);
    let account = Some(parsed.account.clone());
    good.then(|| {
        Caller::Somebody(Somebody {
            kind,
            id: parsed.to_string(),
            label,
            account,
        })
    })
}

/// A session: of a person in IAM Identity Center, of an instance, of what AWS says it was given to, else of whoever assumed the role.
fn session_of(event: &Event, identity: &Identity<'_>) -> Option<Caller> {
    let arn = event.actor.arn.as_deref()?;
    let (account, role, name) = assumed(arn)?;
    let somebody = |kind, id: &str, label: String, account: Option<String>| {
        Some(Caller::Somebody(Somebody {
            kind,
            id: id.to_owned(),
            label,
            account,
        }))
    };
    // IAM lets nobody else make a role of such a name, and Identity Center lets nobody choose another's name.
    if role.starts_with("AWSReservedSSO_") {
        let (kind, label) = (
            InitiatorKind::IdentityCenterUser,
            format!("{name} of IAM Identity Center"),
        );
        return somebody(kind, &format!("identity-center/{name}"), label, None);
    }
    let context = identity.session_context.as_ref();
    // Both of these are AWS's word; the session's name alone is its maker's.
    if context.is_some_and(|c| c.ec2_role_delivery.is_some()) && is_instance(&name) {
        return somebody(
            InitiatorKind::Instance,
            &name,
            format!("instance {name} of {account}"),
            Some(account),
        );
    }
    let issued_to = identity
        .in_scope_of
        .as_ref()
        .and_then(|s| s.credentials_issued_to.as_deref());
    if let Some(to) = issued_to.and_then(|to| to.parse::<Arn>().ok()) {
        return somebody(
            InitiatorKind::Service,
            &to.to_string(),
            to.resource.clone(),
            Some(account),
        );
    }
    let created = context?.attributes.as_ref()?.creation_date.as_deref()?;
    let created: Timestamp = created.parse().ok()?;
    let access_key = event
        .actor
        .access_key_id
        .clone()
        .filter(|key| !key.is_empty());
    Some(Caller::Session(Session {
        arn: arn.to_owned(),
        created: created.seconds(),
        access_key,
    }))
}

/// The session that a call made, and by whom. `None` for every other call, and for a record that does not hold against itself.
pub fn made(event: &Event, record: &Record) -> Option<Link> {
    let assumes = event.source == "sts.amazonaws.com" && event.name.starts_with("AssumeRole");
    let switches = event.source == "signin.amazonaws.com" && event.name == "SwitchRole";
    if !(assumes || switches)
        || event.error_code.is_some()
        || !is_from_aws(record.envelope.as_ref())
    {
        return None;
    }
    let body: Body<'_> = serde_json::from_str(record.body.get()).ok()?;
    match switches {
        true => switched(event, record, &body),
        false => assumed_role(event, record, &body),
    }
}

fn assumed_role(event: &Event, record: &Record, body: &Body<'_>) -> Option<Link> {
    let request = body.request_parameters.as_ref()?;
    let role: Arn = request.role_arn.as_deref()?.parse().ok()?;
    let path = role.resource.strip_prefix("role/")?;
    let (name, session_name) = (
        path.rsplit('/').next()?,
        request.role_session_name.as_deref()?,
    );
    if role.service != "iam"
        || !is_account(&role.account)
        || !is_name(name)
        || !is_name(session_name)
    {
        return None;
    }
    let arn = format!(
        "arn:{}:sts::{}:assumed-role/{name}/{session_name}",
        role.partition, role.account
    );
    let response = body.response_elements.as_ref();
    let said = response
        .and_then(|r| r.assumed_role_user.as_ref())
        .and_then(|u| u.arn.as_deref());
    if said.is_some_and(|said| said != arn) {
        return None;
    }
    let mut parent = caller_of(event, body)?;
    // A record is delivered to the role's account and to the caller's; another account's word is not taken.
    let parent_account = event.actor.account.clone();
    let here = event.account == role.account || Some(&event.account) == parent_account.as_ref();
    let is_foreign = matches!(parent, Caller::Foreign { .. });
    if !here
        || is_foreign
            && (event.account != role.account || parent_account.as_ref() == Some(&role.account))
    {
        return None;
    }
    if let Caller::Somebody(service) = &mut parent
        && service.kind == InitiatorKind::Service
    {
        *service = given_to(service, &role, session_name);
    }
    let key = response
        .and_then(|r| r.credentials.as_ref())
        .and_then(|c| c.access_key_id.as_deref());
    let lasts = request
        .duration_seconds
        .map(|s| s.saturating_mul(1000))
        .filter(|ms| (0..=SESSION_MILLIS_MAX).contains(ms));
    Some(Link {
        session: Session {
            arn,
            created: event.time.seconds(),
            access_key: key.map(cut),
        },
        parent_id: event.actor.principal_id.clone(),
        parent_account,
        parent,
        shared: body.shared.as_deref().map(cut),
        call: event.name.clone(),
        time: event.time,
        expires: event.time.plus_millis(lasts.unwrap_or(SESSION_MILLIS_MAX)),
        record: record.id.clone(),
    })
}

/// What a service was given a role for.
fn given_to(service: &Somebody, role: &Arn, session_name: &str) -> Somebody {
    let account = Some(role.account.clone());
    // EC2 names a session after the instance.
    if service.id == "ec2.amazonaws.com" && is_instance(session_name) {
        let label = format!("instance {session_name} of {}", role.account);
        return Somebody {
            kind: InitiatorKind::Instance,
            id: session_name.to_owned(),
            label,
            account,
        };
    }
    let name = role.resource.rsplit('/').next().unwrap_or_default();
    Somebody {
        kind: InitiatorKind::Service,
        id: role.to_string(),
        label: format!("{} with role {name} of {}", service.label, role.account),
        account,
    }
}

/// The console's change of role, as the role's account records it.
fn switched(event: &Event, record: &Record, body: &Body<'_>) -> Option<Link> {
    let success = body.response_elements.as_ref()?.switch_role.as_deref() == Some("Success");
    let from = body
        .additional_event_data
        .as_ref()?
        .switch_from
        .as_deref()?;
    let Caller::Session(session) = session_of(event, &body.user_identity)? else {
        return None;
    };
    let (account, ..) = assumed(&session.arn)?;
    let parent = user(from)?;
    let parent_account = from.parse::<Arn>().ok().map(|arn| arn.account);
    (success && event.account == account).then(|| Link {
        session,
        parent,
        parent_id: None,
        parent_account,
        shared: None,
        call: event.name.clone(),
        time: event.time,
        expires: event.time.plus_millis(SESSION_MILLIS_MAX),
        record: record.id.clone(),
    })
}

/// The role that a call assumed, and where from: the caller's account, or the identity provider that vouched for it.
pub fn assumption(event: &Event, record: &Record) -> Option<(Resource, String)> {
    if event.source != "sts.amazonaws.com" || event.account.is_empty() {
        return None;
    }
    let link = made(event, record)?;
    let body: Body<'_> = serde_json::from_str(record.body.get()).ok()?;
    let arn: Arn = body.request_parameters?.role_arn?.parse().ok()?;
    // The role's own account looks after it.
    if arn.account != event.account {
        return None;
    }
    let from = match link.parent {
        Caller::Somebody(Somebody {
            kind: InitiatorKind::Service | InitiatorKind::Instance,
            ..
        }) => return None,
        Caller::Somebody(Somebody {
            kind: InitiatorKind::SamlUser | InitiatorKind::WebIdentity,
            id,
            ..
        }) => {
            let provider = id
                .split_once('/')
                .map_or(id.as_str(), |(provider, _)| provider);
            provider.to_owned()
        }
        _ => link.parent_account?,
    };
    let id = arn.resource.rsplit('/').next()?.to_owned();
    Some((Resource::new(arn, "AWS::IAM::Role", id), from))
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/NAME` → account, role, name.
fn assumed(arn: &str) -> Option<(String, String, String)> {
    let arn: Arn = arn.parse().ok()?;
    let (role, name) = arn
        .resource
        .strip_prefix("assumed-role/")?
        .split_once('/')?;
    let good = arn.service == "sts" && is_account(&arn.account);
    good.then(|| (arn.account.clone(), role.to_owned(), name.to_owned()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// As IAM has it for names of roles and sessions.
fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(good)
}

fn is_instance(name: &str) -> bool {
    name.strip_prefix("i-")
        .is_some_and(|id| (8..=17).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn cut(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS_MAX)
        .collect()
}

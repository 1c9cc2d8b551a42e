//! Whether there are calls with the names that a rule asks for.

use std::collections::BTreeSet;

use quell_model::plain_name;
use rsigma_parser::{DetectionItem, Modifier, SigmaRule, SigmaValue};

use super::{Calls, Warning, WarningKind, exact, items, meant};
use crate::tree::EVENT_NAME;

/// Events that are no calls of an API, or that CloudTrail calls otherwise than the API does.
const EVENTS: &[(&str, &[&str])] = &[
    (
        "signin",
        &[
            "AccountAliasUpdated",
            "CheckMfa",
            "ConsoleLogin",
            "CredentialChallenge",
            "CredentialVerification",
            "EmailUpdated",
            "ExitRole",
            "ExternalIdPDirectoryLogin",
            "GetSigninToken",
            "Logout",
            "PasswordRecoveryCompleted",
            "PasswordRecoveryRequested",
            "PasswordUpdated",
            "RenewRole",
            "SwitchRole",
            "UserAuthentication",
        ],
    ),
    (
        "s3",
        &[
            "DeleteBucketEncryption",
            "DeleteBucketLifecycle",
            "DeleteBucketPublicAccessBlock",
            "DeleteAccountPublicAccessBlock",
            "GetAccountPublicAccessBlock",
            "GetBucketEncryption",
            "GetBucketLifecycle",
            "GetBucketNotification",
            "GetBucketPublicAccessBlock",
            "GetBucketReplication",
            "HeadBucket",
            "HeadObject",
            "ListObjects",
            "ListObjectVersions",
            "ListVersions",
            "PutAccountPublicAccessBlock",
            "PutBucketEncryption",
            "PutBucketLifecycle",
            "PutBucketNotification",
            "PutBucketObjectLockConfiguration",
            "PutBucketPublicAccessBlock",
            "PutBucketReplication",
            "CreateAccessPoint",
            "PutAccessPointPolicy",
            "DeleteAccessPointPolicy",
            "CreateJob",
            "UpdateJobStatus",
            "GetAccelerateConfiguration",
            "PutAccelerateConfiguration",
            "GetBucketObjectLockConfiguration",
            "JobCreated",
            "PutBucketInventoryConfiguration",
            "PutBucketIntelligentTieringConfiguration",
            "GetObjectTorrent",
            "PutObjectLockConfiguration",
        ],
    ),
    (
        "ec2",
        &[
            "BidEvictedEvent",
            "SharedSnapshotCopyInitiated",
            "SharedSnapshotVolumeCreated",
        ],
    ),
    (
        "kms",
        &["DeleteKey", "RotateKey", "SynchronizeMultiRegionKey"],
    ),
    (
        "secretsmanager",
        &[
            "CancelSecretVersionDelete",
            "EndSecretVersionDelete",
            "RotationAbandoned",
            "RotationFailed",
            "RotationStarted",
            "RotationSucceeded",
            "SecretVersionDeletion",
            "StartSecretVersionDelete",
            "TestRotationFailed",
            "TestRotationStarted",
            "TestRotationSucceeded",
        ],
    ),
    (
        "ssm",
        &[
            "CreateControlChannel",
            "ListInstanceAssociations",
            "OpenDataChannel",
            "PutComplianceItems",
            "RegisterManagedInstance",
            "RequestManagedInstanceRoleToken",
            "UpdateInstanceAssociationStatus",
            "UpdateInstanceInformation",
        ],
    ),
    (
        "sso",
        &[
            "Authenticate",
            "Federate",
            "GetRoleCredentials",
            "ListApplications",
            "ListAccountRoles",
            "ListAccounts",
            "Logout",
            "StartSSO",
            "DeleteSSO",
            "AssociateDirectory",
            "DisassociateDirectory",
            "AssociateProfile",
            "DisassociateProfile",
            "CreateProfile",
            "UpdateProfile",
            "CreateSAMLProvider",
            "UpdateSSOConfiguration",
            "PutMfaDeviceManagementForDirectory",
            "UpdateDirectory",
            "UpdateDirectoryAssociation",
            "CreateTrust",
            "ListProfileAssociations",
        ],
    ),
    (
        "organizations",
        &[
            "AccountJoinedOrganization",
            "AccountDepartedOrganization",
            "CreateAccountResult",
        ],
    ),
    ("rds", &["DownloadCompleteDBLogFile"]),
    (
        "lambda",
        &[
            "Invoke",
            "InvokeExecution",
            "UpdateFunctionEventInvokeConfig",
        ],
    ),
    ("iam", &["AcceptDelegationRequest"]),
    ("ses", &["SendEmail", "SendRawEmail"]),
    (
        "cloudtrail",
        &["ConsoleSignin", "InviteOrganizationDelegatedAdmin"],
    ),
    ("eks", &["AccessKubernetesApi"]),
    (
        "es",
        &[
            "CreateElasticsearchDomain",
            "DeleteElasticsearchDomain",
            "UpdateElasticsearchDomainConfig",
        ],
    ),
];

pub(super) fn check(rule: &SigmaRule, calls: &dyn Calls, found: &mut Vec<Warning>) {
    let items = items(rule);
    let all: Vec<&DetectionItem> = items.values().flatten().copied().collect();
    let everywhere = sources(&all);
    for (selection, items) in &items {
        for source in sources(items)
            .iter()
            .filter(|source| !source.ends_with(".amazonaws.com"))
        {
            found.push(Warning {
                kind: WarningKind::UnknownName,
                selection: (*selection).to_owned(),
                message: format!("no service is called «{source}» in eventSource"),
                help: Some(format!("did you mean «{source}.amazonaws.com»?")),
            });
        }
        let own = sources(items);
        let known = known(if own.is_empty() { &everywhere } else { &own }, calls);
        let Some(known) = known else {
            continue;
        };
        let named = items
            .iter()
            .filter(|item| item.field.name.as_deref() == Some(EVENT_NAME));
        for (item, value) in
            named.flat_map(|item| item.values.iter().map(move |value| (item, value)))
        {
            if let Some(text) = never(item, value, &known) {
                found.push(Warning {
                    kind: WarningKind::UnknownName,
                    selection: (*selection).to_owned(),
                    message: format!("no call of the service has a name like «{text}»"),
                    help: meant(&text, known.iter().map(String::as_str)),
                });
            }
        }
    }
}

/// The values of `eventSource` that items ask for.
fn sources(items: &[&DetectionItem]) -> BTreeSet<String> {
    let of_source = items
        .iter()
        .filter(|item| item.field.name.as_deref() == Some("eventSource"));
    of_source.filter_map(|item| exact(item)).flatten().collect()
}

/// All names that the services have; `None` when one of them is not known, or there is none.
fn known(sources: &BTreeSet<String>, calls: &dyn Calls) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for source in sources {
        let service = source.strip_suffix(".amazonaws.com")?;
        let events = EVENTS
            .iter()
            .find(|(name, _)| *name == service)
            .map(|(_, events)| *events);
        let found = match (calls.calls(source), service) {
            (Some(found), _) => found,
            // All of its events are in the table.
            (None, "signin") => BTreeSet::new(),
            (None, _) => return None,
        };
        out.extend(found);
        out.extend(
            events
                .unwrap_or_default()
                .iter()
                .map(|name| (*name).to_owned()),
        );
    }
    (!out.is_empty()).then_some(out)
}

/// The text of a value that no name is like.
fn never(item: &DetectionItem, value: &SigmaValue, known: &BTreeSet<String>) -> Option<String> {
    let SigmaValue::String(text) = value else {
        return None;
    };
    let text = text.as_plain()?;
    let (plain, has) = (plain_name(&text).to_lowercase(), |m| {
        item.field.has_modifier(m)
    });
    // A half of a version stands behind some names: UpdateFunctionCode20150331.
    let begun = plain
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .to_owned();
    let like = |name: &String| {
        let name = name.to_lowercase();
        match item.field.modifiers.as_slice() {
            [] => name == plain,
            _ if has(Modifier::Contains) => name.contains(&begun),
            _ if has(Modifier::StartsWith) => name.starts_with(&begun) || begun.starts_with(&name),
            _ if has(Modifier::EndsWith) => name.ends_with(&plain),
            // What else there is (a regular expression, say) is not judged.
            _ => true,
        }
    };
    (!known.iter().any(like)).then_some(text)
}

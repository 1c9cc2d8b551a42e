//! The fields that CloudTrail records have (record contents, event version 1.11).

use rsigma_parser::SigmaRule;

use super::{Warning, WarningKind, items, meant};

/// Fields at the top. What lies in those that end in a dot is the service's own.
const TOP: &[&str] = &[
    "additionalEventData.",
    "addendum.",
    "apiVersion",
    "awsRegion",
    "edgeDeviceDetails.",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext.",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "insightDetails.",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters.",
    "resources.",
    "responseElements.",
    "serviceEventDetails.",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails.",
    "userAgent",
    "userIdentity.",
    "vpcEndpointAccountId",
    "vpcEndpointId",
];

/// Fields of `userIdentity`.
const IDENTITY: &[&str] = &[
    "accessKeyId",
    "accountId",
    "arn",
    "credentialId",
    "identityProvider",
    "inScopeOf.",
    "invokedBy",
    "invokedByDelegate.",
    "onBehalfOf.",
    "principalId",
    "sessionContext.",
    "type",
    "userName",
];

/// Fields of `userIdentity.sessionContext`.
const SESSION: &[&str] = &[
    "assumedRoot",
    "attributes.",
    "ec2IssuedInVpc",
    "ec2RoleDelivery",
    "sessionIssuer.",
    "sourceIdentity",
    "webIdFederationData.",
];

pub(super) fn check(rule: &SigmaRule, found: &mut Vec<Warning>) {
    for (selection, items) in items(rule) {
        for field in items
            .into_iter()
            .filter_map(|item| item.field.name.as_deref())
        {
            if let Some(help) = unknown(field) {
                found.push(Warning {
                    kind: WarningKind::UnknownField,
                    selection: selection.to_owned(),
                    message: format!("no CloudTrail record has the field «{field}»"),
                    help,
                });
            }
        }
    }
}

/// For a field that no record has, what was perhaps meant.
fn unknown(field: &str) -> Option<Option<String>> {
    for (prefix, known) in [
        ("userIdentity.sessionContext.", SESSION),
        ("userIdentity.", IDENTITY),
        ("", TOP),
    ] {
        let Some(rest) = field.strip_prefix(prefix) else {
            continue;
        };
        let first = rest.split(['.', '[']).next().unwrap_or(rest);
        let names = known.iter().map(|name| name.trim_end_matches('.'));
        let deeper = rest.len() > first.len();
        let is =
            |name: &&str| name.trim_end_matches('.') == first && (!deeper || name.ends_with('.'));
        if known.iter().any(is) {
            return None;
        }
        let full: Vec<String> = names.map(|name| format!("{prefix}{name}")).collect();
        return Some(meant(
            &format!("{prefix}{first}"),
            full.iter().map(String::as_str),
        ));
    }
    None
}

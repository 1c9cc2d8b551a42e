//! Who is behind a call, as a resource that a person can look up.

use quell_model::{Arn, Event, Resource};

use crate::resource::partition;

/// The principal of an event: the user, the role behind a session, the user behind a federated one, or, when the
/// record knows no more (an unknown user at the console, another account, an AWS service), the account.
pub fn principal(event: &Event) -> Resource {
    let actor = &event.actor;
    let found = match actor.kind.as_str() {
        "IAMUser" => actor.arn.as_deref().and_then(user),
        "AssumedRole" => actor
            .issuer_arn
            .as_deref()
            .and_then(role)
            .or_else(|| actor.arn.as_deref().and_then(assumed)),
        "FederatedUser" => actor.issuer_arn.as_deref().and_then(user),
        "Role" => actor.arn.as_deref().and_then(role),
        _ => None,
    };
    // Root and AWSAccount are accounts; so is everything of which no more is known.
    found.unwrap_or_else(|| account(event))
}

fn user(arn: &str) -> Option<Resource> {
    identity(arn, "user/", "AWS::IAM::User")
}

fn role(arn: &str) -> Option<Resource> {
    identity(arn, "role/", "AWS::IAM::Role")
}

fn identity(text: &str, prefix: &str, kind: &str) -> Option<Resource> {
    let arn: Arn = text.parse().ok()?;
    let rest = arn.resource.strip_prefix(prefix)?;
    let id = rest
        .rsplit('/')
        .next()
        .filter(|id| !id.is_empty())?
        .to_owned();
    let iam = arn.service == "iam" && is_account(&arn.account);
    iam.then(|| Resource::new(arn, kind, id))
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` → the role, without its path: the session does not tell it.
fn assumed(text: &str) -> Option<Resource> {
    let arn: Arn = text.parse().ok()?;
    let (name, _) = arn
        .resource
        .strip_prefix("assumed-role/")?
        .split_once('/')?;
    let (partition, account) = (&arn.partition, &arn.account);
    role(&format!("arn:{partition}:iam::{account}:role/{name}"))
}

fn account(event: &Event) -> Resource {
    let known = event.actor.account.as_deref().filter(|a| is_account(a));
    let id = known.unwrap_or(&event.account).to_owned();
    let arn = Arn {
        partition: partition(&event.region).to_owned(),
        service: "iam".to_owned(),
        region: String::new(),
        account: id.clone(),
        resource: "root".to_owned(),
    };
    let kind = "AWS::::Account".to_owned();
    Resource::new(arn, kind, id)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::{Origin, Record, RecordId, Timestamp};

    fn of(identity: &str) -> (String, String, String) {
        let body = format!(
            r#"{{"eventTime":"2026-11-21T10:00:00Z","eventSource":"s","eventName":"N","awsRegion":"us-east-1",
            "recipientAccountId":"111122223333","userIdentity":{identity}}}"#
        );
        let record = Record {
            id: RecordId::of_bytes(body.as_bytes()),
            origin: Origin::File { path: "t".into() },
            received_at: Timestamp::default(),
            envelope: None,
            body: serde_json::value::RawValue::from_string(body).unwrap(),
        };
        let event = crate::event(&record).unwrap();
        let principal = principal(&event);
        (
            principal.kind,
            principal.arn.to_string(),
            event.actor.label(),
        )
    }

    #[test]
    fn everybody_is_somebody() {
        for (identity, kind, arn, label) in [
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ops/alice","userName":"alice"}"#,
                "AWS::IAM::User",
                "arn:aws:iam::111122223333:user/ops/alice",
                "user alice",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROA1:build-7","arn":"arn:aws:sts::111122223333:assumed-role/ci/build-7","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/team/ci","userName":"ci"}}}"#,
                "AWS::IAM::Role",
                "arn:aws:iam::111122223333:role/team/ci",
                "role ci (session build-7)",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROA1:s","arn":"arn:aws:sts::111122223333:assumed-role/ci/s"}"#,
                "AWS::IAM::Role",
                "arn:aws:iam::111122223333:role/ci",
                "s",
            ),
            (
                r#"{"type":"Root","accountId":"111122223333","arn":"arn:aws:iam::111122223333:root"}"#,
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "root",
            ),
            (
                r#"{"type":"FederatedUser","principalId":"111122223333:bob","arn":"arn:aws:sts::111122223333:federated-user/bob","sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice"}}}"#,
                "AWS::IAM::User",
                "arn:aws:iam::111122223333:user/alice",
                "federated user bob (of alice)",
            ),
            (
                r#"{"type":"SAMLUser","principalId":"x:carol@example.com","userName":"carol@example.com","identityProvider":"p"}"#,
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "carol@example.com",
            ),
            (
                r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#,
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "ec2.amazonaws.com",
            ),
            (
                r#"{"type":"AWSAccount","accountId":"999988887777","principalId":"AIDA"}"#,
                "AWS::::Account",
                "arn:aws:iam::999988887777:root",
                "account 999988887777",
            ),
            (
                r#"{"type":"IAMUser","accountId":"111122223333","accessKeyId":"","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "user HIDDEN_DUE_TO_SECURITY_REASONS",
            ),
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::nobody:user/x"}"#,
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "arn:aws:iam::nobody:user/x",
            ),
            (
                "{}",
                "AWS::::Account",
                "arn:aws:iam::111122223333:root",
                "unknown",
            ),
        ] {
            let (k, a, l) = of(identity);
            assert_eq!(
                (k.as_str(), a.as_str(), l.as_str()),
                (kind, arn, label),
                "{identity}"
            );
        }
    }
}

//! Roles: assumed when wanted, once for all, again before they expire, one through another.

use std::sync::atomic::{AtomicI64, Ordering};

use quell_model::Timestamp;

use super::*;
use crate::{RoleToAssume, Scope};

/// A role's credentials, as STS gives them.
fn assumed(account: &str, expires: &str) -> Act {
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>\
         <SecretAccessKey>hush</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials><AssumedRoleUser>\
         <AssumedRoleId>x:s</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn>\
         </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    );
    Act::Answer(200, "text/xml", body)
}

fn scope() -> Scope {
    let mut role = RoleToAssume::new("arn:aws:iam::222222222222:role/r", "quell");
    role.external_id = Some("ex".to_owned());
    role.tags.insert("run".to_owned(), "run-1".to_owned());
    Scope {
        account: "222222222222".to_owned(),
        region: "us-east-1".to_owned(),
        role: Some(role),
    }
}

#[tokio::test]
async fn a_role_is_assumed_once_and_again_before_it_expires() {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let first = assumed("222222222222", "2026-11-21T11:00:00Z");
    let second = assumed("222222222222", "2026-11-21T12:00:00Z");
    let server = Server::start(vec![first, fine(), fine(), second, fine()]);
    let time = Arc::new(AtomicI64::new(start.millis()));
    let mut config = config(&server.url);
    let clock = Arc::clone(&time);
    config.clock = Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst)));
    let client = Client::new(config).unwrap();

    let session = client.read_session(&scope()).await.unwrap();
    for _ in 0..2 {
        session
            .call("ec2", "DescribeRegions", &json!({}))
            .await
            .unwrap();
    }
    assert_eq!(server.count("Action=AssumeRole&"), 1);
    assert_eq!(server.count("ExternalId=ex"), 1);
    assert_eq!(server.count("Tags.member.1.Key=run"), 1);
    assert_eq!(
        server.count("Credential=AKIAROLE/20261121/us-east-1/ec2/aws4_request"),
        2
    );

    time.fetch_add(56 * 60 * 1000, Ordering::SeqCst);
    session
        .call("ec2", "DescribeRegions", &json!({}))
        .await
        .unwrap();
    assert_eq!(server.count("Action=AssumeRole&"), 2);
    assert!(!format!("{session:?} {client:?}").contains("hush"));
}

#[tokio::test]
async fn a_role_that_turns_out_to_be_elsewhere_is_refused() {
    let server = Server::start(vec![assumed("333333333333", "2026-11-21T11:00:00Z")]);
    let client = Client::new(config(&server.url)).unwrap();
    let error = client.change_session(&scope()).await.unwrap_err();
    assert!(matches!(error, AwsError::WrongAccount { .. }), "{error}");
}

fn client_of(server: &Server) -> Client {
    Client::new(config(&server.url)).unwrap()
}

#[tokio::test]
async fn a_role_is_reached_through_another_and_all_of_it_is_asked_for() {
    let hop = assumed("111111111111", "2026-11-21T11:00:00Z");
    let last = assumed("222222222222", "2026-11-21T11:00:00Z");
    let server = Server::start(vec![hop, last, fine()]);
    let mut scope = scope();
    let role = scope.role.as_mut().unwrap();
    role.via = Some(Box::new(RoleToAssume::new(
        "arn:aws:iam::111111111111:role/hop",
        "hop",
    )));
    role.session_policy = Some(r#"{"Version":"2012-10-17"}"#.to_owned());
    role.policy_arns = vec!["arn:aws:iam::222222222222:policy/p".to_owned()];
    role.source_identity = Some("run-1".to_owned());
    role.transitive_tags.insert("run".to_owned());
    let session = client_of(&server).read_session(&scope).await.unwrap();
    session
        .call("ec2", "DescribeRegions", &json!({}))
        .await
        .unwrap();
    let seen = server.seen.lock().unwrap().clone();
    assert!(seen[0].contains("RoleSessionName=hop"), "{}", seen[0]);
    assert!(seen[0].contains("Credential=AKIAIOSFODNN7EXAMPLE/"));
    assert!(seen[1].contains("Credential=AKIAROLE/"), "{}", seen[1]);
    for part in [
        "PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3A222222222222%3Apolicy%2Fp",
        "Policy=%7B%22Version%22",
        "SourceIdentity=run-1",
        "TransitiveTagKeys.member.1=run",
    ] {
        assert!(seen[1].contains(part), "{part} is not in {}", seen[1]);
    }
}

#[tokio::test]
async fn many_callers_assume_a_role_once_and_another_run_has_its_own() {
    let role = assumed("222222222222", "2026-11-21T11:00:00Z");
    let server = Server::start(vec![role]);
    let client = client_of(&server);
    let scope = scope();
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, scope) = (client.clone(), scope.clone());
        sessions.spawn(async move { client.read_session(&scope).await });
    }
    for session in sessions.join_all().await {
        session.unwrap();
    }
    assert_eq!(server.requests(), 1);
    let mut narrower = scope.clone();
    narrower.role.as_mut().unwrap().session_policy = Some("{}".to_owned());
    client.read_session(&narrower).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_named_with_what_to_do() {
    let body = "<ErrorResponse><Error><Code>PackedPolicyTooLarge</Code><Message>Packed policy \
                consumes 123% of allotted space</Message></Error></ErrorResponse>";
    let server = Server::start(vec![Act::Answer(400, "text/xml", body.to_owned())]);
    let error = client_of(&server).change_session(&scope()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some("PackedPolicyTooLarge"));
    let text = error.to_string();
    for part in ["role/r", "123%", "shorten the session policy"] {
        assert!(text.contains(part), "{text}");
    }
    let mut long = scope();
    long.role.as_mut().unwrap().session_policy = Some("x".repeat(3000));
    assert!(client_of(&server).read_session(&long).await.is_err());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_roles_expired_credentials_are_assumed_anew() {
    let role = || assumed("222222222222", "2026-11-21T11:00:00Z");
    let script = vec![role(), said("ExpiredToken", 400), role(), fine()];
    let server = Server::start(script);
    let session = client_of(&server).read_session(&scope()).await.unwrap();
    session
        .call("ec2", "DescribeRegions", &json!({}))
        .await
        .unwrap();
    assert_eq!(server.count("Action=AssumeRole&"), 2);
}

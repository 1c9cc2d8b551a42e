//! The skeleton of PB-008 (world-open security group rules), driven with
//! scripted answers.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::Driver;
use quell_states::{Definition, Pattern, Resource, Status};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("fixtures/pb-008-core.asl.json");

fn start() -> Driver {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    Driver::start(
        &document,
        json!({
            "groupId": "sg-1",
            "readerRoleArn": "arn:aws:iam::222222222222:role/QuellReader",
            "actRoleArn": "arn:aws:iam::222222222222:role/QuellAct-Network",
            "criticalPorts": [22, 3389],
            "approvalQueueUrl": "https://sqs.us-east-1.amazonaws.com/1/approvals",
        }),
    )
}

fn rules() -> Vec<Value> {
    let rule =
        |id: &str, egress: bool, protocol: &str, from: i64, to: i64, v4: Value, v6: Value| {
            json!({
                "SecurityGroupRuleId": id, "IsEgress": egress, "IpProtocol": protocol,
                "FromPort": from, "ToPort": to, "CidrIpv4": v4, "CidrIpv6": v6,
            })
        };
    vec![
        rule(
            "sgr-1",
            false,
            "tcp",
            22,
            22,
            json!("0.0.0.0/0"),
            Value::Null,
        ),
        rule(
            "sgr-2",
            false,
            "tcp",
            443,
            443,
            json!("0.0.0.0/0"),
            Value::Null,
        ),
        rule(
            "sgr-3",
            false,
            "tcp",
            22,
            22,
            json!("10.0.0.0/8"),
            Value::Null,
        ),
        rule("sgr-4", false, "-1", -1, -1, Value::Null, json!("::/0")),
        rule("sgr-5", true, "-1", -1, -1, json!("0.0.0.0/0"), Value::Null),
        rule(
            "sgr-6",
            false,
            "6",
            3000,
            4000,
            json!("128.0.0.0/1"),
            Value::Null,
        ),
    ]
}

fn without(rules: Vec<Value>, ids: &[&str]) -> Value {
    let kept: Vec<Value> = rules
        .into_iter()
        .filter(|rule| !ids.contains(&rule["SecurityGroupRuleId"].as_str().unwrap()))
        .collect();
    json!({ "SecurityGroupRules": kept })
}

fn all() -> Value {
    json!({ "SecurityGroupRules": rules() })
}

/// Runs up to the question to a person.
fn asked() -> Driver {
    let mut driver = start();
    let read = driver.succeed(all());
    assert_eq!(
        read.credentials_role.as_deref(),
        Some("arn:aws:iam::222222222222:role/QuellReader")
    );
    assert_eq!(
        read.arguments,
        json!({ "Filters": [{ "Name": "group-id", "Values": ["sg-1"] }], "MaxResults": 1000 })
    );
    driver
}

#[test]
fn the_tasks_of_the_document_are_known() {
    let definition = Definition::parse(DOCUMENT).unwrap();
    assert_eq!(definition.text(), DOCUMENT);
    assert!(definition.warnings().is_empty());
    let tasks: Vec<(String, String)> = definition
        .tasks()
        .map(|task| (task.name.to_owned(), task.resource.to_string()))
        .collect();
    assert_eq!(tasks.len(), 4);
    assert!(tasks.contains(&(
        "Revoke".to_owned(),
        "arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress".to_owned()
    )));
}

#[test]
fn approved_and_verified() {
    let mut driver = asked();
    let question = driver.succeed(json!({ "approved": true }));
    assert_eq!(
        question.resource,
        Resource::Optimized {
            service: "sqs".to_owned(),
            action: "sendMessage".to_owned(),
            pattern: Pattern::WaitForTaskToken,
        }
    );
    let token = question.token.clone().unwrap();
    assert_eq!(question.arguments["MessageBody"]["taskToken"], json!(token));
    assert_eq!(
        question.arguments["MessageBody"]["plan"],
        json!({ "groupId": "sg-1", "revoke": ["sgr-1", "sgr-4", "sgr-6"] })
    );
    assert_eq!(question.timeout, Some(14_400_000));
    let revoke = driver.succeed(json!({ "Return": true }));
    assert_eq!(
        revoke.arguments,
        json!({ "GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1", "sgr-4", "sgr-6"] })
    );
    driver.succeed(without(rules(), &["sgr-1", "sgr-4", "sgr-6"]));
    assert!(matches!(driver.status(), Status::Succeeded { .. }));
    assert!(driver.tasks.is_empty() && driver.timers.is_empty());
}

#[test]
fn a_surviving_rule_fails_the_verification() {
    let mut driver = asked();
    driver.succeed(json!({}));
    driver.fail("Ec2.Ec2Exception");
    driver.succeed(without(rules(), &["sgr-1", "sgr-4"]));
    assert_eq!(driver.error(), ("VerifyFailed", ""));
}

#[test]
fn a_vanished_legitimate_rule_fails_the_verification() {
    let mut driver = asked();
    driver.succeed(json!({}));
    driver.succeed(json!({}));
    driver.succeed(without(rules(), &["sgr-1", "sgr-4", "sgr-6", "sgr-3"]));
    assert_eq!(driver.error().0, "VerifyFailed");
}

#[test]
fn nothing_to_do_asks_nobody() {
    let mut driver = start();
    driver.succeed(without(rules(), &["sgr-1", "sgr-4", "sgr-6"]));
    assert!(matches!(driver.status(), Status::Succeeded { .. }));
    assert_eq!(
        driver.history.last().unwrap().kind.as_str(),
        "ExecutionSucceeded"
    );
    assert!(driver.events().contains(&"SucceedStateEntered"));
}

#[test]
fn silence_escalates_without_action() {
    let mut driver = asked();
    assert_eq!(driver.wait(), 14_400_000);
    assert!(matches!(driver.status(), Status::Succeeded { .. }));
    assert!(driver.tasks.is_empty(), "the question was withdrawn");
    assert!(driver.events().contains(&"TaskTimedOut"));
}

#[test]
fn throttling_is_tried_again() {
    let mut driver = start();
    for attempt in 0..5 {
        let request = driver.fail("Ec2.Ec2Exception");
        assert_eq!(request.attempt, attempt);
        let passed = driver.wait();
        assert!((0..=2000 << attempt).contains(&passed), "{passed}");
    }
    driver.fail("Ec2.Ec2Exception");
    assert_eq!(driver.error(), ("Ec2.Ec2Exception", "because"));
}

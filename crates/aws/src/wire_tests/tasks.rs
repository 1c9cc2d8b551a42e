//! Tasks of playbooks: what they write in the spelling of Step Functions is on the wire in the API's own.

use super::*;
use crate::names::Spelling;
use crate::{ReadSession, Scope};

fn answering(json: &Value) -> Act {
    Act::Answer(200, "application/x-amz-json-1.1", json.to_string())
}

/// A session that reads from the server.
fn session(server: &Server) -> ReadSession {
    let scope = Scope {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    ReadSession::new(Client::new(config(&server.url)).unwrap(), scope)
}

#[tokio::test]
async fn members_have_capitals_for_the_playbook_and_none_on_the_wire() {
    let server = Server::start(vec![answering(
        &json!({"tasks": [{"taskArn": "a"}], "failures": []}),
    )]);
    let params = json!({"Cluster": "c", "Tasks": ["t"]});
    let answer = session(&server)
        .task("ecs", "DescribeTasks", &params, Spelling::Sdk)
        .await
        .unwrap();
    assert_eq!(
        answer.value,
        json!({"Tasks": [{"TaskArn": "a"}], "Failures": []})
    );
    assert_eq!(server.count(r#"{"cluster":"c","tasks":["t"]}"#), 1);
}

#[tokio::test]
async fn names_that_java_reserves_are_the_apis_own_on_the_wire() {
    let server = Server::start(vec![answering(&json!({"findingIds": ["f"]}))]);
    let criterion = json!({"severity": {"EqualsValue": ["8"]}});
    let params = json!({"DetectorId": "d", "FindingCriteria": {"Criterion": criterion}});
    let answer = session(&server)
        .task("guardduty", "ListFindings", &params, Spelling::Sdk)
        .await
        .unwrap();
    assert_eq!(answer.value, json!({"FindingIds": ["f"]}));
    let body = r#"{"findingCriteria":{"criterion":{"severity":{"equals":["8"]}}}}"#;
    assert_eq!(server.count(body), 1);
    assert_eq!(server.count("POST /detector/d/findings "), 1);
}

/// What a `ChangeSession` does once the permit is checked.
#[tokio::test]
async fn a_change_is_spelled_so_too() {
    let server = Server::start(vec![answering(&json!({"executionArn": "e"}))]);
    let client = Client::new(config(&server.url)).unwrap();
    let job = Job {
        service: "stepfunctions",
        operation: "StartExecution",
        params: &json!({"StateMachineArn": "m", "Name": "n", "Input": {"a": [1]}}),
        region: "us-east-1",
        role: None,
        safety: Safety::Once,
        deadline: None,
        idempotency_token: None,
    };
    let answer = client.inner.task(&job, Spelling::Sdk).await.unwrap();
    assert_eq!(answer.value, json!({"ExecutionArn": "e"}));
    assert_eq!(server.count(r#""input":"{\"a\":[1]}""#), 1);
    assert_eq!(server.count(r#""stateMachineArn":"m""#), 1);
}

#[tokio::test]
async fn the_apis_own_spelling_is_a_fault_and_nothing_is_sent() {
    let server = Server::start(vec![answering(&json!({}))]);
    let params = json!({"cluster": "c", "Tasks": ["t"]});
    let refused = session(&server)
        .task("ecs", "DescribeTasks", &params, Spelling::Sdk)
        .await;
    let Err(AwsError::InvalidParams { faults, .. }) = refused else {
        panic!("cluster is Cluster in a task");
    };
    let said = faults.first().unwrap().to_string();
    assert_eq!(said, "cluster is not a parameter (did you mean Cluster?)");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn ec2_is_the_same_in_both_spellings() {
    let body = "<R><requestId>r</requestId><regionInfo><item><regionName>us-east-1</regionName>\
                <regionEndpoint>e</regionEndpoint></item></regionInfo></R>";
    let server = Server::start(vec![Act::Answer(200, "text/xml", body.to_owned())]);
    let session = session(&server);
    let params = json!({"RegionNames": ["us-east-1"]});
    let task = session
        .task("ec2", "DescribeRegions", &params, Spelling::Sdk)
        .await;
    let call = session.call("ec2", "DescribeRegions", &params).await;
    assert_eq!(task.unwrap().value, call.unwrap().value);
    assert_eq!(server.count("&RegionName.1=us-east-1"), 2);
}

//! What AWS documents, and what is refused.

use super::*;
use quell_model::RunId;
use serde_json::json;

/// A task as the state machine asks for it.
fn request(resource: &str, arguments: Value) -> TaskRequest {
    let resource: Resource = resource.parse().unwrap();
    let token = (resource.pattern() == Pattern::WaitForTaskToken).then(|| "t0k3n".to_owned());
    let task = serde_json::from_value(json!(7)).unwrap();
    TaskRequest {
        task,
        state: "S".to_owned(),
        resource,
        arguments,
        credentials_role: None,
        timeout: None,
        heartbeat: None,
        token,
        attempt: 0,
    }
}

fn work(resource: &str, arguments: Value) -> Result<Work, TaskFault> {
    let caller = Caller {
        machine: "m".to_owned(),
        execution: "e".to_owned(),
    };
    Work::of(&request(resource, arguments), &caller)
}

fn aws(resource: &str, arguments: Value) -> AwsTask {
    match work(resource, arguments) {
        Ok(Work::Aws(task)) => task,
        other => panic!("{other:?}"),
    }
}

fn http(arguments: Value) -> HttpTask {
    match work("arn:aws:states:::http:invoke", arguments) {
        Ok(Work::Http(task)) => task,
        other => panic!("{other:?}"),
    }
}

fn error(resource: &str, arguments: Value) -> String {
    work(&format!("arn:aws:states:::{resource}"), arguments)
        .unwrap_err()
        .error
}

fn answer(value: Value) -> Answer {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Answer {
        value,
        status: 200,
        headers: vec![
            header("date", "d"),
            header("vary", "a"),
            header("vary", "b"),
        ],
        request_id: Some("r".to_owned()),
    }
}

#[test]
fn an_optimised_answer_has_what_http_said_and_an_sdk_answer_has_not() {
    let optimised = aws("arn:aws:states:::sns:publish", json!({"Message": "m"}));
    let http = json!({"HttpStatusCode": 200, "HttpHeaders": {"date": "d", "vary": "a"},
        "AllHttpHeaders": {"date": ["d"], "vary": ["a", "b"]}});
    let result = json!({"MessageId": "i", "SdkHttpMetadata": http, "SdkResponseMetadata": {"RequestId": "r"}});
    assert_eq!(
        optimised.answered(answer(json!({"MessageId": "i"}))),
        Ok(result)
    );
    assert!(optimised.is_optimized() && !optimised.waits_for_token());

    let sdk = aws(
        "arn:aws:states:::aws-sdk:sns:publish.waitForTaskToken",
        json!({"Message": "m"}),
    );
    assert_eq!(
        sdk.answered(answer(json!({"MessageId": "i"}))),
        Ok(json!({"MessageId": "i"}))
    );
    assert!(!sdk.is_optimized() && sdk.waits_for_token());
}

#[test]
fn the_token_is_in_what_is_sent_and_not_in_what_is_permitted() {
    let arguments = json!({"QueueUrl": "q", "MessageBody": {"Token": "t0k3n"}});
    let work = work(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        arguments.clone(),
    )
    .unwrap();
    let Work::Aws(task) = &work else {
        panic!("{work:?}")
    };
    let planned = json!({"QueueUrl": "q", "MessageBody": {"Token": "quell:task-token"}});
    assert_eq!(task.call().params, planned);
    let sent = task.call().clone().with_token(task.token().unwrap());
    assert_eq!(sent.params, arguments);
    assert_eq!(work.call(), Some(task.call()));
}

#[test]
fn only_a_message_to_the_permit_queue_is_the_gate() {
    let waiting = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
    let at = |queue: &str| json!({"QueueUrl": queue, "MessageBody": {"plan": {"x": 1}}});
    assert_eq!(
        work(waiting, at(PERMIT_QUEUE)),
        Ok(Work::Gate(json!({"x": 1})))
    );
    let without = json!({"QueueUrl": PERMIT_QUEUE, "MessageBody": "hello"});
    assert_eq!(work(waiting, without), Ok(Work::Gate(Value::Null)));
    for (resource, queue) in [
        (waiting, "https://sqs/q"),
        ("arn:aws:states:::sqs:sendMessage", PERMIT_QUEUE),
        (
            "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken",
            PERMIT_QUEUE,
        ),
    ] {
        assert!(
            matches!(work(resource, at(queue)), Ok(Work::Aws(_))),
            "{resource}"
        );
    }
}

#[test]
fn what_no_playbook_may_use_is_refused() {
    for resource in ["batch:submitJob", "apigateway:invoke", "ecs:runTask.sync"] {
        assert_eq!(error(resource, json!({})), "Quell.NotPermitted");
    }
    assert_eq!(
        work("quell:own", json!({})).unwrap_err().error,
        "Quell.NotPermitted"
    );
}

#[test]
fn a_function_that_was_killed_has_no_type_of_error() {
    let function = aws(
        "arn:aws:lambda:us-east-1:111111111111:function:f",
        json!({}),
    );
    let killed = json!({"StatusCode": 200, "FunctionError": "Unhandled",
        "Payload": "{\"errorMessage\":\"2024-11-26T00:36:39.604Z x Task timed out after 600.15 seconds\"}"});
    let fault = function.answered(answer(killed)).unwrap_err();
    assert_eq!(fault.error, "Lambda.Unknown");
    assert_eq!(
        fault.cause,
        "The cause could not be determined because Lambda did not return an error type. \
        Returned payload: {\"errorMessage\":\"2024-11-26T00:36:39.604Z x Task timed out after 600.15 seconds\"}"
    );
    let silent = json!({"StatusCode": 200, "FunctionError": "Unhandled"});
    assert_eq!(
        function.answered(answer(silent)).unwrap_err().error,
        "Lambda.Unknown"
    );
}

#[test]
fn what_a_function_returns_is_json_where_it_can_be() {
    let function = aws(
        "arn:aws:lambda:us-east-1:111111111111:function:f",
        json!({}),
    );
    for (payload, result) in [
        (json!("{\"a\": 1}"), json!({"a": 1})),
        (json!("\"text\""), json!("text")),
        (json!("not json"), json!("not json")),
        (Value::Null, Value::Null),
    ] {
        let came = json!({"StatusCode": 200, "Payload": payload});
        assert_eq!(function.answered(answer(came)), Ok(result));
    }
}

#[test]
fn an_activity_offers_its_input() {
    let arn = "arn:aws:states:us-east-1:111111111111:activity:a";
    let Ok(Work::Activity(task)) = work(arn, json!({"x": [1]})) else {
        panic!("no activity");
    };
    assert_eq!(task.activity(), arn);
    assert_eq!(task.input(), "{\"x\":[1]}");
}

#[test]
fn an_execution_has_its_arguments_checked() {
    let start = "states:startExecution.sync:2";
    let machine = |more: Value| {
        let mut all = json!({"StateMachineArn": "PB-001"});
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        all
    };
    for (arguments, name) in [
        (json!(null), "States.Runtime"),
        (json!({}), "States.Runtime"),
        (json!({"StateMachineArn": 7}), "States.Runtime"),
        (machine(json!({"input": {}})), "States.Runtime"),
        (
            machine(json!({"Name": "a b"})),
            "StepFunctions.InvalidNameException",
        ),
        (
            machine(json!({"Name": ""})),
            "StepFunctions.InvalidNameException",
        ),
        (
            machine(json!({"Name": "x".repeat(81)})),
            "StepFunctions.InvalidNameException",
        ),
        (
            machine(json!({"Name": 1})),
            "StepFunctions.InvalidNameException",
        ),
        (
            machine(json!({"Input": "{"})),
            "StepFunctions.InvalidExecutionInputException",
        ),
    ] {
        assert_eq!(error(start, arguments), name);
    }
    let resource = format!("arn:aws:states:::{start}");
    let Ok(Work::Execution(task)) = work(&resource, machine(json!({"Name": "n", "Input": "[1]"})))
    else {
        panic!("no execution");
    };
    assert_eq!((task.machine(), task.name()), ("PB-001", Some("n")));
    assert_eq!(
        (task.input(), task.awaits()),
        (json!([1]), Awaits::EndAsJson)
    );
    assert_eq!(
        task.no_such_machine().error,
        "StepFunctions.StateMachineDoesNotExistException"
    );
    assert_eq!(
        task.name_is_taken("x").error,
        "StepFunctions.ExecutionAlreadyExistsException"
    );
    let sdk = work(
        "arn:aws:states:::aws-sdk:sfn:startExecution",
        machine(json!({})),
    );
    assert!(matches!(sdk, Ok(Work::Aws(_))), "that one is of AWS");
}

const CONNECTION: &str = "arn:aws:events:us-east-1:111111111111:connection/c/1";

fn asked(more: Value) -> Value {
    let mut all = json!({"ApiEndpoint": "https://example.com/path", "Method": "POST",
        "InvocationConfig": {"ConnectionArn": CONNECTION}});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn a_request_and_its_connection_are_merged_as_documented() {
    let task = http(asked(json!({
        "Headers": {"Request-Id": "my_request_id", "Header-Param": "state_machine_header_param"},
        "RequestBody": {"Job": "Software Engineer", "Company": "AnyCompany", "BodyParam": "state_machine_body_param"},
        "QueryParameters": {"QueryParam": "state_machine_query_param"},
    })));
    let connection = Connection {
        authorization: Some(Authorization::ApiKey {
            name: "ApiKey".to_owned(),
            value: "key_value".to_owned(),
        }),
        parameters: Parameters {
            headers: pairs(&[("header-param", "connection_header_param")]),
            query: pairs(&[("QueryParam", "connection_query_param")]),
            body: pairs(&[("BodyParam", "connection_body_param")]),
        },
    };
    let sent = task.request(&connection, "us-east-1").unwrap();
    assert_eq!(
        (&*sent.method, &*sent.url),
        (
            "POST",
            "https://example.com/path?QueryParam=connection_query_param"
        )
    );
    let headers = pairs(&[
        ("Request-Id", "my_request_id"),
        ("header-param", "connection_header_param"),
        ("Content-Type", "application/json; charset=UTF-8"),
        ("User-Agent", "Amazon|StepFunctions|HttpInvoke|us-east-1"),
        ("Range", "bytes=0-262144"),
        ("ApiKey", "key_value"),
    ]);
    assert_eq!(sent.headers, headers);
    let body =
        r#"{"Job":"Software Engineer","Company":"AnyCompany","BodyParam":"connection_body_param"}"#;
    assert_eq!(sent.body.as_deref(), Some(body));
    let printed = format!(
        "{sent:?} {connection:?} {:?} {:?}",
        connection.authorization, connection.parameters
    );
    assert!(
        !printed.contains("key_value") && !printed.contains("connection_"),
        "{printed}"
    );
}

#[test]
fn a_form_goes_as_a_form_and_text_as_text() {
    let task = http(asked(json!({
        "Headers": {"content-type": "application/x-www-form-urlencoded"},
        "RequestBody": {"a": [1, 2]}, "Transform": {"RequestBodyEncoding": "URL_ENCODED"},
    })));
    let sent = task.request(&Connection::default(), "r").unwrap();
    assert_eq!(sent.body.as_deref(), Some("a%5B0%5D=1&a%5B1%5D=2"));
    assert_eq!(
        sent.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case("content-type"))
            .count(),
        1
    );

    let text = http(asked(
        json!({"RequestBody": "a=b", "ApiEndpoint": "https://h?x=1", "QueryParameters": "y=2"}),
    ));
    let sent = text.request(&Connection::default(), "r").unwrap();
    assert_eq!(
        (sent.body.as_deref(), &*sent.url),
        (Some("a=b"), "https://h?x=1&y=2")
    );
    let mut connection = Connection::default();
    connection.parameters.body = pairs(&[("k", "v")]);
    assert_eq!(
        text.request(&connection, "r").unwrap_err().error,
        "States.Runtime"
    );
    let sent = http(asked(json!({}))).request(&connection, "r").unwrap();
    assert_eq!(sent.body.as_deref(), Some(r#"{"k":"v"}"#));
    let none = http(asked(json!({"Method": "GET"})))
        .request(&Connection::default(), "r")
        .unwrap();
    assert_eq!(none.body, None);
}

#[test]
fn a_request_that_cannot_be_sent_is_no_request() {
    for more in [
        json!({"ApiEndpoint": "ftp://x"}),
        json!({"ApiEndpoint": "https://"}),
        json!({"ApiEndpoint": "https://me:hush@example.com/"}),
        json!({"ApiEndpoint": "https://example.com/a b"}),
        json!({"ApiEndpoint": null}),
        json!({"Method": "get"}),
        json!({"Method": "CONNECT"}),
        json!({"InvocationConfig": {}}),
        json!({"Headers": "x"}),
        json!({"Headers": {"Host": "x"}}),
        json!({"Headers": {"X-Amz-Date": "x"}}),
        json!({"Headers": {"Authorization": "x"}}),
        json!({"Headers": {"a b": "x"}}),
        json!({"Headers": {"a": "x\r\ny: z"}}),
        json!({"Transform": {"RequestBodyEncoding": "BASE64"}}),
        json!({"Transform": {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "?"}}}),
        json!({"Body": {}}),
    ] {
        assert_eq!(
            error("http:invoke", asked(more.clone())),
            "States.Runtime",
            "{more}"
        );
    }
    assert!(!http(asked(json!({}))).only_reads());
    assert!(http(asked(json!({"Method": "GET"}))).only_reads());
}

fn answered(status: u16, kind: &str, body: &[u8]) -> Result<Value, TaskFault> {
    http(asked(json!({}))).answered(HttpAnswer {
        status,
        reason: "Reason".to_owned(),
        headers: pairs(&[("Content-Type", kind), ("a", "1"), ("a", "2")]),
        body: body.to_vec(),
    })
}

#[test]
fn an_answer_is_json_or_text() {
    let json = answered(200, "application/json; charset=utf-8", b"{\"x\": 1}").unwrap();
    assert_eq!(json["ResponseBody"], json!({"x": 1}));
    assert_eq!(
        (&json["StatusCode"], &json["StatusText"]),
        (&json!(200), &json!("Reason"))
    );
    assert_eq!(json["Headers"]["a"], json!(["1", "2"]));
    for (kind, body) in [("text/plain", "{}"), ("application/json", "{"), ("", "x")] {
        assert_eq!(
            answered(201, kind, body.as_bytes()).unwrap()["ResponseBody"],
            body
        );
    }
    for (kind, body) in [
        ("image/png", &b"x"[..]),
        ("application/octet-stream", b"x"),
        ("text/plain", b"\xff"),
    ] {
        assert_eq!(
            answered(200, kind, body).unwrap_err().error,
            "States.Runtime"
        );
    }
}

#[test]
fn every_status_but_success_is_an_error_of_its_own() {
    for status in [301, 400, 404, 429, 500, 503] {
        let fault = answered(status, "application/json", b"{\"why\":1}").unwrap_err();
        assert_eq!(fault.error, format!("States.Http.StatusCode.{status}"));
        assert_eq!(fault.cause, "{\"why\":1}");
    }
    assert_eq!(answered(404, "", b"").unwrap_err().cause, "Reason");
    assert_eq!(
        http(asked(json!({}))).unanswered("no").error,
        "States.Http.Socket"
    );
}

#[test]
fn a_caller_is_what_the_context_object_says() {
    let run = RunId::of(
        quell_model::Timestamp::from_millis(0),
        "PB-000",
        1,
        "arn",
        "test",
    );
    let caller = Caller::new(&run, "PB-000");
    assert_eq!(caller.machine, "quell:playbook/PB-000");
    assert_eq!(caller.execution, run.as_str());
}

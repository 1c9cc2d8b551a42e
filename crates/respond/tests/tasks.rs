//! `Call::of_task` and the parser of `quell-states` read the same thing out of the same text, and nothing else.

use proptest::prelude::*;
use quell_model::Call;
use quell_states::Resource;
use serde_json::json;

/// The integrations that are calls; Step Functions has more.
const INTEGRATED: &[&str] = &[
    "dynamodb", "events", "http", "lambda", "sns", "sqs", "states",
];

/// The service and operation of a task, as the parser of documents reads it.
fn by_the_parser(text: &str) -> Option<(String, String)> {
    let (service, action) = match text.parse().ok()? {
        Resource::AwsSdk {
            service, action, ..
        } => (service, action),
        Resource::Optimized {
            service, action, ..
        } if INTEGRATED.contains(&service.as_str()) => (service, action),
        Resource::Lambda { .. } => ("lambda".to_owned(), "invoke".to_owned()),
        Resource::Activity { .. } => ("activity".to_owned(), "offer".to_owned()),
        Resource::Optimized { .. } | Resource::Other { .. } => return None,
    };
    Some((service, action[..1].to_uppercase() + &action[1..]))
}

fn by_the_call(text: &str) -> Option<(String, String)> {
    let arguments = json!({"GroupId": "sg-1"});
    Call::of_task(text, &arguments).map(|call| (call.service, call.operation))
}

#[test]
fn tasks_are_calls_and_others_are_not() {
    for (text, is_call) in [
        ("arn:aws:states:::aws-sdk:ec2:describeVpcs", true),
        ("arn:aws-cn:states:::aws-sdk:ec2:describeVpcs", true),
        ("arn:aws-us-gov:states:::aws-sdk:s3:getObject", true),
        ("arn:aws:states:::aws-sdk:ec2:d", true),
        ("arn:aws:states:::aws-sdk:ec2:describeVpcs.sync", false),
        ("arn:aws:states:::aws-sdk:ec2:describeVpcs.sync:2", false),
        (
            "arn:aws:states:::aws-sdk:ec2:describeVpcs.waitForTaskToken",
            true,
        ),
        ("arn:aws:states:::aws-sdk:ec2:DescribeVpcs", false),
        ("arn:aws:states:::sqs:sendMessage", true),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", true),
        ("arn:aws:states:::sqs:sendMessage.sync", false),
        ("arn:aws:states:::states:startExecution.sync:2", true),
        ("arn:aws:states:::http:invoke", true),
        ("arn:aws:states:::batch:submitJob", false),
        ("arn:aws:states:us-east-1:111111111111:activity:a", true),
        ("arn:aws:lambda:us-east-1:111111111111:function:f", true),
        ("quell:something", false),
    ] {
        assert_eq!(by_the_parser(text).is_some(), is_call, "{text}");
        assert_eq!(by_the_call(text), by_the_parser(text), "{text}");
    }
}

/// One of the words, or now and then any short text.
fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop::sample::select(words).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9:.é-]{0,4}",
    ]
}

prop_compose! {
    /// A text that is such a resource, or close to one.
    fn near_a_resource()(
        head in word(&["arn"]),
        partition in word(&["aws", "aws-cn", "aws-us-gov", "gcp"]),
        states in word(&["states", "lambda"]),
        region in word(&["", "", "us-east-1"]),
        account in word(&["", "", "111111111111"]),
        kind in word(&["aws-sdk:", "aws-sdk:", "", "", "function:", "activity:"]),
        service in word(&["ec2", "s3", "sns", "sqs", "lambda", "events", "dynamodb", "states", "http", "batch"]),
        action in word(&["describeVpcs", "publish", "sendMessage", "invoke", "putEvents", "putItem", "startExecution", "submitJob", "x", "DescribeVpcs"]),
        suffix in word(&["", "", ".sync", ".sync:2", ".waitForTaskToken", ":1"]),
    ) -> String {
        [head, partition, states, region, account, kind + &service, action].join(":") + &suffix
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn they_never_disagree(text in near_a_resource()) {
        prop_assert_eq!(by_the_call(&text), by_the_parser(&text));
        // The way of a document: parsed first, and then by its text.
        if let Ok(resource) = text.parse::<Resource>() {
            prop_assert_eq!(by_the_call(&resource.to_string()), by_the_parser(&text));
        }
    }
}

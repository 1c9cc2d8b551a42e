//! Faults of real operations.

use super::*;
use serde_json::json;

fn told(service: &str, operation: &str, params: &Value) -> Vec<String> {
    let (service, operation) = crate::registry::operation(service, operation).unwrap();
    let input = operation.input.as_ref().map(|i| service.view(i));
    let faults = faults(input, params, false);
    faults.iter().map(Fault::to_string).collect()
}

#[test]
fn all_faults_are_told_at_once_without_values() {
    let params = json!({
        "GroupID": "sg-secret",
        "IpPermissions": [{"FromPort": "22", "IpRanges": {"CidrIp": "0.0.0.0/0"}}],
        "DryRun": "yes",
    });
    assert_eq!(
        told("ec2", "RevokeSecurityGroupIngress", &params),
        [
            "DryRun must be true or false",
            "GroupID is not a parameter (did you mean GroupId?)",
            "IpPermissions[0].FromPort must be an integer",
            "IpPermissions[0].IpRanges must be a list",
        ]
    );
    assert_eq!(
        told("sqs", "SendMessage", &json!({})),
        ["MessageBody is missing", "QueueUrl is missing"]
    );
}

#[test]
fn null_is_as_good_as_absent_and_anything_else_is_an_object() {
    assert!(told("sqs", "ListQueues", &json!({"MaxResults": null})).is_empty());
    assert_eq!(
        told("sqs", "ListQueues", &json!([])),
        ["the input must be an object"]
    );
    assert_eq!(
        told(
            "sqs",
            "SendMessage",
            &json!({"QueueUrl": null, "MessageBody": "m"})
        ),
        ["QueueUrl is missing"]
    );
}

#[test]
fn limits_are_those_of_the_model() {
    for (limit, said) in [
        (0, vec!["Limit must be at least 1"]),
        (1, vec![]),
        (1000, vec![]),
        (1001, vec!["Limit must be at most 1000"]),
    ] {
        assert_eq!(told("kms", "ListKeys", &json!({"Limit": limit})), said);
    }
    assert_eq!(
        told("kms", "Encrypt", &json!({"KeyId": "", "Plaintext": ""})),
        ["KeyId must not be empty", "Plaintext must not be empty"]
    );
    assert_eq!(
        told("ecr", "CreateRepository", &json!({"repositoryName": "ä"})),
        ["repositoryName must have at least 2 characters"]
    );
    let too_many = json!({"AlarmNames": vec!["a"; 101]});
    assert!(
        told("cloudwatch", "DescribeAlarms", &too_many).is_empty(),
        "quotas are for AWS to say"
    );
}

#[test]
fn lists_maps_and_keys_have_limits_too() {
    assert_eq!(
        told(
            "guardduty",
            "TagResource",
            &json!({"ResourceArn": "a", "Tags": {}})
        ),
        ["Tags must not be empty"]
    );
    assert_eq!(
        told(
            "guardduty",
            "TagResource",
            &json!({"ResourceArn": "a", "Tags": {"": "v"}})
        ),
        ["Tags. must not be empty"]
    );
}

#[test]
fn parts_of_the_path_and_the_host_name_something() {
    assert_eq!(
        told("lambda", "GetFunction", &json!({"FunctionName": ""})),
        ["FunctionName must not be empty"]
    );
    assert_eq!(
        told("s3control", "ListJobs", &json!({"AccountId": "1/2"})),
        ["AccountId is part of the host: only letters, digits, hyphens and points are possible"]
    );
}

#[test]
fn a_union_has_one_member() {
    let params = |configuration: Value| json!({"analyzerName": "a", "type": "ACCOUNT", "configuration": configuration});
    let told =
        |configuration: Value| told("accessanalyzer", "CreateAnalyzer", &params(configuration));
    let wrong = ["configuration must have exactly one member"];
    assert!(told(json!({"unusedAccess": {}})).is_empty());
    assert_eq!(told(json!({})), wrong);
    assert_eq!(
        told(json!({"unusedAccess": {}, "internalAccess": {}})),
        wrong
    );
}

#[test]
fn documents_are_any_json_and_streams_are_base64() {
    assert_eq!(
        told(
            "s3",
            "PutObject",
            &json!({"Bucket": "b", "Key": "k", "Body": "no base64"})
        ),
        ["Body must be base64 text"]
    );
    let body = json!({"Bucket": "b", "Key": "k", "Body": ""});
    assert!(told("s3", "PutObject", &body).is_empty());
    for schema in [json!({"any": [1, null]}), json!("text"), json!(1)] {
        let params = json!({"DomainName": "abc", "IndexName": "i", "IndexSchema": schema});
        assert!(told("opensearch", "CreateIndex", &params).is_empty());
    }
}

#[test]
fn nothing_given_is_exactly_what_is_required() {
    for name in crate::registry::SERVICES {
        let service = crate::registry::service(name).unwrap();
        for operation in service.operations.values() {
            let input = operation.input.as_ref().map(|input| service.view(input));
            let faults = faults(input, &json!({}), false);
            let mut required: Vec<&str> = input
                .into_iter()
                .flat_map(View::required)
                .map(String::as_str)
                .filter(|name| !input.unwrap().member(name).unwrap().is_idempotency_token())
                .collect();
            required.sort_unstable();
            let found: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
            assert_eq!(found, required, "{name} {}", operation.name);
            assert!(faults.iter().all(|fault| fault.problem == Problem::Missing));
        }
    }
}

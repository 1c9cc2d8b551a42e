//! The names of errors in the optimised integrations of Step Functions, which go through the first Java SDK.

use crate::error::{AwsError, ServiceError, states_error};

/// botocore's name of a service, what stands before the point, what that SDK calls the service, and its exception for
/// errors that are not in the service's model.
const NAMES: &[(&str, &str, &str, &str)] = &[
    (
        "dynamodb",
        "DynamoDB",
        "AmazonDynamoDBv2",
        "AmazonDynamoDBException",
    ),
    (
        "events",
        "EventBridge",
        "AmazonEventBridge",
        "AmazonEventBridgeException",
    ),
    ("lambda", "Lambda", "AWSLambda", "AWSLambdaException"),
    ("sns", "SNS", "AmazonSNS", "AmazonSNSException"),
    ("sqs", "SQS", "AmazonSQS", "AmazonSQSException"),
];

/// The `Error` and `Cause` with which the task of an optimised integration would fail:
/// `SQS.AmazonSQSException`, `Lambda.TooManyRequestsException`.
pub fn optimized_error(error: &AwsError) -> (String, String) {
    let (service, name) = match error {
        AwsError::Service(error) => (&error.service, None),
        AwsError::InvalidParams { service, .. } => (service, None),
        AwsError::Unreachable { service, .. }
        | AwsError::Unanswered { service, .. }
        | AwsError::Unreadable { service, .. }
        | AwsError::Crowded { service, .. }
        | AwsError::TooLarge { service, .. } => (service, Some("SdkClientException")),
        _ => return states_error(error),
    };
    let Some((_, prefix, sdk, usual)) = NAMES.iter().find(|(known, ..)| known == service) else {
        return states_error(error);
    };
    match error {
        AwsError::Service(error) => (
            format!("{prefix}.{}", exception(error, usual)),
            cause(error, sdk),
        ),
        _ => (
            format!("{prefix}.{}", name.unwrap_or(usual)),
            error.to_string(),
        ),
    }
}

fn exception(error: &ServiceError, usual: &str) -> String {
    match error.shape.as_deref() {
        None => usual.to_owned(),
        Some(shape) if shape.ends_with("Exception") => shape.to_owned(),
        Some(shape) => format!("{shape}Exception"),
    }
}

fn cause(error: &ServiceError, sdk: &str) -> String {
    format!(
        "{} (Service: {sdk}; Status Code: {}; Error Code: {}; Request ID: {}; Proxy: null)",
        error.message,
        error.status,
        error.code,
        error.request_id.as_deref().unwrap_or("null"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(
        service: &str,
        code: &str,
        status: u16,
        shape: Option<&str>,
        says: &str,
    ) -> AwsError {
        AwsError::from(Box::new(ServiceError {
            service: service.to_owned(),
            operation: "Op".to_owned(),
            code: code.to_owned(),
            message: says.to_owned(),
            request_id: Some("<request_id>".to_owned()),
            status,
            shape: shape.map(str::to_owned),
            attempts: 3,
            is_changing: true,
            is_throttling: false,
            bucket_region: None,
        }))
    }

    /// The first three were recorded on AWS.
    #[test]
    fn errors_are_those_of_the_first_sdk() {
        for (service, code, status, shape, says, name, cause) in [
            (
                "sqs",
                "MissingParameter",
                400,
                None,
                "The request must contain the parameter MessageBody.",
                "SQS.AmazonSQSException",
                "The request must contain the parameter MessageBody. (Service: AmazonSQS; Status Code: 400; \
                 Error Code: MissingParameter; Request ID: <request_id>; Proxy: null)",
            ),
            (
                "dynamodb",
                "ResourceNotFoundException",
                400,
                Some("ResourceNotFoundException"),
                "Requested resource not found",
                "DynamoDB.ResourceNotFoundException",
                "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; \
                 Error Code: ResourceNotFoundException; Request ID: <request_id>; Proxy: null)",
            ),
            (
                "lambda",
                "ResourceNotFoundException",
                404,
                Some("ResourceNotFoundException"),
                "Function not found: f",
                "Lambda.ResourceNotFoundException",
                "Function not found: f (Service: AWSLambda; Status Code: 404; \
                 Error Code: ResourceNotFoundException; Request ID: <request_id>; Proxy: null)",
            ),
            (
                "sqs",
                "AWS.SimpleQueueService.NonExistentQueue",
                400,
                Some("QueueDoesNotExist"),
                "No.",
                "SQS.QueueDoesNotExistException",
                "No. (Service: AmazonSQS; Status Code: 400; Error Code: \
                 AWS.SimpleQueueService.NonExistentQueue; Request ID: <request_id>; Proxy: null)",
            ),
            (
                "ec2",
                "InvalidGroup.NotFound",
                400,
                None,
                "No.",
                "Ec2.Ec2Exception",
                "No. (Service: Ec2, Status Code: 400, Request ID: <request_id>) (SDK Attempt Count: 3)",
            ),
        ] {
            let error = refused(service, code, status, shape, says);
            let expected = (name.to_owned(), cause.to_owned());
            assert_eq!(optimized_error(&error), expected);
        }
    }

    #[test]
    fn without_an_answer_it_is_the_clients_error() {
        let (service, operation) = ("sns".to_owned(), "Publish".to_owned());
        let lost = AwsError::Unanswered {
            service: service.clone(),
            operation: operation.clone(),
            reason: "x".to_owned(),
        };
        assert_eq!(optimized_error(&lost).0, "SNS.SdkClientException");
        let unfit = AwsError::InvalidParams {
            service,
            operation,
            faults: Vec::new(),
        };
        assert_eq!(optimized_error(&unfit).0, "SNS.AmazonSNSException");
        let none = AwsError::Credentials {
            reason: "x".to_owned(),
        };
        assert_eq!(optimized_error(&none), states_error(&none));
    }
}

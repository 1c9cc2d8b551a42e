//! The service models that are built in, each read once, when it is first asked for.

use std::io::Read as _;
use std::sync::OnceLock;

use flate2::read::GzDecoder;

use crate::error::AwsError;
use crate::model::{ModelError, Operation, Service};

type Slot = OnceLock<Result<Service, ModelError>>;

/// `models!["ec2", …]`: the file of each service, and where its parsed form is kept.
macro_rules! models {
    ($($name:literal),+ $(,)?) => {
        /// The services there are models of, sorted.
        pub const SERVICES: &[&str] = &[$($name),+];

        fn slot(service: &str) -> Option<(&'static [u8], &'static Slot)> {
            match service {
                $($name => {
                    static SLOT: Slot = OnceLock::new();
                    Some((include_bytes!(concat!("../models/", $name, ".json.gz")), &SLOT))
                })+
                _ => None,
            }
        }
    };
}

models![
    "accessanalyzer",
    "account",
    "acm",
    "apigateway",
    "apigatewayv2",
    "athena",
    "autoscaling",
    "backup",
    "budgets",
    "ce",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "config",
    "detective",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elb",
    "elbv2",
    "events",
    "firehose",
    "fms",
    "glue",
    "guardduty",
    "iam",
    "identitystore",
    "inspector2",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "macie2",
    "network-firewall",
    "opensearch",
    "organizations",
    "rds",
    "redshift",
    "route53",
    "route53resolver",
    "s3",
    "s3control",
    "sagemaker",
    "secretsmanager",
    "securityhub",
    "securitylake",
    "servicecatalog",
    "shield",
    "sns",
    "sqs",
    "ssm",
    "sso-admin",
    "stepfunctions",
    "sts",
    "wafv2",
];

/// The model of a service, by botocore's name.
///
/// # Errors
/// [`AwsError::UnknownService`], with the nearest name there is.
pub fn service(name: &str) -> Result<&'static Service, AwsError> {
    let (packed, slot) = slot(name).ok_or_else(|| AwsError::UnknownService {
        service: name.to_owned(),
        nearest: crate::validate::nearest(name, SERVICES.iter().copied()),
    })?;
    match slot.get_or_init(|| unpack(packed)) {
        Ok(service) => Ok(service),
        Err(why) => Err(AwsError::Model {
            service: name.to_owned(),
            what: why.to_string(),
        }),
    }
}

fn unpack(packed: &[u8]) -> Result<Service, ModelError> {
    let mut json = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut json)?;
    Service::from_json(&json)
}

/// The partitions of AWS and their Regions, for the endpoint rules: JSON, as botocore writes it.
pub fn partitions_json() -> &'static str {
    include_str!("../models/partitions.json")
}

/// The model of an operation, with its service's.
///
/// # Errors
/// [`AwsError::UnknownService`] and [`AwsError::UnknownOperation`], with the nearest name there is.
pub fn operation(
    service_name: &str,
    operation: &str,
) -> Result<(&'static Service, &'static Operation), AwsError> {
    let service = service(service_name)?;
    let found = service.operations.get(operation);
    let found = found.ok_or_else(|| AwsError::UnknownOperation {
        service: service_name.to_owned(),
        operation: operation.to_owned(),
        nearest: crate::validate::nearest(operation, service.operations.keys().map(String::as_str)),
    })?;
    Ok((service, found))
}

/// Whether an operation has a place for an idempotency token: made again with the same token, it takes effect once.
/// AWS remembers a token for a time that each service chooses, of hours as a rule. `false` for what is not known.
pub fn takes_idempotency_token(service_name: &str, operation_name: &str) -> bool {
    let Ok((service, operation)) = operation(service_name, operation_name) else {
        return false;
    };
    let input = operation.input.as_ref();
    input.is_some_and(|input| {
        let mut members = service.view(input).members();
        members.any(|(_, member)| member.is_idempotency_token())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    #[test]
    fn idempotency_tokens_are_known_from_the_models() {
        for (service, operation) in [("ec2", "RunInstances"), ("ecs", "RunTask")] {
            assert!(takes_idempotency_token(service, operation), "{operation}");
        }
        for (service, operation) in [
            ("ec2", "RevokeSecurityGroupIngress"),
            ("ec2", "NoSuchOperation"),
            ("no-such-service", "RunTask"),
        ] {
            assert!(!takes_idempotency_token(service, operation), "{operation}");
        }
    }

    #[test]
    fn every_model_is_read_and_its_protocol_is_built() {
        for name in SERVICES {
            let service = service(name).unwrap();
            assert!(!service.operations.is_empty(), "{name}");
            assert!(Protocol::of(service).is_some(), "{name}");
        }
    }

    #[test]
    fn the_services_are_the_selected_ones() {
        let selection = include_str!("../models/selection.txt").lines();
        let selected: Vec<&str> = selection.filter(|line| !line.starts_with('#')).collect();
        assert_eq!(SERVICES, selected);
    }

    #[test]
    fn every_model_has_its_endpoint_rules() {
        for name in SERVICES {
            let rules = service(name).unwrap().endpoint_rule_set_json().unwrap();
            let rules: serde_json::Value = serde_json::from_str(rules).unwrap();
            assert_eq!(rules["version"], "1.0", "{name}");
        }
        let partitions: serde_json::Value = serde_json::from_str(partitions_json()).unwrap();
        assert_eq!(partitions["partitions"][0]["id"], "aws");
    }

    #[test]
    fn every_paginator_and_waiter_is_of_an_operation() {
        for name in SERVICES {
            let service = service(name).unwrap();
            for (operation, paginator) in &service.paginators {
                assert!(service.operations.contains_key(operation), "{name}");
                let (input, output) = (&paginator.input_token, &paginator.output_token);
                assert_eq!(input.len(), output.len(), "{name} {operation}");
                assert!(!input.is_empty(), "{name} {operation}");
            }
            for (what, waiter) in &service.waiters {
                assert!(
                    service.operations.contains_key(&waiter.operation),
                    "{name} {what}"
                );
                assert!(!waiter.acceptors.is_empty(), "{name} {what}");
            }
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let Err(AwsError::UnknownService { nearest, .. }) = service("sqz") else {
            panic!("sqz is no service");
        };
        assert_eq!(nearest.as_deref(), Some("sqs"));
        let Err(AwsError::UnknownOperation { nearest, .. }) = operation("sqs", "SendMesage") else {
            panic!("SendMesage is no operation");
        };
        assert_eq!(nearest.as_deref(), Some("SendMessage"));
    }
}

//! The names of services, members and errors in Step Functions, and botocore's.
//!
//! An `aws-sdk` task goes through the Java SDK, so that its names are that SDK's: see
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>.

mod java;
mod members;

mod optimized;

pub use members::{Spelling, answer_to_states, params_from_states, params_in_states};
pub use optimized::optimized_error;

/// botocore's name of each service, and what stands before the point in its errors. In lower case that is the name
/// in a task's ARN: `arn:aws:states:::aws-sdk:<name>:<action>`.
const NAMES: &[(&str, &str)] = &[
    ("accessanalyzer", "AccessAnalyzer"),
    ("account", "Account"),
    ("acm", "Acm"),
    ("apigateway", "ApiGateway"),
    ("apigatewayv2", "ApiGatewayV2"),
    ("athena", "Athena"),
    ("autoscaling", "AutoScaling"),
    ("backup", "Backup"),
    ("budgets", "Budgets"),
    ("ce", "CostExplorer"),
    ("cloudformation", "CloudFormation"),
    ("cloudfront", "CloudFront"),
    ("cloudtrail", "CloudTrail"),
    ("cloudwatch", "CloudWatch"),
    ("config", "Config"),
    ("detective", "Detective"),
    ("dynamodb", "DynamoDb"),
    ("ec2", "Ec2"),
    ("ecr", "Ecr"),
    ("ecs", "Ecs"),
    ("efs", "Efs"),
    ("eks", "Eks"),
    ("elasticache", "ElastiCache"),
    ("elb", "ElasticLoadBalancing"),
    ("elbv2", "ElasticLoadBalancingV2"),
    ("events", "EventBridge"),
    ("firehose", "Firehose"),
    ("fms", "Fms"),
    ("glue", "Glue"),
    ("guardduty", "GuardDuty"),
    ("iam", "Iam"),
    ("identitystore", "Identitystore"),
    ("inspector2", "Inspector2"),
    ("kinesis", "Kinesis"),
    ("kms", "Kms"),
    ("lambda", "Lambda"),
    ("logs", "CloudWatchLogs"),
    ("macie2", "Macie2"),
    ("network-firewall", "NetworkFirewall"),
    ("opensearch", "OpenSearch"),
    ("organizations", "Organizations"),
    ("rds", "Rds"),
    ("redshift", "Redshift"),
    ("route53", "Route53"),
    ("route53resolver", "Route53Resolver"),
    ("s3", "S3"),
    ("s3control", "S3Control"),
    ("sagemaker", "SageMaker"),
    ("secretsmanager", "SecretsManager"),
    ("securityhub", "SecurityHub"),
    ("securitylake", "SecurityLake"),
    ("servicecatalog", "ServiceCatalog"),
    ("shield", "Shield"),
    ("sns", "Sns"),
    ("sqs", "Sqs"),
    ("ssm", "Ssm"),
    ("sso-admin", "SsoAdmin"),
    ("stepfunctions", "Sfn"),
    ("sts", "Sts"),
    ("wafv2", "Wafv2"),
];

/// botocore's name of the service that a Step Functions task calls `states`. A name that is not known is given back.
pub fn sdk_service(states: &str) -> &str {
    let mut names = NAMES.iter();
    let found = names.find(|(_, error)| error.eq_ignore_ascii_case(states));
    found.map_or(states, |(botocore, _)| botocore)
}

/// What a Step Functions task calls a service (botocore's name): `cloudwatchlogs` for `logs`.
pub fn states_service(botocore: &str) -> String {
    error_prefix(botocore).to_ascii_lowercase()
}

/// What Step Functions puts before the point in the errors of a service (botocore's name): `Ec2`, `EventBridge`.
pub(crate) fn error_prefix(botocore: &str) -> String {
    let found = NAMES.iter().find(|(known, _)| *known == botocore);
    found.map_or_else(|| java::pascal(botocore), |(_, error)| (*error).to_owned())
}

/// The Java SDK's name of the exception for the error shape `shape`.
pub(crate) fn exception(shape: &str) -> String {
    let stem = shape.strip_suffix("Fault");
    let stem = stem.or_else(|| shape.strip_suffix("Exception"));
    java::pascal(stem.unwrap_or(shape)) + "Exception"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn the_table_has_every_service_by_the_rule_of_the_java_sdk() {
        let known: Vec<&str> = NAMES.iter().map(|(botocore, _)| *botocore).collect();
        assert_eq!(known, registry::SERVICES);
        for (botocore, error) in NAMES {
            let id = &registry::service(botocore).unwrap().metadata.service_id;
            let by_rule = java::pascal(id);
            let by_rule = by_rule.strip_suffix("Service").unwrap_or(&by_rule);
            assert_eq!(*error, by_rule);
            assert_eq!(sdk_service(&states_service(botocore)), *botocore);
            assert_eq!(exception(error), format!("{error}Exception"));
        }
    }

    #[test]
    fn services_in_playbooks_are_botocores() {
        for (states, botocore) in [
            ("ec2", "ec2"),
            ("cloudwatchlogs", "logs"),
            ("sfn", "stepfunctions"),
            ("eventbridge", "events"),
            ("elasticloadbalancingv2", "elbv2"),
            ("costexplorer", "ce"),
            ("ssoadmin", "sso-admin"),
            ("unheard", "unheard"),
        ] {
            assert_eq!(sdk_service(states), botocore);
        }
    }

    #[test]
    fn errors_are_named_as_step_functions_names_them() {
        for (service, prefix) in [
            ("ec2", "Ec2"),
            ("events", "EventBridge"),
            ("dynamodb", "DynamoDb"),
            ("acm-pca", "AcmPca"),
        ] {
            assert_eq!(error_prefix(service), prefix);
        }
        for (shape, name) in [
            ("QueueDoesNotExist", "QueueDoesNotExistException"),
            ("BucketAlreadyExists", "BucketAlreadyExistsException"),
            ("ResourceNotFoundException", "ResourceNotFoundException"),
            ("DBInstanceNotFoundFault", "DbInstanceNotFoundException"),
            ("InvalidToken", "InvalidTokenException"),
        ] {
            assert_eq!(exception(shape), name);
        }
    }

    #[test]
    fn every_operation_is_its_action_with_a_capital() {
        for name in registry::SERVICES {
            for operation in registry::service(name).unwrap().operations.keys() {
                assert_eq!(java::property(operation), *operation, "{name}");
            }
        }
    }
}

//! The names of services and errors in Step Functions, and botocore's. One table.

/// A service under its names.
struct Name {
    /// In a task's ARN: `arn:aws:states:::aws-sdk:<states>:<action>`, as the Java SDK's package is called.
    states: &'static str,
    /// botocore's.
    botocore: &'static str,
    /// Before the point in an error's name, as the Java SDK's exceptions are called.
    error: &'static str,
}

const fn name(states: &'static str, botocore: &'static str, error: &'static str) -> Name {
    Name {
        states,
        botocore,
        error,
    }
}

/// Services whose three names are not one word. Every other one is itself, capitalised in errors.
const NAMES: &[Name] = &[
    name("accessanalyzer", "accessanalyzer", "AccessAnalyzer"),
    name("apigateway", "apigateway", "ApiGateway"),
    name("apigatewayv2", "apigatewayv2", "ApiGatewayV2"),
    name("autoscaling", "autoscaling", "AutoScaling"),
    name("cloudformation", "cloudformation", "CloudFormation"),
    name("cloudfront", "cloudfront", "CloudFront"),
    name("cloudtrail", "cloudtrail", "CloudTrail"),
    name("cloudwatch", "cloudwatch", "CloudWatch"),
    name("cloudwatchlogs", "logs", "CloudWatchLogs"),
    name("costexplorer", "ce", "CostExplorer"),
    name("dynamodb", "dynamodb", "DynamoDb"),
    name("elasticache", "elasticache", "ElastiCache"),
    name("elasticloadbalancing", "elb", "ElasticLoadBalancing"),
    name("elasticloadbalancingv2", "elbv2", "ElasticLoadBalancingV2"),
    name("eventbridge", "events", "EventBridge"),
    name(
        "globalaccelerator",
        "globalaccelerator",
        "GlobalAccelerator",
    ),
    name("guardduty", "guardduty", "GuardDuty"),
    name("identitystore", "identitystore", "IdentityStore"),
    name("networkfirewall", "network-firewall", "NetworkFirewall"),
    name("opensearch", "opensearch", "OpenSearch"),
    name("route53", "route53", "Route53"),
    name("route53resolver", "route53resolver", "Route53Resolver"),
    name("s3control", "s3control", "S3Control"),
    name("sagemaker", "sagemaker", "SageMaker"),
    name("secretsmanager", "secretsmanager", "SecretsManager"),
    name("securityhub", "securityhub", "SecurityHub"),
    name("securitylake", "securitylake", "SecurityLake"),
    name("servicecatalog", "servicecatalog", "ServiceCatalog"),
    name("sfn", "stepfunctions", "Sfn"),
    name("ssoadmin", "sso-admin", "SsoAdmin"),
];

/// botocore's name of the service that a Step Functions task calls `states`.
pub fn sdk_service(states: &str) -> &str {
    let found = NAMES.iter().find(|name| name.states == states);
    found.map_or(states, |name| name.botocore)
}

/// What Step Functions puts before the point in the errors of a service (botocore's name): `Ec2`, `EventBridge`.
pub(crate) fn error_prefix(botocore: &str) -> String {
    if let Some(name) = NAMES.iter().find(|name| name.botocore == botocore) {
        return name.error.to_owned();
    }
    botocore.split('-').map(capitalised).collect()
}

/// The Java SDK's name of the exception for the error shape `shape`.
pub(crate) fn exception(shape: &str) -> String {
    let (stem, is_exception) = match shape.strip_suffix("Fault") {
        Some(stem) => (stem, false),
        None => (shape, shape.ends_with("Exception")),
    };
    let ending = if is_exception { "" } else { "Exception" };
    format!("{}{ending}", capitalised(stem))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_in_playbooks_are_botocores() {
        for same in ["ec2", "sqs", "sts", "s3", "iam"] {
            assert_eq!(sdk_service(same), same);
            assert!(crate::registry::SERVICES.contains(&same));
        }
        for (states, botocore) in [
            ("cloudwatchlogs", "logs"),
            ("sfn", "stepfunctions"),
            ("eventbridge", "events"),
            ("elasticloadbalancingv2", "elbv2"),
            ("costexplorer", "ce"),
        ] {
            assert_eq!(sdk_service(states), botocore);
        }
    }

    #[test]
    fn errors_are_named_as_step_functions_names_them() {
        assert_eq!(error_prefix("ec2"), "Ec2");
        assert_eq!(error_prefix("sqs"), "Sqs");
        assert_eq!(error_prefix("events"), "EventBridge");
        assert_eq!(error_prefix("dynamodb"), "DynamoDb");
        assert_eq!(exception("QueueDoesNotExist"), "QueueDoesNotExistException");
        assert_eq!(
            exception("ResourceNotFoundException"),
            "ResourceNotFoundException"
        );
        assert_eq!(
            exception("DBInstanceNotFoundFault"),
            "DBInstanceNotFoundException"
        );
    }
}

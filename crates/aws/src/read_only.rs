//! Which operations only read. What is not known to read is taken to change something: fail closed.

/// The verbs of operations that only read.
const READING_VERBS: &[&str] = &[
    "BatchDescribe",
    "BatchGet",
    "Check",
    "Describe",
    "Estimate",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Simulate",
    "Validate",
];

/// What a `Get…` or `BatchGet…` hands out that is a right to act, so that a read session may not have it.
const HANDED_OUT: &[&str] = &[
    "AuthToken",
    "Credentials",
    "DecryptedAPIKey",
    "EmbedUrl",
    "OauthToken",
    "Oauth2Token",
    "Password",
    "SecretValue",
    "StreamKey",
    "Token",
    "UploadUrl",
];

/// Operations that begin like reading and are not: they change something, start work, or read secrets.
const NOT_READING: &[(&str, &str)] = &[
    ("bedrock-agentcore", "GetResourceApiKey"),
    ("cloudfront-keyvaluestore", "GetKey"),
    ("cognito-identity", "GetId"),
    ("cognito-idp", "GetUserAttributeVerificationCode"),
    ("emr-serverless", "GetDashboardForJobRun"),
    ("endusermessaging", "ValidateNotifyCodeVerification"),
    ("license-manager", "CheckInLicense"),
    ("marketplace-reporting", "GetBuyerDashboard"),
    ("sagemaker", "GetScalingConfigurationRecommendation"),
    ("ssm", "GetParameter"),
    ("ssm", "GetParameterHistory"),
    ("ssm", "GetParameters"),
    ("ssm", "GetParametersByPath"),
    ("stepfunctions", "GetActivityTask"),
];

/// Operations that only read and do not look like it.
const READING: &[(&str, &str)] = &[
    ("config", "SelectAggregateResourceConfig"),
    ("config", "SelectResourceConfig"),
    ("iam", "GetAccountPasswordPolicy"),
    ("sts", "DecodeAuthorizationMessage"),
];

/// Whether `operation` of `service` (botocore's name) only reads.
pub fn is_read_only(service: &str, operation: &str) -> bool {
    let named = |table: &[(&str, &str)]| table.contains(&(service, operation));
    if named(READING) {
        return true;
    }
    let hands_out = (begins(operation, "Get") || begins(operation, "BatchGet"))
        && HANDED_OUT.iter().any(|right| operation.contains(right));
    let reads = READING_VERBS.iter().any(|verb| begins(operation, verb));
    reads && !hands_out && !named(NOT_READING)
}

/// `Get` begins `GetUser` and not `Getter`: after the verb comes a capital or nothing.
fn begins(operation: &str, verb: &str) -> bool {
    operation
        .strip_prefix(verb)
        .is_some_and(|rest| rest.chars().next().is_none_or(|c| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_and_what_does_not() {
        let reading = [
            ("ec2", "DescribeSecurityGroups"),
            ("ec2", "GetManagedPrefixListEntries"),
            ("s3", "HeadObject"),
            ("s3", "GetObject"),
            ("s3", "ListObjectsV2"),
            ("sqs", "GetQueueAttributes"),
            ("sts", "GetCallerIdentity"),
            ("iam", "SimulatePrincipalPolicy"),
            ("iam", "GetAccountPasswordPolicy"),
            ("cloudtrail", "LookupEvents"),
            ("dynamodb", "Query"),
            ("dynamodb", "BatchGetItem"),
            ("config", "SelectResourceConfig"),
        ];
        for (service, operation) in reading {
            assert!(is_read_only(service, operation), "{service} {operation}");
        }
        let changing = [
            ("ec2", "RevokeSecurityGroupIngress"),
            ("sqs", "ReceiveMessage"),
            ("sts", "AssumeRole"),
            ("sts", "GetSessionToken"),
            ("secretsmanager", "GetSecretValue"),
            ("secretsmanager", "BatchGetSecretValue"),
            ("ecr", "GetAuthorizationToken"),
            ("redshift", "GetClusterCredentialsWithIAM"),
            ("ec2", "GetPasswordData"),
            ("stepfunctions", "GetActivityTask"),
            ("ssm", "GetParameter"),
            ("ec2", "Getaway"),
            ("ec2", "describeInstances"),
            ("ec2", ""),
            ("nothing", "Frobnicate"),
        ];
        for (service, operation) in changing {
            assert!(!is_read_only(service, operation), "{service} {operation}");
        }
    }

    /// A person has read the list. When a new botocore changes it, a person reads what changed:
    /// `INSTA_UPDATE=always cargo test -p quell-aws read_only`, then `git diff`.
    #[test]
    fn the_operations_that_only_read_are_the_ones_a_person_has_seen() {
        let mut reading = String::new();
        for service in crate::registry::SERVICES {
            let operations = &crate::registry::service(service).unwrap().operations;
            for operation in operations.keys().filter(|o| is_read_only(service, o)) {
                reading += &format!("{service} {operation}\n");
            }
        }
        insta::assert_snapshot!("read_only", reading);
    }
}

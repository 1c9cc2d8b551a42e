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

/// Operations that begin like reading and are not: they change something, start work, make use of a secret, or hand
/// out what is as good as one.
const NOT_READING: &[(&str, &str)] = &[
    ("apigateway", "GetApiKey"),
    ("apigateway", "GetApiKeys"),
    ("apigateway", "GetUsagePlanKey"),
    ("apigateway", "GetUsagePlanKeys"),
    ("athena", "GetResourceDashboard"),
    ("athena", "GetSessionEndpoint"),
    ("bedrock-agentcore", "GetResourceApiKey"),
    ("cloudfront-keyvaluestore", "GetKey"),
    ("cognito-identity", "GetId"),
    ("cognito-idp", "GetUserAttributeVerificationCode"),
    // It can press a key.
    ("ec2", "GetConsoleScreenshot"),
    // It writes into a bucket.
    ("ec2", "GetFlowLogsIntegrationTemplate"),
    ("ec2", "GetVpnConnectionDeviceSampleConfiguration"),
    ("ecr", "GetDownloadUrlForLayer"),
    ("ecr", "ValidatePullThroughCacheRule"),
    ("emr-serverless", "GetDashboardForJobRun"),
    ("endusermessaging", "ValidateNotifyCodeVerification"),
    ("glue", "BatchGetJobs"),
    ("glue", "GetConnection"),
    ("glue", "GetConnections"),
    ("glue", "GetDashboardUrl"),
    ("glue", "GetJob"),
    ("glue", "GetJobs"),
    ("glue", "GetSessionEndpoint"),
    // It has the report written.
    ("inspector2", "GetCisScanReport"),
    ("kms", "GetParametersForImport"),
    ("license-manager", "CheckInLicense"),
    // It has the data fetched and shown.
    ("macie2", "GetSensitiveDataOccurrences"),
    ("marketplace-reporting", "GetBuyerDashboard"),
    ("s3control", "GetDataAccess"),
    ("sagemaker", "GetScalingConfigurationRecommendation"),
    ("ssm", "GetDeployablePatchSnapshotForInstance"),
    ("ssm", "GetParameter"),
    ("ssm", "GetParameterHistory"),
    ("ssm", "GetParameters"),
    ("ssm", "GetParametersByPath"),
    ("ssm", "ValidateCloudConnector"),
    ("stepfunctions", "GetActivityTask"),
    ("wafv2", "ListAPIKeys"),
];

/// Operations that only read and do not look like it.
const READING: &[(&str, &str)] = &[
    ("config", "SelectAggregateResourceConfig"),
    ("config", "SelectResourceConfig"),
    ("dynamodb", "TransactGetItems"),
    ("events", "TestEventPattern"),
    ("iam", "GetAccountPasswordPolicy"),
    ("identitystore", "IsMemberInGroups"),
    ("opensearch", "CompareDomainConfiguration"),
    ("rds", "DownloadDBLogFilePortion"),
    ("route53", "TestDNSAnswer"),
    ("s3", "SelectObjectContent"),
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
    use std::collections::HashSet;

    use super::*;
    use crate::model::View;

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
            ("s3", "SelectObjectContent"),
            ("logs", "FilterLogEvents"),
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
            ("s3control", "GetDataAccess"),
            ("kms", "Decrypt"),
            ("kms", "GenerateDataKey"),
            ("lambda", "Invoke"),
            ("ecs", "ExecuteCommand"),
            ("athena", "StartQueryExecution"),
            ("iam", "GenerateCredentialReport"),
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

    #[test]
    fn every_exception_is_of_an_operation_and_changes_what_the_verb_says() {
        for (service, operation) in NOT_READING.iter().chain(READING) {
            let Ok(model) = crate::registry::service(service) else {
                continue;
            };
            assert!(model.operations.contains_key(*operation), "{operation}");
        }
        for table in [NOT_READING, READING] {
            assert!(table.is_sorted());
        }
        for (_, operation) in NOT_READING {
            assert!(READING_VERBS.iter().any(|verb| begins(operation, verb)));
        }
    }

    /// What names forget, the models tell: no answer of a read holds the parts of credentials.
    #[test]
    fn no_reading_operation_answers_with_credentials() {
        for name in crate::registry::SERVICES {
            let service = crate::registry::service(name).unwrap();
            for operation in service.operations.values() {
                let Some(output) = operation.output.as_ref() else {
                    continue;
                };
                if is_read_only(name, &operation.name) {
                    let found = right_to_act(service.view(output), &mut HashSet::new());
                    assert_eq!(found, None, "{name} {}", operation.name);
                }
            }
        }
    }

    /// The first member, to any depth, that is a right to act.
    fn right_to_act<'a>(view: View<'a>, seen: &mut HashSet<&'a str>) -> Option<&'a str> {
        if !seen.insert(view.shape_name()) {
            return None;
        }
        let rights = [
            "SecretAccessKey",
            "SessionToken",
            "AuthToken",
            "ImportToken",
        ];
        let mut members = view.members();
        let inside = members.find_map(|(name, member)| {
            let is_right = rights.iter().any(|right| right.eq_ignore_ascii_case(name));
            is_right
                .then_some(name)
                .or_else(|| right_to_act(member, seen))
        });
        let parts = [view.item(), view.value()];
        let mut parts = parts.into_iter().flatten();
        inside.or_else(|| parts.find_map(|part| right_to_act(part, seen)))
    }
}

//! What a Task calls.

use crate::integrations;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pattern {
    /// With the service's answer.
    RequestResponse,
    /// When the started job ends (`.sync`).
    Sync,
    /// The same, with the job's output as JSON (`.sync:2`).
    Sync2,
    /// When someone presents the task token (`.waitForTaskToken`).
    WaitForTaskToken,
}

impl Pattern {
    /// The suffix of the resource that asks for this pattern.
    pub fn suffix(self) -> &'static str {
        match self {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

/// The `Resource` of a Task state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Resource {
    /// `arn:aws:states:::aws-sdk:ec2:describeInstances`: any call of any service.
    AwsSdk {
        /// The service, as the Java SDK names its package: `ec2`, `cloudwatchlogs`.
        service: String,
        /// The operation, its first letter in lower case.
        action: String,
        /// How the task ends.
        pattern: Pattern,
    },
    /// `arn:aws:states:::sqs:sendMessage`: an integration Step Functions wrote by hand.
    Optimized {
        /// The service: `sqs`.
        service: String,
        /// The action: `sendMessage`.
        action: String,
        /// How the task ends.
        pattern: Pattern,
    },
    /// A Lambda function by its ARN.
    Lambda {
        /// The ARN.
        arn: String,
    },
    /// An activity that workers poll.
    Activity {
        /// The ARN.
        arn: String,
    },
    /// A URI that is not an AWS ARN; only a host that knows it can run it.
    Other {
        /// The URI.
        uri: String,
    },
}

/// Why a text is not a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The resource provided {0} is not recognized. The value is not a valid resource ARN, or the resource is not available in this region."
)]
pub struct ResourceError(pub String);

impl Resource {
    /// How the task ends.
    pub fn pattern(&self) -> Pattern {
        match self {
            Resource::AwsSdk { pattern, .. } | Resource::Optimized { pattern, .. } => *pattern,
            Resource::Lambda { .. } | Resource::Activity { .. } | Resource::Other { .. } => {
                Pattern::RequestResponse
            }
        }
    }

    /// The `resourceType` of the history: `sqs`, `aws-sdk:ec2`.
    pub fn history_type(&self) -> String {
        match self {
            Resource::AwsSdk { service, .. } => format!("aws-sdk:{service}"),
            Resource::Optimized { service, .. } => service.clone(),
            Resource::Lambda { .. } => "lambda".to_owned(),
            Resource::Activity { .. } => "activity".to_owned(),
            Resource::Other { .. } => "other".to_owned(),
        }
    }

    /// The `resource` of the history: `sendMessage.waitForTaskToken`.
    pub fn history_name(&self) -> String {
        match self {
            Resource::AwsSdk {
                action, pattern, ..
            }
            | Resource::Optimized {
                action, pattern, ..
            } => format!("{action}{}", pattern.suffix()),
            Resource::Lambda { arn } | Resource::Activity { arn } => arn.clone(),
            Resource::Other { uri } => uri.clone(),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::AwsSdk { .. } | Resource::Optimized { .. } => write!(
                f,
                "arn:aws:states:::{}:{}",
                self.history_type(),
                self.history_name()
            ),
            Resource::Lambda { arn } | Resource::Activity { arn } => f.write_str(arn),
            Resource::Other { uri } => f.write_str(uri),
        }
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Resource, ResourceError> {
        let unknown = || ResourceError(text.to_owned());
        if !text.starts_with("arn:") {
            return match text.split_once(':') {
                Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => {
                    Ok(Resource::Other {
                        uri: text.to_owned(),
                    })
                }
                _ => Err(unknown()),
            };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [_, partition, service, region, account, rest] = parts.as_slice() else {
            return Err(unknown());
        };
        if !partition.starts_with("aws") {
            return Err(unknown());
        }
        match (*service, region.is_empty(), account.is_empty()) {
            ("states", true, true) => integration(rest).ok_or_else(unknown),
            ("states", false, false) if rest.starts_with("activity:") => Ok(Resource::Activity {
                arn: text.to_owned(),
            }),
            ("lambda", false, false) if rest.starts_with("function:") => Ok(Resource::Lambda {
                arn: text.to_owned(),
            }),
            _ => Err(unknown()),
        }
    }
}

/// Parses what follows `arn:aws:states:::`.
fn integration(text: &str) -> Option<Resource> {
    let (text, pattern) = split_pattern(text);
    if let Some(call) = text.strip_prefix("aws-sdk:") {
        let (service, action) = call.split_once(':')?;
        let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric());
        let sound = !service.is_empty()
            && plain(service)
            && plain(action)
            && action.starts_with(|c: char| c.is_ascii_lowercase())
            && matches!(
                pattern,
                Pattern::RequestResponse | Pattern::WaitForTaskToken
            );
        return sound.then(|| Resource::AwsSdk {
            service: service.to_owned(),
            action: action.to_owned(),
            pattern,
        });
    }
    let (service, action) = text.split_once(':')?;
    integrations::is_known(service, action, pattern).then(|| Resource::Optimized {
        service: service.to_owned(),
        action: action.to_owned(),
        pattern,
    })
}

fn split_pattern(text: &str) -> (&str, Pattern) {
    [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken]
        .into_iter()
        .find_map(|pattern| Some((text.strip_suffix(pattern.suffix())?, pattern)))
        .unwrap_or((text, Pattern::RequestResponse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_round_trip() {
        for text in [
            "arn:aws:states:::aws-sdk:ec2:describeSecurityGroupRules",
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "arn:aws:states:::sqs:sendMessage",
            "arn:aws:states:::states:startExecution.sync:2",
            "arn:aws:states:::states:startExecution.sync",
            "arn:aws:states:::sns:publish",
            "arn:aws:states:::events:putEvents",
            "arn:aws:states:::dynamodb:putItem",
            "arn:aws:lambda:us-east-1:111111111111:function:f:1",
            "arn:aws:states:us-east-1:111111111111:activity:a",
            "foo:bar",
        ] {
            assert_eq!(text.parse::<Resource>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn unknown_resources_are_refused() {
        for text in [
            "",
            "nothing",
            "arn:aws:states:::dynamodb:query",
            "arn:aws:states:::dynamodb:putItem.waitForTaskToken",
            "arn:aws:states:::sns:publish.sync",
            "arn:aws:states:::aws-sdk:ec2:DescribeInstances",
            "arn:aws:states:::aws-sdk:ec2:runInstances.sync",
            "arn:aws:states:::aws-sdk:ec2",
            "arn:aws:s3:::bucket",
            "arn:aws",
        ] {
            assert!(text.parse::<Resource>().is_err(), "{text}");
        }
    }

    #[test]
    fn other_partitions_are_read() {
        let resource: Resource = "arn:aws-us-gov:states:::sns:publish".parse().unwrap();
        assert_eq!(resource.history_type(), "sns");
        assert_eq!(resource.pattern(), Pattern::RequestResponse);
    }
}

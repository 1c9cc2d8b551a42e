//! Things in AWS, and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An Amazon Resource Name in its six parts. Parts may be empty, and the last may hold colons and slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// `ec2`.
    pub service: String,
    /// `us-east-1`; empty for global services.
    pub region: String,
    /// Twelve digits; empty for some services.
    pub account: String,
    /// `security-group/sg-0123`.
    pub resource: String,
}

/// The text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "«{text}» is not an ARN: six parts are wanted, arn:partition:service:region:account:resource"
)]
pub struct ArnError {
    text: String,
}

const ARN_CHARS_MAX: usize = 2048;

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let fail = || ArnError {
            text: text.chars().take(120).collect(),
        };
        if text.len() > ARN_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(fail());
        }
        let mut parts = text.splitn(6, ':').map(str::to_owned);
        let mut next = || parts.next().ok_or_else(fail);
        if next()? != "arn" {
            return Err(fail());
        }
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        let named =
            !arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty();
        if named { Ok(arn) } else { Err(fail()) }
    }
}

impl Arn {
    fn text(&self) -> String {
        let Self {
            partition,
            service,
            region,
            account,
            resource,
        } = self;
        ["arn", partition, service, region, account, resource].join(":")
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// One thing in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its ARN.
    pub arn: Arn,
    /// Its CloudFormation type (`AWS::EC2::SecurityGroup`).
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id alone (`sg-0123`).
    pub id: String,
}

impl Resource {
    /// The security group `id` of an account and Region.
    pub fn security_group(partition: &str, region: &str, account: &str, id: &str) -> Self {
        Self {
            arn: Arn {
                partition: partition.to_owned(),
                service: "ec2".to_owned(),
                region: region.to_owned(),
                account: account.to_owned(),
                resource: format!("security-group/{id}"),
            },
            kind: "AWS::EC2::SecurityGroup".to_owned(),
            id: id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_keep_their_colons_and_slashes() {
        for text in [
            "arn:aws:ec2:us-east-1:123456789012:security-group/sg-1",
            "arn:aws-cn:s3:::bucket.with.dots/key:with:colons",
            "arn:aws:iam::123456789012:role/team/path/name",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_an_arn_is_refused() {
        for text in [
            "",
            "arn:aws:ec2",
            "arn::::::",
            "urn:aws:ec2:::x",
            "arn:aws:ec2:::",
            "arn:aws:s3:::a\nb",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text:?}");
        }
    }
}

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
#[serde(rename_all = "camelCase", from = "Told")]
pub struct Resource {
    /// Its ARN.
    pub arn: Arn,
    /// Its CloudFormation type (`AWS::EC2::SecurityGroup`).
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id alone (`sg-0123`).
    pub id: String,
    /// The account it is in, twelve digits. The ARN of a bucket does not tell it.
    pub account: String,
    /// The Region it is looked after in. Of what is global it is the one that answers for the partition.
    pub region: String,
}

/// A resource as it is read: what it does not tell of its place stands in its ARN.
#[derive(Deserialize)]
struct Told {
    arn: Arn,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    region: String,
}

impl From<Told> for Resource {
    fn from(told: Told) -> Self {
        let Told {
            arn,
            kind,
            id,
            account,
            region,
        } = told;
        Self::new(arn, kind, id).told_to_be_in(&account, &region)
    }
}

/// The types that playbooks are for: service, what the last part of its ARN begins with, and the CloudFormation type.
const TYPES: &[(&str, &str, &str)] = &[
    ("cloudtrail", "trail/", "AWS::CloudTrail::Trail"),
    (
        "config",
        "configuration-recorder/",
        "AWS::Config::ConfigurationRecorder",
    ),
    ("dynamodb", "table/", "AWS::DynamoDB::Table"),
    ("ec2", "image/", "AWS::EC2::Image"),
    ("ec2", "instance/", "AWS::EC2::Instance"),
    ("ec2", "network-acl/", "AWS::EC2::NetworkAcl"),
    ("ec2", "network-interface/", "AWS::EC2::NetworkInterface"),
    ("ec2", "security-group/", "AWS::EC2::SecurityGroup"),
    ("ec2", "snapshot/", "AWS::EC2::Snapshot"),
    ("ec2", "subnet/", "AWS::EC2::Subnet"),
    ("ec2", "volume/", "AWS::EC2::Volume"),
    ("ec2", "vpc/", "AWS::EC2::VPC"),
    ("ec2", "vpc-flow-log/", "AWS::EC2::FlowLog"),
    ("ecs", "cluster/", "AWS::ECS::Cluster"),
    ("ecs", "service/", "AWS::ECS::Service"),
    ("ecs", "task/", "AWS::ECS::Task"),
    ("eks", "cluster/", "AWS::EKS::Cluster"),
    (
        "elasticloadbalancing",
        "loadbalancer/app/",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
    ),
    ("events", "rule/", "AWS::Events::Rule"),
    ("guardduty", "detector/", "AWS::GuardDuty::Detector"),
    ("iam", "group/", "AWS::IAM::Group"),
    ("iam", "policy/", "AWS::IAM::ManagedPolicy"),
    ("iam", "role/", "AWS::IAM::Role"),
    ("iam", "user/", "AWS::IAM::User"),
    ("kms", "key/", "AWS::KMS::Key"),
    ("lambda", "function:", "AWS::Lambda::Function"),
    ("organizations", "account/", "AWS::Organizations::Account"),
    ("rds", "cluster-snapshot:", "AWS::RDS::DBClusterSnapshot"),
    ("rds", "cluster:", "AWS::RDS::DBCluster"),
    ("rds", "db:", "AWS::RDS::DBInstance"),
    ("rds", "snapshot:", "AWS::RDS::DBSnapshot"),
    ("s3", "", "AWS::S3::Bucket"),
    ("secretsmanager", "secret:", "AWS::SecretsManager::Secret"),
    ("ssm", "document/", "AWS::SSM::Document"),
];

impl Resource {
    /// A resource by its ARN, which says where it is as far as it can.
    pub fn new(arn: Arn, kind: impl Into<String>, id: impl Into<String>) -> Self {
        let (account, region) = (arn.account.clone(), arn.region.clone());
        let region = match (region.is_empty(), arn.service.as_str()) {
            // IAM has no Regions; its calls are answered, and signed for, in one.
            (true, "iam") => match arn.partition.as_str() {
                "aws-cn" => "cn-north-1".to_owned(),
                "aws-us-gov" => "us-gov-west-1".to_owned(),
                _ => "us-east-1".to_owned(),
            },
            _ => region,
        };
        Self {
            arn,
            kind: kind.into(),
            id: id.into(),
            account,
            region,
        }
    }

    /// The resource that an ARN names, for the types that playbooks are for; `None` for another.
    pub fn of_arn(arn: &Arn) -> Option<Self> {
        let (service, resource) = (arn.service.as_str(), arn.resource.as_str());
        // An account as a whole goes by its root user's ARN.
        if service == "iam" && resource == "root" {
            return Some(Self::new(arn.clone(), "AWS::::Account", &arn.account));
        }
        let (kind, rest) = TYPES.iter().find_map(|(of, prefix, kind)| {
            let rest = resource.strip_prefix(prefix)?;
            (*of == service).then_some((*kind, rest))
        })?;
        // What stands behind it is another thing: a version of a function, an object of a bucket, an index of a table.
        let has_path = [
            "ecs",
            "elasticloadbalancing",
            "iam",
            "organizations",
            "secretsmanager",
        ];
        let is_part = rest.contains('/') && !has_path.contains(&service);
        if is_part || (service == "lambda" && rest.contains(':')) {
            return None;
        }
        // Identities may have a path before their name, a service of ECS has its cluster, an account its organisation.
        let id = rest.rsplit('/').next().filter(|id| !id.is_empty())?;
        Some(Self::new(arn.clone(), kind, id))
    }

    /// The same, in this account and Region where its ARN does not say. What the ARN says is never overruled.
    #[must_use]
    pub fn told_to_be_in(mut self, account: &str, region: &str) -> Self {
        for (place, told) in [(&mut self.account, account), (&mut self.region, region)] {
            if place.is_empty() {
                told.clone_into(place);
            }
        }
        self
    }

    /// The security group `id` of an account and Region.
    pub fn security_group(partition: &str, region: &str, account: &str, id: &str) -> Self {
        let arn = Arn {
            partition: partition.to_owned(),
            service: "ec2".to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource: format!("security-group/{id}"),
        };
        Self::new(arn, "AWS::EC2::SecurityGroup", id)
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
    fn a_resource_is_where_its_arn_says_and_else_where_it_was_told_to_be() {
        let read = |text: &str| serde_json::from_str::<Resource>(text).unwrap();
        let bucket = r#"{"arn":"arn:aws:s3:::b","type":"AWS::S3::Bucket","id":"b""#;
        let known = read(&format!(r#"{bucket},"account":"1","region":"eu-west-1"}}"#));
        assert_eq!(
            (known.account.as_str(), known.region.as_str()),
            ("1", "eu-west-1")
        );
        assert_eq!(read(&format!("{bucket}}}")).account, "");
        let group = Resource::security_group("aws", "us-east-1", "2", "sg-1");
        let stored = serde_json::to_string(&group).unwrap();
        assert_eq!(read(&stored), group);
        assert_eq!(
            group.clone().told_to_be_in("3", "x"),
            group,
            "the ARN is not overruled"
        );
        let role = "arn:aws-cn:iam::2:role/r".parse().unwrap();
        assert_eq!(
            Resource::new(role, "AWS::IAM::Role", "r").region,
            "cn-north-1"
        );
    }

    #[test]
    fn an_arn_names_a_resource_and_no_part_of_one() {
        let of = |text: &str| {
            let found = Resource::of_arn(&text.parse().unwrap());
            found.map(|found| (found.kind, found.id))
        };
        for (arn, kind, id) in [
            ("arn:aws:iam::1:role/team/app", "AWS::IAM::Role", "app"),
            ("arn:aws:iam::1:root", "AWS::::Account", "1"),
            (
                "arn:aws:s3:::logs.example",
                "AWS::S3::Bucket",
                "logs.example",
            ),
            (
                "arn:aws:ec2:us-east-1::snapshot/snap-1",
                "AWS::EC2::Snapshot",
                "snap-1",
            ),
            (
                "arn:aws:rds:us-east-1:1:snapshot:rds:shop-1",
                "AWS::RDS::DBSnapshot",
                "rds:shop-1",
            ),
            (
                "arn:aws:lambda:us-east-1:1:function:pay",
                "AWS::Lambda::Function",
                "pay",
            ),
            (
                "arn:aws:ecs:us-east-1:1:service/web/pay",
                "AWS::ECS::Service",
                "pay",
            ),
            (
                "arn:aws:organizations::1:account/o-1/222222222222",
                "AWS::Organizations::Account",
                "222222222222",
            ),
        ] {
            assert_eq!(of(arn), Some((kind.to_owned(), id.to_owned())), "{arn}");
        }
        for part in [
            "arn:aws:s3:::logs/object",
            "arn:aws:lambda:us-east-1:1:function:pay:3",
            "arn:aws:dynamodb:us-east-1:1:table/orders/index/by-day",
            "arn:aws:kms:us-east-1:1:alias/x",
            "arn:aws:iam::1:role/",
        ] {
            assert_eq!(of(part), None, "{part}");
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

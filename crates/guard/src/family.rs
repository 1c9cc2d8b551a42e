//! Which acting role makes a call, and where: one role for each family of services, so that none can do everything. The calls of
//! AWS Organizations are made in the management account; all others where the resource is.

use quell_model::Resource;

/// A family of calls that share an acting role in each account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Security groups, interfaces, addresses, network ACLs, load balancers, firewalls.
    Network,
    /// Instances, volumes and snapshots, Auto Scaling, functions, containers.
    Compute,
    /// Identities and their policies.
    Iam,
    /// Buckets.
    S3,
    /// Keys, databases, secrets.
    Data,
    /// Trails, recorders, detectors, log groups, rules of events.
    Logging,
    /// Policies of the organisation. Its role is in the management account.
    Organization,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Network,
        Self::Compute,
        Self::Iam,
        Self::S3,
        Self::Data,
        Self::Logging,
        Self::Organization,
    ];

    /// Its member of a document's `roles`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Compute => "compute",
            Self::Iam => "iam",
            Self::S3 => "s3",
            Self::Data => "data",
            Self::Logging => "logging",
            Self::Organization => "organization",
        }
    }

    /// What a role of it is called after the prefix: `QuellAct-Network`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Compute => "Compute",
            Self::Iam => "IAM",
            Self::S3 => "S3",
            Self::Data => "Data",
            Self::Logging => "Logging",
            Self::Organization => "Organization",
        }
    }

    /// The family of a call; `service` as a task's resource names it. Of EC2 the object decides, which stands in the
    /// operation's name. What is in no other family is of the network's, whose role can do the least harm.
    pub fn of(service: &str, operation: &str) -> Self {
        match service {
            "iam" | "sts" | "ssoadmin" | "identitystore" | "accessanalyzer" => Self::Iam,
            "organizations" => Self::Organization,
            "s3" | "s3control" => Self::S3,
            "kms" | "rds" | "dynamodb" | "secretsmanager" | "backup" => Self::Data,
            "cloudtrail" | "config" | "guardduty" | "securityhub" | "cloudwatchlogs" | "macie2"
            | "route53resolver" | "eventbridge" => Self::Logging,
            "autoscaling" | "lambda" | "ecs" | "eks" | "batch" | "ssm" => Self::Compute,
            "ec2" if is_of_compute(operation) => Self::Compute,
            _ => Self::Network,
        }
    }

    /// The account and the Region that a call of this family is made in, for a run about `resource`. `management` is the
    /// organisation's management account; without one the account is empty, and no call is made there.
    pub fn place<'a>(
        self,
        resource: &'a Resource,
        management: Option<&'a str>,
    ) -> (&'a str, &'a str) {
        match self {
            Self::Organization => (
                management.unwrap_or_default(),
                region_of_organizations(&resource.arn.partition),
            ),
            _ => (&resource.account, &resource.region),
        }
    }
}

/// The one Region of a partition that answers for AWS Organizations (<https://docs.aws.amazon.com/general/latest/gr/ao.html>).
fn region_of_organizations(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// Objects of EC2 that are machines and their disks.
const OF_COMPUTE: &[&str] = &[
    "Instance",
    "Snapshot",
    "Image",
    "Volume",
    "Spot",
    "Fleet",
    "LaunchTemplate",
    "KeyPair",
    "Tags",
];

fn is_of_compute(operation: &str) -> bool {
    OF_COMPUTE.iter().any(|object| operation.contains(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_in_the_family_of_what_it_is_about() {
        for (service, operation, family) in [
            ("ec2", "RevokeSecurityGroupIngress", Family::Network),
            ("ec2", "ModifyNetworkInterfaceAttribute", Family::Network),
            ("ec2", "DisassociateAddress", Family::Network),
            ("ec2", "ModifyInstanceAttribute", Family::Compute),
            ("ec2", "StopInstances", Family::Compute),
            ("ec2", "CreateSnapshots", Family::Compute),
            ("ec2", "CreateTags", Family::Compute),
            (
                "ec2",
                "ReplaceIamInstanceProfileAssociation",
                Family::Compute,
            ),
            ("autoscaling", "DetachInstances", Family::Compute),
            (
                "elasticloadbalancingv2",
                "DeregisterTargets",
                Family::Network,
            ),
            ("iam", "PutRolePolicy", Family::Iam),
            ("s3", "PutPublicAccessBlock", Family::S3),
            ("kms", "CancelKeyDeletion", Family::Data),
            ("cloudtrail", "StartLogging", Family::Logging),
            ("eventbridge", "EnableRule", Family::Logging),
            ("organizations", "AttachPolicy", Family::Organization),
        ] {
            assert_eq!(
                Family::of(service, operation),
                family,
                "{service}:{operation}"
            );
        }
    }

    #[test]
    fn the_organisation_s_calls_are_made_in_the_management_account() {
        let of = |partition: &str| {
            let arn = format!("arn:{partition}:s3:::b").parse().unwrap();
            Resource::new(arn, "AWS::S3::Bucket", "b").told_to_be_in("444455556666", "eu-west-1")
        };
        let place = |family: Family, partition: &str, management| {
            let resource = of(partition);
            let (account, region) = family.place(&resource, management);
            (account.to_owned(), region.to_owned())
        };
        let said = |account: &str, region: &str| (account.to_owned(), region.to_owned());
        let management = Some("100020003000");
        assert_eq!(
            place(Family::S3, "aws", management),
            said("444455556666", "eu-west-1")
        );
        let organization = |partition| place(Family::Organization, partition, management);
        assert_eq!(organization("aws"), said("100020003000", "us-east-1"));
        assert_eq!(
            organization("aws-cn"),
            said("100020003000", "cn-northwest-1")
        );
        assert_eq!(
            organization("aws-us-gov"),
            said("100020003000", "us-gov-west-1")
        );
        assert_eq!(
            place(Family::Organization, "aws", None),
            said("", "us-east-1")
        );
    }
}

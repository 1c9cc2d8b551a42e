//! Which acting role makes a call: one role for each family of services, so that none can do everything.

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
    /// Trails, recorders, detectors, log groups.
    Logging,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Network,
        Self::Compute,
        Self::Iam,
        Self::S3,
        Self::Data,
        Self::Logging,
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
        }
    }

    /// The family of a call; `service` as a task's resource names it. Of EC2 the object decides, which stands in the
    /// operation's name. What is in no other family is of the network's, whose role can do the least harm.
    pub fn of(service: &str, operation: &str) -> Self {
        match service {
            "iam" | "sts" | "ssoadmin" | "identitystore" | "organizations" | "accessanalyzer" => {
                Self::Iam
            }
            "s3" | "s3control" => Self::S3,
            "kms" | "rds" | "dynamodb" | "secretsmanager" | "backup" => Self::Data,
            "cloudtrail" | "config" | "guardduty" | "securityhub" | "cloudwatchlogs" | "macie2"
            | "route53resolver" => Self::Logging,
            "autoscaling" | "lambda" | "ecs" | "eks" | "batch" | "ssm" => Self::Compute,
            "ec2" if is_of_compute(operation) => Self::Compute,
            _ => Self::Network,
        }
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
        ] {
            assert_eq!(
                Family::of(service, operation),
                family,
                "{service}:{operation}"
            );
        }
    }
}

//! Where the resource of each call stands.
//!
//! A row is for a service and the events named, or for all other changing calls of it when none is. Rows are tried in
//! order, and the places of a row in order of trust: what AWS answered before what the caller asked.

/// A pointer into the record (RFC 6901).
pub(super) type Place = &'static str;

/// A type of resource, and how its ARN is made.
pub(super) struct Type {
    /// CloudFormation's name.
    pub name: &'static str,
    /// The ARN's service.
    pub service: &'static str,
    /// Whether the ARN has the Region.
    pub regional: bool,
    /// Whether the ARN has the account.
    pub owned: bool,
    /// What stands before the id in the ARN's last part.
    pub prefix: &'static str,
    /// What every id begins with, where AWS makes the ids.
    pub id_prefix: &'static str,
}

/// Where a call names the resource it changed.
pub(super) struct Row {
    /// `eventSource` without `.amazonaws.com`.
    pub service: &'static str,
    /// The calls, without versions; empty for all.
    pub events: &'static [&'static str],
    /// The type.
    pub kind: Type,
    /// Where its id or ARN stands.
    pub places: &'static [Place],
}

const fn regional(name: &'static str, service: &'static str, prefix: &'static str) -> Type {
    Type {
        name,
        service,
        regional: true,
        owned: true,
        prefix,
        id_prefix: "",
    }
}

const fn global(name: &'static str, service: &'static str, prefix: &'static str) -> Type {
    Type {
        name,
        service,
        regional: false,
        owned: true,
        prefix,
        id_prefix: "",
    }
}

const fn ec2(name: &'static str, prefix: &'static str, id_prefix: &'static str) -> Type {
    Type {
        name,
        service: "ec2",
        regional: true,
        owned: true,
        prefix,
        id_prefix,
    }
}

const BUCKET: Type = Type {
    name: "AWS::S3::Bucket",
    service: "s3",
    regional: false,
    owned: false,
    prefix: "",
    id_prefix: "",
};

const fn row(
    service: &'static str,
    events: &'static [&'static str],
    kind: Type,
    places: &'static [Place],
) -> Row {
    Row {
        service,
        events,
        kind,
        places,
    }
}

/// A row for every changing call of a service.
const fn all(service: &'static str, kind: Type, places: &'static [Place]) -> Row {
    row(service, &[], kind, places)
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // EC2
    row("ec2", &["AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"], ec2("AWS::EC2::SecurityGroup", "security-group/", "sg-"), &["/responseElements/securityGroupRuleSet/items/0/groupId", "/requestParameters/groupId", "/requestParameters/ModifySecurityGroupRulesRequest/GroupId"]),
    row("ec2", &["CreateSecurityGroup"], ec2("AWS::EC2::SecurityGroup", "security-group/", "sg-"), &["/responseElements/groupId"]),
    row("ec2", &["RunInstances"], ec2("AWS::EC2::Instance", "instance/", "i-"), &["/responseElements/instancesSet/items/0/instanceId"]),
    row("ec2", &["CreateSnapshot", "CopySnapshot", "ImportSnapshot"], ec2("AWS::EC2::Snapshot", "snapshot/", "snap-"), &["/responseElements/snapshotId"]),
    row("ec2", &["CreateSnapshots"], ec2("AWS::EC2::Snapshot", "snapshot/", "snap-"), &["/responseElements/CreateSnapshotsResponse/snapshotSet/item/snapshotId"]),
    row("ec2", &["CreateImage", "CopyImage", "RegisterImage", "ImportImage"], ec2("AWS::EC2::Image", "image/", "ami-"), &["/responseElements/imageId"]),
    row("ec2", &["CreateVolume"], ec2("AWS::EC2::Volume", "volume/", "vol-"), &["/responseElements/volumeId"]),
    row("ec2", &["CreateVpc", "CreateDefaultVpc"], ec2("AWS::EC2::VPC", "vpc/", "vpc-"), &["/responseElements/vpc/vpcId"]),
    row("ec2", &["CreateSubnet"], ec2("AWS::EC2::Subnet", "subnet/", "subnet-"), &["/responseElements/subnet/subnetId"]),
    row("ec2", &["CreateNetworkInterface"], ec2("AWS::EC2::NetworkInterface", "network-interface/", "eni-"), &["/responseElements/networkInterface/networkInterfaceId"]),
    row("ec2", &["CreateRouteTable"], ec2("AWS::EC2::RouteTable", "route-table/", "rtb-"), &["/responseElements/routeTable/routeTableId"]),
    row("ec2", &["CreateNetworkAcl"], ec2("AWS::EC2::NetworkAcl", "network-acl/", "acl-"), &["/responseElements/networkAcl/networkAclId"]),
    row("ec2", &["CreateInternetGateway"], ec2("AWS::EC2::InternetGateway", "internet-gateway/", "igw-"), &["/responseElements/internetGateway/internetGatewayId"]),
    row("ec2", &["CreateNatGateway"], ec2("AWS::EC2::NatGateway", "natgateway/", "nat-"), &["/responseElements/CreateNatGatewayResponse/natGateway/natGatewayId"]),
    row("ec2", &["CreateVpcEndpoint"], ec2("AWS::EC2::VPCEndpoint", "vpc-endpoint/", "vpce-"), &["/responseElements/CreateVpcEndpointResponse/vpcEndpoint/vpcEndpointId"]),
    row("ec2", &["CreateVpcPeeringConnection", "AcceptVpcPeeringConnection"], ec2("AWS::EC2::VPCPeeringConnection", "vpc-peering-connection/", "pcx-"), &["/responseElements/vpcPeeringConnection/vpcPeeringConnectionId", "/requestParameters/vpcPeeringConnectionId"]),
    row("ec2", &["CreateFlowLogs", "DeleteFlowLogs"], ec2("AWS::EC2::FlowLog", "vpc-flow-log/", "fl-"), &["/responseElements/CreateFlowLogsResponse/flowLogIdSet/item", "/requestParameters/DeleteFlowLogsRequest/FlowLogId/content", "/requestParameters/DeleteFlowLogsRequest/FlowLogId/0/content"]),
    row("ec2", &["CreateTrafficMirrorSession", "ModifyTrafficMirrorSession", "DeleteTrafficMirrorSession"], ec2("AWS::EC2::TrafficMirrorSession", "traffic-mirror-session/", "tms-"), &["/responseElements/CreateTrafficMirrorSessionResponse/trafficMirrorSession/trafficMirrorSessionId", "/requestParameters/ModifyTrafficMirrorSessionRequest/TrafficMirrorSessionId", "/requestParameters/DeleteTrafficMirrorSessionRequest/TrafficMirrorSessionId"]),
    row("ec2", &["CreateKeyPair", "ImportKeyPair", "DeleteKeyPair"], ec2("AWS::EC2::KeyPair", "key-pair/", "key-"), &["/responseElements/keyPairId", "/requestParameters/keyPairId"]),
    row("ec2", &["AllocateAddress", "ReleaseAddress", "AssociateAddress", "DisassociateAddress", "EnableAddressTransfer"], ec2("AWS::EC2::EIP", "elastic-ip/", "eipalloc-"), &["/responseElements/allocationId", "/requestParameters/allocationId", "/requestParameters/EnableAddressTransferRequest/AllocationId"]),
    all("ec2", ec2("AWS::EC2::Snapshot", "snapshot/", "snap-"), &["/requestParameters/snapshotId", "/requestParameters/ModifySnapshotTierRequest/SnapshotId", "/serviceEventDetails/snapshotId"]),
    all("ec2", ec2("AWS::EC2::Image", "image/", "ami-"), &["/requestParameters/imageId"]),
    all("ec2", ec2("AWS::EC2::Volume", "volume/", "vol-"), &["/requestParameters/volumeId"]),
    all("ec2", ec2("AWS::EC2::Instance", "instance/", "i-"), &["/requestParameters/instancesSet/items/0/instanceId", "/requestParameters/instanceId", "/requestParameters/AssociateIamInstanceProfileRequest/InstanceId", "/requestParameters/ModifyInstanceMetadataOptionsRequest/InstanceId", "/responseElements/ReplaceIamInstanceProfileAssociationResponse/iamInstanceProfileAssociation/instanceId"]),
    all("ec2", ec2("AWS::EC2::SecurityGroup", "security-group/", "sg-"), &["/requestParameters/groupId"]),
    all("ec2", ec2("AWS::EC2::NetworkInterface", "network-interface/", "eni-"), &["/requestParameters/networkInterfaceId"]),
    all("ec2", ec2("AWS::EC2::RouteTable", "route-table/", "rtb-"), &["/requestParameters/routeTableId"]),
    all("ec2", ec2("AWS::EC2::NetworkAcl", "network-acl/", "acl-"), &["/requestParameters/networkAclId"]),
    all("ec2", ec2("AWS::EC2::Subnet", "subnet/", "subnet-"), &["/requestParameters/subnetId"]),
    all("ec2", ec2("AWS::EC2::VPCPeeringConnection", "vpc-peering-connection/", "pcx-"), &["/requestParameters/vpcPeeringConnectionId"]),
    all("ec2", ec2("AWS::EC2::VPC", "vpc/", "vpc-"), &["/requestParameters/vpcId"]),
    all("ec2-instance-connect", ec2("AWS::EC2::Instance", "instance/", "i-"), &["/requestParameters/instanceId"]),
    // IAM and identities
    row("iam", &["AddUserToGroup", "RemoveUserFromGroup"], global("AWS::IAM::User", "iam", "user/"), &["/requestParameters/userName"]),
    row("iam", &["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"], global("AWS::IAM::InstanceProfile", "iam", "instance-profile/"), &["/requestParameters/instanceProfileName"]),
    all("iam", global("AWS::IAM::Role", "iam", "role/"), &["/responseElements/role/arn", "/requestParameters/roleName"]),
    all("iam", global("AWS::IAM::User", "iam", "user/"), &["/responseElements/user/arn", "/responseElements/accessKey/userName", "/requestParameters/userName"]),
    all("iam", global("AWS::IAM::Group", "iam", "group/"), &["/responseElements/group/arn", "/requestParameters/groupName"]),
    all("iam", global("AWS::IAM::InstanceProfile", "iam", "instance-profile/"), &["/requestParameters/instanceProfileName"]),
    all("iam", global("AWS::IAM::SAMLProvider", "iam", "saml-provider/"), &["/responseElements/sAMLProviderArn", "/requestParameters/sAMLProviderArn"]),
    all("iam", global("AWS::IAM::OIDCProvider", "iam", "oidc-provider/"), &["/responseElements/openIDConnectProviderArn", "/requestParameters/openIDConnectProviderArn"]),
    all("iam", global("AWS::IAM::VirtualMFADevice", "iam", "mfa/"), &["/responseElements/virtualMFADevice/serialNumber", "/requestParameters/serialNumber"]),
    all("iam", global("AWS::IAM::ManagedPolicy", "iam", "policy/"), &["/responseElements/policy/arn", "/requestParameters/policyArn"]),
    all("rolesanywhere", regional("AWS::RolesAnywhere::TrustAnchor", "rolesanywhere", "trust-anchor/"), &["/responseElements/trustAnchor/trustAnchorArn", "/requestParameters/trustAnchorId"]),
    all("rolesanywhere", regional("AWS::RolesAnywhere::Profile", "rolesanywhere", "profile/"), &["/responseElements/profile/profileArn", "/requestParameters/profileId"]),
    all("cognito-idp", regional("AWS::Cognito::UserPool", "cognito-idp", "userpool/"), &["/responseElements/userPool/arn", "/requestParameters/userPoolId"]),
    // Storage and databases
    all("s3", BUCKET, &["/requestParameters/bucketName"]),
    all("dynamodb", regional("AWS::DynamoDB::Table", "dynamodb", "table/"), &["/responseElements/tableDescription/tableArn", "/requestParameters/tableName"]),
    row("rds", &["CreateDBSnapshot", "CopyDBSnapshot", "ModifyDBSnapshotAttribute", "DeleteDBSnapshot", "ModifyDBSnapshot"], regional("AWS::RDS::DBSnapshot", "rds", "snapshot:"), &["/responseElements/dBSnapshotArn", "/requestParameters/dBSnapshotIdentifier"]),
    row("rds", &["CreateDBClusterSnapshot", "CopyDBClusterSnapshot", "ModifyDBClusterSnapshotAttribute", "DeleteDBClusterSnapshot"], regional("AWS::RDS::DBClusterSnapshot", "rds", "cluster-snapshot:"), &["/responseElements/dBClusterSnapshotArn", "/requestParameters/dBClusterSnapshotIdentifier"]),
    all("rds", regional("AWS::RDS::DBInstance", "rds", "db:"), &["/responseElements/dBInstanceArn", "/requestParameters/dBInstanceIdentifier"]),
    all("rds", regional("AWS::RDS::DBCluster", "rds", "cluster:"), &["/responseElements/dBClusterArn", "/requestParameters/dBClusterIdentifier"]),
    all("redshift", regional("AWS::Redshift::Cluster", "redshift", "cluster:"), &["/requestParameters/clusterIdentifier"]),
    all("elasticfilesystem", regional("AWS::EFS::FileSystem", "elasticfilesystem", "file-system/"), &["/responseElements/fileSystemArn", "/requestParameters/fileSystemId"]),
    all("es", regional("AWS::OpenSearchService::Domain", "es", "domain/"), &["/responseElements/domainStatus/aRN", "/requestParameters/domainName"]),
    all("backup", regional("AWS::Backup::BackupVault", "backup", "backup-vault:"), &["/requestParameters/backupVaultName"]),
    // Keys and secrets
    all("kms", regional("AWS::KMS::Key", "kms", "key/"), &["/responseElements/keyMetadata/arn", "/responseElements/keyId", "/requestParameters/keyId"]),
    all("secretsmanager", regional("AWS::SecretsManager::Secret", "secretsmanager", "secret:"), &["/responseElements/arn", "/responseElements/aRN", "/requestParameters/secretId"]),
    row("ssm", &["SendCommand", "StartSession", "CreateAssociation"], ec2("AWS::EC2::Instance", "instance/", "i-"), &["/requestParameters/instanceIds/0", "/requestParameters/target", "/requestParameters/instanceId"]),
    row("ssm", &["CreateDocument", "UpdateDocument", "ModifyDocumentPermission", "DeleteDocument", "UpdateDocumentDefaultVersion"], regional("AWS::SSM::Document", "ssm", "document/"), &["/requestParameters/name"]),
    row("ssm", &["PutParameter", "DeleteParameter", "LabelParameterVersion"], regional("AWS::SSM::Parameter", "ssm", "parameter/"), &["/requestParameters/name"]),
    all("acm", regional("AWS::CertificateManager::Certificate", "acm", "certificate/"), &["/responseElements/certificateArn", "/requestParameters/certificateArn"]),
    // Compute
    all("lambda", regional("AWS::Lambda::Function", "lambda", "function:"), &["/responseElements/functionArn", "/requestParameters/functionName"]),
    row("lambda", &["PublishLayerVersion", "AddLayerVersionPermission", "RemoveLayerVersionPermission"], regional("AWS::Lambda::LayerVersion", "lambda", "layer:"), &["/responseElements/layerArn", "/requestParameters/layerName"]),
    all("ecr", regional("AWS::ECR::Repository", "ecr", "repository/"), &["/responseElements/repository/repositoryArn", "/requestParameters/repositoryName"]),
    row("ecs", &["RegisterTaskDefinition", "DeregisterTaskDefinition"], regional("AWS::ECS::TaskDefinition", "ecs", "task-definition/"), &["/responseElements/taskDefinition/taskDefinitionArn"]),
    row("ecs", &["ExecuteCommand"], regional("AWS::ECS::Task", "ecs", "task/"), &["/responseElements/taskArn"]),
    row("ecs", &["RunTask", "StartTask", "ExecuteCommand", "StopTask"], regional("AWS::ECS::Cluster", "ecs", "cluster/"), &["/responseElements/clusterArn", "/requestParameters/cluster"]),
    all("ecs", regional("AWS::ECS::Service", "ecs", "service/"), &["/responseElements/service/serviceArn"]),
    all("ecs", regional("AWS::ECS::Cluster", "ecs", "cluster/"), &["/responseElements/cluster/clusterArn", "/requestParameters/cluster"]),
    all("eks", regional("AWS::EKS::Cluster", "eks", "cluster/"), &["/responseElements/cluster/arn", "/requestParameters/clusterName", "/requestParameters/name"]),
    all("codebuild", regional("AWS::CodeBuild::Project", "codebuild", "project/"), &["/responseElements/project/arn", "/requestParameters/projectName", "/requestParameters/name"]),
    all("states", regional("AWS::StepFunctions::StateMachine", "states", "stateMachine:"), &["/responseElements/stateMachineArn", "/requestParameters/stateMachineArn"]),
    all("sagemaker", regional("AWS::SageMaker::NotebookInstance", "sagemaker", "notebook-instance/"), &["/responseElements/notebookInstanceArn", "/requestParameters/notebookInstanceName"]),
    all("glue", regional("AWS::Glue::DevEndpoint", "glue", "devEndpoint/"), &["/requestParameters/endpointName"]),
    all("glue", regional("AWS::Glue::Job", "glue", "job/"), &["/requestParameters/jobName"]),
    all("lightsail", regional("AWS::Lightsail::Instance", "lightsail", "Instance/"), &["/requestParameters/instanceName"]),
    all("cloudformation", regional("AWS::CloudFormation::Stack", "cloudformation", "stack/"), &["/responseElements/stackId", "/requestParameters/stackName"]),
    // What watches
    row("cloudtrail", &["CreateEventDataStore", "UpdateEventDataStore", "DeleteEventDataStore", "StopEventDataStoreIngestion"], regional("AWS::CloudTrail::EventDataStore", "cloudtrail", "eventdatastore/"), &["/responseElements/eventDataStoreArn", "/requestParameters/eventDataStore"]),
    all("cloudtrail", regional("AWS::CloudTrail::Trail", "cloudtrail", "trail/"), &["/responseElements/trailARN", "/requestParameters/name", "/requestParameters/trailName"]),
    all("config", regional("AWS::Config::ConfigurationRecorder", "config", "configuration-recorder/"), &["/requestParameters/configurationRecorderName", "/requestParameters/configurationRecorder/name"]),
    all("config", regional("AWS::Config::ConfigRule", "config", "config-rule/"), &["/requestParameters/configRuleName"]),
    all("guardduty", regional("AWS::GuardDuty::Detector", "guardduty", "detector/"), &["/responseElements/detectorId", "/requestParameters/detectorId"]),
    all("logs", regional("AWS::Logs::LogGroup", "logs", "log-group:"), &["/requestParameters/logGroupName", "/requestParameters/logGroupIdentifier"]),
    all("monitoring", regional("AWS::CloudWatch::Alarm", "cloudwatch", "alarm:"), &["/requestParameters/alarmName", "/requestParameters/alarmNames/0"]),
    all("events", regional("AWS::Events::Rule", "events", "rule/"), &["/responseElements/ruleArn", "/requestParameters/name", "/requestParameters/rule"]),
    all("access-analyzer", regional("AWS::AccessAnalyzer::Analyzer", "access-analyzer", "analyzer/"), &["/responseElements/arn", "/requestParameters/analyzerName"]),
    all("network-firewall", regional("AWS::NetworkFirewall::Firewall", "network-firewall", "firewall/"), &["/responseElements/firewall/firewallArn", "/requestParameters/firewallArn", "/requestParameters/firewallName"]),
    all("wafv2", regional("AWS::WAFv2::WebACL", "wafv2", "regional/webacl/"), &["/requestParameters/webACLArn"]),
    // Messages, names, the edge, the organisation
    all("sns", regional("AWS::SNS::Topic", "sns", ""), &["/responseElements/topicArn", "/requestParameters/topicArn"]),
    all("route53", Type  { name: "AWS::Route53::HostedZone", service: "route53", regional: false, owned: false, prefix: "hostedzone/", id_prefix: "" }, &["/requestParameters/hostedZoneId"]),
    all("cloudfront", global("AWS::CloudFront::Distribution", "cloudfront", "distribution/"), &["/responseElements/distribution/aRN", "/requestParameters/id"]),
    all("ses", regional("AWS::SES::EmailIdentity", "ses", "identity/"), &["/requestParameters/identity", "/requestParameters/emailIdentity", "/requestParameters/emailAddress", "/requestParameters/domain"]),
    all("elasticloadbalancing", regional("AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancing", "loadbalancer/"), &["/requestParameters/loadBalancerArn"]),
    all("bedrock", regional("AWS::Bedrock::Guardrail", "bedrock", "guardrail/"), &["/requestParameters/guardrailIdentifier"]),
];

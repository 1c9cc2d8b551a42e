"""Makes one of everything that the operations of operations.json work on, with boto3, and prints their names as JSON.

boto3, so that it is not our own client that proves itself. The resources whose names end in 2 are those that are deleted.
"""

import base64
import io
import json
import sys
import zipfile
from typing import Any

import boto3
from botocore.config import Config

URL = sys.argv[1]
ACCOUNT = "123456789012"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
READ = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
#: moto reads it; nothing is signed with it.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIB9DCCAV2gAwIBAgIUWDnkeo9XVP7HudjoTJnAsCKCwLMwDQYJKoZIhvcNAQEL
BQAwDDEKMAgGA1UEAwwBdTAeFw0yNjExMjExMzUxNDZaFw0zNjExMTgxMzUxNDZa
MAwxCjAIBgNVBAMMAXUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAMEmavGJ
gpckdAjo73juAjraSfnHCiuzZexFighXDwXaKidz91Eu88Ef2vdfVQ9pg2dqk2ps
7pwPuQBnSfUKnacdgw2QZ1p8Jtk0T5yZs2PHQwXKs8C+elEZkOHXHANUVTJOeKag
THN5z6F88IGoPtEXl047g0n2vTdtT3xFWcgJAgMBAAGjUzBRMB0GA1UdDgQWBBR6
LzuKnmZqQe/r4PCduH0PoXnD1TAfBgNVHSMEGDAWgBR6LzuKnmZqQe/r4PCduH0P
oXnD1TAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4GBAKhnokbatOVD
oZUwvyiYXdoilzgsWcO6lEdAxhpLkAePUWjEQTGVI1yQZgyB6UqaMH2VwnLHwI4F
I6pwgR7vodBJIxjtpLwTQvnmBoPEamik1Ql4xV2uzxwvWjC3rcmK/R+c1LrpvJsv
oLsYoUpDMTxjQEHvg+iJZrb6QZyLENR3
-----END CERTIFICATE-----"""
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnXZncIRZ8qBskN4+N3rLNKLW1igegiJv4JtxPJPNnq"
SAML = "<EntityDescriptor>" + "x" * 1000 + "</EntityDescriptor>"


def client(name: str) -> Any:
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}
    made = boto3.client(name, endpoint_url=URL, region_name="us-east-1", config=Config(retries={"max_attempts": 0}), **keys)
    made.meta.events.register("before-send", without_account)
    return made


def without_account(request: Any, **_: Any) -> None:
    """S3 Control puts the account before the host, where an address cannot have it."""
    request.url = request.url.replace(f"//{ACCOUNT}.", "//")


def bucket_policy(bucket: str) -> str:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def network() -> dict[str, Any]:
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    nacl = ec2.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    prefixes = [{"Cidr": "10.0.0.0/8"}]
    prefix_list = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=5, AddressFamily="IPv4", Entries=prefixes)
    eni = ec2.create_network_interface(SubnetId=subnets[0], Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    address2 = ec2.allocate_address(Domain="vpc")["AllocationId"]
    associated = ec2.associate_address(AllocationId=address2, NetworkInterfaceId=eni)["AssociationId"]
    s3 = client("s3")
    s3.create_bucket(Bucket="flow")
    flow = ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination="arn:aws:s3:::flow")
    return {
        "vpc": vpc,
        "subnet": subnets[0],
        "subnet2": subnets[1],
        "group": group,
        "rule": rule,
        "nacl": nacl,
        "prefix_list": prefix_list["PrefixList"]["PrefixListId"],
        "eni": eni,
        "address": address,
        "address_association2": associated,
        "flow_log": flow["FlowLogIds"][0],
    }


def machines(made: dict[str, Any]) -> dict[str, Any]:
    ec2, iam = client("ec2"), client("iam")
    ami = ec2.register_image(Name="base", RootDeviceName="/dev/sda1")["ImageId"]
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.create_instance_profile(InstanceProfileName="quarantine")
    place = {"SubnetId": made["subnet"], "SecurityGroupIds": [made["group"]]}
    launched = ec2.run_instances(ImageId=ami, MinCount=2, MaxCount=2, InstanceType="t3.micro", **place)["Instances"]
    instance, instance2 = (i["InstanceId"] for i in launched)
    eni2 = ec2.create_network_interface(SubnetId=made["subnet"])["NetworkInterface"]["NetworkInterfaceId"]
    attachment = ec2.attach_network_interface(NetworkInterfaceId=eni2, InstanceId=instance2, DeviceIndex=1)["AttachmentId"]
    profile = ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "profile"}, InstanceId=instance)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    snapshots = [ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(2)]
    image = ec2.create_image(InstanceId=instance, Name="image")["ImageId"]
    spot = ec2.request_spot_instances(InstanceCount=1, LaunchSpecification={"ImageId": ami})["SpotInstanceRequests"][0]["SpotInstanceRequestId"]
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": ami, "InstanceType": "t3.micro"})
    asg = client("autoscaling")
    launch = {"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"}
    asg.create_auto_scaling_group(AutoScalingGroupName="asg", MinSize=0, MaxSize=3, DesiredCapacity=2, LaunchTemplate=launch, VPCZoneIdentifier=made["subnet"])
    members = [i["InstanceId"] for i in asg.describe_auto_scaling_instances()["AutoScalingInstances"]]
    return {
        "ami": ami,
        "instance": instance,
        "instance2": instance2,
        "attachment2": attachment,
        "profile_association": profile["IamInstanceProfileAssociation"]["AssociationId"],
        "volume": volume,
        "snapshot": snapshots[0],
        "snapshot2": snapshots[1],
        "image": image,
        "image2": ec2.create_image(InstanceId=instance, Name="image2")["ImageId"],
        "spot": spot,
        "template": launch["LaunchTemplateId"],
        "asg_instance": members[0],
        "asg_instance2": members[1],
    }


def balancers(made: dict[str, Any]) -> dict[str, Any]:
    elb, elbv2 = client("elb"), client("elbv2")
    listener = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}
    elb.create_load_balancer(LoadBalancerName="classic", Listeners=[listener], AvailabilityZones=["us-east-1a"])
    elb.register_instances_with_load_balancer(LoadBalancerName="classic", Instances=[{"InstanceId": made["instance"]}])
    balancer = elbv2.create_load_balancer(Name="alb", Subnets=[made["subnet"], made["subnet2"]])["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elbv2.create_target_group(Name="tg", Protocol="HTTP", Port=80, VpcId=made["vpc"])["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target_group}]
    on = elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)["Listeners"][0]["ListenerArn"]
    path = [{"Field": "path-pattern", "Values": ["/x"]}]
    rule = elbv2.create_rule(ListenerArn=on, Priority=5, Conditions=path, Actions=forward)["Rules"][0]["RuleArn"]
    return {"balancer": balancer, "target_group": target_group, "balancer_rule2": rule}


def identities() -> dict[str, Any]:
    iam = client("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=READ)
    policy = iam.create_policy(PolicyName="p", PolicyDocument=READ)["Policy"]["Arn"]
    attached = iam.create_policy(PolicyName="attached", PolicyDocument=READ)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=policy)
    iam.attach_role_policy(RoleName="r", PolicyArn=attached)
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="inline", PolicyDocument=READ)
    iam.attach_user_policy(UserName="u", PolicyArn=attached)
    iam.create_login_profile(UserName="u", Password="Secret-123")
    iam.create_user(UserName="u2")
    iam.create_group(GroupName="g")
    iam.attach_group_policy(GroupName="g", PolicyArn=attached)
    iam.add_user_to_group(GroupName="g", UserName="u2")
    keys = [iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"] for _ in range(2)]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="d")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName="u", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321")
    saml = iam.create_saml_provider(Name="s", SAMLMetadataDocument=SAML)["SAMLProviderArn"]
    oidc = iam.create_open_id_connect_provider(Url="https://example.com", ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    ssh = iam.upload_ssh_public_key(UserName="u", SSHPublicKeyBody="ssh-rsa AAAA u")["SSHPublicKey"]["SSHPublicKeyId"]
    certificate = iam.upload_signing_certificate(UserName="u", CertificateBody=CERTIFICATE)["Certificate"]["CertificateId"]
    iam.update_account_password_policy(MinimumPasswordLength=14)
    return {
        "role": role,
        "policy": policy,
        "attached_policy": attached,
        "access_key": keys[0],
        "access_key2": keys[1],
        "mfa": device,
        "saml": saml,
        "oidc": oidc,
        "ssh_key": ssh,
        "certificate": certificate,
    }


def buckets() -> dict[str, Any]:
    s3 = client("s3")
    for name in ("logs", "spare2", "empty2"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    every = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    replicate = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::spare2"}}
    for name in ("logs", "spare2"):
        s3.put_bucket_policy(Bucket=name, Policy=bucket_policy(name))
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=every)
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
        s3.put_bucket_replication(Bucket=name, ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/r", "Rules": [replicate]})
        for key in ("a b.json", "second"):
            s3.put_object(Bucket=name, Key=key, Body=b"content")
    s3.put_bucket_cors(Bucket="logs", CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
    s3.put_bucket_website(Bucket="logs", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_bucket_ownership_controls(Bucket="logs", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket="locked", Key="k", Body=b"content")
    control = client("s3control")
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=every)
    control.create_access_point(AccountId=ACCOUNT, Name="point", Bucket="logs")
    return {}


def organization() -> dict[str, Any]:
    org = client("organizations")
    org.create_organization(FeatureSet="ALL")
    root = org.list_roots()["Roots"][0]["Id"]
    org.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    org.create_organizational_unit(ParentId=root, Name="ou")
    member = org.create_account(Email="a@example.com", AccountName="member")["CreateAccountStatus"]["AccountId"]
    deny = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    make = {"Description": "d", "Type": "SERVICE_CONTROL_POLICY", "Content": deny}
    scp = org.create_policy(Name="deny", **make)["Policy"]["PolicySummary"]["Id"]
    scp2 = org.create_policy(Name="deny2", **make)["Policy"]["PolicySummary"]["Id"]
    org.attach_policy(PolicyId=scp2, TargetId=member)
    org.enable_aws_service_access(ServicePrincipal="guardduty.amazonaws.com")
    org.register_delegated_administrator(AccountId=member, ServicePrincipal="guardduty.amazonaws.com")
    return {"root": root, "member": member, "scp": scp, "scp2": scp2}


def functions(made: dict[str, Any]) -> dict[str, Any]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return 1\n")
    aws = client("lambda")
    code = {"ZipFile": packed.getvalue()}
    for name in ("f", "f2"):
        aws.create_function(FunctionName=name, Runtime="python3.12", Role=made["role"], Handler="f.handler", Code=code, Environment={"Variables": {"PASSWORD": "x"}})
        aws.add_permission(FunctionName=name, StatementId="public", Action="lambda:InvokeFunction", Principal="*")
    aws.create_function_url_config(FunctionName="f", AuthType="NONE")
    aws.put_function_concurrency(FunctionName="f2", ReservedConcurrentExecutions=1)
    return {}


def databases() -> dict[str, Any]:
    rds = client("rds")
    login = {"MasterUsername": "admin1", "MasterUserPassword": "Secret-123"}
    for name in ("db", "db2"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, **login)
        rds.create_db_snapshot(DBSnapshotIdentifier=f"snap-{name}", DBInstanceIdentifier=name)
    rds.create_db_cluster(DBClusterIdentifier="cluster", Engine="aurora-postgresql", **login)
    for name in ("cluster-snap", "cluster-snap2"):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="cluster")
    snapshot = rds.describe_db_snapshots(DBSnapshotIdentifier="snap-db")["DBSnapshots"][0]["DBSnapshotArn"]
    dynamodb = client("dynamodb")
    for name in ("table", "table2"):
        key = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **key)
    dynamodb.put_item(TableName="table", Item={"pk": {"S": "a"}})
    efs = client("efs").create_file_system(CreationToken="t")["FileSystemId"]
    return {"rds_snapshot_arn": snapshot, "efs": efs}


def keys_and_secrets() -> dict[str, Any]:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    doomed = kms.create_key()["KeyMetadata"]["KeyId"]
    external = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    grant = kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::123456789012:role/r", Operations=["Decrypt"])["GrantId"]
    kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)
    secrets = client("secretsmanager")
    secret = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{key}"
    return {"key": key, "key_arn": arn, "doomed_key": doomed, "external_key": external, "grant": grant, "secret": secret}


def logging(made: dict[str, Any]) -> dict[str, Any]:
    trail = client("cloudtrail")
    client("s3").put_bucket_policy(Bucket="flow", Policy=bucket_policy("flow"))
    for name in ("trail", "trail2"):
        trail.create_trail(Name=name, S3BucketName="flow")
    trail.start_logging(Name="trail")
    logs = client("logs")
    for name in ("group", "group2"):
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="stream")
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    logs.put_metric_filter(logGroupName="group", filterName="f", filterPattern="x", metricTransformations=[metric])
    alarm = {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
    client("cloudwatch").put_metric_alarm(AlarmName="a", ComparisonOperator="GreaterThanThreshold", **alarm)
    config = client("config")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": made["role"]})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "flow"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return {}


def messages() -> dict[str, Any]:
    sns, sqs, events = client("sns"), client("sqs"), client("events")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.add_permission(TopicArn=topic, Label="label", AWSAccountId=[ACCOUNT], ActionName=["Publish"])
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.add_permission(QueueUrl=queue, Label="label", AWSAccountIds=[ACCOUNT], Actions=["SendMessage"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")
    for name in ("rule", "rule2"):
        events.put_rule(Name=name, EventPattern='{"source": ["aws.ec2"]}')
    events.put_permission(Action="events:PutEvents", Principal=ACCOUNT, StatementId="id")
    return {"topic": topic, "queue": queue}


def detectors() -> dict[str, Any]:
    duty = client("guardduty")
    detector = duty.create_detector(Enable=True)["DetectorId"]
    client("securityhub").enable_security_hub()
    client("macie2").enable_macie()
    return {"detector": detector}


def containers(made: dict[str, Any]) -> dict[str, Any]:
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(family="t", containerDefinitions=[{"name": "a", "image": "a", "memory": 64}])
    ecs.create_service(cluster="c", serviceName="s", taskDefinition="t", desiredCount=1)
    document = json.dumps({"instanceId": made["instance2"], "region": "us-east-1", "accountId": ACCOUNT})
    host = ecs.register_container_instance(cluster="c", instanceIdentityDocument=document)["containerInstance"]["containerInstanceArn"]
    task = ecs.run_task(cluster="c", taskDefinition="t")["tasks"][0]["taskArn"]
    eks = client("eks")
    eks.create_cluster(name="k", roleArn=made["role"], resourcesVpcConfig={"subnetIds": [made["subnet"], made["subnet2"]]})
    return {"container_host": host, "task": task}


def walls() -> dict[str, Any]:
    waf = client("wafv2")
    ip_set = waf.create_ip_set(Name="ips", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["198.51.100.0/24"])["Summary"]
    sees = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    rules = waf.create_rule_group(Name="rules", Scope="REGIONAL", Capacity=10, Rules=[], VisibilityConfig=sees)["Summary"]
    return {"ip_set": ip_set["Id"], "ip_set_lock": ip_set["LockToken"], "waf_rules": rules["Id"], "waf_rules_lock": rules["LockToken"]}


def front() -> dict[str, Any]:
    origin = {"Id": "o", "DomainName": "logs.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}, "MinTTL": 0}
    settings = {"CallerReference": "r", "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behaviour}
    distribution = client("cloudfront").create_distribution(DistributionConfig=settings)["Distribution"]["Id"]
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="api")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="prod")
    return {"distribution": distribution, "rest_api": api}


def the_rest() -> dict[str, Any]:
    for name in ("vault", "vault2"):
        client("backup").create_backup_vault(BackupVaultName=name)
    steps = json.dumps({"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "a", "inputs": {"runCommand": ["true"]}}]})
    client("ssm").create_document(Name="Document", Content=steps, DocumentType="Command")
    resolver = client("route53resolver").create_resolver_query_log_config(Name="n", DestinationArn="arn:aws:s3:::flow", CreatorRequestId="c")
    alternate = {"AlternateContactType": "SECURITY", "EmailAddress": "s@example.com", "Name": "n", "PhoneNumber": "+491", "Title": "t"}
    client("account").put_alternate_contact(**alternate)
    return {"resolver_log": resolver["ResolverQueryLogConfig"]["Id"]}


def main() -> None:
    made: dict[str, Any] = {"account": ACCOUNT, "trust": TRUST, "document": READ, "saml_document": SAML}
    made["public_key"] = base64.b64encode(PUBLIC_KEY.encode()).decode()
    made |= network()
    made |= machines(made)
    made |= balancers(made) | identities() | buckets() | organization()
    made |= functions(made) | databases() | keys_and_secrets()
    made |= logging(made) | messages() | detectors() | containers(made) | walls() | front() | the_rest()
    print(json.dumps(made))


main()

"""EC2 where moto lets through what AWS refuses, or shows what is not so: interfaces, instances, snapshots, Auto Scaling."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass
class Host:
    """An instance with its network."""

    ec2: Any
    vpc: str
    subnet: str
    group: str
    instance: str
    interface: str

    def shown(self) -> dict[str, Any]:
        return dict(self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0])

    def shown_interface(self) -> dict[str, Any]:
        return dict(self.ec2.describe_network_interfaces(NetworkInterfaceIds=[self.interface])["NetworkInterfaces"][0])

    def new_group(self, vpc: str | None = None) -> str:
        return str(self.ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="d", VpcId=vpc or self.vpc)["GroupId"])


@pytest.fixture
def host(quell_range: Client) -> Host:
    ec2 = quell_range.developer("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="web", Description="d", VpcId=vpc)["GroupId"]
    disks = [{"DeviceName": name, "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}} for name in ("/dev/sda1", "/dev/sdb")]
    made = ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group], BlockDeviceMappings=disks
    )
    instance = made["Instances"][0]
    return Host(ec2, vpc, subnet, group, instance["InstanceId"], instance["NetworkInterfaces"][0]["NetworkInterfaceId"])


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


def groups(shown: list[dict[str, Any]]) -> list[str]:
    return [group["GroupId"] for group in shown]


def test_the_groups_of_an_interface_are_replaced_in_order_and_the_instance_shows_them(host: Host) -> None:
    more = [host.new_group(), host.new_group()]
    for wanted in ([more[0]], [more[1], host.group, more[0]], [host.group]):
        host.ec2.modify_network_interface_attribute(NetworkInterfaceId=host.interface, Groups=wanted)
        assert groups(host.shown_interface()["Groups"]) == wanted
        assert groups(host.shown()["SecurityGroups"]) == wanted


def test_groups_that_cannot_be(host: Host) -> None:
    elsewhere = host.new_group(host.ec2.create_vpc(CidrBlock="10.21.0.0/16")["Vpc"]["VpcId"])
    change = host.ec2.modify_network_interface_attribute
    assert refused(change, NetworkInterfaceId=host.interface, Groups=[elsewhere]) == "InvalidParameterValue"
    assert refused(change, NetworkInterfaceId=host.interface, Groups=["sg-0123456789abcdef0"]) == "InvalidGroup.NotFound"
    many = [host.new_group() for _ in range(6)]
    assert refused(change, NetworkInterfaceId=host.interface, Groups=many) == "SecurityGroupsPerInterfaceLimitExceeded"
    assert refused(change, NetworkInterfaceId="eni-0123456789abcdef0", Groups=[host.group]) == "InvalidNetworkInterfaceID.NotFound"
    assert groups(host.shown_interface()["Groups"]) == [host.group]


def test_one_attribute_a_call(host: Host) -> None:
    change = host.ec2.modify_network_interface_attribute
    assert refused(change, NetworkInterfaceId=host.interface) == "InvalidParameterCombination"
    both = {"Groups": [host.group], "Description": {"Value": "x"}}
    assert refused(change, NetworkInterfaceId=host.interface, **both) == "InvalidParameterCombination"
    both = {"DisableApiStop": {"Value": True}, "DisableApiTermination": {"Value": True}}
    assert refused(host.ec2.modify_instance_attribute, InstanceId=host.instance, **both) == "InvalidParameterCombination"
    assert refused(change, NetworkInterfaceId=host.interface, Groups=[host.new_group()], DryRun=True) == "DryRunOperation"
    assert host.shown_interface()["Description"] == "Primary network interface"


def test_connection_tracking_and_public_addresses(host: Host) -> None:
    change = host.ec2.modify_network_interface_attribute
    timeouts = {"TcpEstablishedTimeout": 60, "UdpStreamTimeout": 60, "UdpTimeout": 30}
    change(NetworkInterfaceId=host.interface, ConnectionTrackingSpecification=timeouts)
    assert host.shown_interface()["ConnectionTrackingConfiguration"] == timeouts
    assert refused(change, NetworkInterfaceId=host.interface, ConnectionTrackingSpecification={"UdpTimeout": 5}) == "InvalidParameterValue"
    change(NetworkInterfaceId=host.interface, AssociatePublicIpAddress=True)
    assert host.shown()["PublicIpAddress"]
    change(NetworkInterfaceId=host.interface, AssociatePublicIpAddress=False)
    assert "PublicIpAddress" not in host.shown()


def test_an_elastic_address_knows_its_instance_and_outlives_the_automatic_one(host: Host) -> None:
    made = host.ec2.allocate_address(Domain="vpc")
    host.ec2.associate_address(AllocationId=made["AllocationId"], NetworkInterfaceId=host.interface)
    host.ec2.modify_network_interface_attribute(NetworkInterfaceId=host.interface, AssociatePublicIpAddress=False)
    (address,) = host.ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [host.instance]}])["Addresses"]
    assert (address["InstanceId"], address["NetworkInterfaceId"]) == (host.instance, host.interface)
    assert host.shown()["PublicIpAddress"] == made["PublicIp"]
    host.ec2.disassociate_address(AssociationId=address["AssociationId"])
    assert host.ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [host.instance]}])["Addresses"] == []
    assert "PublicIpAddress" not in host.shown()


def test_a_group_in_use_is_not_deleted(host: Host) -> None:
    assert refused(host.ec2.delete_security_group, GroupId=host.group) == "DependencyViolation"
    referred, referring = host.new_group(), host.new_group()
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": referred}]}
    host.ec2.authorize_security_group_ingress(GroupId=referring, IpPermissions=[pair])
    assert refused(host.ec2.delete_security_group, GroupId=referred) == "DependencyViolation"
    for group in (referring, referred):
        host.ec2.delete_security_group(GroupId=group)


def test_metadata_options_keep_what_is_not_said(host: Host) -> None:
    host.ec2.modify_instance_metadata_options(InstanceId=host.instance, HttpPutResponseHopLimit=2, InstanceMetadataTags="enabled")
    answer = host.ec2.modify_instance_metadata_options(InstanceId=host.instance, HttpTokens="required")
    assert answer["InstanceMetadataOptions"]["State"] == "pending"
    assert host.shown()["MetadataOptions"] == {
        "State": "applied", "HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "enabled",
    }  # fmt: skip
    assert (
        refused(host.ec2.modify_instance_metadata_options, InstanceId=host.instance, HttpPutResponseHopLimit=65) == "InvalidParameterValue"
    )


def test_disks_that_stay_and_attributes_that_want_a_stopped_instance(host: Host) -> None:
    keep = [{"DeviceName": "/dev/sda1", "Ebs": {"DeleteOnTermination": False}}]
    host.ec2.modify_instance_attribute(InstanceId=host.instance, BlockDeviceMappings=keep)
    shown = host.ec2.describe_instance_attribute(InstanceId=host.instance, Attribute="blockDeviceMapping")["BlockDeviceMappings"]
    assert {d["DeviceName"]: d["Ebs"]["DeleteOnTermination"] for d in shown} == {"/dev/sda1": False, "/dev/sdb": True}
    assert [d["Ebs"]["DeleteOnTermination"] for d in host.shown()["BlockDeviceMappings"]] == [False, True]
    assert refused(host.ec2.modify_instance_attribute, InstanceId=host.instance, UserData={"Value": b"x"}) == "IncorrectInstanceState"
    keep[0]["DeviceName"] = "/dev/xvdz"
    assert (
        refused(host.ec2.modify_instance_attribute, InstanceId=host.instance, BlockDeviceMappings=keep) == "InvalidInstanceAttributeValue"
    )


def test_stopping(host: Host) -> None:
    assert refused(host.ec2.stop_instances, InstanceIds=[host.instance], Hibernate=True) == "UnsupportedHibernationConfiguration"
    host.ec2.modify_instance_attribute(InstanceId=host.instance, DisableApiStop={"Value": True})
    assert refused(host.ec2.stop_instances, InstanceIds=[host.instance]) == "OperationNotPermitted"
    host.ec2.modify_instance_attribute(InstanceId=host.instance, DisableApiStop={"Value": False})
    assert host.ec2.get_console_screenshot(InstanceId=host.instance)["ImageData"]
    host.ec2.stop_instances(InstanceIds=[host.instance])
    assert host.shown()["State"]["Name"] == "stopped"
    assert refused(host.ec2.get_console_screenshot, InstanceId=host.instance) == "IncorrectInstanceState"


def test_a_profile_is_replaced_by_a_new_association(quell_range: Client, host: Host) -> None:
    iam, names = quell_range.developer("iam"), [f"p-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    first = host.ec2.associate_iam_instance_profile(InstanceId=host.instance, IamInstanceProfile={"Name": names[0]})[
        "IamInstanceProfileAssociation"
    ]
    told = quell_range.developer("ssm").describe_instance_information()["InstanceInformationList"]
    assert host.instance in [one["InstanceId"] for one in told]
    replace = host.ec2.replace_iam_instance_profile_association
    second = replace(AssociationId=first["AssociationId"], IamInstanceProfile={"Name": names[1]})["IamInstanceProfileAssociation"]
    assert second["AssociationId"] != first["AssociationId"]
    assert host.shown()["IamInstanceProfile"]["Arn"] == second["IamInstanceProfile"]["Arn"]
    assert refused(replace, AssociationId=first["AssociationId"], IamInstanceProfile={"Name": names[0]}) == "InvalidAssociationID.NotFound"


def test_snapshots_of_all_volumes_with_tags_and_locks(host: Host) -> None:
    volumes = [d["Ebs"]["VolumeId"] for d in host.shown()["BlockDeviceMappings"]]
    host.ec2.create_tags(Resources=volumes, Tags=[{"Key": "owner", "Value": "dev"}])
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "quell:run", "Value": "run-1"}]}]
    specification = {"InstanceId": host.instance}
    made = host.ec2.create_snapshots(InstanceSpecification=specification, CopyTagsFromSource="volume", TagSpecifications=tags)["Snapshots"]
    assert [s["VolumeId"] for s in made] == volumes
    assert all(s["State"] == "pending" and {t["Key"] for t in s["Tags"]} == {"owner", "quell:run"} for s in made)
    data = host.ec2.create_snapshots(InstanceSpecification={**specification, "ExcludeBootVolume": True})["Snapshots"]
    assert [s["VolumeId"] for s in data] == volumes[1:]
    one = made[0]["SnapshotId"]
    assert host.ec2.lock_snapshot(SnapshotId=one, LockMode="governance", LockDuration=14)["LockState"] == "governance"
    assert [s["SnapshotId"] for s in host.ec2.describe_locked_snapshots(SnapshotIds=[m["SnapshotId"] for m in made])["Snapshots"]] == [one]
    assert refused(host.ec2.delete_snapshot, SnapshotId=one) == "OperationNotPermitted"
    assert refused(host.ec2.lock_snapshot, SnapshotId=one, LockMode="governance") == "InvalidParameterCombination"
    assert (
        refused(host.ec2.lock_snapshot, SnapshotId=one, LockMode="governance", LockDuration=1, CoolOffPeriod=1)
        == "InvalidParameterCombination"
    )
    assert (
        refused(host.ec2.lock_snapshot, SnapshotId="snap-0123456789abcdef0", LockMode="governance", LockDuration=1)
        == "InvalidSnapshot.NotFound"
    )
    host.ec2.unlock_snapshot(SnapshotId=one)
    host.ec2.delete_snapshot(SnapshotId=one)
    two = made[1]["SnapshotId"]
    host.ec2.lock_snapshot(SnapshotId=two, LockMode="compliance", LockDuration=2)
    assert refused(host.ec2.unlock_snapshot, SnapshotId=two) == "SnapshotLock.InvalidState"
    assert refused(host.ec2.lock_snapshot, SnapshotId=two, LockMode="compliance", LockDuration=1) == "SnapshotLock.InvalidState"
    host.ec2.lock_snapshot(SnapshotId=two, LockMode="compliance", LockDuration=3)


def test_block_public_access(quell_range: Client, host: Host) -> None:
    ec2 = quell_range.developer("ec2", region="eu-west-3")
    assert ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]["InternetGatewayBlockMode"] == "off"
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    assert (
        ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]["InternetGatewayBlockMode"] == "block-bidirectional"
    )
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=1)["VolumeId"]
    share = {
        "SnapshotId": ec2.create_snapshot(VolumeId=volume)["SnapshotId"],
        "Attribute": "createVolumePermission",
        "OperationType": "add",
        "GroupNames": ["all"],
    }
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    assert refused(ec2.modify_snapshot_attribute, **share) == "OperationNotPermitted"
    ec2.disable_snapshot_block_public_access()
    ec2.modify_snapshot_attribute(**share)


@pytest.fixture
def fleet(quell_range: Client, host: Host) -> tuple[Any, str, str]:
    """An Auto Scaling group of two behind a target group: the client, the group's name, the target group's ARN."""
    scaling, name = quell_range.developer("autoscaling"), f"asg-{uuid.uuid4().hex[:8]}"
    host.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.micro"})
    targets = quell_range.developer("elbv2").create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=host.vpc, TargetType="instance")
    arn = targets["TargetGroups"][0]["TargetGroupArn"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=1, MaxSize=3, DesiredCapacity=2, VPCZoneIdentifier=host.subnet, TargetGroupARNs=[arn],
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
    )  # fmt: skip
    return scaling, name, arn


def members(scaling: Any, name: str) -> list[str]:
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return [instance["InstanceId"] for instance in group["Instances"]]


def targets(quell_range: Client, arn: str) -> set[str]:
    health = quell_range.developer("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {target["Target"]["Id"] for target in health}


def test_detaching_takes_out_of_the_balancer_and_launches_a_replacement(quell_range: Client, fleet: tuple[Any, str, str]) -> None:
    scaling, name, arn = fleet
    one, two = members(scaling, name)
    scaling.detach_instances(AutoScalingGroupName=name, InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    after = members(scaling, name)
    assert one not in after and two in after and len(after) == 2
    assert one not in targets(quell_range, arn)
    assert (
        refused(scaling.detach_instances, AutoScalingGroupName=name, InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
        == "ValidationError"
    )
    scaling.attach_instances(AutoScalingGroupName=name, InstanceIds=[one])
    assert one in members(scaling, name) and one in targets(quell_range, arn)
    assert refused(scaling.attach_instances, AutoScalingGroupName=name, InstanceIds=[one]) == "ValidationError"


def test_a_suspended_launch_launches_nothing(quell_range: Client, fleet: tuple[Any, str, str]) -> None:
    scaling, name, _ = fleet
    scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch", "AZRebalance"])
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert [p["ProcessName"] for p in group["SuspendedProcesses"]] == ["AZRebalance", "Launch"]
    one, two = members(scaling, name)
    scaling.detach_instances(AutoScalingGroupName=name, InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
    assert members(scaling, name) == [two]
    scaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch", "AZRebalance"])
    scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
    assert len(members(scaling, name)) == 3
    assert refused(scaling.suspend_processes, AutoScalingGroupName=name, ScalingProcesses=["Lunch"]) == "ValidationError"
    assert refused(scaling.suspend_processes, AutoScalingGroupName="nope", ScalingProcesses=["Launch"]) == "ValidationError"


def test_a_group_goes_down_to_nothing(quell_range: Client, fleet: tuple[Any, str, str]) -> None:
    scaling, name, arn = fleet
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0)
    assert members(scaling, name) == []
    assert targets(quell_range, arn) == set()


def test_a_fleet_is_held(quell_range: Client, host: Host) -> None:
    name = f"fleet-{uuid.uuid4().hex[:8]}"
    host.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.micro"})
    template = {"LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"}}
    capacity = {"TotalTargetCapacity": 2, "OnDemandTargetCapacity": 2, "DefaultTargetCapacityType": "on-demand"}
    made = host.ec2.create_fleet(LaunchTemplateConfigs=[template], TargetCapacitySpecification=capacity, Type="maintain")["FleetId"]
    tagged = [{"Name": "tag:aws:ec2:fleet-id", "Values": [made]}]

    def running() -> int:
        return sum(len(r["Instances"]) for r in host.ec2.describe_instances(Filters=tagged)["Reservations"])

    assert running() == 2
    target = {"TotalTargetCapacity": 0}
    host.ec2.modify_fleet(FleetId=made, TargetCapacitySpecification=target, ExcessCapacityTerminationPolicy="no-termination")
    (fleet,) = host.ec2.describe_fleets(FleetIds=[made])["Fleets"]
    assert (fleet["TargetCapacitySpecification"]["TotalTargetCapacity"], fleet["ExcessCapacityTerminationPolicy"]) == (0, "no-termination")
    assert fleet["CreateTime"] and running() == 2
    assert refused(host.ec2.modify_fleet, FleetId="fleet-0", TargetCapacitySpecification=target) == "InvalidFleetId.NotFound"

"""Auto Scaling: processes that there are, a suspended Launch that launches nothing, and detaching that takes out of the balancers."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, autoscaling_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check, stand_in

PROCESSES = (
    "Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh", "ReplaceUnhealthy",
    "ScheduledActions",
)  # fmt: skip


@check("autoscaling", "SuspendProcesses", "ResumeProcesses", "DetachInstances", "AttachInstances", "SetInstanceProtection",
       "SetDesiredCapacity", "EnterStandby", "ExitStandby")  # fmt: skip
def group_exists(call: Call) -> None:
    name = call.params.get("AutoScalingGroupName")
    if name not in autoscaling_backends[call.account][call.region].autoscaling_groups:
        raise ApiError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")


@check("autoscaling", "SuspendProcesses", "ResumeProcesses")
def processes(call: Call) -> None:
    for name in call.params.get("ScalingProcesses") or []:
        if name not in PROCESSES:
            raise ApiError("ValidationError", f"{name} is not a valid process")


@check("autoscaling", "DetachInstances", "SetInstanceProtection", "EnterStandby")
def members(call: Call) -> None:
    group = autoscaling_backends[call.account][call.region].autoscaling_groups[call.params["AutoScalingGroupName"]]
    held = {state.instance.id for state in group.instance_states}
    for name in call.params.get("InstanceIds") or []:
        if name not in held:
            raise ApiError("ValidationError", f"The instance {name} is not part of Auto Scaling group {group.name}.")


@check("autoscaling", "AttachInstances")
def strangers(call: Call) -> None:
    for group in autoscaling_backends[call.account][call.region].autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id in (call.params.get("InstanceIds") or []):
                raise ApiError("ValidationError", f"Instance {state.instance.id} is already part of AutoScaling group:{group.name}.")


@stand_in("autoscaling", "DetachInstances")
def detach(call: Call) -> dict[str, Any] | None:
    """Refuses to go below the minimum; takes the instances out of the group's balancers, which moto does not; then moto detaches."""
    backend = autoscaling_backends[call.account][call.region]
    group = backend.autoscaling_groups[call.params["AutoScalingGroupName"]]
    leaving = [str(name) for name in call.params.get("InstanceIds") or []]
    if call.params.get("ShouldDecrementDesiredCapacity") and group.desired_capacity - len(leaving) < group.min_size:
        raise ApiError(
            "ValidationError", f"AutoScalingGroup {group.name} has min-size={group.min_size}: the desired capacity cannot be decremented"
        )
    for arn in group.target_group_arns or []:
        target_group = backend.elbv2_backend.target_groups.get(arn)
        if target_group is not None:
            for name in leaving:
                target_group.targets.pop(name, None)
    for name in group.load_balancer_names or []:
        balancer = backend.elb_backend.load_balancers.get(name)
        if balancer is not None:
            balancer.instance_sparse_ids = [i for i in balancer.instance_sparse_ids if i not in leaving]
            balancer.instance_autoscaling_ids = [i for i in balancer.instance_autoscaling_ids if i not in leaving]
    return None


def install() -> None:
    """A group whose Launch is suspended starts nothing; one whose Terminate is suspended ends nothing."""
    set_of_moto = FakeAutoScalingGroup.set_desired_capacity

    def set_desired_capacity(self: Any, new_capacity: int | None) -> None:
        wanted = self.min_size if new_capacity is None else new_capacity
        have, suspended = len(self.active_instances()), set(self._suspended_processes)
        if (wanted > have and "Launch" in suspended) or (wanted < have and "Terminate" in suspended):
            self.desired_capacity = wanted
            return
        set_of_moto(self, new_capacity)

    def suspended_processes(self: Any) -> list[dict[str, str]]:
        # In the same order each time.
        return [
            {"ProcessName": name, "SuspensionReason": "User suspended at the request of a user"}
            for name in sorted(self._suspended_processes)
        ]

    def suspend(self: Any, processes: list[str]) -> None:
        self._suspended_processes = processes

    def update_attached_target_groups(self: Any, group_name: str) -> None:
        # moto would register what it has just terminated, and fail.
        group = self.autoscaling_groups[group_name]
        running = [state.instance.id for state in group.instance_states if state.instance._state.name in ("pending", "running")]
        for arn in group.target_group_arns or []:
            target_group = self.elbv2_backend.target_groups.get(arn)
            if target_group is None:
                continue
            for gone in [name for name in target_group.targets if _is_terminated(self.ec2_backend, name)]:
                del target_group.targets[gone]
            self.elbv2_backend.register_targets(arn, [{"Id": name, "Port": target_group.port} for name in running])

    AutoScalingBackend.update_attached_target_groups = update_attached_target_groups  # type: ignore[method-assign]
    FakeAutoScalingGroup.suspended_processes = property(suspended_processes, suspend)  # type: ignore[assignment]
    FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity  # type: ignore[method-assign]


def _is_terminated(backend: Any, name: str) -> bool:
    return any(instance.id == name and instance._state.name == "terminated" for instance in backend.all_instances())

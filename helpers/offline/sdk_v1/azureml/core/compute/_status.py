"""The state of a cluster, and between how many nodes it scales."""

import re
from datetime import timedelta

from azureml.core.compute._payload import time_of
from azureml.exceptions import ComputeTargetException, UserErrorException


class ScaleSettings:
    """The least and the largest number of nodes, and the idle time in seconds before a node goes."""

    __module__ = "azureml.core.compute.amlcompute"

    def __init__(self, minimum_node_count, maximum_node_count, idle_seconds_before_scaledown):
        self.minimum_node_count = minimum_node_count
        self.maximum_node_count = maximum_node_count
        self.idle_seconds_before_scaledown = idle_seconds_before_scaledown

    def serialize(self):
        """The settings as a dictionary, the idle time as an ISO 8601 duration."""
        seconds = self.idle_seconds_before_scaledown
        return {
            "minNodeCount": self.minimum_node_count,
            "maxNodeCount": self.maximum_node_count,
            "nodeIdleTimeBeforeScaleDown": _duration(seconds) if seconds else "",
        }

    @staticmethod
    def deserialize(object_dict):
        """The settings that a dictionary stands for. Raises ComputeTargetException where it lacks one."""
        if not object_dict:
            return None
        keys = ("minNodeCount", "maxNodeCount", "nodeIdleTimeBeforeScaleDown")
        for key in keys:
            if key not in object_dict:
                raise ComputeTargetException(f'Invalid scale settings payload, missing "{key}":\n{object_dict}')
        least, most, idle = (object_dict[key] for key in keys)
        return ScaleSettings(least, most, _seconds(idle))


class AmlComputeStatus:
    """The state of a cluster at one time: its nodes, its scale settings and how its provisioning went."""

    __module__ = "azureml.core.compute.amlcompute"

    def __init__(
        self,
        allocation_state,
        allocation_state_transition_time,
        creation_time,
        current_node_count,
        errors,
        modified_time,
        node_state_counts,
        provisioning_state,
        provisioning_state_transition_time,
        scale_settings,
        target_node_count,
        vm_priority,
        vm_size,
    ):
        self.allocation_state = allocation_state
        self.allocation_state_transition_time = allocation_state_transition_time
        self.creation_time = creation_time
        self.current_node_count = current_node_count
        self.errors = errors
        self.modified_time = modified_time
        self.node_state_counts = node_state_counts
        self.provisioning_state = provisioning_state
        self.provisioning_state_transition_time = provisioning_state_transition_time
        self.scale_settings = scale_settings
        self.target_node_count = target_node_count
        self.vm_priority = vm_priority
        self.vm_size = vm_size

    def serialize(self):
        """The status as a dictionary, times in ISO 8601."""
        return {
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": self.node_state_counts.serialize() if self.node_state_counts else None,
            "allocationState": self.allocation_state,
            "allocationStateTransitionTime": _text(self.allocation_state_transition_time),
            "errors": self.errors,
            "creationTime": _text(self.creation_time),
            "modifiedTime": _text(self.modified_time),
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": _text(self.provisioning_state_transition_time),
            "scaleSettings": self.scale_settings.serialize() if self.scale_settings else None,
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict):
        """The status in a service's description; what it lacks is None."""
        if not object_dict:
            return None
        cluster = object_dict["properties"]
        return AmlComputeStatus(
            allocation_state=cluster.get("allocationState"),
            allocation_state_transition_time=time_of(cluster.get("allocationStateTransitionTime")),
            creation_time=time_of(object_dict.get("createdOn")),
            current_node_count=cluster.get("currentNodeCount"),
            errors=cluster.get("errors"),
            modified_time=time_of(object_dict.get("modifiedOn")),
            node_state_counts=AmlComputeNodeStateCounts.deserialize(cluster.get("nodeStateCounts")),
            provisioning_state=object_dict.get("provisioningState"),
            provisioning_state_transition_time=time_of(object_dict.get("provisioningStateTransitionTime")),
            scale_settings=ScaleSettings.deserialize(cluster.get("scaleSettings")),
            target_node_count=cluster.get("targetNodeCount"),
            vm_priority=cluster.get("vmPriority"),
            vm_size=cluster.get("vmSize"),
        )


class AmlComputeNodeStateCounts:
    """How many of a cluster's nodes are in each state."""

    __module__ = "azureml.core.compute.amlcompute"

    def __init__(
        self,
        idle_node_count,
        leaving_node_count,
        preempted_node_count,
        preparing_node_count,
        running_node_count,
        unusable_node_count,
    ):
        self.idle_node_count = idle_node_count
        self.leaving_node_count = leaving_node_count
        self.preempted_node_count = preempted_node_count
        self.preparing_node_count = preparing_node_count
        self.running_node_count = running_node_count
        self.unusable_node_count = unusable_node_count

    def serialize(self):
        """The counts as a dictionary."""
        return {
            "preparingNodeCount": self.preparing_node_count,
            "runningNodeCount": self.running_node_count,
            "idleNodeCount": self.idle_node_count,
            "unusableNodeCount": self.unusable_node_count,
            "leavingNodeCount": self.leaving_node_count,
            "preemptedNodeCount": self.preempted_node_count,
        }

    @staticmethod
    def deserialize(object_dict):
        """The counts that a dictionary stands for; what it lacks is None."""
        if not object_dict:
            return None
        return AmlComputeNodeStateCounts(
            object_dict.get("idleNodeCount"),
            object_dict.get("leavingNodeCount"),
            object_dict.get("preemptedNodeCount"),
            object_dict.get("preparingNodeCount"),
            object_dict.get("runningNodeCount"),
            object_dict.get("unusableNodeCount"),
        )


def _duration(seconds):
    try:
        seconds = int(seconds)
    except (TypeError, ValueError):
        raise UserErrorException("Invalid input, provide an integer duration in seconds") from None
    if seconds < 0:
        raise UserErrorException("Invalid input, provide duration in seconds")
    return f"PT{seconds}S"


def _seconds(duration):
    """The seconds of an ISO 8601 duration of days, hours, minutes and seconds."""
    if not duration or duration.isspace():
        return duration
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", duration)
    if not found:
        raise UserErrorException("Invalid input, provide ISO-8601 formatted duration string")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return int(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds())


def _text(moment):
    return moment.isoformat() if moment else None

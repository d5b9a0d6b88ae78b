"""AmlCompute: the cluster that scales with the jobs it is given, and back to its least when it is idle."""

import re
import string
import sys
import time
from datetime import timedelta
from types import SimpleNamespace

from azureml import _engine
from azureml._strict import module_getattr, unsupported
from azureml.core.compute._payload import time_of
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration
from azureml.exceptions import ComputeTargetException, UserErrorException

__getattr__ = module_getattr(__name__)

_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_POLL_SECONDS = 0.5
_PASSWORD_SPECIALS = "`~!@#$%^&*()=+_[]{}|;:./'\",<>?"


class AmlCompute(ComputeTarget):
    """A cluster of the workspace, by name: `AmlCompute(workspace, "gpu-cluster")`."""

    _compute_type = "AmlCompute"

    def _initialize(self, workspace, payload):
        super()._initialize(workspace, payload)
        properties = payload["properties"]["properties"]
        admin = properties.get("userAccountCredentials") or {}
        subnet = (properties.get("subnet") or {}).get("id")
        identity = payload.get("identity") or {}
        self.vm_size = properties["vmSize"]
        self.vm_priority = properties["vmPriority"]
        self.scale_settings = ScaleSettings.deserialize(properties["scaleSettings"])
        self.admin_username = admin.get("adminUserName")
        self.admin_user_password = admin.get("adminUserPassword")
        self.admin_user_ssh_key = admin.get("adminUserSshPublicKey")
        self.vnet_resourcegroup_name = _segment(subnet, "resourceGroups")
        self.vnet_name = _segment(subnet, "virtualNetworks")
        self.subnet_name = _segment(subnet, "subnets")
        self.remote_login_port_public_access = properties.get("remoteLoginPortPublicAccess")
        self.status = AmlComputeStatus.deserialize(payload["properties"])
        self.identity_type = identity.get("type")
        self.identity_id = identity.get("userAssignedIdentities")

    @staticmethod
    def provisioning_configuration(
        vm_size="",
        vm_priority="dedicated",
        min_nodes=0,
        max_nodes=None,
        idle_seconds_before_scaledown=1800,
        admin_username=None,
        admin_user_password=None,
        admin_user_ssh_key=None,
        vnet_resourcegroup_name=None,
        vnet_name=None,
        subnet_name=None,
        tags=None,
        description=None,
        remote_login_port_public_access="NotSpecified",
        identity_type=None,
        identity_id=None,
        location=None,
        enable_node_public_ip=True,
    ):
        """What a cluster is to be created from. Raises ComputeTargetException where settings contradict each other.

        What only the service refuses, such as a retired VM size, is refused by `ComputeTarget.create()`.
        """
        return AmlComputeProvisioningConfiguration(
            vm_size,
            vm_priority,
            min_nodes,
            max_nodes,
            idle_seconds_before_scaledown,
            admin_username,
            admin_user_password,
            admin_user_ssh_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            remote_login_port_public_access,
            identity_type,
            identity_id,
            location,
            enable_node_public_ip,
        )

    @staticmethod
    def _create(workspace, name, config):
        """As the service's PUT: an existing cluster takes the new scale settings; its VM size cannot change."""
        _check_name(name)
        settings = _settings(workspace, config)
        folder = workspace._folder
        with _engine.translated(EngineError=_refused):
            try:
                _engine.clusters.create(folder, name, settings)
            except _engine.errors.AlreadyExists:
                vm_size = _engine.clusters.get(folder, name)["vm_size"]
                if settings.pop("vm_size").lower() != vm_size.lower():
                    raise _refused(
                        f"The VM size of the cluster {name!r} is {vm_size} and cannot be changed; "
                        "delete the cluster first, or create one of another name."
                    ) from None
                _engine.clusters.update(folder, name, **settings)
        return AmlCompute(workspace, name)._operated()

    def wait_for_completion(
        self, show_output=False, min_node_count=None, timeout_in_minutes=25, is_delete_operation=False
    ):
        """Wait until the cluster is provisioned and has `min_node_count` nodes (by default, its own least number).

        Returns also when `timeout_in_minutes` is over. Nodes beyond the least come with the jobs.
        """
        if self._operation_state is not None:
            super().wait_for_completion(show_output=show_output, is_delete_operation=is_delete_operation)
        if is_delete_operation:
            return
        report = sys.stdout.write if show_output else lambda text: None
        reached = self._wait_for_nodes(min_node_count, timeout_in_minutes, report)
        report("AmlCompute wait for completion finished\n\n")
        if reached:
            report("Minimum number of nodes requested have been provisioned\n")
        else:
            report(
                "Wait timeout has been reached\n"
                f'Current provisioning state of AmlCompute is "{self.provisioning_state}" '
                f'and current node count is "{self.status.current_node_count}"\n'
            )

    def _wait_for_nodes(self, min_node_count, timeout_in_minutes, report):
        self.refresh_state()
        report(self.provisioning_state)
        wanted = min_node_count or self.scale_settings.minimum_node_count
        deadline = time.monotonic() + timeout_in_minutes * 60
        while self.status.current_node_count < wanted and time.monotonic() < deadline:
            time.sleep(min(_POLL_SECONDS, max(0, deadline - time.monotonic())))
            self.refresh_state()
            report(".")
        report("\n")
        return self.status.current_node_count >= wanted

    def refresh_state(self):
        """Read the properties anew. Raises ComputeTargetException when the cluster is gone."""
        operation_state = self._operation_state
        vars(self).update(vars(AmlCompute(self.workspace, self.name)))
        self._operation_state = operation_state

    def get_status(self):
        """The cluster's AmlComputeStatus, read anew."""
        self.refresh_state()
        return self.status

    def delete(self):
        """Remove the cluster; runs on it are canceled."""
        with _engine.translated(EngineError=_refused):
            _engine.removal.delete_cluster(self.workspace._folder, self.name)
        self.provisioning_state = "Deleting"
        self._operated()

    def detach(self):
        """Raise ComputeTargetException: a cluster is deleted, not detached."""
        raise ComputeTargetException("Detach is not supported for AmlCompute object. Try to use delete instead.")

    def serialize(self):
        """The cluster as a JSON-like dictionary."""
        subnet = None
        if self.vnet_name:
            subnet = _subnet_id(self.workspace, self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        identity = None
        if self.identity_type:
            identity = {"type": self.identity_type, "userAssignedIdentities": self.identity_id}
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "identity": identity,
            "properties": {
                "description": self.description,
                "resourceId": self.cluster_resource_id,
                "computeType": self.type,
                "computeLocation": self.cluster_location,
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "properties": {
                    "vmSize": self.vm_size,
                    "vmPriority": self.vm_priority,
                    "scaleSettings": self.scale_settings.serialize(),
                    "userAccountCredentials": {
                        "adminUserName": self.admin_username,
                        "adminUserPassword": self.admin_user_password,
                        "adminUserSshPublicKey": self.admin_user_ssh_key,
                    },
                    "subnet": {"id": subnet},
                    "remoteLoginPortPublicAccess": self.remote_login_port_public_access,
                },
                "status": self.status.serialize() if self.status else None,
            },
        }

    @staticmethod
    def deserialize(workspace, object_dict):
        """The cluster that a service's description stands for. Raises ComputeTargetException where it lacks a part."""
        _check_payload(object_dict)
        target = AmlCompute(None, None)
        target._initialize(workspace, object_dict)
        return target

    def get(self):
        """The cluster as the service describes it."""
        return ComputeTarget._get(self.workspace, self.name)

    def update(self, min_nodes=None, max_nodes=None, idle_seconds_before_scaledown=None):
        """Change the scale settings that are given. Raises ComputeTargetException for what the service refuses."""
        given = {
            "min_nodes": min_nodes,
            "max_nodes": max_nodes,
            "idle_seconds": idle_seconds_before_scaledown,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        if changes:
            self._change(**changes)

    def add_identity(self, identity_type, identity_id=None):
        """Give the cluster an identity. Offline it is recorded and opens nothing."""
        _check_identity(identity_type, identity_id)
        self._change(identity=_identity(identity_type, identity_id))

    def remove_identity(self, identity_id=None):
        """Take the identity, or the user assigned ones in `identity_id`, from the cluster."""
        if self.identity_type is None:
            raise ComputeTargetException("Cannot remove identity. The compute has no identity assigned.")
        kept = [name for name in self.identity_id or {} if name not in (identity_id or [])]
        self._change(identity=_identity(self.identity_type, kept) if identity_id and kept else None)

    def _change(self, **changes):
        with _engine.translated(EngineError=_refused):
            _engine.clusters.update(self.workspace._folder, self.name, **changes)
        self.refresh_state()
        self._operated()

    def _state(self):
        with _engine.translated(EngineError=ComputeTargetException):
            return _engine.clusters.state(self.workspace._folder, self.name)

    def _operated(self):
        self._operation_state = "Succeeded"
        return self

    def list_nodes(self):
        """The cluster's nodes: dictionaries with nodeId, port, addresses, nodeState and runId."""
        return [
            {
                "nodeId": node["id"],
                "port": None,
                "publicIpAddress": None,
                "privateIpAddress": "127.0.0.1",
                "nodeState": node["state"],
                "runId": node["run_id"],
            }
            for node in self._state()["nodes"]
        ]

    def get_active_runs(self, type=None, tags=None, properties=None, status=None):
        """Generate the cluster's runs that have not ended, the newest first.

        Each has run_id, run_number, experiment_name, run_type, status, tags, properties, start_time_utc and target.
        """
        folder = self.workspace._folder
        for job in reversed(_engine.job_states.unfinished(folder, self.name)):
            record = _engine.run_records.get_run(folder, job["run_id"])
            if (
                record.status not in _engine.statuses.FINAL  # it may have ended since
                and type in (None, record.run_type)
                and status in (None, record.status)
                and _matches(record.tags, tags)
                and _matches(record.properties, properties)
            ):
                yield SimpleNamespace(
                    run_id=record.id,
                    run_number=record.number,
                    experiment_name=record.experiment,
                    run_type=record.run_type,
                    status=record.status,
                    tags=record.tags,
                    properties=record.properties,
                    start_time_utc=record.started,
                    target=self.name,
                )

    @staticmethod
    def supported_vmsizes(workspace, location=None):
        """The VM sizes of a region: dictionaries with name, family, vCPUs, gpus and memoryGB."""
        if not workspace:
            return []
        return [
            {
                "name": size.name,
                "family": size.family,
                "vCPUs": size.vcpus,
                "gpus": size.gpus,
                "memoryGB": size.memory_gb,
            }
            for size in _engine.vm_sizes.SIZES.values()
        ]

    @staticmethod
    def list_usages(workspace, show_all=False, location=None):
        """The cores in use of each VM family. Offline there is no quota: the limit is -1."""
        if not workspace:
            return []
        used = {size.family: 0 for size in _engine.vm_sizes.SIZES.values()}
        for cluster in _engine.clusters.list_all(workspace._folder):
            size = _engine.vm_sizes.find(cluster["vm_size"])
            used[size.family] += size.vcpus * _engine.clusters.state(workspace._folder, cluster["name"])["current"]
        return [_usage(workspace, family, currentValue=cores) for family, cores in used.items()]

    @staticmethod
    def list_quotas(workspace, location=None):
        """The quota of each VM family. Offline there is none: the limit is -1."""
        if not workspace:
            return []
        families = dict.fromkeys(size.family for size in _engine.vm_sizes.SIZES.values())
        return [_usage(workspace, family) for family in families]

    @staticmethod
    def update_quotas(workspace, vm_family, limit=None, location=None):
        unsupported("AmlCompute.update_quotas()")


class AmlComputeProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a cluster is created from; made by `AmlCompute.provisioning_configuration()`."""

    def __init__(
        self,
        vm_size="",
        vm_priority="dedicated",
        min_nodes=0,
        max_nodes=None,
        idle_seconds_before_scaledown=1800,
        admin_username=None,
        admin_user_password=None,
        admin_user_ssh_key=None,
        vnet_resourcegroup_name=None,
        vnet_name=None,
        subnet_name=None,
        tags=None,
        description=None,
        remote_login_port_public_access="NotSpecified",
        identity_type=None,
        identity_id=None,
        compute_location=None,
        enable_node_public_ip=True,
    ):
        super().__init__(AmlCompute, None)
        self.vm_size = vm_size
        self.vm_priority = vm_priority
        self.scale_settings = ScaleSettings(min_nodes or 0, max_nodes, idle_seconds_before_scaledown)
        self.admin_username = admin_username
        self.admin_user_password = admin_user_password
        self.admin_user_ssh_key = admin_user_ssh_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.remote_login_port_public_access = remote_login_port_public_access
        self.identity_type = identity_type
        self.identity_id = identity_id
        self.compute_location = compute_location
        self.enable_node_public_ip = enable_node_public_ip
        self.validate_configuration()

    def validate_configuration(self):
        """Raise ComputeTargetException where the settings contradict each other."""
        self._check_admin()
        network = (self.vnet_name, self.vnet_resourcegroup_name, self.subnet_name)
        if any(network) and not all(network):
            raise ComputeTargetException(
                "Invalid configuration, not all virtual net information provided. "
                "Give vnet_name, vnet_resourcegroup_name and subnet_name together."
            )
        scale = self.scale_settings
        if scale.maximum_node_count is None:
            raise ComputeTargetException("Invalid provisioning configuration, max nodes count is mandatory")
        if scale.maximum_node_count < 0:
            raise ComputeTargetException(
                "Invalid provisioning configuration, max nodes count must be greater than or equal to 0"
            )
        if scale.maximum_node_count < scale.minimum_node_count:
            raise ComputeTargetException(
                "Invalid provisioning configuration, max nodes count must be greater than or equal to min nodes count"
            )
        if self.identity_type:
            _check_identity(self.identity_type, self.identity_id)
        elif self.identity_id:
            raise ComputeTargetException(
                "Invalid configuration, identity_id cannot be set when identity type is not user assigned."
            )

    def _check_admin(self):
        if not self.admin_username:
            if self.admin_user_password or self.admin_user_ssh_key:
                raise ComputeTargetException(
                    "Invalid user credentials, admin username must be provided along with either a password "
                    "or SSH key information."
                )
        elif not self.admin_user_password and not self.admin_user_ssh_key:
            raise ComputeTargetException(
                "Invalid user credentials, no password or key information provided. "
                "Please provide either a password or SSH key information."
            )
        elif self.admin_user_password and not _is_strong(self.admin_user_password):
            raise ComputeTargetException(
                "Invalid admin user password provided. The password must have three of: a lowercase character, "
                f"an uppercase character, a number, a special character of {_PASSWORD_SPECIALS}"
            )


class ScaleSettings:
    """The least and the largest number of nodes, and the idle time in seconds before a node goes."""

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


def _settings(workspace, config):
    """The engine's settings of a cluster; a password is not kept."""
    priority = str(config.vm_priority).lower()
    if priority not in _PRIORITIES:
        raise _refused(f"vm_priority is {config.vm_priority!r}; give 'dedicated' or 'lowpriority'.")
    scale = config.scale_settings
    subnet = None
    if config.vnet_name:
        subnet = {"id": _subnet_id(workspace, config.vnet_resourcegroup_name, config.vnet_name, config.subnet_name)}
    admin = {"adminUserName": config.admin_username, "adminUserSshPublicKey": config.admin_user_ssh_key}
    return {
        "vm_size": config.vm_size,
        "vm_priority": _PRIORITIES[priority],
        "min_nodes": scale.minimum_node_count,
        "max_nodes": scale.maximum_node_count,
        "idle_seconds": scale.idle_seconds_before_scaledown,
        "description": config.description,
        "tags": config.tags,
        "location": config.compute_location,
        "remote_login_port_public_access": config.remote_login_port_public_access,
        "admin": {key: value for key, value in admin.items() if value},
        "subnet": subnet,
        "identity": _identity(config.identity_type, config.identity_id),
    }


def _refused(message):
    return ComputeTargetException(f"Received bad response from Resource Provider:\n{message}")


def _check_name(name):
    """The service's rule for clusters ("Naming rules and restrictions for Azure resources")."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,14}[A-Za-z0-9]", str(name)):
        raise _refused(
            f"Compute name {name!r} is invalid. It can include letters, digits and dashes. It must start with "
            "a letter, end with a letter or digit, and be between 2 and 16 characters in length."
        )


def _check_identity(identity_type, identity_id):
    if identity_type not in ("UserAssigned", "SystemAssigned"):
        raise ComputeTargetException(
            "Invalid configuration, identity_type must be set to 'UserAssigned' or 'SystemAssigned'."
        )
    if identity_type == "UserAssigned" and not (isinstance(identity_id, list) and identity_id):
        raise ComputeTargetException(
            "Invalid configuration, please pass the identity_id of the user assigned identity as a list"
        )
    if identity_type == "SystemAssigned" and identity_id:
        raise ComputeTargetException(
            "Invalid configuration, identity_id cannot be set when identity type is not user assigned."
        )


def _identity(identity_type, identity_id):
    if not identity_type:
        return None
    ids = {"userAssignedIdentities": {name: {} for name in identity_id}} if identity_id else {}
    return {"type": identity_type, **ids}


def _check_payload(payload):
    for keys in (
        ("location",),
        ("id",),
        ("tags",),
        *(("properties", key) for key in ("computeType", "properties", "provisioningErrors")),
        *(("properties", key) for key in ("description", "provisioningState", "resourceId")),
        *(("properties", "properties", key) for key in ("vmPriority", "vmSize", "scaleSettings")),
    ):
        part = payload
        for key in keys:
            if key not in part:
                path = "".join(f'["{name}"]' for name in keys)
                raise ComputeTargetException(f"Invalid cluster payload, missing {path}:\n{payload}")
            part = part[key]
    if payload["properties"]["computeType"] != AmlCompute._compute_type:
        raise ComputeTargetException(f'Invalid cluster payload, not "{AmlCompute._compute_type}":\n{payload}')


def _is_strong(password):
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _PASSWORD_SPECIALS)
    return sum(not set(password).isdisjoint(characters) for characters in classes) >= 3


def _subnet_id(workspace, resource_group, vnet, subnet):
    return (
        f"/subscriptions/{workspace.subscription_id}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.Network/virtualNetworks/{vnet}/subnets/{subnet}"
    )


def _segment(resource_id, kind):
    """The name that follows `kind` in a resource id, or None."""
    segments = (resource_id or "").split("/")
    return segments[segments.index(kind) + 1] if kind in segments else None


def _usage(workspace, family, **figures):
    kind = "usages" if figures else "quotas"
    return {
        "id": f"/subscriptions/{workspace.subscription_id}/providers/Microsoft.MachineLearningServices"
        f"/locations/{workspace.location}/{kind}/{family}",
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "unit": "Count",
        **figures,
        "limit": -1,
        "name": {"value": family, "localizedValue": family},
    }


def _matches(values, wanted):
    """Whether a run has the tag or property that a filter asks for: a name, or names with values."""
    if not wanted:
        return True
    if isinstance(wanted, str):
        return wanted in values
    return all(values.get(name) == str(value) for name, value in wanted.items())


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

"""AmlCompute: the cluster that scales with the jobs it is given, and back to its least when it is idle."""

import sys
import time

from azureml import _engine
from azureml._strict import module_getattr, unsupported
from azureml.core.compute._payload import check_payload, serialized
from azureml.core.compute._settings import (
    PASSWORD_SPECIALS,
    check_identity,
    identity_of,
    is_strong,
    refused,
    segment_of,
    settings_of,
)
from azureml.core.compute._status import (  # noqa: F401  the real SDK has them all here
    AmlComputeNodeStateCounts,
    AmlComputeStatus,
    ScaleSettings,
)
from azureml.core.compute._usage import active_runs, quotas, usages, vm_sizes
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration
from azureml.exceptions import ComputeTargetException

__getattr__ = module_getattr(__name__)

_POLL_SECONDS = 0.5


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
        self.vnet_resourcegroup_name = segment_of(subnet, "resourceGroups")
        self.vnet_name = segment_of(subnet, "virtualNetworks")
        self.subnet_name = segment_of(subnet, "subnets")
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
        settings = settings_of(workspace, config)
        folder = workspace._folder
        with _engine.translated(EngineError=refused):
            try:
                _engine.clusters.create(folder, name, settings)
            except _engine.errors.AlreadyExists:
                vm_size = _engine.clusters.get(folder, name)["vm_size"]
                if settings.pop("vm_size").lower() != vm_size.lower():
                    raise refused(
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

    def get_status(self):
        """The cluster's AmlComputeStatus, read anew."""
        self.refresh_state()
        return self.status

    def delete(self):
        """Remove the cluster; runs on it are canceled."""
        with _engine.translated(EngineError=refused):
            _engine.removal.delete_cluster(self.workspace._folder, self.name)
        self.provisioning_state = "Deleting"
        self._operated()

    def detach(self):
        """Raise ComputeTargetException: a cluster is deleted, not detached."""
        raise ComputeTargetException("Detach is not supported for AmlCompute object. Try to use delete instead.")

    def serialize(self):
        """The cluster as a JSON-like dictionary."""
        return serialized(self)

    @staticmethod
    def deserialize(workspace, object_dict):
        """The cluster that a service's description stands for. Raises ComputeTargetException where it lacks a part."""
        check_payload(object_dict, AmlCompute._compute_type)
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
        check_identity(identity_type, identity_id)
        self._change(identity=identity_of(identity_type, identity_id))

    def remove_identity(self, identity_id=None):
        """Take the identity, or the user assigned ones in `identity_id`, from the cluster."""
        if self.identity_type is None:
            raise ComputeTargetException("Cannot remove identity. The compute has no identity assigned.")
        kept = [name for name in self.identity_id or {} if name not in (identity_id or [])]
        self._change(identity=identity_of(self.identity_type, kept) if identity_id and kept else None)

    def _change(self, **changes):
        with _engine.translated(EngineError=refused):
            _engine.clusters.update(self.workspace._folder, self.name, **changes)
        self.refresh_state()
        self._operated()

    def _state(self):
        with _engine.translated(EngineError=ComputeTargetException):
            return _engine.clusters.state(self.workspace._folder, self.name)

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
        return active_runs(self.workspace._folder, self.name, type, tags, properties, status)

    @staticmethod
    def supported_vmsizes(workspace, location=None):
        """The VM sizes of a region: dictionaries with name, vCPUs, gpus, memoryGB and maxResourceVolumeMB."""
        if not workspace:
            return []
        return vm_sizes()

    @staticmethod
    def list_usages(workspace, show_all=False, location=None):
        """The cores in use of each VM family. Offline there is no quota but in a drill: the limit is -1."""
        if not workspace:
            return []
        return usages(workspace)

    @staticmethod
    def list_quotas(workspace, location=None):
        """The quota of each VM family. Offline there is none but in a drill: the limit is -1."""
        if not workspace:
            return []
        return quotas(workspace)

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
            check_identity(self.identity_type, self.identity_id)
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
        elif self.admin_user_password and not is_strong(self.admin_user_password):
            raise ComputeTargetException(
                "Invalid admin user password provided. The password must have three of: a lowercase character, "
                f"an uppercase character, a number, a special character of {PASSWORD_SPECIALS}"
            )

"""The workspace: offline there is one, the folder that the offline backend works in."""

import logging
import re

from azureml import _engine, _workspace_config
from azureml._strict import module_getattr, refuse, unsupported
from azureml.core._workspace_contents import _WorkspaceContents
from azureml.core.compute import AmlCompute, ComputeTarget  # noqa: F401  both are the real module's, too
from azureml.exceptions import ProjectSystemException, UserErrorException, WorkspaceException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)

_NAME = "offline"
_SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000000"
_RESOURCE_GROUP = "offline"
_LOCATION = "local"


class Workspace(_WorkspaceContents):
    """The offline workspace.

    Raises ProjectSystemException for any other subscription, resource group or name.
    """

    DEFAULT_CPU_CLUSTER_CONFIGURATION = AmlCompute.provisioning_configuration(
        vm_size="STANDARD_DS2_V2", min_nodes=0, max_nodes=2
    )
    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_CONFIGURATION = AmlCompute.provisioning_configuration(
        vm_size="STANDARD_NC6", min_nodes=0, max_nodes=2
    )
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"

    def __init__(
        self,
        subscription_id,
        resource_group,
        workspace_name,
        auth=None,
        _location=None,
        _disable_service_check=False,
        _workspace_id=None,
        sku="basic",
        tags=None,
        _cloud="AzureCloud",
    ):
        if (subscription_id, resource_group, workspace_name) != (_SUBSCRIPTION_ID, _RESOURCE_GROUP, _NAME):
            raise ProjectSystemException(
                f"Workspace not found. Offline there is one workspace, {_NAME!r}, and {workspace_name!r} in the "
                f"resource group {resource_group!r} is not it; Workspace.from_config() returns the one that is "
                'there, and use_backend("azure") reaches those on Azure.'
            )
        self._auth = auth
        self._name = workspace_name
        with _engine.translated():
            self._folder = _engine.folder.open_folder()

    def __repr__(self):
        return (
            f"Workspace.create(name='{self.name}', subscription_id='{self.subscription_id}', "
            f"resource_group='{self.resource_group}')"
        )

    @staticmethod
    def from_config(path=None, auth=None, _logger=None, _file_name=None):
        """The workspace that a configuration file names; without `path`, the offline one, which needs no file.

        `path` is the file, or the folder from which it is looked for, upwards. Raises UserErrorException where it is
        not found, lacks a part, or names a workspace on Azure, and json.JSONDecodeError where it is not JSON.
        """
        if path is None and _file_name is None:
            return _offline_workspace(auth)
        found = _workspace_config.find(path or ".", [_file_name] if _file_name else _workspace_config.FILES)
        subscription_id, resource_group, name = _workspace_config.read(found)
        if (subscription_id, resource_group) != (_SUBSCRIPTION_ID, _RESOURCE_GROUP):
            raise UserErrorException(
                f"The config file {found} names the workspace {name!r} on Azure; the offline backend does not go "
                'there. Call use_backend("azure") in a fresh kernel, or Workspace.from_config() without a path.'
            )
        return _offline_workspace(auth, name)

    @staticmethod
    def create(
        name,
        auth=None,
        subscription_id=None,
        resource_group=None,
        location=None,
        create_resource_group=True,
        sku="basic",
        tags=None,
        friendly_name=None,
        storage_account=None,
        key_vault=None,
        app_insights=None,
        container_registry=None,
        adb_workspace=None,
        primary_user_assigned_identity=None,
        cmk_keyvault=None,
        resource_cmk_uri=None,
        hbi_workspace=False,
        default_cpu_compute_target=None,
        default_gpu_compute_target=None,
        private_endpoint_config=None,
        private_endpoint_auto_approval=True,
        exist_ok=False,
        show_output=True,
        user_assigned_identity_for_cmk_encryption=None,
        system_datastores_auth_mode="accessKey",
        v1_legacy_mode=None,
    ):
        """Make the offline workspace's folder, or with `exist_ok` return the one workspace under this name.

        Raises UserErrorException for a name that the service refuses, WorkspaceException for one that is taken or is
        not the offline workspace's.
        """
        refuse(
            "Workspace.create()",
            storage_account=storage_account,
            key_vault=key_vault,
            app_insights=app_insights,
            container_registry=container_registry,
            adb_workspace=adb_workspace,
            primary_user_assigned_identity=primary_user_assigned_identity,
            cmk_keyvault=cmk_keyvault,
            resource_cmk_uri=resource_cmk_uri,
            hbi_workspace=hbi_workspace or None,
            default_cpu_compute_target=default_cpu_compute_target,
            default_gpu_compute_target=default_gpu_compute_target,
            private_endpoint_config=private_endpoint_config,
            user_assigned_identity_for_cmk_encryption=user_assigned_identity_for_cmk_encryption,
            v1_legacy_mode=v1_legacy_mode or None,
        )
        _check_name(name)
        if name != _NAME and not exist_ok:
            raise WorkspaceException(
                f"Couldn't create the workspace {name!r}: offline there is one, {_NAME!r}. Set AZUREML_OFFLINE_FOLDER "
                'to another folder for another one, or call use_backend("azure").'
            )
        there = _engine.database.database_path(_engine.folder.offline_folder()).exists()
        if there and not exist_ok:
            raise WorkspaceException(
                f"Workspace with name '{name}' already exists under resource group with name '{_RESOURCE_GROUP}'. "
                "Pass exist_ok=True to use it."
            )
        workspace = _offline_workspace(auth, name)
        workspace.update(friendly_name=friendly_name, tags=tags)
        return workspace

    @staticmethod
    def get(name, auth=None, subscription_id=None, resource_group=None, location=None, cloud="AzureCloud", id=None):
        """The workspace of this name. Raises ProjectSystemException for any but the offline one."""
        return Workspace(
            subscription_id or _SUBSCRIPTION_ID,
            resource_group or _RESOURCE_GROUP,
            name,
            auth=auth,
            _location=location,
            _cloud=cloud,
            _workspace_id=id,
        )

    @staticmethod
    def list(subscription_id, auth=None, resource_group=None):
        """The workspaces of a subscription and resource group: name to a list of workspaces."""
        here = subscription_id in (None, _SUBSCRIPTION_ID) and resource_group in (None, _RESOURCE_GROUP)
        return {_NAME: [_offline_workspace(auth)]} if here else {}

    @staticmethod
    def setup():
        """Deprecated: the workspace, as `from_config()` returns it."""
        _logger.warning(
            "setup() is now deprecated. Instead, please use create() to create a new workspace, or "
            "get()/from_config() to retrieve an existing one"
        )
        return Workspace.from_config()

    def write_config(self, path=None, file_name=None):
        """Write the file that `from_config(path)` reads, into `.azureml` below `path`.

        Raises UserErrorException where it cannot be written, or where a file that names another workspace is there.
        """
        _workspace_config.write(path, file_name, self._scope)

    @property
    def name(self):
        """The workspace's name."""
        return self._name

    @property
    def subscription_id(self):
        """The subscription's id."""
        return _SUBSCRIPTION_ID

    @property
    def resource_group(self):
        """The resource group's name."""
        return _RESOURCE_GROUP

    @property
    def location(self):
        """The region."""
        return _LOCATION

    @property
    def sku(self):
        """The edition."""
        return "Basic"

    @property
    def tags(self):
        """The workspace's tags."""
        return self._asset().body["tags"]

    @property
    def discovery_url(self):
        unsupported("Workspace.discovery_url")

    @property
    def service_context(self):
        unsupported("Workspace.service_context")

    @property
    def _scope(self):
        return (
            f"/subscriptions/{_SUBSCRIPTION_ID}/resourceGroups/{_RESOURCE_GROUP}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    def _asset(self):
        with _engine.translated():
            return _engine.details.get(self._folder)

    def _change(self, **changes):
        with _engine.translated():
            _engine.details.change(self._folder, lambda settings: settings | changes)

    def get_details(self):
        """The workspace as the service describes it. The storage account is the offline backend's folder."""
        asset = self._asset()
        return {
            "id": self._scope,
            "name": self.name,
            "location": _LOCATION,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": asset.body["tags"],
            "sku": self.sku,
            "workspaceid": asset.id,
            "description": asset.body["description"],
            "friendlyName": asset.body["friendly_name"],
            "creationTime": asset.created,
            "storageAccount": str(self._folder),
            "hbiWorkspace": False,
            "provisioningState": "Succeeded",
        }

    def update(
        self,
        friendly_name=None,
        description=None,
        tags=None,
        image_build_compute=None,
        service_managed_resources_settings=None,
        primary_user_assigned_identity=None,
        allow_public_access_when_behind_vnet=None,
        v1_legacy_mode=None,
    ):
        """Change the workspace's friendly name, description and tags, as far as given; returns its details."""
        refuse(
            "Workspace.update()",
            image_build_compute=image_build_compute,
            service_managed_resources_settings=service_managed_resources_settings,
            primary_user_assigned_identity=primary_user_assigned_identity,
            allow_public_access_when_behind_vnet=allow_public_access_when_behind_vnet,
            v1_legacy_mode=v1_legacy_mode,
        )
        given = {"friendly_name": friendly_name, "description": description, "tags": tags}
        self._change(**{name: value for name, value in given.items() if value is not None})
        return self.get_details()

    def update_dependencies(self, container_registry=None, force=False):
        """Say that nothing is to be updated; a container registry is not supported."""
        refuse("Workspace.update_dependencies()", container_registry=container_registry)
        print("No resource is specified to be updated")

    def delete(self, delete_dependent_resources=False, no_wait=False):
        """End what runs in the workspace and delete its folder."""
        with _engine.translated():
            _engine.removal.reset(self._folder)

    def sync_keys(self, no_wait=False):
        """Do nothing: offline there are no keys to synchronise."""

    def list_keys(self):
        unsupported("Workspace.list_keys()")

    def diagnose_workspace(self, diagnose_parameters):
        unsupported("Workspace.diagnose_workspace()")

    def get_mlflow_tracking_uri(self, _with_auth=False):
        """The address for `mlflow.set_tracking_uri()`."""
        return _engine.run_records.tracking_uri(self._folder)

    def get_default_compute_target(self, type):
        """Deprecated: the compute target of the default name for "CPU" or "GPU", or None."""
        _logger.warning(
            "'get_default_compute_target' is deprecated and will be removed in a future release. Use "
            "compute_targets['name'] to retrieve an existing compute target instead."
        )
        names = {"cpu": self.DEFAULT_CPU_CLUSTER_NAME, "gpu": self.DEFAULT_GPU_CLUSTER_NAME}
        if type.lower() not in names:
            raise ValueError("Invalid compute type. Accepted values are CPU and GPU")
        return self.compute_targets.get(names[type.lower()])


def _offline_workspace(auth=None, name=_NAME):
    workspace = Workspace(_SUBSCRIPTION_ID, _RESOURCE_GROUP, _NAME, auth=auth)
    workspace._name = name
    return workspace


def _check_name(name):
    if not re.fullmatch(r"[a-zA-Z0-9][\w-]{2,32}", name or ""):
        raise UserErrorException(
            "Workspace name must be between 3 and 33 characters long. Its first character has to be alphanumeric, "
            "and the rest may contain hyphens and underscores. No whitespace is allowed."
        )

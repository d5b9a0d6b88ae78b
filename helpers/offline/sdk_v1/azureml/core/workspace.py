"""The workspace: offline there is one, the folder that the offline backend works in."""

import json
import logging
import re
from pathlib import Path

from azureml import _engine
from azureml._strict import module_getattr, refuse, unsupported
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.exceptions import ProjectSystemException, UserErrorException, WorkspaceException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)

_NAME = "offline"
_SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000000"
_RESOURCE_GROUP = "offline"
_LOCATION = "local"
_CONFIG_FILES = ("config.json", "project.json")
_CONFIG_FOLDERS = (".azureml", "aml_config", ".")


class Workspace:
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
        found = _find_config(path or ".", [_file_name] if _file_name else _CONFIG_FILES)
        subscription_id, resource_group, name = _read_config(found)
        if (subscription_id, resource_group, name) != (_SUBSCRIPTION_ID, _RESOURCE_GROUP, _NAME):
            raise UserErrorException(
                f"The config file {found} names the workspace {name!r} on Azure; the offline backend does not go "
                'there. Call use_backend("azure") in a fresh kernel, or Workspace.from_config() without a path.'
            )
        return _offline_workspace(auth)

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
        """Make the offline workspace's folder, or with `exist_ok` return the workspace that is there.

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
        if name != _NAME:
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
        workspace = _offline_workspace(auth)
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
        root = Path(path or ".").absolute()
        folder = root / ("aml_config" if (root / "aml_config").exists() else ".azureml")
        if file_name is None:
            file_name = "project.json" if (folder / "project.json").exists() else "config.json"
        elif not file_name.endswith(".json"):
            file_name += ".json"
        file = folder / file_name
        _refuse_other_config(file)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"Id": None, "Scope": self._scope}), encoding="utf-8")
        except PermissionError as error:
            raise UserErrorException(
                f"You do not have permission to write the config file to: {file}\n"
                "Please make sure you have write permissions to the path.",
                inner_exception=error,
            ) from error
        except OSError as error:
            raise UserErrorException(
                f"Could not write the config file to: {file}\n{error}", inner_exception=error
            ) from error

    @property
    def name(self):
        """The workspace's name."""
        return _NAME

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
            f"/providers/Microsoft.MachineLearningServices/workspaces/{_NAME}"
        )

    def _asset(self):
        with _engine.translated():
            return _engine.assets.add_if(
                self._folder,
                "workspace",
                _NAME,
                lambda latest: (
                    latest
                    or {
                        "tags": {},
                        "friendly_name": _NAME,
                        "description": "",
                        "default_datastore": _engine.data.BLOBSTORE,
                    }
                ),
            )

    def _change(self, **changes):
        version = self._asset().version
        with _engine.translated():
            _engine.assets.update(self._folder, "workspace", _NAME, version, lambda settings: settings | changes)

    def get_details(self):
        """The workspace as the service describes it. The storage account is the offline backend's folder."""
        asset = self._asset()
        return {
            "id": self._scope,
            "name": _NAME,
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

    @property
    def compute_targets(self):
        """The compute targets, by name."""
        return {target.name: target for target in ComputeTarget.list(self)}

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

    @property
    def datastores(self):
        """The datastores, by name."""
        from azureml.core.datastore import Datastore

        return {name: Datastore.get(self, name) for name in (_engine.data.BLOBSTORE, _engine.data.FILESTORE)}

    @property
    def datasets(self):
        """The registered datasets in their latest version, by name."""
        from azureml.core.dataset import Dataset

        return Dataset.get_all(self)

    def get_default_datastore(self):
        """The datastore that is used where none is named."""
        from azureml.core.datastore import Datastore

        return Datastore.get_default(self)

    def set_default_datastore(self, name):
        """Make a datastore the default. Raises UserErrorException for one that is not there."""
        from azureml.core.datastore import Datastore

        self._change(default_datastore=Datastore.get(self, name).name)

    @property
    def experiments(self):
        """The experiments, by name."""
        from azureml.core.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def environments(self):
        """The registered environments in their latest version, by name."""
        from azureml.core.environment import Environment

        return Environment.list(self)

    @property
    def models(self):
        """The registered models in their latest version, by name."""
        from azureml.core.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    def get_run(self, run_id):
        """The run with this id."""
        from azureml.core.run import Run

        return Run.get(self, run_id)

    @property
    def images(self):
        """No images: offline none are made."""
        return {}

    @property
    def webservices(self):
        """The web services, by name; local ones are not among them."""
        from azureml.core.webservice import Webservice

        return {service.name: service for service in Webservice.list(self)}

    @property
    def linked_services(self):
        """No linked services: offline none can be linked."""
        return {}

    @property
    def private_endpoints(self):
        """No private endpoints: offline none can be added."""
        return {}

    def add_private_endpoint(
        self,
        private_endpoint_config,
        private_endpoint_auto_approval=True,
        location=None,
        show_output=True,
        tags=None,
    ):
        unsupported("Workspace.add_private_endpoint()")

    def delete_private_endpoint_connection(self, private_endpoint_connection_name):
        unsupported("Workspace.delete_private_endpoint_connection()")

    def get_default_keyvault(self):
        unsupported("Workspace.get_default_keyvault()")

    def set_connection(self, name, category, target, authType, value):
        unsupported("Workspace.set_connection()")

    def get_connection(self, name):
        """Raise ProjectSystemException: offline there are no connections."""
        raise ProjectSystemException(f"Workspace connection {name!r} not found: offline none can be made.")

    def list_connections(self, category=None, target=None):
        """The connections, as text: there are none."""
        return "[]"

    def delete_connection(self, name):
        """Do nothing, as the service does for a connection that is not there."""


def _offline_workspace(auth=None):
    return Workspace(_SUBSCRIPTION_ID, _RESOURCE_GROUP, _NAME, auth=auth)


def _check_name(name):
    if not re.fullmatch(r"[a-zA-Z0-9][\w-]{2,32}", name or ""):
        raise UserErrorException(
            "Workspace name must be between 3 and 33 characters long. Its first character has to be alphanumeric, "
            "and the rest may contain hyphens and underscores. No whitespace is allowed."
        )


def _find_config(path, file_names):
    """The file `path`, or the first configuration file in it and the folders above."""
    path = Path(path).absolute()
    if path.is_file():
        return path
    for folder in _CONFIG_FOLDERS:
        for name in file_names:
            for parent in (path, *path.parents):
                if (parent / folder / name).is_file():
                    return parent / folder / name
    raise UserErrorException(
        f"The workspace configuration file config.json, could not be found in {path} or its parent directories. "
        "Give the file's full path, or call Workspace.from_config() without a path: the offline workspace needs no "
        "file, and Workspace.write_config() writes one."
    )


def _read_config(file):
    """The subscription id, resource group and workspace name in a configuration file."""
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"The config file found in: {file} is not JSON: {error.msg}"
        raise json.JSONDecodeError(message, error.doc, error.pos) from error
    keys = ("subscription_id", "resource_group", "workspace_name")
    if isinstance(config, dict):
        scope = str(config.get("Scope") or "").split("/")
        if len(scope) > 8:
            return scope[2], scope[4], scope[8]
        if all(key in config for key in keys):
            return tuple(config[key] for key in keys)
    raise UserErrorException(
        f"The config file found in: {file} does not seem to contain the required parameters. Please make sure it "
        "contains your subscription_id, resource_group and workspace_name."
    )


def _refuse_other_config(file):
    """Never write over the configuration of a workspace on Azure."""
    if not file.exists():
        return
    try:
        named = _read_config(file)
    except (json.JSONDecodeError, UserErrorException):
        named = None
    if named != (_SUBSCRIPTION_ID, _RESOURCE_GROUP, _NAME):
        raise UserErrorException(
            f"Could not write the config file to: {file}\nA file that does not name the offline workspace is there; "
            "give another path or file_name."
        )

"""Datastores: where a workspace keeps files, by name. Offline there are those that every workspace has."""

from azureml import _engine
from azureml._strict import module_getattr
from azureml.data._unsupported import _UnsupportedMembers
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.data.azure_storage_datastore import AzureBlobDatastore, AzureFileDatastore
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)


class Datastore(metaclass=_UnsupportedMembers):
    """A datastore by name, the default one without: an AzureBlobDatastore or an AzureFileDatastore.

    Raises UserErrorException when the workspace has none of that name.
    """

    # Of what a Datastore() is when it is made; it is never of this class itself.
    name = AbstractDatastore.name
    workspace = AbstractDatastore.workspace
    set_as_default = AbstractDatastore.set_as_default
    unregister = AbstractDatastore.unregister

    def __new__(cls, workspace, name=None):
        return Datastore.get_default(workspace) if name is None else Datastore.get(workspace, name)

    @staticmethod
    def get(workspace, datastore_name):
        """The datastore of this name. Raises UserErrorException when there is none."""
        account = {"account_name": workspace.name, "protocol": "https", "endpoint": "core.windows.net"}
        if datastore_name == _engine.data.BLOBSTORE:
            return AzureBlobDatastore(workspace, datastore_name, "azureml-blobstore", **account)
        if datastore_name == _engine.data.ARTIFACTSTORE:
            return AzureBlobDatastore(workspace, datastore_name, "azureml", **account)
        if datastore_name == _engine.data.FILESTORE:
            return AzureFileDatastore(workspace, datastore_name, "azureml-filestore", **account)
        raise UserErrorException(
            f"Could not find datastore {datastore_name!r}. Offline a workspace has "
            f"{_engine.data.BLOBSTORE!r} and {_engine.data.FILESTORE!r}."
        )

    @staticmethod
    def get_default(workspace):
        """The datastore that is used where none is named."""
        return Datastore.get(workspace, workspace._asset().body["default_datastore"])

"""What every datastore has in common."""

from azureml._strict import module_getattr
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)


class AbstractDatastore:
    """A storage that the workspace knows by name."""

    def __init__(self, workspace, name, datastore_type):
        self._workspace = workspace
        self._name = name
        self._datastore_type = datastore_type

    @property
    def workspace(self):
        """The workspace that knows the datastore."""
        return self._workspace

    @workspace.setter
    def workspace(self, workspace):
        self._workspace = workspace

    @property
    def name(self):
        """The datastore's name."""
        return self._name

    @name.setter
    def name(self, name):
        self._name = name

    @property
    def datastore_type(self):
        """The kind of storage, such as "AzureBlob"."""
        return self._datastore_type

    @datastore_type.setter
    def datastore_type(self, datastore_type):
        self._datastore_type = datastore_type

    def set_as_default(self):
        """Make this the datastore that is used where none is named."""
        self.workspace.set_default_datastore(self.name)

    def unregister(self):
        """Raise UserErrorException: the workspace's own datastores stay."""
        raise UserErrorException(f"The datastore {self.name!r} belongs to the workspace and cannot be unregistered.")

"""The container registry that a base image comes from."""

from azureml._config_element import ConfigElement
from azureml._strict import module_getattr

__getattr__ = module_getattr(__name__)


class RegistryIdentity(ConfigElement):
    """The managed identity that may pull from the registry."""

    _fields = {"resource_id": None, "client_id": None}

    def __init__(self):
        self.resource_id = None
        self.client_id = None
        self._initialized = True


class ContainerRegistry(ConfigElement):
    """Address and credential of an Azure container registry; kept, not contacted offline."""

    _fields = {"address": None, "username": None, "password": None, "registry_identity": RegistryIdentity}

    def __init__(self):
        self.address = None
        self.username = None
        self.password = None
        self.registry_identity = None
        self._initialized = True

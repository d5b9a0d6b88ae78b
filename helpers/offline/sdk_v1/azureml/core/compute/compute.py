"""What every compute target has in common. Offline there are AmlCompute and AksCompute."""

from abc import ABC, abstractmethod

from azureml import _engine
from azureml._strict import module_getattr
from azureml.core.compute._payload import kubernetes_payload_of, payload_of, time_of
from azureml.exceptions import ComputeTargetException, UserErrorException

__getattr__ = module_getattr(__name__)

_RESERVED_NAMES = ("amlcompute", "local", "containerinstance")


class ComputeTarget(ABC):
    """A compute target of the workspace, by name.

    Raises ComputeTargetException when the workspace has none of that name.
    """

    _compute_type = None

    def __new__(cls, workspace, name):
        if not (workspace and name):
            return super().__new__(cls)
        payload = cls._get(workspace, name)
        if payload is None:
            raise ComputeTargetException(
                f"ComputeTargetNotFound: Compute Target with name {name} not found in provided workspace"
            )
        target = super().__new__(_class_of(payload))
        target._initialize(workspace, payload)
        return target

    def __init__(self, workspace, name):  # noqa: B027 — part of the public signature
        """All is done by __new__, which chooses the class."""

    def __repr__(self):
        fields = ("workspace", "name", "id", "type", "provisioning_state", "location", "tags")
        known = ", ".join(f"{field}={getattr(self, field, None)}" for field in fields)
        return f"{type(self).__name__}({known})"

    @abstractmethod
    def _initialize(self, workspace, payload):
        properties = payload["properties"]
        self.workspace = workspace
        self.id = payload["id"]
        self.name = payload["name"]
        self.location = payload["location"]
        self.type = properties["computeType"]
        self.tags = payload["tags"]
        self.description = properties["description"]
        self.created_on = time_of(properties.get("createdOn"))
        self.modified_on = time_of(properties.get("modifiedOn"))
        self.provisioning_state = properties["provisioningState"]
        self.provisioning_errors = properties["provisioningErrors"]
        self.cluster_resource_id = properties["resourceId"]
        self.cluster_location = properties.get("computeLocation")
        self.is_attached = properties.get("isAttachedCompute")
        self._operation_state = None  # of the last create, update or delete by this object

    @staticmethod
    def _get(workspace, name):
        """The compute target as the service describes it, or None."""
        if _engine.kubernetes.has(workspace._folder, name):
            return kubernetes_payload_of(workspace, _engine.kubernetes.get(workspace._folder, name))
        try:
            return payload_of(workspace, _engine.clusters.get(workspace._folder, name))
        except _engine.errors.NotFound:
            return None

    @staticmethod
    def create(workspace, name, provisioning_configuration):
        """Create the compute target and return it; `wait_for_completion()` waits until it can be used.

        Raises UserErrorException for a reserved name and ComputeTargetException for what the service refuses.
        """
        _check_name(name)
        return provisioning_configuration._compute_type._create(workspace, name, provisioning_configuration)

    @staticmethod
    def attach(workspace, name, attach_configuration):
        """Attach what the configuration names, an AKS cluster, and return the compute target.

        Raises UserErrorException for a reserved name and ComputeTargetException for what the service refuses.
        """
        _check_name(name)
        return attach_configuration._compute_type._attach(workspace, name, attach_configuration)

    @staticmethod
    def list(workspace):
        """The workspace's compute targets, in the order of their names."""
        payloads = [payload_of(workspace, cluster) for cluster in _engine.clusters.list_all(workspace._folder)]
        attached = _engine.kubernetes.list_all(workspace._folder)
        payloads += [kubernetes_payload_of(workspace, cluster) for cluster in attached]
        payloads.sort(key=lambda payload: payload["name"])
        return [_class_of(payload).deserialize(workspace, payload) for payload in payloads]

    def wait_for_completion(self, show_output=False, is_delete_operation=False):
        """Wait for the create, update or delete that this object began. Offline it is over when the call returns.

        Raises ComputeTargetException when this object began none.
        """
        if self._operation_state is None:
            self.refresh_state()
            raise ComputeTargetException(
                "Long running operation information not known, unable to poll. "
                f"Current state is {self.provisioning_state}"
            )
        if show_output:
            print(self._operation_state, end="")
        print(f'Provisioning operation finished, operation "{self._operation_state}"')
        if not is_delete_operation:
            self.refresh_state()

    def refresh_state(self):
        """Read the properties anew. Raises ComputeTargetException when the compute target is gone."""
        operation_state = self._operation_state
        vars(self).update(vars(type(self)(self.workspace, self.name)))
        self._operation_state = operation_state

    def _operated(self):
        self._operation_state = "Succeeded"
        return self

    def get_status(self):
        """The provisioning state, read anew."""
        self.refresh_state()
        return self.provisioning_state

    @abstractmethod
    def delete(self):
        """Remove the compute target from the workspace."""

    @abstractmethod
    def detach(self):
        """Detach a compute target that was attached."""

    @abstractmethod
    def serialize(self):
        """The compute target as a JSON-like dictionary."""

    @staticmethod
    @abstractmethod
    def deserialize(workspace, object_dict):
        """The compute target that a service's description stands for."""


class ComputeTargetProvisioningConfiguration(ABC):
    """What a compute target is created from."""

    def __init__(self, type, location):
        self._compute_type = type
        self.location = location

    @abstractmethod
    def validate_configuration(self):
        """Raise ComputeTargetException where the settings contradict each other."""


class ComputeTargetAttachConfiguration(ABC):
    """What a compute target is attached by."""

    def __init__(self, type):
        self._compute_type = type

    @abstractmethod
    def validate_configuration(self):
        """Raise ComputeTargetException where the settings contradict each other."""


def _check_name(name):
    if name in _RESERVED_NAMES:
        raise UserErrorException(f"Please specify a different target name. {name} is a reserved name.")


def _class_of(payload):
    compute_type = payload["properties"]["computeType"]
    return next(child for child in ComputeTarget.__subclasses__() if child._compute_type == compute_type)

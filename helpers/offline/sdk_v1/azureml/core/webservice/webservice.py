"""What every web service has in common, and what a deployment is configured with."""

import json
import time
from abc import ABC, abstractmethod
from datetime import datetime

from azureml import _engine
from azureml._run_details import USER
from azureml._service_models import uses_model
from azureml._strict import module_getattr, refuse, unsupported
from azureml._tags import has_each
from azureml.exceptions import WebserviceException

__getattr__ = module_getattr(__name__)

_TYPES = ("ACI", "AKS")  # those that there are offline
_ALL_TYPES = ("ACI", "AKSENDPOINT", "AKS", "IOT", "MIR")
_TIP = "Tips: get_logs() shows what the service is doing if its deployment takes longer than 10 minutes."
_FINAL = ("Succeeded", "Failed", "Cancelled", "TimedOut")
_INTERVAL = 0.1  # seconds between two looks: the service is on this machine
_DOT = 5.0  # seconds between two dots that wait_for_deployment prints


class Webservice(ABC):
    """A web service of the workspace, by name; an object of its own class.

    Raises WebserviceException ("WebserviceNotFound: …") when the workspace has none of that name.
    """

    _webservice_type = None

    def __new__(cls, workspace, name):
        if not (workspace and name):
            return super().__new__(cls)
        service = _get_service(workspace, name)
        found = super().__new__(_class_of(service))
        found._initialize(workspace, service)
        return found

    def __init__(self, workspace, name):  # noqa: B027 — part of the public signature
        """All is done by __new__, which chooses the class."""

    def __repr__(self):
        fields = ("workspace", "name", "image_id", "image_digest", "compute_type", "state", "scoring_uri")
        fields += ("tags", "properties", "created_by")
        return f"{type(self).__name__}({', '.join(f'{field}={getattr(self, field, None)}' for field in fields)})"

    def _initialize(self, workspace, service):
        self.workspace = workspace
        self.name = service["name"]
        self.compute_type = service["type"]
        self.auth_enabled = service["auth_enabled"]
        self.token_auth_enabled = False
        self.created_time = datetime.fromisoformat(service["created"])
        self.updated_time = datetime.fromisoformat(service["modified"])
        self.created_by = {"userName": USER}
        self.description = service["description"]
        self.tags = service["tags"]
        self.properties = service["properties"]
        self.state = service["state"]
        self.error = service["error"]
        self.image = self.image_id = self.image_digest = None
        self._operation = None  # of the deployment or update by this object

    # Deploying

    @staticmethod
    def deploy(
        workspace, name, model_paths, image_config, deployment_config=None, deployment_target=None, overwrite=False
    ):
        """Not supported offline: use Model.deploy()."""
        unsupported("Webservice.deploy()")

    @staticmethod
    def deploy_from_model(
        workspace, name, models, image_config, deployment_config=None, deployment_target=None, overwrite=False
    ):
        """Not supported offline: use Model.deploy()."""
        unsupported("Webservice.deploy_from_model()")

    @staticmethod
    def deploy_from_image(workspace, name, image, deployment_config=None, deployment_target=None, overwrite=False):
        """Not supported offline: there are no images."""
        unsupported("Webservice.deploy_from_image()")

    @staticmethod
    def deploy_local_from_model(workspace, name, models, image_config, deployment_config=None, wait=False):
        """Not supported offline: use Model.deploy()."""
        unsupported("Webservice.deploy_local_from_model()")

    @staticmethod
    def check_for_existing_webservice(workspace, name, overwrite=False, request_func=None, check_func=None):
        """Raise WebserviceException where the name is taken, unless it may be overwritten."""
        refuse("Webservice.check_for_existing_webservice()", request_func=request_func, check_func=check_func)
        if not overwrite and _find(workspace, name):
            raise WebserviceException(
                f"Service {name} with the same name already exists, please use a different service name or delete "
                "the existing service."
            )

    def wait_for_deployment(self, show_output=False, timeout_sec=None):
        """Wait until the deployment or update by this object is done.

        Raises WebserviceException, with the reason, where it fails or takes longer than timeout_sec.
        """
        if show_output:
            print(_TIP)
        if self._operation is None:
            self.update_deployment_state()
            raise WebserviceException(
                f"Long running operation information not known, unable to poll. Current state is {self.state}"
            )
        operation = self._wait_for_operation(show_output, timeout_sec and float(timeout_sec))
        self.update_deployment_state()
        if operation["state"] != "Succeeded":
            error = operation["error"] or self.error
            raise WebserviceException(
                "Service deployment polling reached non-successful terminal state, current service state: "
                f"{self.state}\nOperation ID: {operation['id']}\nMore information can be found using '.get_logs()'\n"
                f"Error:\n{json.dumps(error, indent=2) if error else 'No error message received from server.'}"
            )
        print(f'{self._webservice_type} service creation operation finished, operation "{operation["state"]}"')

    def _wait_for_operation(self, show_output, timeout):
        began = dotted = time.monotonic()
        operation = self._operation_now()
        waited = operation["state"] not in _FINAL
        if show_output:
            print(operation["state"], end="", flush=True)
        while operation["state"] not in _FINAL:
            if timeout and time.monotonic() - began >= timeout:
                raise WebserviceException(
                    f"Deployment polling exceeded timeout override of {timeout}s. Current status: "
                    f"{operation['state']}\nDeployment may be transitioning or unhealthy, use "
                    "update_deployment_state() to fetch the latest status of the webservice"
                )
            time.sleep(_INTERVAL)
            if show_output and time.monotonic() - dotted >= _DOT:
                dotted = time.monotonic()
                print(".", end="", flush=True)
            operation = self._operation_now()
        if show_output and waited:
            print(f"\n{operation['state']}")
        return operation

    def _operation_now(self):
        with _translated():
            operation = _engine.services.get(self.workspace._folder, self._webservice_type, self.name)["operation"]
        replaced = {"id": self._operation, "state": "Cancelled", "error": None}
        return operation if operation["id"] == self._operation else replaced

    def update_deployment_state(self):
        """Read the service's state and settings anew. Raises WebserviceException where it is gone."""
        operation = self._operation
        self._initialize(self.workspace, _get_service(self.workspace, self.name))
        self._operation = operation

    # Finding

    @staticmethod
    def list(
        workspace,
        compute_type=None,
        image_name=None,
        image_id=None,
        model_name=None,
        model_id=None,
        tags=None,
        properties=None,
        image_digest=None,
    ):
        """The workspace's services, filtered; tags, properties: as ["name", ["other name", "its value"]]."""
        refuse("Webservice.list()", image_name=image_name, image_id=image_id, image_digest=image_digest)
        if compute_type and compute_type.upper() not in _ALL_TYPES:
            raise WebserviceException(
                f'Invalid compute type "{compute_type}". Valid options are "{",".join(_ALL_TYPES)}"'
            )
        services = _services(workspace)
        return [
            _class_of(service)._of(workspace, service)
            for service in services
            if (not compute_type or service["type"] == compute_type.upper())
            and uses_model(service, model_name, model_id)
            and has_each(service["tags"], tags)
            and has_each(service["properties"], properties)
        ]

    @classmethod
    def _of(cls, workspace, service):
        found = cls.__new__(cls, None, None)
        found._initialize(workspace, service)
        return found

    # Using

    def get_logs(self, num_lines=5000, init=False):
        """The last lines that the service has logged; the tracebacks of its entry script are among them.

        Offline there is one container, so init, which asks for the log of the one that prepares it, changes nothing.
        """
        with _translated():
            return _engine.services.logs(self.workspace._folder, self._webservice_type, self.name, num_lines)

    @abstractmethod
    def run(self, input):
        """Send input to the service; what it answers."""

    def get_keys(self):
        """The primary and the secondary key, each of which is admitted."""
        with _translated():
            return _engine.services.keys(self.workspace._folder, self._webservice_type, self.name)

    def regen_key(self, key, set_key=None):
        """Replace the "Primary" or "Secondary" key, which is not admitted any more; set_key: by this one."""
        if not key:
            raise WebserviceException("Error, must specify which key with be regenerated: Primary, Secondary")
        if key.capitalize() not in ("Primary", "Secondary"):
            raise WebserviceException(
                f"Error, invalid value provided for key: {key.capitalize()}.\nValid options are: Primary, Secondary"
            )
        with _translated():
            _engine.services.set_key(self.workspace._folder, self._webservice_type, self.name, key.lower(), set_key)

    def get_token(self):  # noqa: B027 — part of the public signature
        """Do nothing: no service has tokens offline."""

    # Changing

    @abstractmethod
    def update(self, *args):
        """Change the service."""

    def delete(self):
        """End the service; its address answers no more."""
        try:
            _engine.services.delete(self.workspace._folder, self._webservice_type, self.name)
        except _engine.errors.NotFound:
            print(f"No service with name {self.name} found to delete.")
        self.state = "Deleting"

    # As a dict

    def serialize(self):
        """The service as a dict of JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "tags": self.tags,
            "properties": self.properties,
            "state": self.state,
            "createdTime": self.created_time.isoformat(),
            "updatedTime": self.updated_time.isoformat(),
            "error": self.error,
            "computeType": self.compute_type,
            "workspaceName": self.workspace.name,
            "imageId": self.image_id,
            "imageDigest": self.image_digest,
            "imageDetails": None,
            "scoringUri": getattr(self, "scoring_uri", None),
            "createdBy": self.created_by,
        }

    @classmethod
    def deserialize(cls, workspace, webservice_payload):
        """The service that a payload tells of. Raises WebserviceException for one that is of another type or gone."""
        if "computeType" not in webservice_payload:
            raise WebserviceException(
                f"Invalid payload for {cls._webservice_type} webservice, missing computeType:\n{webservice_payload}"
            )
        if webservice_payload["computeType"] != cls._webservice_type:
            raise WebserviceException(
                f'Invalid payload for {cls._webservice_type} webservice, computeType is not {cls._webservice_type}":\n'
                f"{webservice_payload}"
            )
        if "name" not in webservice_payload:
            raise WebserviceException(
                f'Invalid {cls._webservice_type} Webservice payload, missing "name":\n{webservice_payload}'
            )
        return Webservice(workspace, webservice_payload["name"])


class WebserviceDeploymentConfiguration(ABC):
    """What a deployment asks for, whatever its type."""

    def __init__(
        self, type, description=None, tags=None, properties=None, primary_key=None, secondary_key=None, location=None
    ):
        self._webservice_type = type
        self.description = description
        self.tags = tags
        self.properties = properties
        self.primary_key = primary_key
        self.secondary_key = secondary_key
        self.location = location

    @abstractmethod
    def validate_configuration(self):
        """Raise WebserviceException for values that no service can have."""

    @abstractmethod
    def print_deploy_configuration(self):
        """Print what is asked for."""

    @classmethod
    def validate_image(cls, image):
        """Not supported offline: there are no images."""
        unsupported("WebserviceDeploymentConfiguration.validate_image()")


def _post(address, data, **headers):
    """Send JSON to a service; the response."""
    import requests

    with requests.Session() as session:
        session.trust_env = False  # a proxy is not asked for an address on loopback
        return session.post(address, data=data, headers={"Content-Type": "application/json", **headers})


def _class_of(service):
    from azureml.core.webservice.aci import AciWebservice
    from azureml.core.webservice.aks import AksWebservice

    return {"ACI": AciWebservice, "AKS": AksWebservice}[service["type"]]


def _find(workspace, name):
    """The engine's service of this name, or None. Local ones are not the workspace's."""
    return next((service for service in _services(workspace) if service["name"] == name), None)


def _get_service(workspace, name):
    """The engine's service of this name. Raises WebserviceException where there is none."""
    service = _find(workspace, name)
    if service is None:
        raise WebserviceException(f"WebserviceNotFound: Webservice with name {name} not found in provided workspace")
    return service


def _services(workspace):
    with _translated():
        found = [service for kind in _TYPES for service in _engine.services.list_all(workspace._folder, kind)]
    return sorted(found, key=lambda service: service["name"])


def _translated():
    return _engine.translated(EngineError=WebserviceException)

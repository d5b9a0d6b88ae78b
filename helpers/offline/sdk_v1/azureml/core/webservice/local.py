"""Services for trying a deployment out. On a real workspace they need Docker; offline they do not."""

from datetime import datetime

from azureml import _engine
from azureml._deploy import changed
from azureml._service_models import models_of, uses_model
from azureml._strict import module_getattr, refuse, unsupported
from azureml.core.webservice.webservice import Webservice, WebserviceDeploymentConfiguration, _post
from azureml.exceptions import WebserviceException

__getattr__ = module_getattr(__name__)


class LocalWebservice(Webservice):
    """A web service on this machine, by name; the workspace does not list it.

    Raises WebserviceException ("WebserviceNotFound: …") when there is none of that name, unless must_exist is False.
    """

    NETWORK_NAME = "azureml-local"

    STATE_DELETED = "deleted"
    STATE_DEPLOYING = "deploying"
    STATE_FAILED = "failed"
    STATE_RUNNING = "running"
    STATE_UNKNOWN = "unknown"

    _webservice_type = "Local"
    _STATES = {"Transitioning": STATE_DEPLOYING, "Healthy": STATE_RUNNING, "Failed": STATE_FAILED}

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, workspace, name, must_exist=True):
        self.workspace = workspace
        self.name = name
        self.compute_type = self._webservice_type
        self.error = None
        self.state = None
        self.image_id = None
        self.tags = None
        self.properties = None
        self.created_time = self.updated_time = datetime.now()
        self._port = None
        self._models = []
        self.update_deployment_state(must_exist=must_exist)

    @staticmethod
    def deploy_configuration(port=None):
        """What Model.deploy() is given to make such a service; port: by default one that is free."""
        return LocalWebserviceDeploymentConfiguration(port)

    def deploy_to_cloud(self, name=None, deployment_config=None, deployment_target=None):
        """Not supported offline: call Model.deploy() with another deployment_config."""
        unsupported("LocalWebservice.deploy_to_cloud()")

    @classmethod
    def deserialize(cls, workspace, webservice_payload):
        """Raise NotImplementedError, as the real one does."""
        raise NotImplementedError("Local web services cannot be deserialized.")

    @staticmethod
    def list(workspace, model_name=None, model_id=None, all=None):
        """The local services, of all or of those that have a model; all: also those that have failed."""
        with _engine.translated(EngineError=WebserviceException):
            services = _engine.services.list_all(workspace._folder, "Local")
        return [
            LocalWebservice(workspace, service["name"])
            for service in services
            if uses_model(service, model_name, model_id) and (all or service["state"] != "Failed")
        ]

    def wait_for_deployment(self, show_output=False):
        """Wait until the service answers. Raises WebserviceException, with the reason, where it fails."""
        print("Checking container health...")
        operation = self._wait_for_operation(False, None)
        self.update_deployment_state()
        if operation["state"] != "Succeeded":
            raise WebserviceException(
                f"Error: Container has crashed. Did your init method fail?\n{operation['error']['message']}"
            )
        print(f"Local webservice is {self.state} at {self._base_url}")

    def _operation_now(self):
        with _engine.translated(EngineError=WebserviceException):
            return _engine.services.get(self.workspace._folder, "Local", self.name)["operation"]

    def update_deployment_state(self, must_exist=False):
        """Read the service's state anew; "unknown" where it is gone."""
        self.updated_time = datetime.now()
        try:
            service = _engine.services.get(self.workspace._folder, "Local", self.name)
        except _engine.errors.NotFound:
            if must_exist:
                raise WebserviceException(f"WebserviceNotFound: No local container with name {self.name}") from None
            self.state = LocalWebservice.STATE_UNKNOWN
            return
        self.state = self._STATES[service["state"]]
        self.error = service["error"]
        self._port = service["port"]
        self._models = models_of(self.workspace, service)

    @property
    def port(self):
        """The port on this machine."""
        return self._port

    @property
    def _base_url(self):
        return self._port and f"http://localhost:{self._port}"

    @property
    def scoring_uri(self):
        """Where the service takes requests."""
        return self._port and f"{self._base_url}/score"

    @property
    def swagger_uri(self):
        """Where the service describes itself."""
        return self._port and f"{self._base_url}/swagger.json"

    def run(self, input_data):
        """Send a text, or bytes, to the service, once it answers; what it answers, from JSON.

        Raises WebserviceException for any answer but 200.
        """
        self._check_state("run", self.STATE_DEPLOYING, self.STATE_RUNNING)
        if self.state == LocalWebservice.STATE_DEPLOYING:
            self.wait_for_deployment()
        response = _post(self.scoring_uri, input_data)
        if response.status_code == 200:
            return response.json()
        raise WebserviceException(f"Error: Scoring was unsuccessful. {response.text}")

    def get_logs(self, num_lines=5000, raw=False):
        """The last lines that the service has logged, which are as raw as they come."""
        self._check_state("get_logs", self.STATE_DEPLOYING, self.STATE_FAILED, self.STATE_RUNNING)
        return super().get_logs(num_lines)

    def reload(self, wait=False):
        """Deploy the script and what is beside it anew, as they are now."""
        self._check_state("reload", self.STATE_DEPLOYING, self.STATE_FAILED, self.STATE_RUNNING)
        with _engine.translated(EngineError=WebserviceException):
            _engine.services.redeploy(self.workspace._folder, "Local", self.name, {})
        self.update_deployment_state()
        if wait:
            self.wait_for_deployment()

    def update(self, models=None, image_config=None, deployment_config=None, wait=False, inference_config=None):
        """Deploy other models, another script or another port in the service's place."""
        refuse("LocalWebservice.update()", image_config=image_config)
        self._check_state("update", self.STATE_DEPLOYING, self.STATE_FAILED, self.STATE_RUNNING, self.STATE_UNKNOWN)
        if deployment_config and not isinstance(deployment_config, LocalWebserviceDeploymentConfiguration):
            raise WebserviceException(
                "Error, provided deployment configuration must be of type LocalWebserviceDeploymentConfiguration in "
                "order to update a local service."
            )
        folder, port = self.workspace._folder, (deployment_config and deployment_config.port) or 0
        with _engine.translated(Invalid=_start_failed, EngineError=WebserviceException):
            wanted = changed(self.workspace, self.name, models, inference_config)
            if self.state == LocalWebservice.STATE_UNKNOWN:
                kept = {"auth_enabled": False, "tags": {}, "properties": {}, "description": None, "settings": {}}
                _engine.services.deploy(folder, "Local", self.name, {**wanted, **kept}, port=port)
            else:
                _engine.services.redeploy(folder, "Local", self.name, wanted, port)
        self.update_deployment_state()
        if wait:
            self.wait_for_deployment()

    def delete(self, delete_cache=True, delete_image=False, delete_volume=True):
        """End the service and delete its files, of which offline there are no images and volumes."""
        self._check_state("delete", self.STATE_DEPLOYING, self.STATE_FAILED, self.STATE_RUNNING)
        super().delete()
        self.state = LocalWebservice.STATE_DELETED

    def _check_state(self, call, *states):
        if self.state not in states:
            raise WebserviceException(f"Cannot call {call}() when service is {self.state}.")

    def get_keys(self):
        """Raise NotImplementedError: such a service has no keys."""
        raise NotImplementedError("Local web services do not support auth keys.")

    def regen_key(self, key):
        """Raise NotImplementedError: such a service has no keys."""
        raise NotImplementedError("Local web services do not support auth keys.")

    def get_token(self):
        """Raise NotImplementedError: such a service has no tokens."""
        raise NotImplementedError("Local web services do not support Token Authentication.")

    def serialize(self):
        """The service as a dict of JSON values."""
        return {
            "name": self.name,
            "tags": self.tags,
            "properties": self.properties,
            "state": self.state,
            "createdTime": self.created_time.isoformat(),
            "updatedTime": self.updated_time.isoformat(),
            "error": self.error,
            "computeType": self.compute_type,
            "workspaceName": self.workspace.name,
            "imageId": self.image_id,
            "scoringUri": self.scoring_uri,
            "swaggerUri": self.swagger_uri,
            "port": self.port,
        }


class LocalWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What LocalWebservice.deploy_configuration() makes."""

    _webservice_type = LocalWebservice

    def __init__(self, port=None):
        super().__init__(LocalWebservice)
        self.port = port
        self.validate_configuration()

    def validate_configuration(self):
        """Raise WebserviceException for what is no port."""
        if self.port and not (isinstance(self.port, int) and 1 <= self.port <= 65535):
            raise WebserviceException("Invalid configuration, port must be an integer in range [1, 65535]")

    def print_deploy_configuration(self):
        """Print nothing."""


def _start_failed(message):
    return WebserviceException(f"Docker container start has failed, {message}")

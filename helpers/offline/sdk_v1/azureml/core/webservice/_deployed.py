"""What services that are deployed to Azure have in common. Offline they listen on this machine's loopback."""

from azureml import _engine
from azureml._deploy import changed, of_framework
from azureml._service_models import models_of
from azureml._tags import texts
from azureml.core.environment import Environment
from azureml.core.webservice.webservice import Webservice, _get_service, _post
from azureml.exceptions import UserErrorException, WebserviceException


class _Deployed(Webservice):
    """A web service with an address that asks for keys, and that is changed in place."""

    def _initialize(self, workspace, service):
        super()._initialize(workspace, service)
        self.enable_app_insights = False
        base = f"http://{_engine.services.HOST}:{service['port']}"
        self.scoring_uri = f"{base}/score"
        self.swagger_uri = f"{base}/swagger.json"
        self.environment = Environment._deserialize(service["environment"])
        self.models = models_of(workspace, service)

    def run(self, input_data):
        """Send a text, or bytes, to the service, with a key if it asks for one; what it answers, from JSON.

        Raises WebserviceException for any answer but 200.
        """
        import requests

        if not self.scoring_uri:
            raise WebserviceException(f"Error attempting to call webservice, scoring_uri unavailable: {self.error}")
        key = {"Authorization": f"Bearer {self.get_keys()[0]}"} if self.auth_enabled else {}
        try:
            response = _post(self.scoring_uri, input_data, Accept="application/json", **key)
        except requests.ConnectionError:
            self.update_deployment_state()
            raise WebserviceException(
                "Error attempting to call webservice, it does not answer. This could be due to a failed "
                f"deployment.\nCurrent State: {self.state}\nErrors: {self.error}"
            ) from None
        if response.status_code == 200:
            return response.json()
        raise WebserviceException(
            "Received bad response from service. More information can be found by calling `.get_logs()` on the "
            f"webservice object.\nResponse Code: {response.status_code}\nHeaders: {response.headers}\n"
            f"Content: {response.content}",
            status_code=response.status_code,
        )

    def _change(self, models, inference_config, *, tags, properties, description, auth_enabled, settings=None):
        """Change the service at once, and deploy anew where there is something new to deploy."""
        wanted = None
        if inference_config is not None:
            wanted = changed(self.workspace, self.name, models, inference_config)
        elif models is not None:
            wanted = self._of_framework(models)
        changes = {"description": description or None, "settings": settings}
        if tags is not None:
            changes["tags"] = texts(tags)
        if properties is not None:  # which are added to those that there are by now
            changes["properties"] = _get_service(self.workspace, self.name)["properties"] | texts(properties)
        changes = {name: value for name, value in changes.items() if value is not None}
        folder, kind = self.workspace._folder, self._webservice_type
        with _engine.translated(EngineError=WebserviceException):
            service = _engine.services.update(folder, kind, self.name, auth_enabled=auth_enabled, **changes)
            if wanted:
                service = _engine.services.redeploy(folder, kind, self.name, wanted)
        self._operation = service["operation"]["id"]
        self.update_deployment_state()

    def _of_framework(self, models):
        try:
            return of_framework(self.workspace, models)
        except UserErrorException:
            if not models:
                raise
            raise WebserviceException(
                'Error, both "models" and "inference_config" inputs must be provided in order to update the models.\n'
            ) from None

    def add_tags(self, tags):
        """Add tags from a dict."""
        _tell_of_replaced(self.tags or {}, tags)
        self.update(tags={**(self.tags or {}), **tags})
        print("Webservice tag add operation complete.")

    def remove_tags(self, tags):
        """Remove the tags of these names."""
        names = tags if isinstance(tags, list) else [tags]
        for key in names:
            if key not in (self.tags or {}):
                print(f"Tag with key {key} not found.")
        self.update(tags={key: value for key, value in (self.tags or {}).items() if key not in names})
        print("Webservice tag remove operation complete.")

    def add_properties(self, properties):
        """Add properties from a dict."""
        _tell_of_replaced(self.properties or {}, properties)
        self.update(properties=properties)
        print("Webservice add properties operation complete.")


def _tell_of_replaced(there, new):
    for key, value in new.items():
        if key in there:
            print(f"Replacing tag {key} -> {there[key]} with {key} -> {value}")

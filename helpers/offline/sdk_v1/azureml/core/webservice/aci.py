"""Services as on Azure Container Instances. Offline they listen on this machine's loopback."""

from azureml import _engine
from azureml._deploy import changed, of_framework
from azureml._service_models import models_of
from azureml._strict import module_getattr, refuse
from azureml.core.environment import Environment
from azureml.core.webservice.webservice import Webservice, WebserviceDeploymentConfiguration
from azureml.exceptions import UserErrorException, WebserviceException

__getattr__ = module_getattr(__name__)

_CPU, _MEMORY = 0.1, 0.5  # what the service gives where nothing is asked for


class AciWebservice(Webservice):
    """A web service as on Azure Container Instances, by name.

    Offline it is a process of this machine, and its address is on loopback. Raises WebserviceException when the
    workspace has none of that name.
    """

    _webservice_type = "ACI"

    def _initialize(self, workspace, service):
        super()._initialize(workspace, service)
        settings = service["settings"]
        self.container_resource_requirements = ContainerResourceRequirements(settings["cpu"], settings["memory"])
        self.enable_app_insights = False
        self.cname = None
        self.encryption_properties = None
        self.vnet_configuration = None
        self.location = settings["location"] or workspace.location
        self.public_ip = _engine.front.HOST
        self.public_fqdn = None
        self.ssl_enabled = False
        self.ssl_certificate = None
        self.ssl_key = None
        base = f"http://{self.public_ip}:{service['port']}"
        self.scoring_uri = f"{base}/score"
        self.swagger_uri = f"{base}/swagger.json"
        self.environment = Environment._deserialize(service["environment"])
        self.models = models_of(workspace, service)

    @staticmethod
    def deploy_configuration(
        cpu_cores=None,
        memory_gb=None,
        tags=None,
        properties=None,
        description=None,
        location=None,
        auth_enabled=None,
        ssl_enabled=None,
        enable_app_insights=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        ssl_cname=None,
        dns_name_label=None,
        primary_key=None,
        secondary_key=None,
        collect_model_data=None,
        cmk_vault_base_url=None,
        cmk_key_name=None,
        cmk_key_version=None,
        vnet_name=None,
        subnet_name=None,
    ):
        """What Model.deploy() is given to make such a service; auth_enabled: a key is asked for.

        cpu_cores and memory_gb are kept, and not enforced offline. Raises WebserviceException for values below zero.
        """
        _refuse_unsupported(
            ssl_enabled,
            enable_app_insights,
            ssl_cert_pem_file,
            ssl_key_pem_file,
            ssl_cname,
            dns_name_label,
            collect_model_data,
            cmk_vault_base_url,
            cmk_key_name,
            cmk_key_version,
            vnet_name,
            subnet_name,
        )
        return AciServiceDeploymentConfiguration(
            cpu_cores=cpu_cores,
            memory_gb=memory_gb,
            tags=tags,
            properties=properties,
            description=description,
            location=location,
            auth_enabled=auth_enabled,
            ssl_enabled=ssl_enabled,
            enable_app_insights=enable_app_insights,
            primary_key=primary_key,
            secondary_key=secondary_key,
            collect_model_data=collect_model_data,
        )

    def run(self, input_data):
        """Send a text, or bytes, to the service, with a key if it asks for one; what it answers, from JSON.

        Raises WebserviceException for any answer but 200.
        """
        import requests

        if not self.scoring_uri:
            raise WebserviceException(f"Error attempting to call webservice, scoring_uri unavailable: {self.error}")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.auth_enabled:
            headers["Authorization"] = f"Bearer {self.get_keys()[0]}"
        with requests.Session() as session:
            session.trust_env = False  # a proxy is not asked for an address on loopback
            try:
                response = session.post(self.scoring_uri, data=input_data, headers=headers)
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

    def update(
        self,
        image=None,
        tags=None,
        properties=None,
        description=None,
        auth_enabled=None,
        ssl_enabled=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        ssl_cname=None,
        enable_app_insights=None,
        models=None,
        inference_config=None,
    ):
        """Change the service, which keeps its address and keys; models, inference_config: deploy them in its place.

        Raises WebserviceException where there is nothing to change, or models come without an inference_config.
        """
        refuse(
            "AciWebservice.update()",
            image=image,
            ssl_enabled=ssl_enabled or None,
            ssl_cert_pem_file=ssl_cert_pem_file,
            ssl_key_pem_file=ssl_key_pem_file,
            ssl_cname=ssl_cname,
            enable_app_insights=enable_app_insights or None,
        )
        given = (tags, properties, description, auth_enabled, ssl_enabled, enable_app_insights, models)
        if all(value is None for value in (*given, inference_config)):
            raise WebserviceException("No parameters provided to update.")
        wanted = None
        if inference_config is not None:
            wanted = changed(self.workspace, self.name, models, inference_config)
        elif models:
            wanted = self._of_framework(models)
        changes = {"tags": tags, "description": description or None}
        if properties is not None:
            changes["properties"] = {**(self.properties or {}), **properties}
        changes = {name: value for name, value in changes.items() if value is not None}
        folder = self.workspace._folder
        with _engine.translated(EngineError=WebserviceException):
            service = _engine.services.update(folder, "ACI", self.name, auth_enabled=auth_enabled, **changes)
            if wanted:
                service = _engine.services.redeploy(folder, "ACI", self.name, wanted)
        self._operation = service["operation"]["id"]
        self.update_deployment_state()

    def _of_framework(self, models):
        try:
            return of_framework(self.workspace, models)
        except UserErrorException:
            raise WebserviceException(
                'Error, both "models" and "inference_config" inputs must be provided in order to update the models.\n'
            ) from None

    def add_tags(self, tags):
        """Add tags from a dict."""
        for key in sorted(set(tags) & set(self.tags or {})):
            print(f"Replacing tag {key} -> {self.tags[key]} with {key} -> {tags[key]}")
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
        self.update(properties=properties)
        print("Webservice add properties operation complete.")

    def serialize(self):
        """The service as a dict of JSON values."""
        return {
            **super().serialize(),
            "containerResourceRequirements": self.container_resource_requirements.serialize(),
            "imageId": self.image_id,
            "scoringUri": self.scoring_uri,
            "location": self.location,
            "authEnabled": self.auth_enabled,
            "sslEnabled": self.ssl_enabled,
            "appInsightsEnabled": self.enable_app_insights,
            "sslCertificate": self.ssl_certificate,
            "sslKey": self.ssl_key,
            "cname": self.cname,
            "publicIp": self.public_ip,
            "publicFqdn": self.public_fqdn,
            "environmentDetails": self.environment._serialize_to_dict(),
            "modelDetails": [model.serialize() for model in self.models] or None,
            "encryptionProperties": self.encryption_properties,
            "vnetConfiguration": self.vnet_configuration,
        }

    def get_token(self):
        """Raise NotImplementedError: such a service has keys, and no tokens."""
        raise NotImplementedError("ACI webservices do not support Token Authentication.")


class ContainerResourceRequirements:
    """How many CPU cores a container has, and how much memory, in GB."""

    def __init__(self, cpu, memory_in_gb):
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb

    def serialize(self):
        """The requirements as a dict."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb}

    @staticmethod
    def deserialize(payload_obj):
        """The requirements that serialize() made a dict of. Raises WebserviceException where one is missing."""
        for key in ("cpu", "memoryInGB"):
            if key not in payload_obj:
                raise WebserviceException(
                    f"Invalid webservice payload, missing {key} for containerResourceReservation:\n{payload_obj}"
                )
        return ContainerResourceRequirements(payload_obj["cpu"], payload_obj["memoryInGB"])


class AciServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What AciWebservice.deploy_configuration() makes."""

    _webservice_type = AciWebservice

    def __init__(
        self,
        cpu_cores=None,
        memory_gb=None,
        tags=None,
        properties=None,
        description=None,
        location=None,
        auth_enabled=None,
        ssl_enabled=None,
        enable_app_insights=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        ssl_cname=None,
        dns_name_label=None,
        primary_key=None,
        secondary_key=None,
        collect_model_data=None,
        cmk_vault_base_url=None,
        cmk_key_name=None,
        cmk_key_version=None,
        vnet_name=None,
        subnet_name=None,
    ):
        _refuse_unsupported(
            ssl_enabled,
            enable_app_insights,
            ssl_cert_pem_file,
            ssl_key_pem_file,
            ssl_cname,
            dns_name_label,
            collect_model_data,
            cmk_vault_base_url,
            cmk_key_name,
            cmk_key_version,
            vnet_name,
            subnet_name,
        )
        super().__init__(AciWebservice, description, tags, properties, primary_key, secondary_key, location)
        self.cpu_cores = cpu_cores
        self.memory_gb = memory_gb
        self.auth_enabled = auth_enabled
        self.ssl_enabled = ssl_enabled
        self.enable_app_insights = enable_app_insights
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.ssl_cname = ssl_cname
        self.dns_name_label = dns_name_label
        self.collect_model_data = collect_model_data
        self.cmk_vault_base_url = cmk_vault_base_url
        self.cmk_key_name = cmk_key_name
        self.cmk_key_version = cmk_key_version
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.validate_configuration()

    def validate_configuration(self):
        """Raise WebserviceException for cores or memory that are not above zero."""
        for name in ("cpu_cores", "memory_gb"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise WebserviceException(f"Invalid configuration, {name} must be positive.")

    def print_deploy_configuration(self):
        """Print the cores and the memory that are asked for."""
        asked = [self.cpu_cores and f"CPU requirement: {self.cpu_cores}"]
        asked += [self.memory_gb and f"Memory requirement: {self.memory_gb}GB"]
        if any(asked):
            print(", ".join(filter(None, asked)))

    def _settings(self):
        return {"cpu": self.cpu_cores or _CPU, "memory": self.memory_gb or _MEMORY, "location": self.location}


def _refuse_unsupported(
    ssl_enabled,
    enable_app_insights,
    ssl_cert_pem_file,
    ssl_key_pem_file,
    ssl_cname,
    dns_name_label,
    collect_model_data,
    cmk_vault_base_url,
    cmk_key_name,
    cmk_key_version,
    vnet_name,
    subnet_name,
):
    refuse(
        "AciWebservice.deploy_configuration()",
        ssl_enabled=ssl_enabled or None,
        enable_app_insights=enable_app_insights or None,
        ssl_cert_pem_file=ssl_cert_pem_file,
        ssl_key_pem_file=ssl_key_pem_file,
        ssl_cname=ssl_cname,
        dns_name_label=dns_name_label,
        collect_model_data=collect_model_data or None,
        cmk_vault_base_url=cmk_vault_base_url,
        cmk_key_name=cmk_key_name,
        cmk_key_version=cmk_key_version,
        vnet_name=vnet_name,
        subnet_name=subnet_name,
    )

"""Services as on Azure Container Instances. Offline they listen on this machine's loopback."""

from azureml import _engine
from azureml._strict import module_getattr, refuse
from azureml.core.webservice._deployed import _Deployed
from azureml.core.webservice.webservice import WebserviceDeploymentConfiguration
from azureml.exceptions import WebserviceException

__getattr__ = module_getattr(__name__)

_CPU, _MEMORY = 0.1, 0.5  # what the service gives where nothing is asked for


class AciWebservice(_Deployed):
    """A web service as on Azure Container Instances, by name.

    Offline it is a process of this machine, and its address is on loopback. Raises WebserviceException when the
    workspace has none of that name.
    """

    _webservice_type = "ACI"

    def _initialize(self, workspace, service):
        super()._initialize(workspace, service)
        settings = service["settings"]
        self.container_resource_requirements = ContainerResourceRequirements(settings["cpu"], settings["memory"])
        self.cname = None
        self.encryption_properties = None
        self.vnet_configuration = None
        self.location = settings["location"] or workspace.location
        self.public_ip = _engine.services.HOST
        self.public_fqdn = None
        self.ssl_enabled = False
        self.ssl_certificate = None
        self.ssl_key = None

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
        given = (tags, properties, description or None, auth_enabled, ssl_enabled, enable_app_insights, models)
        if all(value is None for value in (*given, inference_config)):
            raise WebserviceException("No parameters provided to update.")
        self._change(
            models,
            inference_config,
            tags=tags,
            properties=properties,
            description=description,
            auth_enabled=auth_enabled,
        )

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

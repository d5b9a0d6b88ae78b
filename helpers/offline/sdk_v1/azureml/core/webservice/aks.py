"""Services as on Azure Kubernetes Service. Offline each is one process of this machine, on loopback."""

from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml.core.webservice._aks_settings import Part as _Part
from azureml.core.webservice._aks_settings import problems, settings_of
from azureml.core.webservice._deployed import _Deployed
from azureml.core.webservice.webservice import WebserviceDeploymentConfiguration, _get_service
from azureml.exceptions import WebserviceException

__getattr__ = module_getattr(__name__)


class AksWebservice(_Deployed):
    """A web service as on Azure Kubernetes Service, by name.

    Offline it is one process of this machine, on loopback; replicas, cores, memory, probes and limits are kept and not
    enforced. Raises WebserviceException when the workspace has none of that name.
    """

    _webservice_type = "AKS"

    def _initialize(self, workspace, service):
        super()._initialize(workspace, service)
        settings = service["settings"]
        self.autoscaler = AutoScaler._of(settings)
        self.container_resource_requirements = ContainerResourceRequirements._of(settings)
        self.liveness_probe_requirements = LivenessProbeRequirements._of(settings)
        self.compute_name = settings["compute_target_name"]
        self.namespace = settings["namespace"]
        self.num_replicas = settings["num_replicas"]
        self.max_concurrent_requests_per_container = settings["replica_max_concurrent_requests"]
        self.max_request_wait_time = settings["max_request_wait_time"]
        self.scoring_timeout_ms = settings["scoring_timeout_ms"]
        self.data_collection = None
        self.deployment_status = None
        self.is_default = None
        self.traffic_percentile = None
        self.version_type = None

    @staticmethod
    def deploy_configuration(
        autoscale_enabled=None,
        autoscale_min_replicas=None,
        autoscale_max_replicas=None,
        autoscale_refresh_seconds=None,
        autoscale_target_utilization=None,
        collect_model_data=None,
        auth_enabled=None,
        cpu_cores=None,
        memory_gb=None,
        enable_app_insights=None,
        scoring_timeout_ms=None,
        replica_max_concurrent_requests=None,
        max_request_wait_time=None,
        num_replicas=None,
        primary_key=None,
        secondary_key=None,
        tags=None,
        properties=None,
        description=None,
        gpu_cores=None,
        period_seconds=None,
        initial_delay_seconds=None,
        timeout_seconds=None,
        success_threshold=None,
        failure_threshold=None,
        namespace=None,
        token_auth_enabled=None,
        compute_target_name=None,
        cpu_cores_limit=None,
        memory_gb_limit=None,
        blobfuse_enabled=None,
    ):
        """What Model.deploy() is given to make such a service, with the AksCompute as its deployment_target.

        auth_enabled: whether a key is asked for, by default it is. Raises WebserviceException for values that
        contradict each other.
        """
        given = locals()
        _refuse_unsupported(collect_model_data, enable_app_insights, token_auth_enabled, blobfuse_enabled)
        return AksServiceDeploymentConfiguration(**given)

    def update(
        self,
        image=None,
        autoscale_enabled=None,
        autoscale_min_replicas=None,
        autoscale_max_replicas=None,
        autoscale_refresh_seconds=None,
        autoscale_target_utilization=None,
        collect_model_data=None,
        auth_enabled=None,
        cpu_cores=None,
        memory_gb=None,
        enable_app_insights=None,
        scoring_timeout_ms=None,
        replica_max_concurrent_requests=None,
        max_request_wait_time=None,
        num_replicas=None,
        tags=None,
        properties=None,
        description=None,
        models=None,
        inference_config=None,
        gpu_cores=None,
        period_seconds=None,
        initial_delay_seconds=None,
        timeout_seconds=None,
        success_threshold=None,
        failure_threshold=None,
        namespace=None,
        token_auth_enabled=None,
        cpu_cores_limit=None,
        memory_gb_limit=None,
        **kwargs,
    ):
        """Change the service, which keeps its address and keys; models, inference_config: deploy them in its place.

        Raises WebserviceException where there is nothing to change, or values contradict each other.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "kwargs")}
        given["description"] = description or None
        refuse_unknown("AksWebservice.update()", kwargs)
        refuse(
            "AksWebservice.update()",
            image=image,
            collect_model_data=collect_model_data or None,
            enable_app_insights=enable_app_insights or None,
            token_auth_enabled=token_auth_enabled or None,
        )
        if all(value is None for value in given.values()):
            raise WebserviceException("No parameters provided to update.")
        wrong = problems(given, "Error,")
        if wrong:
            raise WebserviceException(wrong)
        self._change(
            models,
            inference_config,
            tags=tags,
            properties=properties,
            description=description,
            auth_enabled=auth_enabled,
            settings=settings_of(given, _get_service(self.workspace, self.name)["settings"]),
        )

    def serialize(self):
        """The service as a dict of JSON values."""
        return {
            **super().serialize(),
            "appInsightsEnabled": self.enable_app_insights,
            "authEnabled": self.auth_enabled,
            "autoScaler": self.autoscaler.serialize(),
            "computeName": self.compute_name,
            "containerResourceRequirements": self.container_resource_requirements.serialize(),
            "dataCollection": self.data_collection,
            "imageId": self.image_id,
            "maxConcurrentRequestsPerContainer": self.max_concurrent_requests_per_container,
            "maxQueueWaitMs": self.max_request_wait_time,
            "livenessProbeRequirements": self.liveness_probe_requirements.serialize(),
            "numReplicas": self.num_replicas,
            "deploymentStatus": self.deployment_status,
            "scoringTimeoutMs": self.scoring_timeout_ms,
            "scoringUri": self.scoring_uri,
            "aadAuthEnabled": self.token_auth_enabled,
            "environmentDetails": self.environment._serialize_to_dict(),
            "modelDetails": [model.serialize() for model in self.models] or None,
            "isDefault": self.is_default,
            "trafficPercentile": self.traffic_percentile,
            "versionType": self.version_type,
        }

    def get_token(self):
        """Not supported offline: a service asks for a key."""
        unsupported("AksWebservice.get_token()")

    def get_access_token(self):
        """Not supported offline: a service asks for a key."""
        unsupported("AksWebservice.get_access_token()")


class AutoScaler(_Part):
    """How many replicas there may be, and when more are started."""

    _told = "autoScaler"
    _names = {
        "autoscale_enabled": ("autoscaleEnabled", "autoscale_enabled"),
        "min_replicas": ("minReplicas", "autoscale_min_replicas"),
        "max_replicas": ("maxReplicas", "autoscale_max_replicas"),
        "refresh_period_seconds": ("refreshPeriodInSeconds", "autoscale_refresh_seconds"),
        "target_utilization": ("targetUtilization", "autoscale_target_utilization"),
    }

    def __init__(self, autoscale_enabled, max_replicas, min_replicas, refresh_period_seconds, target_utilization):
        self.autoscale_enabled = autoscale_enabled
        self.max_replicas = max_replicas
        self.min_replicas = min_replicas
        self.refresh_period_seconds = refresh_period_seconds
        self.target_utilization = target_utilization

    @staticmethod
    def deserialize(payload_obj):
        """The object that serialize() made a dict of. Raises WebserviceException where a part is missing."""
        return AutoScaler._deserialize(payload_obj)


class ContainerResourceRequirements(_Part):
    """How many cores a container has, and how much memory, in GB."""

    _told = "ContainerResourceRequirements"
    _names = {
        "cpu": ("cpu", "cpu_cores"),
        "cpu_limit": ("cpuLimit", "cpu_cores_limit"),
        "memory_in_gb": ("memoryInGB", "memory_gb"),
        "memory_in_gb_limit": ("memoryInGBLimit", "memory_gb_limit"),
        "gpu": ("gpu", "gpu_cores"),
    }

    def __init__(self, cpu, memory_in_gb, gpu=None, cpu_limit=None, memory_in_gb_limit=None):
        self.cpu = cpu
        self.cpu_limit = cpu_limit
        self.memory_in_gb = memory_in_gb
        self.memory_in_gb_limit = memory_in_gb_limit
        self.gpu = gpu

    @staticmethod
    def deserialize(payload_obj):
        """The object that serialize() made a dict of. Raises WebserviceException where a part is missing."""
        return ContainerResourceRequirements._deserialize(payload_obj)


class LivenessProbeRequirements(_Part):
    """When a container is asked whether it is alive."""

    _told = "LivenessProbeRequirements"
    _names = {
        "period_seconds": ("periodSeconds", "period_seconds"),
        "initial_delay_seconds": ("initialDelaySeconds", "initial_delay_seconds"),
        "timeout_seconds": ("timeoutSeconds", "timeout_seconds"),
        "success_threshold": ("successThreshold", "success_threshold"),
        "failure_threshold": ("failureThreshold", "failure_threshold"),
    }

    def __init__(self, period_seconds, initial_delay_seconds, timeout_seconds, success_threshold, failure_threshold):
        self.period_seconds = period_seconds
        self.initial_delay_seconds = initial_delay_seconds
        self.timeout_seconds = timeout_seconds
        self.success_threshold = success_threshold
        self.failure_threshold = failure_threshold

    @staticmethod
    def deserialize(payload_obj):
        """The object that serialize() made a dict of. Raises WebserviceException where a part is missing."""
        return LivenessProbeRequirements._deserialize(payload_obj)


class AksServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What AksWebservice.deploy_configuration() makes."""

    _webservice_type = AksWebservice

    def __init__(
        self,
        autoscale_enabled,
        autoscale_min_replicas,
        autoscale_max_replicas,
        autoscale_refresh_seconds,
        autoscale_target_utilization,
        collect_model_data,
        auth_enabled,
        cpu_cores,
        memory_gb,
        enable_app_insights,
        scoring_timeout_ms,
        replica_max_concurrent_requests,
        max_request_wait_time,
        num_replicas,
        primary_key,
        secondary_key,
        tags,
        properties,
        description,
        gpu_cores,
        period_seconds,
        initial_delay_seconds,
        timeout_seconds,
        success_threshold,
        failure_threshold,
        namespace,
        token_auth_enabled,
        compute_target_name,
        cpu_cores_limit,
        memory_gb_limit,
        blobfuse_enabled=None,
    ):
        _refuse_unsupported(collect_model_data, enable_app_insights, token_auth_enabled, blobfuse_enabled)
        super().__init__(AksWebservice, description, tags, properties, primary_key, secondary_key)
        self.autoscale_enabled = autoscale_enabled
        self.autoscale_min_replicas = autoscale_min_replicas
        self.autoscale_max_replicas = autoscale_max_replicas
        self.autoscale_refresh_seconds = autoscale_refresh_seconds
        self.autoscale_target_utilization = autoscale_target_utilization
        self.collect_model_data = collect_model_data
        self.auth_enabled = auth_enabled
        self.cpu_cores = cpu_cores
        self.cpu_cores_limit = cpu_cores_limit
        self.memory_gb = memory_gb
        self.memory_gb_limit = memory_gb_limit
        self.gpu_cores = gpu_cores
        self.enable_app_insights = enable_app_insights
        self.scoring_timeout_ms = scoring_timeout_ms
        self.replica_max_concurrent_requests = replica_max_concurrent_requests
        self.max_request_wait_time = max_request_wait_time
        self.num_replicas = num_replicas
        self.period_seconds = period_seconds
        self.initial_delay_seconds = initial_delay_seconds
        self.timeout_seconds = timeout_seconds
        self.success_threshold = success_threshold
        self.failure_threshold = failure_threshold
        self.namespace = namespace
        self.token_auth_enabled = token_auth_enabled
        self.blobfuse_enabled = blobfuse_enabled
        self.compute_target_name = compute_target_name
        self.validate_configuration()

    def validate_configuration(self):
        """Raise WebserviceException for values that no service can have."""
        wrong = problems(vars(self), "Invalid configuration,")
        if wrong:
            raise WebserviceException(wrong)

    def print_deploy_configuration(self):
        """Print the cores, the memory and the replicas that are asked for."""
        asked = [self.cpu_cores and f"CPU requirement: {self.cpu_cores}"]
        asked += [self.gpu_cores and f"GPU requirement: {self.gpu_cores}"]
        asked += [self.memory_gb and f"Memory requirement: {self.memory_gb}GB"]
        asked += [self.num_replicas and f"Number of replica: {self.num_replicas}"]
        if any(asked):
            print(", ".join(filter(None, asked)))

    def _settings(self):
        return settings_of(vars(self), {"compute_target_name": self.compute_target_name})


def _refuse_unsupported(collect_model_data, enable_app_insights, token_auth_enabled, blobfuse_enabled):
    refuse(
        "AksWebservice.deploy_configuration()",
        collect_model_data=collect_model_data or None,
        enable_app_insights=enable_app_insights or None,
        token_auth_enabled=token_auth_enabled or None,
        blobfuse_enabled=blobfuse_enabled,
    )

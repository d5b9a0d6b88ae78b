"""Kubernetes clusters, which services are deployed to. Offline none is reached: services run on this machine."""

from azureml import _engine
from azureml._strict import module_getattr, refuse, unsupported
from azureml.core.compute._payload import kubernetes_payload_of
from azureml.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
)
from azureml.exceptions import ComputeTargetException

__getattr__ = module_getattr(__name__)

_SUBNET = (
    "Invalid configuration, load balancer subnet can be changed from default when load balancer type is "
    '"InternalLoadBalancer".'
)


class AksCompute(ComputeTarget):
    """An Azure Kubernetes Service cluster of the workspace, by name.

    Offline it is a name with settings: what is deployed to it runs on this machine. Raises ComputeTargetException when
    the workspace has none of that name.
    """

    _compute_type = "AKS"

    class ClusterPurpose:
        """What a cluster is used for."""

        FAST_PROD = "FastProd"
        DEV_TEST = "DevTest"

    def _initialize(self, workspace, payload):
        super()._initialize(workspace, payload)
        details = payload["properties"]["properties"] or {}
        self.agent_vm_size = details.get("agentVmSize")
        self.agent_count = details.get("agentCount")
        self.cluster_purpose = details.get("clusterPurpose")
        self.cluster_fqdn = details.get("clusterFqdn")
        self.system_services = details.get("systemServices")
        self.ssl_configuration = details.get("sslConfiguration")
        self.load_balancer_type = details.get("loadBalancerType")
        self.load_balancer_subnet = details.get("loadBalancerSubnet")

    @staticmethod
    def attach(workspace, name, resource_id):
        """Raise ComputeTargetException: it is ComputeTarget.attach() that attaches a cluster."""
        raise ComputeTargetException(
            "This method is DEPRECATED. Please use the following code to attach a AKS compute resource.\n"
            "# Attach AKS\n"
            'attach_config = AksCompute.attach_configuration(resource_group="name_of_resource_group",\n'
            '                                                cluster_name="name_of_aks_cluster")\n'
            "compute = ComputeTarget.attach(workspace, name, attach_config)"
        )

    @staticmethod
    def attach_configuration(
        resource_group=None,
        cluster_name=None,
        resource_id=None,
        cluster_purpose=None,
        load_balancer_type=None,
        load_balancer_subnet=None,
    ):
        """What ComputeTarget.attach() is given: the cluster by its group and name, or by its id.

        Offline nobody looks whether there is such a cluster. Raises ComputeTargetException where it is not named.
        """
        return AksAttachConfiguration(
            resource_group, cluster_name, resource_id, cluster_purpose, load_balancer_type, load_balancer_subnet
        )

    @staticmethod
    def provisioning_configuration(
        agent_count=None,
        vm_size=None,
        ssl_cname=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        location=None,
        vnet_resourcegroup_name=None,
        vnet_name=None,
        subnet_name=None,
        service_cidr=None,
        dns_service_ip=None,
        docker_bridge_cidr=None,
        cluster_purpose=None,
        load_balancer_type=None,
        load_balancer_subnet=None,
    ):
        """What ComputeTarget.create() is given: by default three machines of the size Standard_D3_v2."""
        refuse(
            "AksCompute.provisioning_configuration()",
            ssl_cname=ssl_cname,
            ssl_cert_pem_file=ssl_cert_pem_file,
            ssl_key_pem_file=ssl_key_pem_file,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            service_cidr=service_cidr,
            dns_service_ip=dns_service_ip,
            docker_bridge_cidr=docker_bridge_cidr,
        )
        return AksProvisioningConfiguration(
            agent_count,
            vm_size,
            None,
            None,
            None,
            location,
            None,
            None,
            None,
            None,
            None,
            None,
            cluster_purpose,
            load_balancer_type,
            load_balancer_subnet,
        )

    @staticmethod
    def _create(workspace, name, config):
        is_small = config.cluster_purpose == AksCompute.ClusterPurpose.DEV_TEST
        return _added(
            workspace,
            name,
            config,
            vm_size=config.vm_size or "Standard_D3_v2",
            agent_count=config.agent_count or (1 if is_small else 3),
            location=config.location,
            resource_id=None,
            attached=False,
        )

    @staticmethod
    def _attach(workspace, name, config):
        id = config.resource_id or (
            f"/subscriptions/{workspace.subscription_id}/resourcegroups/{config.resource_group}"
            f"/providers/Microsoft.ContainerService/managedClusters/{config.cluster_name}"
        )
        return _added(workspace, name, config, vm_size=None, agent_count=None, resource_id=id, attached=True)

    def delete(self):
        """Remove the cluster. Raises ComputeTargetException for one that was attached: detach() it."""
        if self.is_attached:
            raise ComputeTargetException(
                f"The cluster {self.name!r} was attached, not created through the workspace: it is not deleted. Use "
                "detach()."
            )
        self._remove("Deleting")

    def detach(self):
        """Remove the cluster from the workspace. Services that were deployed to it go on."""
        self._remove("Detaching")

    def _remove(self, state):
        with _engine.translated(EngineError=ComputeTargetException):
            _engine.kubernetes.remove(self.workspace._folder, self.name)
        self.provisioning_state = state
        self._operated()

    def update(self, update_configuration):
        """Not supported offline."""
        unsupported("AksCompute.update()")

    def get_credentials(self):
        """Not supported offline: there is no cluster to log in to."""
        unsupported("AksCompute.get_credentials()")

    def serialize(self):
        """The cluster as a JSON-like dictionary."""
        return {
            "id": self.id,
            "name": self.name,
            "tags": self.tags,
            "location": self.location,
            "properties": {
                "computeType": self.type,
                "computeLocation": self.cluster_location,
                "description": self.description,
                "resourceId": self.cluster_resource_id,
                "isAttachedCompute": self.is_attached,
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "properties": {
                    "agentVmSize": self.agent_vm_size,
                    "agentCount": self.agent_count,
                    "clusterPurpose": self.cluster_purpose,
                    "clusterFqdn": self.cluster_fqdn,
                    "systemServices": self.system_services,
                    "sslConfiguration": self.ssl_configuration,
                    "loadBalancerType": self.load_balancer_type,
                    "loadBalancerSubnet": self.load_balancer_subnet,
                },
            },
        }

    @staticmethod
    def deserialize(workspace, object_dict):
        """The cluster that a service's description stands for. Raises ComputeTargetException for another kind's."""
        if (object_dict.get("properties") or {}).get("computeType") != AksCompute._compute_type:
            raise ComputeTargetException(f'Invalid cluster payload, not "{AksCompute._compute_type}":\n{object_dict}')
        target = AksCompute(None, None)
        target._initialize(workspace, object_dict)
        return target


class AksProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a cluster is created from; made by `AksCompute.provisioning_configuration()`."""

    def __init__(
        self,
        agent_count,
        vm_size,
        ssl_cname,
        ssl_cert_pem_file,
        ssl_key_pem_file,
        location,
        vnet_resourcegroup_name,
        vnet_name,
        subnet_name,
        service_cidr,
        dns_service_ip,
        docker_bridge_cidr,
        cluster_purpose,
        load_balancer_type,
        load_balancer_subnet,
    ):
        refuse(
            "AksProvisioningConfiguration()",
            ssl_cname=ssl_cname,
            ssl_cert_pem_file=ssl_cert_pem_file,
            ssl_key_pem_file=ssl_key_pem_file,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            service_cidr=service_cidr,
            dns_service_ip=dns_service_ip,
            docker_bridge_cidr=docker_bridge_cidr,
        )
        super().__init__(AksCompute, location)
        self.agent_count = agent_count
        self.vm_size = vm_size
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self):
        """Raise ComputeTargetException for a count of machines below one."""
        if self.agent_count and self.agent_count <= 0:
            raise ComputeTargetException("Invalid configuration, agent count must be a positive integer.")

    def enable_ssl(
        self,
        ssl_cname=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        leaf_domain_label=None,
        overwrite_existing_domain=False,
    ):
        """Not supported offline: services listen on loopback alone."""
        unsupported("AksProvisioningConfiguration.enable_ssl()")


class AksAttachConfiguration(ComputeTargetAttachConfiguration):
    """What a cluster is attached by; made by `AksCompute.attach_configuration()`."""

    def __init__(
        self,
        resource_group=None,
        cluster_name=None,
        resource_id=None,
        cluster_purpose=None,
        load_balancer_type=None,
        load_balancer_subnet=None,
    ):
        super().__init__(AksCompute)
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self):
        """Raise ComputeTargetException where it is not clear which cluster is meant, or a setting is none."""
        if self.resource_id:
            self._check_id()
        elif not (self.resource_group or self.cluster_name):
            raise ComputeTargetException(
                "Please provide resource_group and cluster_name for the AKS compute resource being attached. Or please "
                "provide resource_id for the resource being attached."
            )
        elif not self.resource_group:
            raise ComputeTargetException("resource_group is not provided.")
        elif not self.cluster_name:
            raise ComputeTargetException("cluster_name is not provided.")
        if self.load_balancer_type and self.load_balancer_type not in ("InternalLoadBalancer", "PublicIp"):
            raise ComputeTargetException(
                'Invalid configuration. Load balancer type should be either "PublicIp" or "InternalLoadBalancer".'
            )
        if self.load_balancer_subnet and self.load_balancer_type != "InternalLoadBalancer":
            raise ComputeTargetException(_SUBNET)

    def _check_id(self):
        parts = self.resource_id.split("/")
        if len(parts) != 9:
            raise ComputeTargetException(f"Invalid resource_id provided: {self.resource_id}")
        if parts[6] != "Microsoft.ContainerService":
            raise ComputeTargetException(
                f"Invalid resource_id provided, resource type {parts[6]} does not match for AKS"
            )
        for name in ("resource_group", "cluster_name"):
            if getattr(self, name):
                raise ComputeTargetException(f"Since resource_id is provided, please do not provide {name}.")

    def enable_ssl(
        self,
        ssl_cname=None,
        ssl_cert_pem_file=None,
        ssl_key_pem_file=None,
        leaf_domain_label=None,
        overwrite_existing_domain=False,
    ):
        """Not supported offline: services listen on loopback alone."""
        unsupported("AksAttachConfiguration.enable_ssl()")


def _added(workspace, name, config, **settings):
    settings |= {
        "purpose": config.cluster_purpose,
        "load_balancer_type": config.load_balancer_type,
        "load_balancer_subnet": config.load_balancer_subnet,
    }
    with _engine.translated(EngineError=ComputeTargetException):
        made = _engine.kubernetes.add(workspace._folder, name, settings)
    return AksCompute.deserialize(workspace, kubernetes_payload_of(workspace, made))._operated()

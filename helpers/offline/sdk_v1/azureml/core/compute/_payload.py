"""A cluster in the form in which the service describes a compute target."""

from datetime import datetime

from azureml import _engine
from azureml.core.compute._settings import subnet_id
from azureml.exceptions import ComputeTargetException


def payload_of(workspace, cluster):
    """The service's description of a cluster, with the state that its nodes are in now."""
    described = _described(workspace, cluster, "AmlCompute", None)
    if cluster.get("identity"):
        described["identity"] = cluster["identity"]
    described["properties"]["properties"] = _engine.description.properties_of(workspace._folder, cluster)
    return described


def kubernetes_payload_of(workspace, cluster):
    """The service's description of a Kubernetes cluster."""
    described = _described(workspace, cluster, "AKS", cluster["resource_id"])
    described["properties"]["properties"] = {
        "agentVmSize": cluster["vm_size"],
        "agentCount": cluster["agent_count"],
        "clusterPurpose": cluster["purpose"],
        "clusterFqdn": None,
        "systemServices": None,
        "sslConfiguration": None,
        "loadBalancerType": cluster["load_balancer_type"],
        "loadBalancerSubnet": cluster["load_balancer_subnet"],
    }
    described["properties"]["isAttachedCompute"] = cluster["attached"]
    return described


def _described(workspace, cluster, kind, resource_id):
    return {
        "id": (
            f"/subscriptions/{workspace.subscription_id}/resourceGroups/{workspace.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}/computes/{cluster['name']}"
        ),
        "name": cluster["name"],
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": workspace.location,
        "tags": cluster.get("tags") or {},
        "properties": {
            "computeType": kind,
            "isAttachedCompute": False,
            "description": cluster.get("description"),
            "createdOn": cluster["created"],
            "modifiedOn": cluster["modified"],
            "resourceId": resource_id,
            "computeLocation": cluster.get("location") or workspace.location,
            "provisioningState": "Succeeded",
            "provisioningStateTransitionTime": cluster["created"],
            "provisioningErrors": None,
        },
    }


def serialized(target):
    """A cluster of the SDK as the dictionary that its serialize() returns."""
    subnet = None
    if target.vnet_name:
        subnet = subnet_id(target.workspace, target.vnet_resourcegroup_name, target.vnet_name, target.subnet_name)
    identity = None
    if target.identity_type:
        identity = {"type": target.identity_type, "userAssignedIdentities": target.identity_id}
    return {
        "id": target.id,
        "name": target.name,
        "location": target.location,
        "tags": target.tags,
        "identity": identity,
        "properties": {
            "description": target.description,
            "resourceId": target.cluster_resource_id,
            "computeType": target.type,
            "computeLocation": target.cluster_location,
            "provisioningState": target.provisioning_state,
            "provisioningErrors": target.provisioning_errors,
            "properties": {
                "vmSize": target.vm_size,
                "vmPriority": target.vm_priority,
                "scaleSettings": target.scale_settings.serialize(),
                "userAccountCredentials": {
                    "adminUserName": target.admin_username,
                    "adminUserPassword": target.admin_user_password,
                    "adminUserSshPublicKey": target.admin_user_ssh_key,
                },
                "subnet": {"id": subnet},
                "remoteLoginPortPublicAccess": target.remote_login_port_public_access,
            },
            "status": target.status.serialize() if target.status else None,
        },
    }


def check_payload(payload, compute_type):
    """Raise ComputeTargetException where a service's description lacks a part, or is of another type."""
    for keys in (
        ("location",),
        ("id",),
        ("tags",),
        *(("properties", key) for key in ("computeType", "properties", "provisioningErrors")),
        *(("properties", key) for key in ("description", "provisioningState", "resourceId")),
        *(("properties", "properties", key) for key in ("vmPriority", "vmSize", "scaleSettings")),
    ):
        part = payload
        for key in keys:
            if key not in part:
                path = "".join(f'["{name}"]' for name in keys)
                raise ComputeTargetException(f"Invalid cluster payload, missing {path}:\n{payload}")
            part = part[key]
    if payload["properties"]["computeType"] != compute_type:
        raise ComputeTargetException(f'Invalid cluster payload, not "{compute_type}":\n{payload}')


def time_of(text):
    """The moment that the service's text stands for; None for none."""
    return datetime.fromisoformat(text) if text else None

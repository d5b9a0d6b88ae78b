"""A cluster of the engine in the form in which the service describes a compute target."""

from datetime import datetime

from azureml import _engine


def payload_of(workspace, cluster):
    """The service's description of a cluster, with the state that its nodes are in now."""
    return {
        "id": (
            f"/subscriptions/{workspace.subscription_id}/resourceGroups/{workspace.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}/computes/{cluster['name']}"
        ),
        "name": cluster["name"],
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": workspace.location,
        "tags": cluster.get("tags") or {},
        **({"identity": cluster["identity"]} if cluster.get("identity") else {}),
        "properties": {
            "computeType": "AmlCompute",
            "isAttachedCompute": False,
            "description": cluster.get("description"),
            "createdOn": cluster["created"],
            "modifiedOn": cluster["modified"],
            "resourceId": None,
            "computeLocation": cluster.get("location") or workspace.location,
            "provisioningState": "Succeeded",
            "provisioningStateTransitionTime": cluster["created"],
            "provisioningErrors": None,
            "properties": {
                "vmSize": cluster["vm_size"].upper(),
                "vmPriority": cluster.get("vm_priority", "Dedicated"),
                "scaleSettings": {
                    "minNodeCount": cluster["min_nodes"],
                    "maxNodeCount": cluster["max_nodes"],
                    "nodeIdleTimeBeforeScaleDown": f"PT{cluster['idle_seconds']}S",
                },
                "userAccountCredentials": cluster.get("admin") or {},
                "subnet": cluster.get("subnet"),
                "remoteLoginPortPublicAccess": cluster.get("remote_login_port_public_access", "NotSpecified"),
                **_nodes(_engine.clusters.state(workspace._folder, cluster["name"])),
            },
        },
    }


def _nodes(state):
    return {
        "allocationState": state["allocation_state"],
        "allocationStateTransitionTime": state["transition_time"],
        "currentNodeCount": state["current"],
        "targetNodeCount": state["target"],
        "nodeStateCounts": {
            "preparingNodeCount": state["preparing"],
            "runningNodeCount": state["running"],
            "idleNodeCount": state["idle"],
            "unusableNodeCount": 0,
            "leavingNodeCount": state["leaving"],
            "preemptedNodeCount": 0,
        },
        "errors": None,
    }


def time_of(text):
    """The moment that the service's text stands for; None for none."""
    return datetime.fromisoformat(text) if text else None

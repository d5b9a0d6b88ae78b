"""A cluster in the words in which the service describes one, to both of its SDKs."""

from pathlib import Path

from helpers.offline.engine.compute import clusters


def properties_of(folder: Path, cluster: dict) -> dict:
    """What a cluster is and does: `cluster` as clusters.get() has it, with the state that its nodes are in now."""
    return {
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
        **_nodes(clusters.state_of(folder, cluster)),
    }


def _nodes(state: dict) -> dict:
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
        "errors": state["errors"] or None,
    }

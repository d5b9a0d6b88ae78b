"""Clusters: AmlCompute as the management plane describes it, on the engine's clusters, which SDK v1 makes too."""

from collections.abc import Iterator

import isodate

from helpers.offline.arm.wire import LOCATION, PROVIDER, Refused, Request, Unsupported, resource
from helpers.offline.engine import removal
from helpers.offline.engine.compute import clusters, description, vm_sizes
from helpers.offline.engine.workspace.errors import AlreadyExists

IDLE = 120  # seconds, where none are given
TIERS = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}


def put(request: Request) -> dict:
    """Make a cluster, or change the scale, tags and description of one that is there."""
    name = request.names["name"]
    settings = _settings(request.body)
    try:
        clusters.create(request.folder, name, settings)
    except AlreadyExists:
        there = clusters.get(request.folder, name)
        if there["vm_size"].lower() != settings["vm_size"].lower():
            raise Refused(
                f"The VM size of the cluster {name!r} is {there['vm_size']} and cannot be changed; delete the cluster "
                "first, or create one of another name."
            ) from None
        clusters.update(request.folder, name, **{key: value for key, value in settings.items() if key != "vm_size"})
    return get(request)


def get(request: Request) -> dict:
    return _described(request, clusters.get(request.folder, request.names["name"]))


def list_all(request: Request) -> Iterator[dict]:
    return (_described(request, cluster) for cluster in clusters.list_all(request.folder))


def delete(request: Request) -> None:
    removal.delete_cluster(request.folder, request.names["name"])


def nodes(request: Request) -> dict:
    """What each node does, as listNodes has it."""
    name = request.names["name"]
    return {
        "nodes": [
            {
                "nodeId": node["id"],
                "privateIpAddress": "127.0.0.1",
                "publicIpAddress": None,
                "port": None,
                "nodeState": node["state"],
                "runId": node["run_id"],
            }
            for node in clusters.state(request.folder, name)["nodes"]
        ]
    }


def sizes(request: Request) -> dict:
    """The VM sizes that clusters can have."""
    return {
        "value": [
            {
                "name": size.name,
                "family": size.family,
                "vCPUs": size.vcpus,
                "gpus": size.gpus,
                "memoryGB": size.memory_gb,
                "lowPriorityCapable": True,
                "supportedComputeTypes": ["AmlCompute"],
            }
            for size in vm_sizes.SIZES.values()
        ]
    }


def usages(request: Request) -> Iterator[dict]:
    """The cores in use of each family of VM sizes, and the most that there may be; -1 says that there is no limit."""
    top = f"/subscriptions/{request.scope.subscription}/providers/{PROVIDER}/locations/{LOCATION}"
    for family, (cores, limit) in clusters.usages(request.folder).items():
        yield {
            "id": f"{top}/usages/{family}",
            "type": f"{PROVIDER}/workspaces/usages",
            "unit": "Count",
            "currentValue": cores,
            "limit": limit,
            "name": {"value": family, "localizedValue": family},
        }


def _settings(body: dict) -> dict:
    """The engine's settings of the cluster that is asked for. Raises Refused."""
    outer = body.get("properties") or {}
    if outer.get("computeType") != "AmlCompute":
        raise Unsupported(f"A compute of the type {outer.get('computeType')}", "AmlCompute is")
    inner = outer.get("properties") or {}
    tier = inner.get("vmPriority") or "Dedicated"
    if tier.lower() not in TIERS:
        raise Refused(f"The tier of a cluster is dedicated or low_priority, not {tier!r}.")
    scale = inner.get("scaleSettings") or {}
    idle = scale.get("nodeIdleTimeBeforeScaleDown")
    return {
        "vm_size": inner.get("vmSize"),
        "vm_priority": TIERS[tier.lower()],
        "min_nodes": scale.get("minNodeCount") or 0,
        "max_nodes": scale.get("maxNodeCount"),
        "idle_seconds": IDLE if idle is None else int(isodate.parse_duration(idle).total_seconds()),
        "description": outer.get("description"),
        "tags": body.get("tags") or {},
        "location": body.get("location"),
        "remote_login_port_public_access": inner.get("remoteLoginPortPublicAccess") or "NotSpecified",
        # a password is not kept
        "admin": {
            key: value
            for key, value in (inner.get("userAccountCredentials") or {}).items()
            if value and key != "adminUserPassword"
        },
        "subnet": inner.get("subnet"),
        "identity": body.get("identity"),
    }


def _described(request: Request, cluster: dict) -> dict:
    properties = {
        "computeType": "AmlCompute",
        "isAttachedCompute": False,
        "description": cluster.get("description"),
        "createdOn": cluster["created"],
        "modifiedOn": cluster["modified"],
        "computeLocation": cluster.get("location") or LOCATION,
        "provisioningState": "Succeeded",
        "properties": description.properties_of(request.folder, cluster),
    }
    return resource(
        request.scope,
        f"computes/{cluster['name']}",
        properties,
        created=cluster["created"],
        modified=cluster["modified"],
        location=LOCATION,
        tags=cluster.get("tags") or {},
        **({"identity": cluster["identity"]} if cluster.get("identity") else {}),
    )

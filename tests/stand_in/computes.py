"""Clusters, VM sizes and quota, as Azure Resource Manager tells them.

Sizes are from Azure's page "Sizes for virtual machines in Azure": cores, GPUs, memory, and the temporary disk.
"""

import uuid

from .history import now
from .names import API, LOCATION, MANAGEMENT, SCOPE, SUBSCRIPTION
from .server import Answer, Refused, route

# name: family, cores, GPUs, memory in GB, temporary disk in MB
SIZES = {
    "Standard_DS3_v2": ("standardDSv2Family", 4, 0, 14.0, 28672),
    "Standard_DS12_v2": ("standardDSv2Family", 4, 0, 28.0, 57344),
    "Standard_D4s_v3": ("standardDSv3Family", 4, 0, 16.0, 32768),
    "Standard_NC4as_T4_v3": ("Standard NCASv3_T4 Family", 4, 1, 28.0, 180224),
    "Standard_NC8as_T4_v3": ("Standard NCASv3_T4 Family", 8, 1, 56.0, 360448),
    "Standard_NC16as_T4_v3": ("Standard NCASv3_T4 Family", 16, 1, 110.0, 360448),
    "Standard_NC64as_T4_v3": ("Standard NCASv3_T4 Family", 64, 4, 440.0, 2883584),
}
_LOCATION = (
    f"{MANAGEMENT}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{LOCATION}"
)
_ONE = MANAGEMENT + SCOPE + "/computes/{name}"


@route("GET", _LOCATION + "/vmSizes")
def vm_sizes(request):
    sizes = [
        {
            "name": name,
            "family": family,
            "vCPUs": cores,
            "gpus": gpus,
            "osVhdSizeMB": 1047552,
            "maxResourceVolumeMB": disk,
            "memoryGB": memory,
            "lowPriorityCapable": True,
            "premiumIO": True,
        }
        for name, (family, cores, gpus, memory, disk) in SIZES.items()
    ]
    return {"amlCompute": sizes}


@route("GET", _LOCATION + "/usages")
def usages(request):
    families = sorted({size[0] for size in SIZES.values()})
    return {
        "value": [
            {
                "id": f"{_LOCATION}/usages/{family}".removeprefix(MANAGEMENT),
                "type": "Microsoft.MachineLearningServices/vmFamily/dedicatedCores/usages",
                "unit": "Count",
                "currentValue": 0,
                "limit": -1,
                "name": {"value": family, "localizedValue": family},
            }
            for family in families
        ]
    }


def add(world, name: str, vm_size: str, tags: dict | None = None, **settings) -> dict:
    """A cluster, with as many nodes as it has at least; `settings` are as a client asks for them."""
    size = next((size for size in SIZES if size.lower() == vm_size.lower()), None)
    if size is None:
        raise Refused(400, "BadRequest", f"The specified VM size {vm_size} is not supported.")
    scale = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    scale |= settings.pop("scaleSettings", {})
    nodes = scale["minNodeCount"]
    world.computes[name] = {
        "id": f"{SCOPE}/computes/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": LOCATION,
        "tags": tags or {},
        "properties": {
            "computeType": "AmlCompute",
            "description": settings.pop("description", None),
            "createdOn": now(),
            "modifiedOn": now(),
            "provisioningState": "Succeeded",
            "provisioningErrors": None,
            "resourceId": None,
            "computeLocation": LOCATION,
            "isAttachedCompute": False,
            "properties": {
                "subnet": None,
                "remoteLoginPortPublicAccess": "NotSpecified",
                **settings,
                "vmPriority": settings.get("vmPriority", "Dedicated").capitalize(),  # as the service does
                "scaleSettings": scale,
                "vmSize": size.upper(),  # as the service does
                "allocationState": "Steady",
                "allocationStateTransitionTime": now(),
                "currentNodeCount": nodes,
                "targetNodeCount": nodes,
                "nodeStateCounts": {
                    "preparingNodeCount": 0,
                    "runningNodeCount": 0,
                    "idleNodeCount": nodes,
                    "unusableNodeCount": 0,
                    "leavingNodeCount": 0,
                    "preemptedNodeCount": 0,
                },
                "errors": None,
            },
        },
    }
    return world.computes[name]


@route("PUT", _ONE)
def create(request, name):
    given = request.json
    asked = dict(given["properties"]["properties"])
    asked["description"] = given["properties"].get("description")
    return Answer(add(request.world, name, asked.pop("vmSize"), given.get("tags"), **asked), 201, _operation())


@route("PATCH", _ONE)
def change(request, name):
    cluster = find(request.world, name)
    cluster["properties"]["properties"]["scaleSettings"] |= request.json["properties"]["properties"]["scaleSettings"]
    return Answer(cluster, 200, _operation())


@route("DELETE", _ONE)
def delete(request, name):
    find(request.world, name)
    del request.world.computes[name]
    return Answer(None, 202, _operation())


@route("POST", _ONE + "/listNodes")
def nodes(request, name):
    find(request.world, name)
    return {"nodes": []}


@route("GET", _LOCATION + "/computeOperationsStatus/{operation}")
def operation(request, operation):
    return {"id": operation, "name": operation, "status": "Succeeded"}


@route("GET", _ONE)
@route("GET", f"{API}/rp/workspaces{SCOPE}" + "/computes/{name}")
def get(request, name):
    return find(request.world, name)


@route("GET", f"{MANAGEMENT}{SCOPE}/computes")
@route("GET", f"{API}/rp/workspaces{SCOPE}/computes")
def list_all(request):
    return {"value": list(request.world.computes.values())}


def find(world, name: str) -> dict:
    if name not in world.computes:
        raise Refused(404, "UserError", f"Compute {name} was not found.")
    return world.computes[name]


def _operation() -> dict[str, str]:
    address = f"https://{_LOCATION}/computeOperationsStatus/{uuid.uuid4()}?api-version=2020-02-02"
    return {"Azure-AsyncOperation": address}

"""Deployments of an online endpoint: a model with a scoring script, or an MLflow model without one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import isodate

from helpers.offline.arm import codes, endpoints, environments, model_assets
from helpers.offline.arm.wire import (
    LOCATION,
    LOOK_AGAIN,
    Answer,
    Refused,
    Request,
    Unsupported,
    as_json,
    names_in,
    resource,
)
from helpers.offline.engine import services
from helpers.offline.engine.assets import models
from helpers.offline.engine.compute import vm_sizes
from helpers.offline.engine.history import snapshot
from helpers.offline.engine.services import mlflow_models
from helpers.offline.engine.workspace.errors import NotFound

CODE = "code"  # the folder of the script, in the deployment's
# What a deployment has that was not given, and the longest that a request may take:
# https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online
REQUESTS = {"maxConcurrentRequestsPerInstance": 1, "requestTimeout": "PT5S", "maxQueueWait": "PT0.5S"}
PROBE = {
    "initialDelay": "PT10S",
    "period": "PT10S",
    "timeout": "PT2S",
    "successThreshold": 1,
    "failureThreshold": 30,
}
DEFAULTS = {
    "requestSettings": REQUESTS,
    "livenessProbe": PROBE,
    "readinessProbe": PROBE,
    "appInsightsEnabled": False,
    "egressPublicNetworkAccess": "Enabled",
}
LONGEST = 180  # seconds
NOT_OFFERED = {
    "dataCollector": "Collecting a deployment's data",
    "modelMountPath": "A model_mount_path, which is for images of one's own,",
}
# What is told as it was given.
KEPT = ("codeConfiguration", "environmentId", "model", "instanceType", "privateNetworkConnection", *DEFAULTS)


def put(request: Request) -> Answer:
    """Begin to deploy, or to deploy anew; operation() tells when it is done. Raises Refused, Invalid and NotFound."""
    endpoints.check_name("a deployment", request.names["deployment"])
    endpoints.known(request)
    there = _found(request)
    if there and there["operation"]["state"] == "Running":
        raise Refused(
            f"An operation of the deployment {request.names['deployment']!r} is under way. Wait for its end, or delete "
            "the deployment.",
            409,
            "Conflict",
        )
    with tempfile.TemporaryDirectory() as folder:
        wanted = _wanted(request, Path(folder, CODE))
        if there:
            services.redeploy(request.folder, services.ONLINE, _full_name(request), wanted)
        else:
            services.deploy(request.folder, services.ONLINE, _full_name(request), wanted)
    address = f"https://{request.host}{request.scope.id}/{_path(request)}/operation?api-version=offline"
    headers = {"Azure-AsyncOperation": address, **LOOK_AGAIN}
    return as_json(get(request), 200 if there else 201, **headers)


def get(request: Request) -> dict:
    return _described(request, _known(request))


def list_all(request: Request) -> Iterator[dict]:
    name = endpoints.known(request)["name"]
    return (_described(request, one) for one in services.list_all(request.folder, services.ONLINE, f"{name}/"))


def operation(request: Request) -> Answer:
    """How far the operation is that was asked for last."""
    told = _known(request)["operation"]
    status = {"id": told["id"], "name": told["id"], "status": told["state"].replace("Running", "InProgress")}
    if told["error"]:
        status["error"] = {"code": told["error"]["code"], "message": told["error"]["message"]}
    return as_json(status, **LOOK_AGAIN)


def logs(request: Request) -> dict:
    """The deployment's log; what brings the model to it has none here."""
    if request.body.get("containerType") == "StorageInitializer":
        _known(request)
        return {"content": ""}
    lines = request.body.get("tail")
    return {
        "content": services.logs(
            request.folder, services.ONLINE, _known(request)["name"], -1 if lines is None else int(lines)
        )
    }


def delete(request: Request) -> None:
    """Raises NotAllowed where it gets requests."""
    name = _known(request)["name"]
    services.refuse_with_traffic(request.folder, request.names["name"], request.names["deployment"])
    services.delete(request.folder, services.ONLINE, name)


def _wanted(request: Request, code: Path) -> dict:
    """What services.deploy() takes; the script's folder is laid out as `code`. Raises Refused."""
    asked = request.properties
    _check(asked)
    model = _model(request, asked.get("model"))
    return {
        "models": [model.id] if model else [],
        **_served(request, asked, model, code),
        "auth_enabled": False,  # the endpoint asks for the key
        "tags": request.body.get("tags") or {},
        "properties": asked.get("properties") or {},
        "description": asked.get("description"),
        "settings": {**{key: asked.get(key) for key in KEPT}, "limits": _limits(request, asked)},
    }


def _check(asked: dict) -> None:
    """Raises Refused for what the service refuses, and Unsupported for what is not offered."""
    if asked.get("endpointComputeType") != "Managed":
        raise Unsupported(f"A deployment on {asked.get('endpointComputeType')}", "ManagedOnlineDeployment is")
    for key, what in NOT_OFFERED.items():
        if asked.get(key):
            raise Unsupported(what, "leave it out")
    if (asked.get("scaleSettings") or {}).get("scaleType", "Default") != "Default":
        raise Unsupported("Scaling by itself", "give instance_count")
    if not asked.get("instanceType"):
        raise Refused("A deployment needs an instance_type, the VM size of its machines, such as Standard_DS3_v2.")
    vm_sizes.find(asked["instanceType"])
    egress = _filled("egressPublicNetworkAccess", asked)
    if egress.capitalize() not in endpoints.ACCESS:
        raise Refused(f"{egress!r} is no egress_public_network_access: give enabled or disabled.")
    for key, name in (("livenessProbe", "liveness_probe"), ("readinessProbe", "readiness_probe")):
        probe = _filled(key, asked)
        seconds = [isodate.parse_duration(probe[one]).total_seconds() for one in ("initialDelay", "timeout")]
        if min(*seconds, probe["successThreshold"], probe["failureThreshold"]) < 1:
            raise Refused(f"The initial_delay, timeout and thresholds of a {name} have to be at least 1.")


def _served(request: Request, asked: dict, model: models.ModelRecord | None, code: Path) -> dict:
    """Script and environment: the given ones, or those of an MLflow model."""
    script, environment_id = asked.get("codeConfiguration") or {}, asked.get("environmentId")
    served = {}
    if script:
        if not environment_id:
            raise Refused(
                "A deployment with a scoring script needs an environment, which brings the script's packages."
            )
        snapshot.extract(request.folder, codes.snapshot_of(request, names_in(script.get("codeId") or "")), code)
        served = {"source_directory": str(code), "entry_script": script.get("scoringScript") or ""}
        if not (code / served["entry_script"]).is_file():
            raise Refused(f"The scoring script {served['entry_script']!r} is not in the code that was given.")
    elif model and model_assets.type_of(model) == model_assets.MLFLOW:
        served = mlflow_models.wanted_for(model)
    else:
        raise Refused(
            "A deployment without a scoring script needs a model of the type mlflow_model; for any other give "
            "code_configuration and environment."
        )
    if environment_id:
        served["environment"] = environments.for_job(request, environment_id)
    served["environment"] |= {"environmentVariables": asked.get("environmentVariables") or {}}
    return served


def _model(request: Request, id: str | None) -> models.ModelRecord | None:
    if not id:
        return None
    source = model_assets.source_of(names_in(id))
    return models.get(request.folder, source["model"], source["version"])


def _limits(request: Request, asked: dict) -> dict:
    """How many requests the endpoint passes on at once, and for how many seconds each."""
    capacity = (request.body.get("sku") or {}).get("capacity")
    instances = 1 if capacity is None else capacity
    if not isinstance(instances, int) or instances < 1:
        raise Refused(f"The instance_count of a deployment is a whole number above 0, not {instances!r}.")
    settings = _filled("requestSettings", asked)
    seconds = isodate.parse_duration(settings["requestTimeout"]).total_seconds()
    each = settings["maxConcurrentRequestsPerInstance"]
    if seconds <= 0 or each < 1:
        raise Refused("request_timeout_ms and max_concurrent_requests_per_instance have to be above 0.")
    if seconds > LONGEST:
        raise Refused(f"request_timeout_ms is {seconds * 1000:.0f}; it can be at most {LONGEST * 1000}.")
    return {"instances": instances, "at_once": 2 * each * instances, "seconds": seconds}


def _filled(key: str, settings: dict) -> Any:
    """A setting, with the defaults of all that was not given."""
    default, given = DEFAULTS.get(key), settings.get(key)
    if isinstance(default, dict):
        return default | {name: value for name, value in (given or {}).items() if value is not None}
    return default if given is None else given


def _full_name(request: Request) -> str:
    return f"{request.names['name']}/{request.names['deployment']}"


def _path(request: Request) -> str:
    return f"onlineEndpoints/{request.names['name']}/deployments/{request.names['deployment']}"


def _found(request: Request) -> dict | None:
    try:
        return services.get(request.folder, services.ONLINE, _full_name(request))
    except NotFound:
        return None


def _known(request: Request) -> dict:
    """The deployment that the request names. Raises NotFound for it, or for its endpoint."""
    name = endpoints.known(request)["name"]
    found = _found(request)
    if found is None:
        there = ", ".join(services.deployment_names(request.folder, name)) or "none yet"
        raise NotFound(f"The endpoint {name!r} has no deployment {request.names['deployment']!r}; it has: {there}.")
    return found


def _described(request: Request, deployment: dict) -> dict:
    endpoint, _, name = deployment["name"].partition("/")
    settings, state = deployment["settings"], deployment["operation"]["state"]
    is_first = deployment["deployment"] == 1
    properties = {key: _filled(key, settings) for key in KEPT} | {
        "egressPublicNetworkAccess": _filled("egressPublicNetworkAccess", settings).capitalize(),
        "endpointComputeType": "Managed",
        "description": deployment["description"],
        "properties": deployment["properties"],
        "environmentVariables": deployment["environment"].get("environmentVariables") or {},
        "scaleSettings": {"scaleType": "Default"},
        "provisioningState": "Creating" if is_first and state == "Running" else endpoints.STATES[state],
    }
    return resource(
        request.scope,
        f"onlineEndpoints/{endpoint}/deployments/{name}",
        properties,
        created=deployment["created"],
        modified=deployment["modified"],
        location=LOCATION,
        tags=deployment["tags"],
        sku={"name": "Default", "capacity": settings["limits"]["instances"]},
    )

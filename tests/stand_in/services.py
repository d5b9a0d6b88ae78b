"""Web services: the entry script of a deployment, served by Microsoft's scoring server behind a door."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from . import environments, models
from .door import Door
from .history import now
from .names import LOCATION, free_port, of
from .server import Answer, route

SERVICES = of("modelmanagement") + "/services"
OPERATIONS = of("modelmanagement") + "/operations"
SERVER = Path(__file__).with_name("scoring_server.py")
_START_LIMIT = 300.0  # seconds, on a busy machine


@route("POST", SERVICES + "/validate")
@route("POST", SERVICES + "/validate/name/{name}")
@route("POST", SERVICES + "/validate/resource")
def validate(request, name=None):
    """Checks before a deployment; the client goes on without an answer."""
    return {}


@route("POST", SERVICES)
def create(request):
    given, world = request.json, request.world
    name, image = given["name"], given["environmentImageRequest"]
    image["environment"] = environments.of_submitted(world, image["environment"])
    known = world.services.get(name)
    if known and not given.get("overwrite"):
        raise models.refusal(409, f"Service {name} already exists.")
    if known:
        _end(known)
    keys = {"primary": secrets.token_hex(16), "secondary": secrets.token_hex(16)}
    service = {
        "id": name,
        "name": name,
        "description": given["description"],
        "kvTags": given["kvTags"] or {},
        "properties": given["properties"] or {},
        "computeType": given["computeType"],
        "state": "Transitioning",
        "createdTime": now(),
        "updatedTime": now(),
        "error": None,
        "deploymentType": "HttpRealtimeEndpoint",
        "authEnabled": bool(given.get("authEnabled")),
        "appInsightsEnabled": bool(given.get("appInsightsEnabled")),
        "containerResourceRequirements": given["containerResourceRequirements"],
        "cname": None,
        "location": LOCATION,
        "publicIp": None,
        "publicFqdn": None,
        "scoringUri": None,
        "sslEnabled": False,
        "sslCertificate": None,
        "sslKey": None,
        "imageId": None,
        "modelConfigMap": {},
        "modelIds": image["modelIds"],
        "environmentImageRequest": image,
        "_keys": keys,
        "_folder": world.folder / "services" / f"{name}-{uuid.uuid4().hex[:8]}",
    }
    world.services[name] = service
    operation = _operation(world, "Running")
    world.in_background(partial(_fail, service, operation), _deploy, service, operation)
    return Answer(None, 202, {"Operation-Location": f"https://{OPERATIONS}/{operation['id']}"})


def _operation(world, state: str) -> dict:
    operation = {"id": uuid.uuid4().hex, "operationType": "Service", "state": state, "createdTime": now()}
    world.operations[operation["id"]] = operation
    return operation


def _deploy(world, service: dict, operation: dict) -> None:
    """Put models and sources where the container has them, start the server, and wait until it answers."""
    folder = service["_folder"]
    root = folder / "app"
    root.mkdir(parents=True)
    image = service["environmentImageRequest"]
    for asset in image["assets"]:
        origin, container, path = asset["url"].removeprefix("aml://artifact/").split("/", 2)
        file = world.artifact_file(container, path, origin)
        if asset.get("unpack"):
            with tarfile.open(file) as packed:
                packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 has none yet
                packed.extractall(root)
        else:
            shutil.copyfile(file, root / asset["id"])
    for model_id in service["modelIds"]:
        top = root / "azureml-models" / model_id.replace(":", "/")
        for name, file in models.files(world, world.models[model_id]).items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, top / name)
    _serve(world, service)
    deadline = time.monotonic() + _START_LIMIT
    while not _is_healthy(service["_port"]):
        if service["_server"].poll() is not None or time.monotonic() > deadline:
            _fail(service, operation)
            return
        time.sleep(0.1)
    service["state"] = "Healthy"
    operation["state"] = "Succeeded"


def _fail(service: dict, operation: dict) -> None:
    error = {
        "code": "AciDeploymentFailed",
        "message": "Aci Deployment failed. Your container crashed.",
        "details": [],
    }
    service["state"], service["error"] = "Failed", error
    operation |= {"state": "Failed", "error": error, "operationDetails": {"subOperationType": "DeployService"}}


def _serve(world, service: dict) -> None:
    folder, root = service["_folder"], service["_folder"] / "app"
    image = service["environmentImageRequest"]
    asked = image["environment"]["environmentVariables"]
    deployed = [model_id.replace(":", "/") for model_id in service["modelIds"]]
    environment = (
        world.environment
        | asked
        | {
            "AML_APP_ROOT": str(root),
            "AZUREML_ENTRY_SCRIPT": asked.get("AZUREML_ENTRY_SCRIPT", image["driverProgram"]),
            "AZUREML_MODEL_DIR": str(Path(root, "azureml-models", *deployed if len(deployed) == 1 else ())),
            "AML_APP_INSIGHTS_ENABLED": "false",
            "PYTHONUNBUFFERED": "1",
        }
    )
    service["_port"] = free_port()
    service["_door"] = Door(service["_port"], service["_keys"] if service["authEnabled"] else None)
    service["scoringUri"] = f"http://127.0.0.1:{service['_door'].server_port}/score"
    with (folder / "log.txt").open("wb") as log:
        service["_server"] = subprocess.Popen(
            [sys.executable, SERVER, str(service["_port"])],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _end(service: dict) -> None:
    if "_door" in service:
        service["_door"].close()
    server = service.get("_server")
    if server is not None:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def end_all(world) -> None:
    for service in world.services.values():
        _end(service)


def _shown(world, service: dict, expand: bool) -> dict:
    shown = {name: value for name, value in service.items() if not name.startswith("_")}
    return shown | {"models": [world.models[one] for one in service["modelIds"]] if expand else None}


def _find(world, name: str) -> dict:
    if name not in world.services:
        raise models.refusal(404, f"Service with name {name} was not found.")
    return world.services[name]


@route("GET", SERVICES)
def list_all(request):
    expand = request.query.get("expand", "").lower() == "true"
    return {"value": [_shown(request.world, one, expand) for one in request.world.services.values()]}


@route("GET", SERVICES + "/{name}")
def get(request, name):
    return _shown(request.world, _find(request.world, name), request.query.get("expand", "").lower() == "true")


@route("PATCH", SERVICES + "/{name}")
def change(request, name):
    service = _find(request.world, name)
    models.patch(service, request.json)
    service["updatedTime"] = now()
    operation = _operation(request.world, "Succeeded")
    return Answer(None, 202, {"Operation-Location": f"https://{OPERATIONS}/{operation['id']}"})


@route("DELETE", SERVICES + "/{name}")
def delete(request, name):
    _end(_find(request.world, name))
    del request.world.services[name]


@route("POST", SERVICES + "/{name}/listkeys")
def keys(request, name):
    kept = _find(request.world, name)["_keys"]
    return {"primaryKey": kept["primary"], "secondaryKey": kept["secondary"]}


@route("POST", SERVICES + "/{name}/regenerateKeys")
def new_key(request, name):
    service, given = _find(request.world, name), request.json
    service["_keys"][given["keyType"].lower()] = given["keyValue"] or secrets.token_hex(16)
    operation = _operation(request.world, "Succeeded")
    return Answer(None, 202, {"Operation-Location": f"https://{OPERATIONS}/{operation['id']}"})


@route("GET", SERVICES + "/{name}/logs")
def logs(request, name):
    log = _find(request.world, name)["_folder"] / "log.txt"
    lines = log.read_text(errors="replace").splitlines(keepends=True)
    return {"content": "".join(lines[-int(request.query.get("tail", 5000)) :])}


@route("GET", OPERATIONS + "/{operation_id}")
def operation(request, operation_id):
    return request.world.operations[operation_id]

"""Datasets, by the definition that a client sends, and the datastores that they may lie in."""

import hashlib
import json
import uuid

from .history import change, now
from .names import ACCOUNT, CONTAINER, of
from .server import Refused, route

_KEY = "bm90IGEga2V5"  # "not a key"
DATASET, DATA, DATASTORE = of("dataset"), of("data"), of("datastore")


def _datastore(name: str, container: str, is_default: bool) -> dict:
    return {
        "name": name,
        "dataStoreType": "AzureBlob",
        "hasBeenValidated": False,
        "isDefault": is_default,
        "tags": None,
        "azureStorageSection": {
            "accountName": ACCOUNT,
            "containerName": container,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentialType": "AccountKey",
            "credential": _KEY,
            "sasToken": "",
            "accountKey": _KEY,
            "isSas": False,
            "blobCacheTimeout": 0,
            "serviceDataAccessAuthIdentity": "None",
        },
    }


DATASTORES = {
    "workspaceblobstore": _datastore("workspaceblobstore", CONTAINER, is_default=True),
    "workspaceartifactstore": _datastore("workspaceartifactstore", "azureml", is_default=False),
}


@route("GET", DATASTORE + "/default")
def default_datastore(request):
    return DATASTORES["workspaceblobstore"]


@route("GET", DATASTORE + "/datastores")
def datastores(request):
    return {"value": list(DATASTORES.values())}


@route("GET", DATASTORE + "/datastores/{name}")
def get_datastore(request, name):
    if name not in DATASTORES:
        raise Refused(404, "UserError", f"Could not find datastore: {name}")
    return DATASTORES[name]


# Definitions. What is saved has an id; the same definition has the same one.


def _saved(world, definition: str, dataset_type: str, properties: dict | None) -> dict:
    saved_id = str(uuid.UUID(hashlib.md5(definition.encode()).hexdigest()))
    dataset = {"id": saved_id, "datasetType": dataset_type, "dataflowJson": definition, "properties": properties or {}}
    return world.saved.setdefault(saved_id, dataset)


@route("POST", DATASET + "/saveddatasets")
def save(request):
    given = request.json
    return _saved(request.world, given["dataflowJson"], given["datasetType"], given.get("properties"))


@route("GET", DATASET + "/saveddatasets/{saved_id}")
def get_saved(request, saved_id):
    if saved_id not in request.world.saved:
        raise Refused(404, "UserError", f"Saved dataset {saved_id} was not found.")
    return request.world.saved[saved_id]


@route("GET", DATA + "/dataversion/unregistered-{saved_id}/versions/1")
def flow(request, saved_id):
    """The definition in the words of the library that reads the data: what the client wrote beside its own."""
    definition = json.loads(get_saved(request, saved_id)["dataflowJson"])
    return {"dataVersion": {"dataType": "legacy"}, "legacyDataflow": definition["meta"]["RsDataflow"]}


@route("GET", DATA + "/dataversion/{name}/versions/{version}")
def data_asset(request, name, version):
    """Data assets are of the SDK after this one: there are none."""
    raise Refused(404, "UserError", f"Data version {name}:{version} was not found.")


# Registered datasets: versions of a name


@route("POST", DATASET + "/datasets")
def register(request):
    given, name = request.json, request.json["name"]
    latest = given["latest"]
    saved = _saved(request.world, latest["dataflow"], given["datasetType"], latest.get("properties"))
    known = request.world.datasets.get(name)
    if known is None:
        known = {"datasetId": str(uuid.uuid4()), "name": name, "datasetType": given["datasetType"], "isVisible": True}
        known |= {"createdTime": now(), "description": None, "tags": {}, "versions": []}
        request.world.datasets[name] = known
    elif request.query.get("ifExistsOk", "").lower() != "true":
        raise Refused(409, "UserError", f"Dataset with name {name} already exists.")
    if saved["id"] not in known["versions"]:
        known["versions"].append(saved["id"])
        known["modifiedTime"] = now()
    known["description"] = given.get("description") or known["description"]
    known["tags"] = given.get("tags") or known["tags"]
    return _version(request.world, known, known["versions"].index(saved["id"]) + 1)


def _version(world, known: dict, version: int) -> dict:
    saved = world.saved[known["versions"][version - 1]]
    latest = {
        "datasetId": known["datasetId"],
        "versionId": str(version),
        "datasetDefinitionState": {"state": "active"},
        "dataflow": saved["dataflowJson"],
        "properties": saved["properties"],
        "savedDatasetId": saved["id"],
        "createdTime": known["createdTime"],
    }
    about = {name: value for name, value in known.items() if name != "versions"}
    return about | {"datasetState": {"state": "active"}, "latest": latest}


def _find(world, name: str) -> dict:
    if name not in world.datasets:
        raise Refused(404, "UserError", f"Dataset with name {name} is not found.")
    return world.datasets[name]


@route("GET", DATASET + "/datasets/query/name={name}")
def get_by_name(request, name):
    known = _find(request.world, name)
    asked = request.query.get("versionId")
    version = int(asked) if asked else len(known["versions"])
    if not 1 <= version <= len(known["versions"]):
        raise Refused(404, "UserError", f"Version {asked} of dataset {name} is not found.")
    return _version(request.world, known, version)


@route("GET", DATASET + "/datasets/query/savedDatasetId={saved_id}")
def get_by_saved_id(request, saved_id):
    found = [one for one in request.world.datasets.values() if saved_id in one["versions"]]
    if not found:
        raise Refused(404, "UserError", f"No dataset is registered with {saved_id}.")
    return {"value": [_version(request.world, one, one["versions"].index(saved_id) + 1) for one in found]}


@route("GET", DATASET + "/datasets")
def list_all(request):
    known = request.world.datasets.values()
    return {"value": [_version(request.world, one, len(one["versions"])) for one in known]}


@route("PUT", DATASET + "/datasets/{dataset_id}")
def update(request, dataset_id):
    known, given = _by_id(request.world, dataset_id), request.json
    known["tags"] = given.get("tags", known["tags"])
    change(known, {"description": given.get("description")})
    return _version(request.world, known, int(given["latest"]["versionId"]))


def _by_id(world, dataset_id: str) -> dict:
    for known in world.datasets.values():
        if known["datasetId"] == dataset_id:
            return known
    raise Refused(404, "UserError", f"Dataset {dataset_id} is not found.")


@route("DELETE", DATASET + "/datasets/{name}")
def unregister(request, name):
    del request.world.datasets[_find(request.world, name)["name"]]

"""The datastores: containers of one storage account, whose blobs are files of the offline workspace (see blobs)."""

from collections.abc import Iterator

from helpers.offline.arm.locations import CONTAINERS
from helpers.offline.arm.wire import ACCOUNT, Refused, Request, resource
from helpers.offline.engine.assets import data, details

NAMES = (data.BLOBSTORE, data.ARTIFACTSTORE, data.FILESTORE)
KEY = "b2ZmbGluZQ=="  # the client signs addresses with it; nobody checks them


def get(request: Request) -> dict:
    return _described(request, request.names["name"])


def list_all(request: Request) -> Iterator[dict]:
    default = _default(request)
    wanted = {"true": [default], "false": [name for name in NAMES if name != default]}
    return (_described(request, name) for name in wanted.get(request.query.get("isDefault", "").lower(), NAMES))


def secrets(request: Request) -> dict:
    _described(request, request.names["name"])
    return {"secretsType": "AccountKey", "key": KEY}


def _described(request: Request, name: str) -> dict:
    if name in CONTAINERS:
        kind = {"datastoreType": "AzureBlob", "containerName": CONTAINERS[name]}
    elif name == data.FILESTORE:
        kind = {"datastoreType": "AzureFile", "fileShareName": "azureml-filestore"}
    else:
        raise Refused(f"The workspace has no datastore {name!r}. There are: {', '.join(NAMES)}.", 404)
    properties = {
        **kind,
        "accountName": ACCOUNT,
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentials": {"credentialsType": "AccountKey"},
        "isDefault": name == _default(request),
        "tags": {},
        "properties": {},
    }
    return resource(request.scope, f"datastores/{name}", properties)


def _default(request: Request) -> str:
    return details.get(request.folder).body["default_datastore"]

"""The datastores: containers of one storage account, whose blobs are files of the offline workspace (see blobs)."""

from collections.abc import Iterator

from helpers.offline.arm.locations import CONTAINERS
from helpers.offline.arm.wire import ACCOUNT, Refused, Request, resource
from helpers.offline.engine.assets import data

DEFAULT = data.BLOBSTORE
KEY = "b2ZmbGluZQ=="  # the client signs addresses with it; nobody checks them


def get(request: Request) -> dict:
    return _described(request, request.names["name"])


def list_all(request: Request) -> Iterator[dict]:
    wanted = {"true": [DEFAULT], "false": sorted(CONTAINERS.keys() - {DEFAULT})}
    names = wanted.get(request.query.get("isDefault", "").lower(), sorted(CONTAINERS))
    return (_described(request, name) for name in names)


def secrets(request: Request) -> dict:
    _described(request, request.names["name"])
    return {"secretsType": "AccountKey", "key": KEY}


def _described(request: Request, name: str) -> dict:
    if name not in CONTAINERS:
        raise Refused(f"The workspace has no datastore {name!r}. There are: {', '.join(sorted(CONTAINERS))}.", 404)
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": ACCOUNT,
        "containerName": CONTAINERS[name],
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentials": {"credentialsType": "AccountKey"},
        "isDefault": name == DEFAULT,
        "tags": {},
        "properties": {},
    }
    return resource(request.scope, f"datastores/{name}", properties)

"""The workspace: offline there is one, whatever name a client calls it by."""

from collections.abc import Iterator
from dataclasses import replace

from helpers.offline.arm.wire import (
    API_HOST,
    LOCATION,
    PROVIDER,
    RESOURCE_GROUP,
    WORKSPACE,
    Refused,
    Request,
    Unsupported,
    resource,
)
from helpers.offline.engine.assets import details
from helpers.offline.engine.jobs import run_records

KIND = "default"  # beside hubs and projects
names = {WORKSPACE}  # by which the clients of this process call it


def get(request: Request) -> dict:
    """Raises Refused for a workspace that no client was made with."""
    scope = request.scope
    if scope.workspace not in names:
        raise Refused(
            f"The workspace {scope.workspace!r} was not found. Offline there is one, which each MLClient calls by the "
            f"name that it was made with; here that is {' or '.join(sorted(names))}.",
            404,
            "ResourceNotFound",
        )
    asset = details.get(request.folder)
    properties = {
        "friendlyName": asset.body["friendly_name"],
        "description": asset.body["description"],
        "discoveryUrl": f"https://{API_HOST}/discovery",
        "mlFlowTrackingUri": run_records.tracking_uri(request.folder),
        "workspaceId": asset.id,
        "provisioningState": "Succeeded",
        "storageAccount": str(request.folder),
        "hbiWorkspace": False,
        "publicNetworkAccess": "Disabled",
    }
    described = resource(scope, "", properties, created=asset.created, modified=asset.modified)
    return described | {
        "id": scope.id,
        "name": scope.workspace,
        "type": f"{PROVIDER}/workspaces",
        "kind": KIND.capitalize(),
        "location": LOCATION,
        "tags": asset.body["tags"],
    }


def list_all(request: Request) -> Iterator[dict]:
    """The one workspace, under the names that it has where nobody gives it another; it is of the kind `default`."""
    if KIND in request.query.get("kind", KIND).lower().split(","):
        yield get(replace(request, scope=replace(request.scope, group=RESOURCE_GROUP, workspace=WORKSPACE)))


def discovery(request: Request) -> dict:
    """Where the parts of the service are that are no part of the management plane."""
    return dict.fromkeys(("api", "history", "dataset", "modelmanagement"), f"https://{API_HOST}")


def registry(request: Request) -> dict:
    """What a client of a registry, and whoever shares something with one, asks for first. Raises Unsupported."""
    raise Unsupported(
        f"The registry {request.names['registry']!r}",
        "a workspace's client finds Microsoft's environments that are known here without one, as "
        "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
    )

"""What the handlers are given and what they answer: requests, resources, addresses and errors in Azure's form.

The offline workspace answers to any subscription, resource group and workspace name that a client was made with, so
that code written for a workspace on Azure runs as it stands; what is kept names none of them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

PROVIDER = "Microsoft.MachineLearningServices"
COVERAGE = "docs/offline-coverage-v2.md"
LOCATION = "local"
SUBSCRIPTION_ID, RESOURCE_GROUP, WORKSPACE = "00000000-0000-0000-0000-000000000000", "offline", "offline"
API_HOST = "offline.api.azureml.ms"  # run history, data and discovery, as a workspace's discovery url tells it
ACCOUNT = "offline"
BLOB_HOST = f"{ACCOUNT}.blob.core.windows.net"
# How long the client waits between two looks at what takes time; Azure asks for whole seconds, in Retry-After.
LOOK_AGAIN = {"x-ms-retry-after-ms": "200"}

_WORKSPACE_ID = rf'/subscriptions/[^/"]+/resourcegroups/[^/"]+/providers/{PROVIDER}/workspaces/[^/"]+'
_LONG_URI = r'azureml://subscriptions/[^/"]+/resourcegroups/[^/"]+(?:/providers/[^/"]+)?/workspaces/[^/"]+/'


class Refused(Exception):
    """A request that the service would refuse."""

    def __init__(self, message: str, status: int = 400, code: str = "UserError"):
        super().__init__(message)
        self.status, self.code = status, code


class Unsupported(Refused):
    """A request that the service would grant, and that the offline workspace does not."""

    def __init__(self, what: str, instead: str):
        super().__init__(f"{what} is not supported offline; {instead}. See {COVERAGE}.", 501, "NotImplemented")


@dataclass(frozen=True)
class Scope:
    """The workspace that a client was made with, by the names that it calls it."""

    subscription: str
    group: str
    workspace: str

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/{PROVIDER}/workspaces/{self.workspace}"
        )

    @property
    def datastores_uri(self) -> str:
        return (
            f"azureml://subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/workspaces/{self.workspace}/datastores"
        )


@dataclass(frozen=True)
class Request:
    folder: Path  # the offline workspace
    method: str
    host: str
    path: str  # unquoted
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    scope: Scope | None = None  # of a request about the workspace
    names: Mapping[str, str] = field(default_factory=dict)  # what the route's braces stand for

    @cached_property
    def body(self) -> dict:
        """The JSON object that was sent. Raises Refused."""
        try:
            body = json.loads(self.content or b"{}")
        except ValueError as error:
            raise Refused(f"The body of {self.method} {self.path} is not JSON ({error}).") from None
        return self._object(body, "body")

    @property
    def properties(self) -> dict:
        return self._object(self.body.get("properties") or {}, "body's properties")

    def _object(self, value: Any, what: str) -> dict:
        if not isinstance(value, dict):
            raise Refused(f"The {what} of {self.method} {self.path} has to be a JSON object.")
        return value


@dataclass(frozen=True)
class Answer:
    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})


def resource(
    scope: Scope,
    path: str,
    properties: dict | None,
    *,
    created: str | None = None,
    modified: str | None = None,
    **more: Any,
) -> dict:
    """A resource of the workspace, such as the one at "data/mnist/versions/1"."""
    words = path.split("/")
    return {
        "id": f"{scope.id}/{path}",
        "name": words[-1],
        "type": f"{PROVIDER}/workspaces/{'/'.join(words[::2])}",
        "properties": properties,
        "systemData": {
            "createdAt": created,
            "createdBy": "you",
            "createdByType": "User",
            "lastModifiedAt": modified or created,
            "lastModifiedBy": "you",
            "lastModifiedByType": "User",
        },
        **more,
    }


def rescoped(scope: Scope, value: Any) -> Any:
    """What was kept, with the ids and addresses in it those of the workspace as this client calls it."""
    text = json.dumps(value, ensure_ascii=False)
    for pattern, own in ((_WORKSPACE_ID, scope.id), (f"{_LONG_URI}datastores", scope.datastores_uri)):
        text = re.sub(pattern, lambda _, own=own: json.dumps(own, ensure_ascii=False)[1:-1], text, flags=re.IGNORECASE)
    return json.loads(text)


def names_in(id: str) -> list[str]:
    """The words of a resource's id below its workspace: ["data", "mnist", "versions", "1"]. Raises Refused."""
    found = re.match(rf"(?:azureml:)?{_WORKSPACE_ID}/(.+)", id or "", re.IGNORECASE)
    if not found:
        raise Refused(f"{id!r} is not the id of anything in this workspace, and offline there is no other.")
    return found[1].split("/")


def uri_at(place: Mapping[str, str]) -> str:
    """The azureml:// address of a place in a datastore, which has these two; see short_uri() and long_uri()."""
    return f"azureml://datastores/{place['datastore']}/paths/{place['path']}"


def short_uri(uri: str) -> str:
    """An azureml:// address without the workspace in it; any other as it is."""
    return re.sub(rf"^{_LONG_URI}", "azureml://", uri, flags=re.IGNORECASE)


def long_uri(scope: Scope, uri: str | None) -> str | None:
    """A datastore's azureml:// address with the workspace in it, as the service answers; any other as it is."""
    found = re.fullmatch(r"azureml://datastores/([^/]+)/paths/(.*)", uri or "")
    return f"{scope.datastores_uri}/{found[1]}/paths/{found[2]}" if found else uri

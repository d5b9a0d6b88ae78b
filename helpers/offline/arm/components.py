"""Components: commands with named inputs and outputs, of which pipelines are put together, by name and version."""

from collections.abc import Iterator

from helpers.offline.arm import resources
from helpers.offline.arm.wire import Request, Unsupported, resource

KIND = "component"


def put_version(request: Request) -> dict:
    """Keep a component. Raises Refused for another content of a version that is there."""
    kind = (request.properties.get("componentSpec") or {}).get("type")
    if kind != "command":
        raise Unsupported(f"A component of the type {kind}", "command components are")
    name, version = request.names["name"], request.names["version"]
    immutable = f"The component {name!r} version {version!r} exists with another content; give it a new version."
    content = () if request.properties.get("isAnonymous") else ("componentSpec",)  # its version is a hash of it
    return _described(request, resources.put_version(request, KIND, request.properties, content, immutable))


def get_version(request: Request) -> dict:
    return _described(request, resources.get_version(request, KIND, request.names["name"], request.names["version"]))


def list_versions(request: Request) -> Iterator[dict]:
    return (_described(request, asset) for asset in resources.list_versions(request, KIND))


def get(request: Request) -> dict:
    return resource(request.scope, f"components/{request.names['name']}", resources.container(request, KIND))


def put(request: Request) -> dict:
    return resource(request.scope, f"components/{request.names['name']}", resources.put_container(request, KIND))


def list_all(request: Request) -> Iterator[dict]:
    for name, properties in resources.list_containers(request, KIND):
        yield resource(request.scope, f"components/{name}", properties)


def specification(request: Request, words: list[str]) -> dict:
    """What the component with this id, as wire.names_in gives it, was made of. Raises Refused."""
    return resources.get_version(request, KIND, words[1], words[3]).body["componentSpec"]


def _described(request: Request, asset) -> dict:
    return resources.described(request, "components", asset, {"isArchived": False, **asset.body})

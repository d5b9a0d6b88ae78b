"""Components, of which pipelines are put together: commands, and pipelines, with named inputs and outputs."""

from collections.abc import Iterator

from helpers.offline.arm import resources
from helpers.offline.arm.wire import Request, Unsupported
from helpers.offline.engine.assets import Asset

KIND = "component"
TYPES = ("command", "pipeline")
NOT_CONTENT = ("id", "creation_context", "_source")  # the client adds them to a component that it has got
FREE = ("description", "display_name", "tags")  # what may change of a version that is there
DEFAULT = "azureml_default"  # what the client calls the version that a name has by default, which is the latest


def put_version(request: Request) -> dict:
    """Keep a component, or what may change of one. Raises Refused for another content of a version that is there."""
    spec = request.properties.get("componentSpec") or {}
    if spec.get("type") not in TYPES:
        raise Unsupported(f"A component of the type {spec.get('type')}", f"{' and '.join(TYPES)} components are")
    name, version = request.names["name"], request.names["version"]
    # The client reads the version from here, and leaves it out where the workspace is to choose it.
    spec = {key: value for key, value in spec.items() if key not in NOT_CONTENT} | {"version": version}
    body = request.properties | {"componentSpec": spec}
    immutable = f"The component {name!r} version {version!r} exists with another content; give it a new version."

    def content(kept: dict) -> dict | None:
        if request.properties.get("isAnonymous"):  # its version is a hash of it
            return None
        return {key: value for key, value in kept["componentSpec"].items() if key not in FREE}

    return _described(request, resources.put_version(request, KIND, body, content, immutable))


def get_version(request: Request) -> dict:
    return _described(request, _kept(request, request.names["name"], request.names["version"]))


def list_versions(request: Request) -> Iterator[dict]:
    return (_described(request, asset) for asset in resources.list_versions(request, KIND))


def get(request: Request) -> dict:
    return resources.container(request, KIND)


def put(request: Request) -> dict:
    return resources.put_container(request, KIND)


def list_all(request: Request) -> Iterator[dict]:
    return resources.list_containers(request, KIND)


def specification(request: Request, words: list[str]) -> dict:
    """What the component with this id, as wire.names_in gives it, was made of. Raises Refused."""
    return _kept(request, words[1], words[3]).body["componentSpec"]


def _kept(request: Request, name: str, version: str) -> Asset:
    """Raises Refused where it is not there."""
    if version == DEFAULT:
        version = resources.latest_version(request, KIND, name)
    return resources.get_version(request, KIND, name, version)


def _described(request: Request, asset: Asset) -> dict:
    return resources.described(request, KIND, asset, {"isArchived": False, **asset.body})

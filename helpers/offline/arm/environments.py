"""Environments: an image and a conda specification, by name and version."""

from collections.abc import Iterator

import yaml

from helpers.offline.arm import curated, resources
from helpers.offline.arm.wire import Refused, Request, Unsupported, names_in
from helpers.offline.engine.environments.curated import NAMES, PREFIX

KIND = "environment"


def put_version(request: Request) -> dict:
    """Keep an environment. Raises Refused for a build context, and for another content of a version that is there."""
    given = request.properties
    _refuse_microsofts(request.names["name"])
    if given.get("build"):
        raise Unsupported("An environment with a Docker build context", "give image and conda_file")
    _specification(given.get("condaFile"))
    name, version = request.names["name"], request.names["version"]
    immutable = f"The environment {name!r} version {version!r} exists with another content; give it a new version."
    return _described(request, resources.put_version(request, KIND, given, _content, immutable))


def get_version(request: Request) -> dict:
    if curated.is_one(request.names["name"]):
        return curated.version(request, request.names["name"], request.names["version"])
    return _described(request, resources.get_version(request, KIND, request.names["name"], request.names["version"]))


def list_versions(request: Request) -> Iterator[dict]:
    if curated.is_one(request.names["name"]):
        return iter([curated.version(request, request.names["name"], curated.LATEST)])
    return (_described(request, asset) for asset in resources.list_versions(request, KIND))


def get(request: Request) -> dict:
    if curated.is_one(request.names["name"]):
        return curated.container(request, request.names["name"])
    return resources.container(request, KIND)


def put(request: Request) -> dict:
    """Change what may change of a name. Raises Refused."""
    _refuse_microsofts(request.names["name"])
    return resources.put_container(request, KIND)


def list_all(request: Request) -> Iterator[dict]:
    yield from resources.list_containers(request, KIND)
    if resources.is_listed(request, archived=False):
        yield from (curated.container(request, name) for name in NAMES)


def for_job(request: Request, id: str) -> dict:
    """The engine's environment of the one with this id. Raises Refused."""
    if name := curated.name_in(id):
        return curated.for_job(name)
    _, name, _, version = names_in(id)
    body = resources.get_version(request, KIND, name, version).body
    return {
        "name": name,
        "version": version,
        "python": {"condaDependencies": _specification(body.get("condaFile"))},
        "docker": {"baseImage": body.get("image")},
    }


def _refuse_microsofts(name: str) -> None:
    if name.startswith(PREFIX):
        raise Refused(f"{name!r} begins as only Microsoft's own environments do, which stay as they are.")


def _specification(text: str | None) -> dict:
    """What a conda file says. Raises Refused where it is none."""
    try:
        found = yaml.safe_load(text or "") or {}
    except yaml.YAMLError as error:
        raise Refused(f"The conda file is not YAML: {error}") from None
    if not isinstance(found, dict):
        raise Refused("The conda file has to hold name, channels and dependencies.")
    return found


def _content(body: dict) -> tuple:
    return body.get("image"), body.get("condaFile")


def _described(request: Request, asset) -> dict:
    properties = {"environmentType": "UserCreated", "osType": "Linux", "isArchived": False, **asset.body}
    return resources.described(request, KIND, asset, properties)

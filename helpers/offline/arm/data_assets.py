"""Data assets: names and versions for files and folders that lie in a datastore, or at an address that is known."""

from collections.abc import Iterator
from operator import itemgetter

from helpers.offline.arm import locations, resources
from helpers.offline.arm.wire import Refused, Request, Unsupported, long_uri, short_uri, uri_at
from helpers.offline.engine.assets import data

KIND = "data"
CONTENT = itemgetter("dataType", "dataUri")
TYPES = ("uri_file", "uri_folder")


def put_version(request: Request) -> dict:
    """Keep a data asset. Raises Refused for a table, another type, and an address that is not known offline."""
    given, name = request.properties, request.names["name"]
    if given.get("dataType") not in TYPES:
        raise Unsupported(f"A data asset of the type {given.get('dataType')!r}", f"{' and '.join(TYPES)} are")
    _check_type(request, name, given["dataType"])
    body = given | {"dataUri": short_uri(given.get("dataUri") or "")}
    source = locations.source_of(request.folder, body["dataUri"])
    if "url" in source:
        data.resolve(request.folder, [source])  # whether it is known here
    else:
        data.datastore_root(request.folder, source["datastore"])
    return _described(request, resources.put_version(request, KIND, body, CONTENT, resources.IMMUTABLE))


def get_version(request: Request) -> dict:
    return _described(request, resources.get_version(request, KIND, request.names["name"], request.names["version"]))


def list_versions(request: Request) -> Iterator[dict]:
    return (_described(request, asset) for asset in resources.list_versions(request, KIND))


def get(request: Request) -> dict:
    return _typed(request, resources.container(request, KIND))


def put(request: Request) -> dict:
    return _typed(request, resources.put_container(request, KIND))


def list_all(request: Request) -> Iterator[dict]:
    return (_typed(request, container) for container in resources.list_containers(request, KIND))


def uri_of(request: Request, words: list[str]) -> str:
    """Where the data with this id, as wire.names_in gives it, lies. Raises Refused."""
    return resources.get_version(request, KIND, words[1], words[3]).body["dataUri"]


def to_register(request: Request, name: str, version: str | None, kind: str, source: dict) -> dict:
    """Data that a job's output becomes at its end, as the engine has it. Raises Refused for a version that is there."""
    resources.check_names(name, version or "1")
    if version in map(resources.version_of, resources.all_versions(request, KIND, name)):
        raise Refused(
            f"The data {name!r} has a version {version} already; give another one, or none for the next.", 409
        )
    _check_type(request, name, kind)
    body = {"dataType": kind, "dataUri": uri_at(source)}
    return {"kind": resources.kept_as(KIND), "name": name, "version": version, "body": body}


def _check_type(request: Request, name: str, kind: str) -> None:
    types = {asset.body["dataType"] for asset in resources.all_versions(request, KIND, name)}
    if types and kind not in types:  # "How to create data assets", on a type that is incorrect
        raise Refused(
            f"The data {name!r} is of the type {' or '.join(sorted(types))}, and a new version cannot be of another, "
            f"as {kind} is: give it another name."
        )


def _typed(request: Request, container: dict) -> dict:
    properties = container["properties"]
    latest = resources.get_version(request, KIND, container["name"], properties["latestVersion"])
    return container | {"properties": properties | {"dataType": latest.body["dataType"]}}


def _described(request: Request, asset) -> dict:
    kept = {key: value for key, value in asset.body.items() if key != "output"}  # the job's output that it was
    body = {"isArchived": False, **kept, "dataUri": long_uri(request.scope, asset.body["dataUri"])}
    return resources.described(request, KIND, asset, body)

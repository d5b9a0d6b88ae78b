"""Versioned assets, as data, codes and environments are: containers, versions, labels and archive flags."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.offline.arm.wire import Refused, Request, resource
from helpers.offline.engine import assets
from helpers.offline.engine.assets import Asset, text_versions
from helpers.offline.engine.assets.text_versions import version_of
from helpers.offline.engine.workspace.errors import NotFound
from helpers.offline.engine.workspace.names import ASSET, ASSET_RULE

VIEWS = {"ActiveOnly": (False,), "ArchivedOnly": (True,), "All": (False, True)}  # is what they show archived?
PLURALS = {"code": "codes", "component": "components", "data": "data", "environment": "environments"}
FREE = {"tags", "description", "isArchived", "properties", "stage", "autoDeleteSetting"}  # may change later
IMMUTABLE = "Asset paths cannot be updated."


def put_version(request: Request, kind: str, body: dict, content: Callable[[dict], object], immutable: str) -> Asset:
    """Keep a version, or what may change of one that is there: its tags, description, properties and archive flag.

    Raises Refused, which says `immutable`, where the `content` of the body is not that of the one that is kept.
    """
    name, version = request.names["name"], request.names["version"]
    check_names(name, version)

    def choose(there: Asset | None) -> dict | Asset:
        if there is None:
            return body
        if content(there.body) != content(body):
            raise Refused(immutable, 409, "UserError")
        return there

    asset = assets.add_if(request.folder, kept_as(kind), text_versions.key(name, version), choose)
    if asset.body != body:
        asset = assets.update(request.folder, asset.kind, asset.name, asset.version, lambda kept: kept | body)
    return asset


def check_names(name: str, version: str) -> None:
    """Raises Refused."""
    for word in (name, version):
        if not re.fullmatch(ASSET, word):
            raise Refused(f"{word!r} is no name or version for this: {ASSET_RULE}.")


def get_version(request: Request, kind: str, name: str, version: str) -> Asset:
    """Raises Refused where it is not there."""
    try:
        return assets.get(request.folder, kept_as(kind), text_versions.key(name, version))
    except NotFound:
        there = [version_of(asset) for asset in all_versions(request, kind, name)]
        known = f"It has the versions {', '.join(there)}." if there else "There is none of that name."
        raise Refused(f"The workspace has no {kind} {name!r} version {version!r}. {known}", 404) from None


def list_versions(request: Request, kind: str) -> Iterator[Asset]:
    """The versions that a list asks for, the last made first."""
    name = request.names["name"]
    container_archived = bool(kept_of_container(request, kind, name).get("isArchived"))
    found = sorted(all_versions(request, kind, name), key=lambda asset: asset.created, reverse=True)
    listed = [a for a in found if is_listed(request, container_archived or bool(a.body.get("isArchived")))]
    return iter(listed[: int(request.query.get("$top") or len(listed))])


def container(request: Request, kind: str) -> dict:
    """The resource of the container: what all versions of a name have in common. Raises Refused."""
    return _container_of(request, kind, request.names["name"])


def latest_version(request: Request, kind: str, name: str) -> str:
    """Raises Refused for a name that is not there."""
    return _container_of(request, kind, name)["properties"]["latestVersion"]


def put_container(request: Request, kind: str) -> dict:
    """Set the archive flag, tags and description of a name that is there. Raises Refused."""
    container(request, kind)
    keep_container(request, kind)
    return container(request, kind)


def keep_container(request: Request, kind: str) -> None:
    kept = {key: value for key, value in request.properties.items() if key in FREE}
    asset = assets.add_if(
        request.folder, kept_as(f"{kind} container"), request.names["name"], lambda there: there or kept
    )
    assets.update(request.folder, asset.kind, asset.name, asset.version, lambda there: there | kept)


def kept_of_container(request: Request, kind: str, name: str) -> dict:
    """What was set of the container of a name: archive flag, tags and description."""
    try:
        return assets.get(request.folder, kept_as(f"{kind} container"), name).body
    except NotFound:
        return {}


def list_containers(request: Request, kind: str) -> Iterator[dict]:
    """The resource of each container that a list asks for; what jobs made by themselves is not listed."""
    names: dict[str, list[Asset]] = {}
    for asset in assets.list_latest(request.folder, kept_as(kind)):
        names.setdefault(asset.name.partition("/")[0], []).append(asset)
    for name, versions in sorted(names.items()):
        described = _container(request, kind, name, versions)
        is_anonymous = all(asset.body.get("isAnonymous") for asset in versions)
        if not is_anonymous and is_listed(request, described["properties"]["isArchived"]):
            yield described


def is_listed(request: Request, archived: bool) -> bool:
    """Whether a list, whose view is one of VIEWS, shows what is archived, or is not."""
    return archived in VIEWS[request.query.get("listViewType") or "ActiveOnly"]


def check_view(request: Request) -> None:
    """Raises Refused for a view that no list has."""
    view = request.query.get("listViewType") or "ActiveOnly"
    if view not in VIEWS:
        raise Refused(f"listViewType is {view!r}; give one of {', '.join(VIEWS)}.")


def described(request: Request, kind: str, asset: Asset, properties: dict) -> dict:
    """The resource of a version."""
    name, _, version = asset.name.partition("/")
    path = f"{PLURALS[kind]}/{name}/versions/{version}"
    return resource(request.scope, path, properties, created=asset.created, modified=asset.modified)


def _container_of(request: Request, kind: str, name: str) -> dict:
    versions = all_versions(request, kind, name)
    if not versions:
        raise Refused(f"The workspace has no {kind} {name!r}.", 404)
    return _container(request, kind, name, versions)


def _container(request: Request, kind: str, name: str, versions: list[Asset]) -> dict:
    by_time = sorted(versions, key=lambda asset: asset.created)
    active = [asset for asset in by_time if not asset.body.get("isArchived")] or by_time
    kept = kept_of_container(request, kind, name)
    properties = {
        "isArchived": bool(kept.get("isArchived")),
        "latestVersion": version_of(active[-1]),
        "nextVersion": text_versions.next_version(map(version_of, versions)),
        "tags": kept.get("tags") or {},
        "properties": kept.get("properties") or {},
        "description": kept.get("description"),
    }
    modified = max(asset.modified for asset in versions)
    path = f"{PLURALS[kind]}/{name}"
    return resource(request.scope, path, properties, created=by_time[0].created, modified=modified)


def all_of(folder: Path, kind: str) -> list[Asset]:
    """The versions of all names."""
    return assets.list_latest(folder, kept_as(kind))


def all_versions(request: Request, kind: str, name: str) -> list[Asset]:
    """The versions of a name, archived ones, too."""
    return text_versions.list_all(request.folder, kept_as(kind), name)


def kept_as(kind: str) -> str:
    """What the assets of a kind are kept as: SDK v1 has some of the same name and another form."""
    return f"v2 {kind}"

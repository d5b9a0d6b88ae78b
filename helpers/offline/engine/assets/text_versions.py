"""Assets whose versions are texts, as SDK v2 has them: each version is an asset of its own, called name/version."""

from collections.abc import Iterable
from pathlib import Path

from helpers.offline.engine.assets import store
from helpers.offline.engine.workspace.errors import AlreadyExists


def key(name: str, version: str) -> str:
    return f"{name}/{version}"


def version_of(asset: store.Asset) -> str:
    return asset.name.partition("/")[2]


def list_all(folder: Path, kind: str, name: str) -> list[store.Asset]:
    """All versions of a name."""
    return store.list_latest(folder, kind, key(name, ""))


def next_version(versions: Iterable[str]) -> str:
    return str(max((int(version) for version in versions if version.isdigit()), default=0) + 1)


def add(folder: Path, kind: str, name: str, body: dict, version: str | None = None) -> store.Asset:
    """Keep a new version, the next one by default. Raises AlreadyExists for one that is there."""

    def choose(there: store.Asset | None) -> dict:
        if there is not None:
            raise AlreadyExists(f"The version {chosen} of {name!r} exists already.")
        return body

    while True:
        chosen = version or next_version(map(version_of, list_all(folder, kind, name)))
        try:
            return store.add_if(folder, kind, key(name, chosen), choose)
        except AlreadyExists:  # two at once had the same next one
            if version:
                raise

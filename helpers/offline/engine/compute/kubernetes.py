"""Kubernetes clusters of the workspace, which services are deployed to: their settings alone.

Offline a service is a process of this machine, whichever cluster it is deployed to.
"""

from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.compute import clusters, vm_sizes
from helpers.offline.engine.workspace.errors import NotFound

KIND = clusters.KUBERNETES


def add(folder: Path, name: str, settings: dict) -> dict:
    """A new cluster, made or attached. Raises AlreadyExists, and InvalidName and Invalid for what the service refuses.

    `settings` may have a vm_size; the rest is kept.
    """
    clusters.check_name(name)
    if settings.get("vm_size"):
        settings = {**settings, "vm_size": vm_sizes.find(settings["vm_size"]).name}
    clusters.add(folder, KIND, name, settings)
    return get(folder, name)


def get(folder: Path, name: str) -> dict:
    """The cluster's settings, with its name, id, created and modified. Raises NotFound."""
    return clusters.settings_of(assets.get(folder, KIND, name))


def list_all(folder: Path) -> list[dict]:
    return [clusters.settings_of(asset) for asset in assets.list_latest(folder, KIND)]


def has(folder: Path, name: str) -> bool:
    try:
        get(folder, name)
    except NotFound:
        return False
    return True


def remove(folder: Path, name: str) -> None:
    """Raises NotFound."""
    assets.remove(folder, KIND, name)

"""Microsoft's own environments, by the names that jobs give them; the engine knows what they hold."""

import re

import yaml

from helpers.offline.arm.wire import Request, Unsupported, resource
from helpers.offline.engine.environments import curated

LATEST = "1"  # offline all versions of one are the same


def name_in(id: str) -> str | None:
    """The name of the curated environment that an id stands for; None for one of the workspace's own."""
    found = re.match(r"azureml://registries/azureml/environments/([^/]+)/(?:versions|labels)/[^/]+$", id)
    found = found or re.match(rf"(?:azureml:|.*/environments/)?({curated.PREFIX}[^:@/]+)", id)
    return found and found[1]


def for_job(name: str) -> dict:
    """The engine's environment of a curated one. Raises Unsupported for one of which nothing is known."""
    known = curated.definition(name)
    if known is None:
        raise Unsupported(
            f"The curated environment {name!r}",
            f"{', '.join(curated.NAMES)} are, and an image with a conda_file of your own",
        )
    return known


def is_one(name: str) -> bool:
    return name in curated.NAMES


def version(request: Request, name: str, number: str) -> dict:
    """The resource of a version, whichever is asked for."""
    known = curated.definition(name)
    content = {"image": known["docker"]["baseImage"], "condaFile": yaml.safe_dump(known["python"]["condaDependencies"])}
    properties = {"environmentType": "Curated", "osType": "Linux", "isArchived": False, **content}
    return resource(request.scope, f"environments/{name}/versions/{number}", properties)


def container(request: Request, name: str) -> dict:
    properties = {"isArchived": False, "latestVersion": LATEST, "nextVersion": LATEST, "tags": {}, "properties": {}}
    return resource(request.scope, f"environments/{name}", properties)

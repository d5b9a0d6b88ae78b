"""Registered environments. A definition that is registered already is not registered again under its name."""

import hashlib
import json
from datetime import UTC, datetime

from .names import of
from .server import Refused, route

ENVIRONMENT = of("environment")


def _register(world, definition: dict, version: str | None) -> dict:
    name = definition["name"]
    known = world.environments.setdefault(name, [])
    content = {key: value for key, value in definition.items() if key != "version"}
    for one in known:
        if {key: value for key, value in one.items() if key != "version"} == content:
            return one
    known.append(content | {"version": version or str(1 + sum(one["version"].isdigit() for one in known))})
    return known[-1]


def of_submitted(world, definition: dict) -> dict:
    """The environment of a run or web service that is submitted, as the service registers it if it is not yet."""
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:8]
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _register(world, definition, f"Autosave_{moment}_{digest}")


@route("PUT", ENVIRONMENT + "/environments/{name}")
def register(request, name):
    given = {key[0].lower() + key[1:]: value for key, value in request.json.items()}
    return _register(request.world, given | {"name": name}, None)


@route("PUT", ENVIRONMENT + "/environments/{name}/versions/{version}")
def register_version(request, name, version):
    given = {key[0].lower() + key[1:]: value for key, value in request.json.items()}
    return _register(request.world, given | {"name": name}, version)


@route("GET", ENVIRONMENT + "/environments/{name}")
def get(request, name):
    return _find(request.world, name)[-1]


@route("GET", ENVIRONMENT + "/environments/{name}/versions/{version}")
def get_version(request, name, version):
    for one in _find(request.world, name):
        if one["version"] == version:
            return one
    raise _missing(f"{name}. Version: {version}")


@route("GET", ENVIRONMENT + "/environments/")
def list_all(request):
    return {"value": [known[-1] for known in request.world.environments.values()]}


def _find(world, name: str) -> list[dict]:
    if name not in world.environments:
        raise _missing(name)
    return world.environments[name]


def _missing(which: str) -> Refused:
    return Refused(404, "UserError", f"No environment exists for name: {which}")

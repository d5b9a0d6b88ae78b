"""Artifacts: the files of runs and of models, which lie in the workspace's storage."""

from .history import now
from .names import of
from .server import Refused, route

ARTIFACTS = of("artifact", "v2.0") + "/artifacts"


def _about(origin: str, container: str, path: str) -> dict:
    return {
        "artifactId": f"{origin}/{container}/{path}",
        "origin": origin,
        "container": container,
        "path": path,
        "etag": '"1"',
        "createdTime": now(),
        "dataPath": {"dataStoreName": "workspaceartifactstore", "relativePath": f"{origin}/{container}/{path}"},
    }


def _content(world, origin: str, container: str, path: str) -> dict:
    address = world.address(f"{container}/{path}", origin)
    return {"contentUri": address, "origin": origin, "container": container, "path": path}


@route("POST", ARTIFACTS + "/batch/metadata/{origin}/{container}")
def create(request, origin, container):
    """Where to put the files of these names. A name is taken once."""
    about, contents, errors = {}, {}, {}
    for given in request.json["paths"]:
        path = given["path"]
        if request.world.artifact_file(container, path, origin).exists():
            message = f"Resource Conflict: ArtifactId {origin}/{container}/{path} already exists."
            errors[path] = {"error": {"code": "UserError", "message": message}}
            continue
        about[path] = _about(origin, container, path)
        contents[path] = _content(request.world, origin, container, path)
    return {"artifacts": about, "artifactContentInformation": contents, "errors": errors}


@route("GET", ARTIFACTS + "/contentinfo/{origin}/{container}/{path*}")
def content_of_one(request, origin, container, path):
    if not request.world.artifact_file(container, path, origin).is_file():
        raise Refused(404, "UserError", f"Artifact {origin}/{container}/{path} was not found.")
    return _content(request.world, origin, container, path)


@route("GET", ARTIFACTS + "/prefix/contentinfo/{origin}/{container}/{path*}")
def contents_below(request, origin, container, path):
    """The files whose names begin so."""
    names = request.world.artifacts_of(container, origin)
    return {"value": [_content(request.world, origin, container, name) for name in names if name.startswith(path)]}


@route("GET", ARTIFACTS + "/{origin}/{container}")
def of_container(request, origin, container):
    names = request.world.artifacts_of(container, origin)
    return {"value": [_about(origin, container, name) for name in names]}

"""Where the files lie that blobs and azureml:// addresses stand for."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.offline.arm.wire import BLOB_HOST, Refused, short_uri
from helpers.offline.engine.assets import data, models, web
from helpers.offline.engine.history import artifacts, job_states, run_files
from helpers.offline.engine.workspace.errors import NotFound
from helpers.offline.engine.workspace.files import files_below
from helpers.offline.engine.workspace.names import safe_join

CONTAINERS = {data.BLOBSTORE: "azureml-blobstore", data.ARTIFACTSTORE: "azureml"}
WEB = ("http", "https", "wasb", "wasbs", "abfs", "abfss", "adl")  # what data may be elsewhere, on Azure
UPLOADS = "uploads"  # the part of the workspace's folder for containers that are no datastore's

_OF_MODEL = r"models/([^/]+)/(\d+)(?:/(.*))?"


def root_of(folder: Path, container: str) -> Path:
    """The folder of a container, which may not be there yet. Raises Invalid."""
    if container == CONTAINERS[data.BLOBSTORE]:
        return data.datastore_root(folder, data.BLOBSTORE)
    return safe_join(folder / UPLOADS, container)


def blob(folder: Path, container: str, name: str) -> Path:
    """The file of a blob. Raises NotFound and Invalid."""
    if container == CONTAINERS[data.ARTIFACTSTORE]:
        if (of_run := artifacts.at_address(name)) and not name.endswith("/"):
            return run_files.path_of(folder, *of_run)
        found = re.fullmatch(_OF_MODEL, name)
        file = found and models.get(folder, found[1], int(found[2])).where(found[3] or "")
    else:
        file = safe_join(root_of(folder, container), name)
    if not file or not file.is_file() or name.endswith("/"):
        raise NotFound(f"There is no file {name!r} in the container {container!r}.")
    return file


def new_blob(folder: Path, container: str, name: str) -> Path:
    """Where a blob may be written. Raises Refused and Invalid."""
    if container == CONTAINERS[data.ARTIFACTSTORE]:
        raise Refused(
            f"The datastore {data.ARTIFACTSTORE!r} keeps the files of runs; upload to {data.BLOBSTORE!r}.", 403
        )
    return safe_join(root_of(folder, container), name)


def blobs(folder: Path, container: str, prefix: str) -> Iterator[str]:
    """The names of the container's blobs that begin with `prefix`, in order."""
    if container != CONTAINERS[data.ARTIFACTSTORE]:
        above = prefix.rpartition("/")[0]
        root = root_of(folder, container)
        below = files_below(safe_join(root, above) if above else root)
        names = (f"{above}/{name}" if above else name for name in below)
    elif of_run := artifacts.at_address(prefix):
        names = _names(artifacts.address(of_run[0]), lambda: run_files.files_of(folder, of_run[0]))
    elif found := re.fullmatch(_OF_MODEL, prefix):
        names = _names(f"models/{found[1]}/{found[2]}", lambda: models.get(folder, found[1], int(found[2])).files)
    else:
        names = ()
    return (name for name in names if name.startswith(prefix))


def source_of(folder: Path, uri: str) -> dict:
    """What an address stands for, as the engine's datasets have it.

    Raises Refused for what is no address, NotFound for an output that its job does not have.
    """
    uri = short_uri(uri)
    if found := re.fullmatch(r"azureml://datastores/([^/]+)/(?:paths/)?(.*)", uri):
        return _stored(found[1], found[2])
    if found := re.fullmatch(r"(?:azureml://jobs/([^/]+)/outputs/artifacts/(?:paths/)?|runs:/([^/]+)/)(.*)", uri):
        return _stored(data.ARTIFACTSTORE, artifacts.address(found[1] or found[2], found[3]))
    if found := re.fullmatch(r"azureml://jobs/([^/]+)/outputs/([^/]+)/?(?:paths/)?(.*)", uri):
        output = output_of(folder, found[1], found[2])
        return _stored(output["datastore"], f"{output['path'].rstrip('/')}/{found[3]}")
    uri = web.as_https(uri)
    parts = urlsplit(uri)
    if parts.hostname == BLOB_HOST:
        container, _, path = unquote(parts.path).lstrip("/").partition("/")
        for datastore, name in CONTAINERS.items():
            if name == container:
                return _stored(datastore, path)
    if parts.scheme in WEB:
        return {"url": uri}
    raise Refused(f"{uri!r} is no address of data: give azureml://datastores/…, azureml://jobs/… or https://….")


def _stored(datastore: str, path: str) -> dict:
    return {"datastore": datastore, "path": path, "as_is": True}


def output_of(folder: Path, job: str, name: str) -> dict:
    """A named output of a job, as commands has it. Raises NotFound."""
    for output in job_states.submitted(folder, job).get("outputs") or []:
        if output["name"] == name:
            return output
    raise NotFound(f"The job {job!r} has no output {name!r}.")


def _names(above: str, list_files) -> list[str]:
    try:
        return [f"{above}/{name}" for name in list_files()]
    except NotFound:
        return []

"""From the management plane's description of a command job to the engine's job. What cannot run is refused here."""

import re
from pathlib import Path

import isodate

from helpers.offline.arm import codes, data_assets, environments, locations, model_assets
from helpers.offline.arm.wire import Refused, Request, Unsupported, long_uri, names_in
from helpers.offline.engine import jobs
from helpers.offline.engine.assets import data, details, models
from helpers.offline.engine.compute import clusters, vm_sizes
from helpers.offline.engine.history import snapshot
from helpers.offline.engine.workspace.errors import NotFound

JOB_SIDE = Path(__file__).with_name("job_side")
DOWNLOADED = ("Download", "EvalDownload")
OUTPUT_MODES = ("ReadWriteMount", "Upload", None)
KINDS = {"uri_file": "file", "uri_folder": "folder", "custom_model": "folder", "mlflow_model": "folder"}
DISTRIBUTIONS = ("PyTorch", "Mpi", "TensorFlow")
NOT_OFFERED = {
    "services": "An interactive service of a job",
    "notificationSetting": "A notification of a job",
    "autologgerSettings": "The setting of autologging",
    "componentId": "A component",
}
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)  # what a command has only where its inputs are given
PATH_OR_VALUE = re.compile(r"\$\{\{\s*((?:inputs|outputs)\.[\w.]+)\s*\}\}")
LOCAL = "IsLocal"  # among the resources' properties, for compute="local"
# Where an output lands if no other place is asked for, in the service's own expressions.
OUTPUT = "azureml://datastores/${{default_datastore}}/paths/azureml/${{name}}/${{output_name}}"


def submit(request: Request, name: str, asked: dict, given: dict) -> None:
    """Start a command job under this name; `given` are further words for jobs.submit. Raises what job_of raises."""
    jobs.submit(request.folder, job=job_of(request, name, asked), run_id=name, **given)


def job_of(request: Request, name: str, asked: dict, datastore: str | None = None) -> dict:
    """The engine's job. Raises Refused, and NotFound for data that is not there.

    `datastore` is the default one for its outputs, where that is not the workspace's.
    """
    for key, what in NOT_OFFERED.items():
        if asked.get(key):
            raise Unsupported(what, "leave it out")
    if not re.search(r"\w", asked.get("command") or ""):
        raise Refused("The command of a job is empty: give one, such as 'python train.py'.")
    resources = asked.get("resources") or {}
    given = asked.get("inputs") or {}
    literals = {key: value.get("value") for key, value in given.items() if value["jobInputType"] == "literal"}
    inputs = [_input(request, key, value) for key, value in given.items() if key not in literals]
    outputs = outputs_of(request, name, asked.get("outputs"), datastore)
    return {
        "asked": asked,
        "python_path": [str(JOB_SIDE)],
        "python_imports": ["_offline_client"],
        "shell": _line(asked["command"], literals, inputs, outputs),
        "snapshot_id": _snapshot(request, asked.get("codeId")),
        "source_directory": None,
        "script": None,
        "arguments": [],
        "target": _target(request, asked, resources),
        "environment": environments.for_job(request, asked.get("environmentId") or ""),
        "environment_variables": asked.get("environmentVariables") or {},
        "parameters": {key: "" if value is None else str(value) for key, value in literals.items()},
        "inputs": inputs,
        "outputs": outputs,
        "max_run_duration_seconds": _seconds((asked.get("limits") or {}).get("timeout")),
        "distribution": _distribution(asked.get("distribution"), _nodes(resources)),
    }


def outputs_of(request: Request, name: str, asked: dict | None, datastore: str | None = None) -> list[dict]:
    """The outputs of the job of this name. Raises Refused."""
    known = {"name": name, "default_datastore": datastore or details.get(request.folder).body["default_datastore"]}
    return [_output(request, known, key, value) for key, value in (asked or {}).items() if key != "default"]


def _line(command: str, literals: dict, inputs: list[dict], outputs: list[dict]) -> str:
    """The command with its literals, and with the engine's names for the paths that only the node knows."""
    paths = {f"inputs.{one['name']}": f"${{input:{one['name']}}}" for one in inputs}
    paths |= {f"outputs.{one['name']}": f"${{output:{one['name']}}}" for one in outputs}
    values = paths | {f"inputs.{key}": "" if value is None else str(value) for key, value in literals.items()}

    def kept(found: re.Match) -> str:
        wanted = PATH_OR_VALUE.findall(found[1])
        return found[1] if all(one in values for one in wanted if one.startswith("inputs.")) else ""

    def filled(found: re.Match) -> str:
        if found[1] not in values:
            raise Refused(
                f"The command names ${{{{{found[1]}}}}}, and the job has: {', '.join(sorted(values)) or 'none'}."
            )
        return values[found[1]]

    return PATH_OR_VALUE.sub(filled, OPTIONAL.sub(kept, command))


def _snapshot(request: Request, code_id: str | None) -> str:
    """The snapshot of the job's code: an empty one where the job is a command alone."""
    if code_id:
        return codes.snapshot_of(request, names_in(code_id))
    return snapshot.take_empty(request.folder)


def _target(request: Request, asked: dict, resources: dict) -> str:
    """The cluster's name, "local" or "serverless". Raises Refused, and Invalid for a VM size that there is not."""
    if LOCAL in (resources.get("properties") or {}):
        return clusters.LOCAL
    name = (asked.get("computeId") or "").rpartition("/")[2] or clusters.SERVERLESS
    if name == clusters.SERVERLESS:
        if resources.get("instanceType"):
            vm_sizes.find(resources["instanceType"])
        return name
    try:
        clusters.get(request.folder, name)
    except NotFound as error:
        raise Refused(f"Unknown compute target '{name}'. {error}") from None
    return name


def _nodes(resources: dict) -> int:
    """How many nodes are asked for. Raises Refused, also for what else of the resources the service does not take."""
    shared = resources.get("shmSize")
    if shared and not re.fullmatch(r"[1-9]\d*[bkmgBKMG]", shared):
        raise Refused(f"shm_size is {shared!r}; give a number above 0 and its unit, b, k, m or g, such as '2g'.")
    nodes = resources.get("instanceCount")
    if nodes is not None and nodes < 1:
        raise Refused(f"instance_count is {nodes}; a job runs on one node at least.")
    return nodes or 1


def _distribution(asked: dict | None, nodes: int) -> dict | None:
    if not asked:
        if nodes > 1:
            raise Unsupported("A job on several nodes without a distribution", f"{', '.join(DISTRIBUTIONS)} are")
        return None
    kind = asked.get("distributionType")
    if kind not in DISTRIBUTIONS:
        raise Unsupported(f"The distribution {kind}", f"{', '.join(DISTRIBUTIONS)} are")
    if asked.get("parameterServerCount"):
        raise Unsupported("A distribution with parameter servers", "give workers alone")
    each = asked.get("processCountPerInstance") or 1
    processes = asked.get("workerCount") or nodes if kind == "TensorFlow" else nodes * each
    return {"kind": kind, "node_count": nodes, "process_count": processes}


def _seconds(duration: str | None) -> int | None:
    seconds = int(isodate.parse_duration(duration).total_seconds()) if duration else None
    if seconds is not None and seconds <= 0:
        raise Refused(f"The timeout of a job is a number of seconds above 0, not {seconds}.")
    return seconds


def _input(request: Request, name: str, given: dict) -> dict:
    """The engine's input for data, a file or a model. Raises Refused, and NotFound where there is nothing."""
    kind = given["jobInputType"]
    if kind not in KINDS:
        raise Unsupported(f"An input of the type {kind}", f"{', '.join(KINDS)} are")
    uri = given.get("uri") or ""
    mode = "direct" if given.get("mode") == "Direct" else "download" if given.get("mode") in DOWNLOADED else "mount"
    source = _source(request, uri)
    shape = KINDS[kind]
    if "model" in source and models.get(request.folder, source["model"], source["version"]).is_file:
        shape = "file"
    of_step = bool(given.get("ofStep"))  # another step of a pipeline writes it
    if not of_step and not data.resolve(request.folder, [source]):
        raise Refused(f"The input {name!r} has no files: {uri}")
    return {
        "name": name,
        "mode": mode,
        "as_is": shape,
        "path_on_compute": None,
        "dataset_id": _address(request, uri),
        "sources": [source],
        "of_step": of_step,
    }


def _address(request: Request, uri: str) -> str:
    """Where an input lies, which is what a script gets of one whose mode is direct. Raises Refused and NotFound."""
    if "://" in uri:
        return uri
    words = names_in(uri)
    if words[0] != "models":
        return long_uri(request.scope, data_assets.uri_of(request, words))
    source = model_assets.source_of(words)
    model = models.get(request.folder, source["model"], source["version"])
    return long_uri(request.scope, model_assets.address_of(model))


def _source(request: Request, uri: str) -> dict:
    if "://" in uri:
        return locations.source_of(request.folder, uri)
    words = names_in(uri)
    if words[0] == "models":
        return model_assets.source_of(words)
    return locations.source_of(request.folder, data_assets.uri_of(request, words))


def _output(request: Request, known: dict, name: str, given: dict) -> dict:
    """Where a named output lands; `known` is what expressions stand for in its address. Raises Refused."""
    kind = given.get("jobOutputType")
    if kind not in KINDS:
        raise Unsupported(f"An output of the type {kind}", f"{', '.join(KINDS)} are")
    if given.get("mode") not in OUTPUT_MODES:
        raise Unsupported(f"The mode {given['mode']} of the output {name!r}", "rw_mount and upload are")
    uri = _evaluated(given.get("uri") or OUTPUT, {**known, "output_name": name})
    source = locations.source_of(request.folder, uri)
    if source.get("datastore") in (None, data.ARTIFACTSTORE):
        raise Refused(f"The output {name!r} cannot go to {uri}; give azureml://datastores/{data.BLOBSTORE}/paths/….")
    end = "/" if KINDS[kind] == "folder" else ""
    output = {
        "name": name,
        "kind": KINDS[kind],
        "datastore": source["datastore"],
        "path": source["path"].rstrip("/") + end,
    }
    if not given.get("assetName"):
        return output
    room = model_assets if kind in model_assets.TYPES else data_assets
    return output | {"asset": room.to_register(request, given["assetName"], given.get("assetVersion"), kind, output)}


def _evaluated(uri: str, values: dict[str, str]) -> str:
    """The address with the values of its expressions. Raises Refused for one that there is not.

    https://learn.microsoft.com/azure/machine-learning/concept-expressions#server-expressions
    """

    def value(found: re.Match) -> str:
        if found[1] not in values:
            known = ", ".join(f"${{{{{name}}}}}" for name in sorted(values))
            raise Refused(f"The path {uri!r} of an output names {found[0]}, and there are: {known}.")
        return values[found[1]]

    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", value, uri)

"""What a job makes besides its run's files: named outputs, folders and files of a datastore."""

import fnmatch
import shutil
from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.assets import data, models, text_versions
from helpers.offline.engine.history import job_states
from helpers.offline.engine.workspace.errors import AlreadyExists, EngineError, FolderError
from helpers.offline.engine.workspace.files import copy_whole, files_below, move_whole
from helpers.offline.engine.workspace.names import relative_name, safe_join

FOLDER = "made"  # of a job, for what is uploaded at its end
DATASET = "dataset"  # as which outputs are registered
MODEL = "model"  # what an output's "asset" may be, besides a kind of those of text_versions


def place(folder: Path, run_id: str, job: dict) -> dict[str, str]:
    """Where the job writes each of its outputs: in the datastore itself, so that a killed job loses nothing.

    One with a mechanism "upload", or a place of its own on the compute, is written in the job's folder.
    """
    placed = {}
    for given in job.get("outputs") or []:
        target = _local(folder, run_id, given) or in_datastore(folder, given)
        (target if given["kind"] == "folder" else target.parent).mkdir(parents=True, exist_ok=True)
        placed[given["name"]] = str(target)
    return placed


def check(folder: Path, given: dict) -> None:
    """Raise NotFound or Invalid for an output that has no place."""
    in_datastore(folder, given)
    _place_in_folder(given)


def in_datastore(folder: Path, given: dict) -> Path:
    """The path of an output in its datastore. Raises NotFound, and Invalid for one that leads out of it."""
    return safe_join(data.datastore_root(folder, given["datastore"]), given["path"])


def variables(job: dict, placed: dict[str, str]) -> dict[str, str]:
    """By which a script knows those outputs that say by which mechanism they come to the datastore."""
    known = {given["name"]: placed[given["name"]] for given in job.get("outputs") or [] if "mechanism" in given}
    return {"AZUREML_DATASET_FILE_OUTPUTS": ";".join(known), **known} if known else {}


def keep(folder: Path, run_id: str, completed: bool) -> list[str]:
    """Bring to the datastores what is not there yet, and register what has completed; a sentence for each problem."""
    problems = []
    for given in job_states.submitted(folder, run_id).get("outputs") or []:
        try:
            if completed or given.get("mechanism") == "mount":
                _upload(folder, run_id, given)
            if completed and given.get("register"):
                _register(folder, given)
            if completed and given.get("asset"):
                _register_version(folder, run_id, given)
        except FolderError:
            raise
        except (OSError, EngineError) as error:
            problems.append(f"The output {given['name']}: {error}")
    left = job_states.run_folder(folder, run_id) / FOLDER
    return [*problems, f"They are in {left}."] if problems and left.exists() else problems


def copy(folder: Path, from_id: str, to_id: str) -> None:
    """Copy what a job has made to another job's outputs of the same names."""
    made = {given["name"]: in_datastore(folder, given) for given in job_states.submitted(folder, from_id)["outputs"]}
    for given in job_states.submitted(folder, to_id)["outputs"]:
        target = in_datastore(folder, given)
        target.parent.mkdir(parents=True, exist_ok=True)
        if made[given["name"]].is_dir():
            shutil.copytree(made[given["name"]], target, dirs_exist_ok=True)
        elif made[given["name"]].exists():
            copy_whole(made[given["name"]], target)


def sources(given: dict) -> list[dict]:
    """An output as the sources of a dataset."""
    return [{"datastore": given["datastore"], "path": given["path"]}]


def _local(folder: Path, run_id: str, given: dict) -> Path | None:
    wanted = given.get("path_on_compute")
    if given.get("mechanism") != "upload" and not wanted:
        return None
    return safe_join(job_states.run_folder(folder, run_id), f"{FOLDER}/{_place_in_folder(given)}")


def _place_in_folder(given: dict) -> str:
    return relative_name((given.get("path_on_compute") or given["name"]).lstrip("/"))


def _upload(folder: Path, run_id: str, given: dict) -> None:
    local = _local(folder, run_id, given)
    if local is None:
        return
    patterns = given["globs"] or ["*"]
    names = [
        name for name in files_below(local) if any(fnmatch.fnmatch((local / name).as_posix(), one) for one in patterns)
    ]
    target = in_datastore(folder, given)
    taken = [name for name in names if (target / name).exists()]
    if taken and not given["overwrite"]:
        raise AlreadyExists(f"{target.name}/{taken[0]} is in the datastore already; pass overwrite=True to replace it.")
    files = [(local / name, f"{given['path'].strip('/')}/{name}") for name in names]
    # They are moved: whoever has to go on with this sees what is left to do.
    data.upload(folder, files, given["datastore"], overwrite=given["overwrite"], put=move_whole)


def _register(folder: Path, given: dict) -> None:
    made = {"sources": sources(given), **({"table": given["table"]} if given["table"] else {})}
    wanted = given["register"]
    body = {**made, "description": wanted["description"], "tags": wanted["tags"]}

    def choose(latest):
        if latest and {key: latest.body[key] for key in ("sources", "table") if key in latest.body} == made:
            return latest
        return body

    assets.add_if(folder, DATASET, wanted["name"], choose)


def _register_version(folder: Path, run_id: str, given: dict) -> None:
    """Keep an output as a new version of what its "asset" names, once: a job's end may be recorded again."""
    asset, origin = given["asset"], {"output": f"{run_id}/{given['name']}"}
    name, version, body = asset["name"], asset["version"], asset["body"] | origin
    if asset["kind"] == MODEL:
        if all(model.extra.get("output") != body["output"] for model in models.list_all(folder, name)):
            path = in_datastore(folder, given)
            models.register(folder, name, path, stored_as=path.name, run_id=run_id, extra=body, version=version)
    elif all(one.body.get("output") != body["output"] for one in text_versions.list_all(folder, asset["kind"], name)):
        text_versions.add(folder, asset["kind"], name, body, version)

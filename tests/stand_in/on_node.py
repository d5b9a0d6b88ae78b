"""What Azure ML does on a node before and after a run's script: its data are put there, and its arguments filled in.

Datasets are handled by the SDK's own code for it, DatasetContextManager. Only a mount is a download here, for a mount
needs a privilege: the files are laid out as the SDK's mount lays them out, which is below the folder that they share.
"""

import contextlib
import json
import os
import runpy
import subprocess
import sys
import traceback
from pathlib import Path, PurePosixPath

ARGUMENT, OUTPUT = "DatasetConsumptionConfig:", "DatasetOutputConfig:"


def main() -> int:
    definition = json.load(sys.stdin)
    inputs, outputs = definition["data"], definition["outputData"]
    direct = {name: data for name, data in inputs.items() if data["mechanism"].lower() == "direct"}
    on_disk = {name: data for name, data in inputs.items() if name not in direct}
    for data in direct.values():
        os.environ[data["environmentVariableName"]] = data["dataLocation"]["dataset"]["id"]
    for name, data in on_disk.items():
        os.environ[data["environmentVariableName"]] = data["pathOnCompute"] or _place(name)
    for name, data in outputs.items():
        options = data["additionalOptions"]
        options["pathOnCompute"] = os.environ[name] = options.get("pathOnCompute") or _place(name)
        Path(options["pathOnCompute"]).mkdir(parents=True, exist_ok=True)
        data["outputLocation"] = {"dataPath": _destination(name, (data.get("outputLocation") or {}).get("dataPath"))}
    os.environ["AZUREML_DATASET_ENVIRONMENT_VARS"] = ",".join(
        f"{data['environmentVariableName']}:{data['mechanism']}" for data in inputs.values()
    )
    os.environ["AZUREML_DATASET_FILE_OUTPUTS"] = ";".join(outputs)
    if not on_disk and not outputs:
        return _script(definition)
    from azureml.data import context_managers

    context_managers.DatasetContextManager._mount_readonly = _downloaded
    context_managers._upload_to_datastore = _uploaded
    with Path(os.devnull).open("w") as nowhere:  # what it says is of another log than the script's
        with contextlib.redirect_stdout(nowhere):
            data = context_managers.DatasetContextManager(
                {name: _capital(data) for name, data in (on_disk | outputs).items()}
            )
            data.__enter__()
        code = _script(definition)
        if code == 0:  # of a run that fails nothing is uploaded
            with contextlib.redirect_stdout(nowhere):
                data.__exit__(None, None, None)
    return code


def _destination(name: str, path: dict | None) -> dict:
    """Where an output goes: by default below dataset/, as OutputFileDatasetConfig's documentation says."""
    path = path or {"datastoreName": "workspaceblobstore", "relativePath": "dataset/{run-id}/{output-name}"}
    relative = path["relativePath"].replace("{run-id}", os.environ["AZUREML_RUN_ID"]).replace("{output-name}", name)
    return path | {"relativePath": relative}


def _place(name: str) -> str:
    return str(Path(os.environ["STAND_IN_DATA"], name))


def _capital(value):
    """The definition's names as the service hands them on: each begins with a capital."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: inner if key == "tags" else _capital(inner) for key, inner in value.items()}
    return value


def _downloaded(self, name, dataset, target_path) -> bool:
    """In the place of DatasetContextManager._mount_readonly: whether the dataset is one file."""
    patterns = dataset._dataflow._to_yaml_string().split("pattern: ")[1:]
    names = [PurePosixPath(path) for path in dataset.to_path()]
    paths = dataset.download(target_path=f"{target_path}.download", overwrite=True)
    shared = PurePosixPath(os.path.commonpath([name.parent for name in names]) if len(patterns) > 1 else "/")
    for name, path in zip(sorted(names), sorted(paths), strict=True):
        place = Path(target_path, name.relative_to(shared))
        place.parent.mkdir(parents=True, exist_ok=True)
        Path(path).rename(place)
    address = PurePosixPath(patterns[0].split('"')[1])
    return len(patterns) == 1 and address.name == names[0].name and "*" not in str(address)


def _uploaded(source: str, address: str, globs, overwrite: bool, is_folder: bool) -> None:
    """In the place of the SDK's own, which leaves it to the service: an output's files are put into the datastore."""
    from azureml.core import Datastore, Run

    name, path = address.rpartition("/datastores/")[2].split("/paths/")
    datastore = Datastore.get(Run.get_context(allow_offline=False).experiment.workspace, name)
    datastore.upload(source, path, overwrite=overwrite, show_progress=False)


def _script(definition: dict) -> int:
    """Run the script to its end. What it logged last is sent then, as the service's own wrapper does."""
    command = definition.get("command")
    if command:
        text = " ".join(command) if isinstance(command, list) else command
        return subprocess.run(["/bin/sh", "-c", " ".join(map(_filled, text.split(" ")))], check=False).returncode
    sys.argv = [definition["script"], *(_filled(str(argument)) for argument in definition["arguments"])]
    sys.path[0] = str(Path(definition["script"]).parent.resolve())
    code = 0
    try:
        runpy.run_path(definition["script"], run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    if "azureml.core.run" in sys.modules:
        sys.modules["azureml.core.run"].Run.get_context(allow_offline=False).flush()
    return code


def _filled(argument: str) -> str:
    for sign in (ARGUMENT, OUTPUT):
        if argument.startswith(sign):
            return os.environ[argument.removeprefix(sign)]
    return argument


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the library that reads data would keep the process for seconds

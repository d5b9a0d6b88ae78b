"""Runs that are submitted, and the processes in which they run."""

import json
import shutil
import subprocess
import sys
import uuid
from functools import partial
from pathlib import Path

from . import computes, environments, snapshots
from .history import find_run, new_run, set_status
from .management import token
from .names import API, GROUP, SCOPE, SUBSCRIPTION, WORKSPACE, free_port, of
from .server import Refused, route

EXECUTION = of("execution")
NODE = Path(__file__).with_name("on_node.py")
KEPT = ("outputs", "logs")  # folders that the service carries into the run's files


@route("POST", EXECUTION + "/experiments/{experiment}/snapshotrun")
def submit_snapshot(request, experiment):
    given = request.json
    run_id = request.query.get("runId") or f"{experiment}_{uuid.uuid4()}"
    submit(request.world, experiment, run_id, given["Configuration"], given["SnapshotId"])
    return {"runId": run_id}


def submit(world, experiment: str, run_id: str, configuration: dict, snapshot_id: str, **given) -> dict:
    """Make a run of a definition, and start it. The run's environment is registered by that."""
    computes.find(world, configuration["target"])
    if not configuration.get("script") and not configuration.get("command"):
        raise Refused(400, "UserError", "Run definition has neither a script nor a command.")
    definition = configuration | {"environment": environments.of_submitted(world, configuration["environment"])}
    properties = {
        "_azureml.ComputeTargetType": "amlctrain",
        "ContentSnapshotId": snapshot_id,
        "azureml.runsource": "experiment",
    } | given.pop("properties", {})
    run = new_run(
        world,
        experiment,
        run_id,
        runType="azureml.scriptrun",
        target=configuration["target"],
        scriptName=configuration.get("script"),
        runDefinition=definition,
        inputDatasets=[_lineage(name, data) for name, data in definition["data"].items()],
        outputDatasets=[],
        properties=properties,
        **given,
    )
    set_status(run, "Preparing")
    folder = world.folder / "jobs" / run_id
    for name, path in snapshots.find(world, snapshot_id).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    world.in_background(partial(set_status, run, "Failed"), _supervise, run, folder)
    return run


def _lineage(name: str, data: dict) -> dict:
    location = data["dataLocation"]["dataset"]
    return {
        "identifier": {"savedId": location["id"], "registeredId": None, "registeredVersion": None},
        "consumptionType": "RunInput",
        "inputDetails": {"inputName": name, "mechanism": data["mechanism"], "pathOnCompute": data["pathOnCompute"]},
    }


def _supervise(world, run: dict, folder: Path) -> None:
    """Run the processes of a run, one for each node, to their end, and keep what they leave."""
    definition = run["runDefinition"]
    count = definition["nodeCount"] * max(1, _processes(definition))
    port = str(free_port())
    ranks = [_start(world, run, folder, rank, count, port) for rank in range(count)]
    world.processes[run["runId"]] = ranks
    if run["status"] == "CancelRequested":
        world.end_processes(run["runId"])
    set_status(run, "Running")
    codes = []
    for process in ranks:
        try:
            codes.append(process.wait(definition.get("maxRunDurationSeconds") or None))
        except subprocess.TimeoutExpired:
            world.end_processes(run["runId"])
            codes.append(process.wait())
    for name in KEPT:
        if (folder / name).is_dir():
            top = world.artifact_file(run["dataContainerId"], name)
            shutil.copytree(folder / name, top, dirs_exist_ok=True)
    if run["status"] == "CancelRequested":
        set_status(run, "Canceled")
    elif any(codes):
        message = f"User program failed with exit code {max(codes, key=abs)}"
        run["error"] = {"error": {"code": "UserError", "message": message}}
        set_status(run, "Failed")
    else:
        set_status(run, "Finalizing")
        set_status(run, "Completed")


def _processes(definition: dict) -> int:
    framework, communicator = definition["framework"], definition["communicator"]
    if framework == "PyTorch" and definition["pytorch"].get("processCount"):
        return definition["pytorch"]["processCount"] // definition["nodeCount"]
    return 1 if communicator == "None" else definition["mpi"].get("processCountPerNode", 1)


def _start(world, run: dict, folder: Path, rank: int, count: int, port: str) -> subprocess.Popen:
    name = "std_log.txt" if count == 1 else f"std_log_process_{rank}.txt"
    log = world.artifact_file(run["dataContainerId"], f"user_logs/{name}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, NODE],
            cwd=folder,
            env=_environment(world, run, folder, rank, count, port),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.stdin.write(json.dumps(run["runDefinition"]).encode())
    process.stdin.close()
    return process


def _environment(world, run: dict, folder: Path, rank: int, count: int, port: str) -> dict[str, str]:
    """What the service sets for a run's process, after what the run's own definition asks for."""
    definition = run["runDefinition"]
    experiment = world.experiment_of(run)
    asked = definition["environment"].get("environmentVariables", {}) | definition["environmentVariables"]
    service = {
        "AZUREML_RUN_ID": run["runId"],
        "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
        "AZUREML_ARM_RESOURCEGROUP": GROUP,
        "AZUREML_ARM_WORKSPACE_NAME": WORKSPACE,
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_EXPERIMENT_ID": run["experimentId"],
        "AZUREML_WORKSPACE_ID": "33333333-3333-3333-3333-333333333333",
        "AZUREML_WORKSPACE_SCOPE": SCOPE,
        "AZUREML_SERVICE_ENDPOINT": f"https://{API}",
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"https://{API}/discovery",
        "AZUREML_RUN_TOKEN": token(),
        "STAND_IN_DATA": str(folder.with_name(f"{run['runId']}-data")),
    }
    if count > 1:
        service |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
        service |= {"RANK": str(rank), "NODE_RANK": str(rank), "LOCAL_RANK": "0"}
    secret = ("AZURE_CLIENT_SECRET", "AZUREML_AUTH")
    return {name: value for name, value in world.environment.items() if name not in secret} | asked | service


@route("POST", EXECUTION + "/experiments/{experiment}/runId/{run_id}/cancel")
def cancel_run(request, experiment, run_id):
    run = find_run(request.world, run_id, experiment)
    set_status(run, "CancelRequested")
    request.world.end_processes(run_id)
    return {}

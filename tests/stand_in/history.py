"""Run history: experiments, runs, and what happens to them."""

import uuid
from datetime import UTC, datetime

from .filters import matches
from .names import TENANT, of
from .server import Refused, route

HISTORY = of("history")
FINAL = {"Completed", "Failed", "Canceled"}
_EVENTS = "Microsoft.MachineLearning.Run."
_OF_EVENTS = {
    "Start": "Running",
    "Queued": "Queued",
    "Completed": "Completed",
    "Failed": "Failed",
    "Canceled": "Canceled",
    "CancelRequested": "CancelRequested",
}


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def find_run(world, run_id: str, experiment: str | None = None) -> dict:
    run = world.runs.get(run_id)
    if run is None or experiment not in (None, world.experiment_of(run)):
        raise Refused(404, "UserError", f"Run with runId={run_id} was not found.")
    return run


def new_run(world, experiment: str, run_id: str, **given) -> dict:
    """A run that has not started yet."""
    experiment_id = world.experiments[experiment]["experimentId"]
    parent = world.runs.get(given.get("parentRunId"))
    number = 1 + sum(run["experimentId"] == experiment_id for run in world.runs.values())
    run = {
        "runNumber": number,
        "rootRunId": parent["rootRunId"] if parent else run_id,
        "experimentId": experiment_id,
        "createdUtc": now(),
        "runId": run_id,
        "parentRunId": None,
        "status": "NotStarted",
        "startTimeUtc": None,
        "endTimeUtc": None,
        "dataContainerId": f"dcid.{run_id}",
        "description": None,
        "hidden": False,
        "properties": {},
        "tags": {},
        "createdBy": {"userObjectId": "somebody", "userTenantId": TENANT, "userName": "somebody"},
        "error": None,
        "warnings": [],
    }
    world.runs[run_id] = run
    change(run, given)
    return run


def change(run: dict, given: dict) -> None:
    """Tags and properties are added to; what else is given takes the place of what was there."""
    for name, value in given.items():
        if name in ("tags", "properties"):
            run[name] = run[name] | (value or {})
        elif value is not None:
            run[name] = value


def set_status(run: dict, status: str) -> None:
    if run["status"] in FINAL and status not in FINAL:
        return
    run["status"] = status
    if status == "Running" and not run["startTimeUtc"]:
        run["startTimeUtc"] = now()
    if status in FINAL:
        run["endTimeUtc"] = now()


# Experiments


@route("POST", HISTORY + "/experiments/{name}")
def create_experiment(request, name):
    existing = request.world.experiments.get(name)
    if existing:
        return existing
    made = {"experimentId": str(uuid.uuid4()), "name": name, "description": None, "createdUtc": now()}
    request.world.experiments[name] = made | {"tags": {}, "archivedTime": None}
    return request.world.experiments[name]


@route("GET", HISTORY + "/experiments/{name}")
def get_experiment(request, name):
    if name not in request.world.experiments:
        raise Refused(404, "UserError", f"Experiment {name} was not found.")
    return request.world.experiments[name]


def _by_id(world, experiment_id: str) -> dict:
    for experiment in world.experiments.values():
        if experiment["experimentId"] == experiment_id:
            return experiment
    raise Refused(404, "UserError", f"Experiment {experiment_id} was not found.")


@route("GET", HISTORY + "/experimentids/{experiment_id}")
def get_experiment_by_id(request, experiment_id):
    return _by_id(request.world, experiment_id)


@route("PATCH", HISTORY + "/experimentids/{experiment_id}")
def change_experiment(request, experiment_id):
    experiment, given = _by_id(request.world, experiment_id), request.json
    archive = given.pop("archive", None)
    change(experiment, given)
    if archive is not None:
        experiment["archivedTime"] = now() if archive else None
    return experiment


@route("POST", HISTORY + "/experimentids/{experiment_id}/tags:delete")
def delete_experiment_tags(request, experiment_id):
    experiment = _by_id(request.world, experiment_id)
    for name in request.json.get("tags", []):
        experiment["tags"].pop(name, None)
    return {"errors": {}}


@route("POST", HISTORY + "/experiments:query")
def query_experiments(request):
    wanted = request.json.get("viewType") or "ActiveOnly"
    shown = {
        "ActiveOnly": lambda experiment: not experiment["archivedTime"],
        "ArchivedOnly": lambda experiment: bool(experiment["archivedTime"]),
        "All": lambda experiment: True,
    }[wanted]
    found = [experiment for experiment in request.world.experiments.values() if shown(experiment)]
    return {"value": [one for one in found if matches(request.json.get("filter"), one)]}


# Runs


@route("GET", HISTORY + "/experiments/{experiment}/runs/{run_id}")
def get_run(request, experiment, run_id):
    return find_run(request.world, run_id, experiment)


@route("GET", HISTORY + "/experimentids/{experiment_id}/runs/{run_id}")
def get_run_by_experiment_id(request, experiment_id, run_id):
    return find_run(request.world, run_id, _by_id(request.world, experiment_id)["name"])


@route("GET", HISTORY + "/runs/{run_id}")
def get_workspace_run(request, run_id):
    return find_run(request.world, run_id)


@route("PATCH", HISTORY + "/experiments/{experiment}/runs/{run_id}")
def change_run(request, experiment, run_id):
    given = request.json
    if run_id not in request.world.runs:
        return new_run(request.world, experiment, **given | {"run_id": given.pop("runId", run_id)})
    run = find_run(request.world, run_id, experiment)
    run["outputDatasets"] = (run.get("outputDatasets") or []) + (given.pop("outputDatasets", None) or [])
    change(run, given)
    return run


@route("PATCH", HISTORY + "/experimentids/{experiment_id}/runs/{run_id}")
def change_run_by_experiment_id(request, experiment_id, run_id):
    return change_run(request, _by_id(request.world, experiment_id)["name"], run_id)


@route("PATCH", HISTORY + "/experiments/{experiment}/batch/runs")
def change_runs(request, experiment):
    runs = {}
    for given in request.json["runs"]:
        run_id = given.pop("runId")
        runs[run_id] = new_run(request.world, experiment, run_id, **given)
    return {"runs": runs, "errors": {}}


@route("POST", HISTORY + "/experiments/{experiment}/runs:query")
def query_runs(request, experiment):
    experiment_id = get_experiment(request, experiment)["experimentId"]
    runs = [run for run in request.world.runs.values() if run["experimentId"] == experiment_id]
    return {"value": _latest_first([run for run in runs if matches(request.json.get("filter"), run)])}


@route("GET", HISTORY + "/experiments/{experiment}/runs/{run_id}/children")
def children(request, experiment, run_id):
    found = [run for run in request.world.runs.values() if run["parentRunId"] == run_id]
    return {"value": _latest_first([run for run in found if matches(request.query.get("$filter"), run)])}


def _latest_first(runs: list[dict]) -> list[dict]:
    return sorted(runs, key=lambda run: (run["startTimeUtc"] or run["createdUtc"], run["runNumber"]), reverse=True)


@route("GET", HISTORY + "/experiments/{experiment}/runs/{run_id}/details")
def details(request, experiment, run_id):
    run = find_run(request.world, run_id, experiment)
    names = ("runId", "target", "status", "startTimeUtc", "endTimeUtc", "error", "warnings", "properties")
    names += ("inputDatasets", "outputDatasets", "runDefinition")
    logs = {
        path: request.world.address(f"{run['dataContainerId']}/{path}")
        for path in request.world.artifacts_of(run["dataContainerId"])
        if path.startswith(("logs/", "user_logs/", "azureml-logs/"))
    }
    return {name: run.get(name) for name in names} | {"logFiles": logs, "services": {}}


@route("DELETE", HISTORY + "/experiments/{experiment}/runs/{run_id}/tags")
def delete_tags(request, experiment, run_id):
    run = find_run(request.world, run_id, experiment)
    for name in request.json:
        run["tags"].pop(name, None)
    return {"errors": {}}


# What happens to runs


@route("POST", HISTORY + "/experiments/{experiment}/runs/{run_id}/events")
def event(request, experiment, run_id):
    _happens(request.world, request.json)


@route("POST", HISTORY + "/experiments/{experiment}/batch/events")
def events(request, experiment):
    for one in request.json["events"]:
        _happens(request.world, one)
    return {"errors": []}


def _happens(world, event: dict) -> None:
    name, data = event["name"].removeprefix(_EVENTS), event["data"]
    run = find_run(world, data["RunId"])
    if name in _OF_EVENTS:
        set_status(run, _OF_EVENTS[name])
        if name == "CancelRequested":
            world.end_processes(run["runId"])
    elif name == "Error":
        run["error"] = data["ErrorResponse"]
    elif name == "Warning":
        run["warnings"].append({"source": data["Source"], "message": data["Message"]})
    elif name != "Heartbeat":
        raise Refused(400, "UserError", f"no such event: {event['name']}")

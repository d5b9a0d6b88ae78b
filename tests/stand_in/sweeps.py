"""Sweeps: a run whose children are trials, drawn at random or as a grid, a few at once.

How trials are drawn, and when the service ends one, is the service's own. Here the draw has a fixed seed, and no trial
is ended before its time.
"""

import itertools
import json
import math
import random
import time
import uuid
from functools import partial

from . import jobs
from .history import FINAL, change, find_run, new_run, set_status
from .names import API, of
from .server import Answer, route

HYPERDRIVE = of("hyperdrive")


@route("POST", HYPERDRIVE + "/experiments/{experiment}/runs")
def create(request, experiment):
    given = _config(request)
    run_id = f"HD_{uuid.uuid4()}"
    given["platform_config"] |= {"ParentRunId": run_id}
    given["name"] = experiment
    tags = {
        "generator_config": json.dumps(given["generator_config"]),
        "primary_metric_config": json.dumps(given["primary_metric_config"]),
        "policy_config": json.dumps(given["policy_config"]),
        "platform_config": json.dumps(given["platform_config"]),
        "max_total_jobs": str(given["max_total_jobs"]),
        "max_concurrent_jobs": str(given["max_concurrent_jobs"]),
        "max_duration_minutes": str(given["max_duration_minutes"]),
    }
    tags |= {f"_aml_system_{name}": value for name, value in tags.items()}
    properties = {"primary_metric_config": tags["primary_metric_config"], "platform": "AML"}
    for name in ("resume_from", "resume_child_runs"):
        if given.get(name):
            properties[name] = json.dumps(given[name])
    run = new_run(request.world, experiment, run_id, runType="hyperdrive", tags=tags, properties=properties)
    set_status(run, "Running")
    request.world.in_background(partial(set_status, run, "Failed"), _control, experiment, run, given)
    return Answer({"code": 0, "result": given}, 201)


def _config(request) -> dict:
    """The JSON in a form that is sent as a file."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    part = request.body.split(b"--" + boundary)[1]
    return json.loads(part.partition(b"\r\n\r\n")[2])


def _control(world, experiment: str, run: dict, given: dict) -> None:
    """Keep as many trials running as are wanted at once, until all are over or the sweep is canceled."""
    definition = given["platform_config"]["Definition"]
    waiting = list(enumerate(_trials(given["generator_config"], given["max_total_jobs"])))
    children = []
    while waiting or not all(child["status"] in FINAL for child in children):
        if run["status"] == "CancelRequested":
            waiting = []
            for child in children:
                set_status(child, "CancelRequested")
                world.end_processes(child["runId"])
        active = sum(child["status"] not in FINAL for child in children)
        while waiting and active < given["max_concurrent_jobs"]:
            children.append(_start(world, experiment, run, definition, *waiting.pop(0)))
            active += 1
        time.sleep(0.05)
    _note_best(world, run, children, given["primary_metric_config"])
    set_status(run, "Canceled" if run["status"] == "CancelRequested" else "Completed")


def _start(world, experiment: str, run: dict, definition: dict, number: int, values: dict) -> dict:
    run_id = f"{run['runId']}_{number}"
    configuration = json.loads(json.dumps(definition["Overrides"]))
    for name, value in values.items():
        configuration["arguments"] += [name if name.startswith("-") else f"--{name}", str(value)]
    hyperparameters = json.dumps(values)
    change(run, {"tags": {run_id: hyperparameters, f"_aml_system_{run_id}": hyperparameters}})
    return jobs.submit(
        world,
        experiment,
        run_id,
        configuration,
        definition["SnapshotId"],
        parentRunId=run["runId"],
        tags={"hyperparameters": hyperparameters, "_aml_system_hyperparameters": hyperparameters},
        properties={"azureml.runsource": "hyperdrive"},
    )


def _trials(generator: dict, count: int) -> list[dict]:
    space = generator["parameter_space"]
    if generator["name"].lower() == "grid":
        choices = [values[0] for kind, values in space.values()]
        return [dict(zip(space, values, strict=True)) for values in itertools.product(*choices)][:count]
    draw = random.Random(0)
    return [{name: _draw(draw, *expression) for name, expression in space.items()} for _ in range(count)]


def _draw(draw: random.Random, kind: str, values: list):
    match kind:
        case "choice":
            return draw.choice(values[0])
        case "uniform":
            return draw.uniform(*values)
        case "loguniform":
            return math.exp(draw.uniform(*values))
        case "randint":
            return draw.randrange(values[0])
    raise NotImplementedError(kind)


def _note_best(world, run: dict, children: list[dict], metric: dict) -> None:
    """The table that the service keeps with the sweep, of the best trial."""
    best = max if metric["goal"].lower() == "maximize" else min
    found = []
    for child in children:
        kept = world.metrics.get(child["runId"], {}).get(metric["name"])
        if kept:
            found.append((best(float(one["data"][metric["name"]]) for one in kept["value"]), child["runId"]))
    if not found:
        return
    value, run_id = best(found)
    row = {"run_id": run_id, "metric_name": metric["name"], "metric_value": value, "final": True}
    world.metrics.setdefault(run["runId"], {})["best_child_by_primary_metric"] = {
        "name": "best_child_by_primary_metric",
        "columns": {"run_id": "string", "metric_name": "string", "metric_value": "double", "final": "bool"},
        "value": [{"metricId": str(uuid.uuid4()), "createdUtc": run["createdUtc"], "data": row}],
        "properties": {"uxMetricType": "azureml.v1.table"},
        "dataContainerId": run["dataContainerId"],
    }


@route("POST", HYPERDRIVE + "/experiments/{experiment}/runs/{run_id}/cancel")
def cancel(request, experiment, run_id):
    set_status(find_run(request.world, run_id, experiment), "CancelRequested")
    return {"code": 0, "result": {"ParentRunId": run_id, "Address": f"https://{API}"}}

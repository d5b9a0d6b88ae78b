"""Metrics: what clients post of a run, and what is read of it."""

from .history import HISTORY
from .names import of
from .server import Refused, route

METRIC = of("metric", "v2.0")
_NUMBERS = ("int", "double")


@route("POST", METRIC + "/runs/{run_id}/batch")
def post(request, run_id):
    """Values are added to those of their name. A column that had numbers keeps to numbers, as the service has it."""
    kept = request.world.metrics.setdefault(run_id, {})
    errors = []
    for metric in request.json["values"]:
        known = kept.get(metric["name"])
        columns = _columns(known["columns"], metric["columns"]) if known else metric["columns"]
        if columns is None:
            problem = {"code": "ValidationError", "message": "The metric's columns have other types."}
            errors.append({"metric": metric, "errorResponse": {"error": problem}})
            continue
        values = (known["value"] if known else []) + metric["value"]
        kept[metric["name"]] = metric | {"columns": columns, "value": values, "dataContainerId": f"dcid.{run_id}"}
    return {"errors": errors}


def _columns(old: dict, new: dict) -> dict | None:
    """The columns of both; a whole number among others is one of them. None where they do not go together."""
    if set(old) != set(new):
        return None
    both = {}
    for name, kind in old.items():
        kinds = {kind.lower(), new[name].lower()}
        if len(kinds) > 1 and not kinds <= set(_NUMBERS):
            return None
        both[name] = kind if len(kinds) == 1 else "double"
    return both


@route("POST", METRIC + "/runs/{run_id}/full")
def read(request, run_id):
    metric = request.world.metrics.get(run_id, {}).get(request.json["metricName"])
    if metric is None:
        raise Refused(404, "UserError", f"Metric {request.json['metricName']} was not found.")
    return metric | {"continuationToken": None}


@route("POST", METRIC + "/runs/{run_id}/list")
def names(request, run_id):
    metrics = request.world.metrics.get(run_id, {})
    return {
        "value": [{"metricKey": {"name": name}, "columns": metric["columns"]} for name, metric in metrics.items()],
        "continuationToken": None,
    }


@route("GET", HISTORY + "/experiments/{experiment}/runs/{run_id}/metricsingest/wait")
def wait(request, experiment, run_id):
    """What was posted is there."""

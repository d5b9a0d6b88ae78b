"""Jobs: what is asked for with one, what is told of it, and how it ends early.

commands.py, sweep_jobs.py and pipeline_jobs.py make the engine's jobs of what is asked for.
"""

import heapq
import re
from collections.abc import Iterator, Mapping

from helpers.offline.arm import commands, pipeline_jobs, runs, sweep_jobs
from helpers.offline.arm.resources import is_listed
from helpers.offline.arm.wire import (
    LOOK_AGAIN,
    Answer,
    Refused,
    Request,
    Unsupported,
    long_uri,
    rescoped,
    resource,
    uri_at,
)
from helpers.offline.engine import jobs as engine_jobs
from helpers.offline.engine.assets import data
from helpers.offline.engine.history import artifacts, job_states, mlflow_store, statuses
from helpers.offline.engine.jobs import run_records

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}"
NAME_RULE = "use letters, digits, '-' and '_', beginning with a letter or digit, at most 255 of them"
RUN_TYPES = {
    "Command": mlflow_store.COMMAND_JOB,
    "Sweep": sweep_jobs.RUN_TYPE,
    "Pipeline": pipeline_jobs.RUN_TYPE,
}
SUBMIT = {"Command": commands.submit, "Sweep": sweep_jobs.submit, "Pipeline": pipeline_jobs.submit}
# What may change once a job is there, and what the service adds to what was asked for.
FREE = ("description", "tags", "displayName", "properties", "isArchived", "services", "status", "notificationSetting")

SYSTEM = "_aml_system_"  # begins the tags that the service itself gives a sweep
MATERIALIZED = "azureml.FeatureSetName"  # a property of what feature_sets.list_materialization_operations lists
ADDED = ("Studio", "Tracking")  # the services that each job has, without its asking


def put(request: Request) -> dict:
    """Start a job; of one that is there, change what may change. Raises Refused and what the engine raises."""
    name, asked = request.names["name"], request.properties
    if not re.fullmatch(NAME, name):
        raise Refused(f"{name!r} is no name for a job: {NAME_RULE}.")
    if job_states.get(request.folder, name) is not None:
        _update(request, name, asked)
        return get(request)
    if asked.get("jobType") not in RUN_TYPES:
        raise Unsupported(f"A job of the type {asked.get('jobType')}", f"{', '.join(SUBMIT)} jobs are")
    asked = _anew(request, asked)
    given = {
        "experiment": asked.get("experimentName") or "Default",
        "run_type": RUN_TYPES[asked["jobType"]],
        "tags": asked.get("tags"),
        "properties": asked.get("properties"),
        "display_name": asked.get("displayName") or name,
        "description": asked.get("description"),
    }
    SUBMIT[asked["jobType"]](request, name, asked, given)
    return get(request)


def get(request: Request) -> dict:
    return _described(request, _run(request))


def list_all(request: Request) -> Iterator[dict]:
    """The jobs that a list asks for, the last submitted first: not those below others, and no runs of SDK v1."""
    query = request.query
    for name in ("assetName", "scheduled", "scheduleId"):
        if name in query:
            raise Unsupported(f"A list of jobs by {name}", "tag and properties are")
    if MATERIALIZED in query.get("properties", ""):
        raise Unsupported("A feature set", "data assets are")
    kinds = [query["jobType"]] if query.get("jobType") in RUN_TYPES else RUN_TYPES if "jobType" not in query else []
    of_kinds = [run_records.list_runs_of_type(request.folder, RUN_TYPES[kind]) for kind in kinds]
    found = heapq.merge(*of_kinds, key=lambda run: run.created, reverse=True)
    return (
        _described(request, run)
        for run in found
        if run.parent_id is None
        and is_listed(request, run.archived)
        and query.get("tag", "") in {"", *run.tags}
        and _has_properties(run, query)
    )


def _has_properties(run: run_records.RunRecord, query: Mapping[str, str]) -> bool:
    """Whether a run has the properties that a list asks for: name or name=value, with commas between."""
    wanted = [one.partition("=") for one in query.get("properties", "").split(",") if one]
    return all(
        name in run.properties and (not is_given or run.properties[name] == value) for name, is_given, value in wanted
    )


def cancel(request: Request) -> dict | Answer:
    """Ask for the end of a job. The client looks again, at canceled(), until it has come."""
    run = _run(request)
    engine_jobs.cancel(request.folder, run.id)
    return canceled(request)


def canceled(request: Request) -> dict | Answer:
    run = _run(request)
    if run.status in statuses.FINAL:
        return {}
    address = f"https://{request.host}{request.scope.id}/jobs/{run.id}/cancel?api-version=offline"
    return Answer(status=202, headers={"Location": address, **LOOK_AGAIN})


def _run(request: Request) -> run_records.RunRecord:
    """The job's run. Raises NotFound, and Refused for a run that is no job of SDK v2."""
    run = run_records.get_run(request.folder, request.names["name"])
    if run.run_type not in RUN_TYPES.values():
        raise Refused(
            f"The run {run.id!r} was not submitted by SDK v2; look it up with its own SDK, or with MLflow.", 404
        )
    return run


def _update(request: Request, name: str, asked: dict) -> None:
    there = rescoped(request.scope, job_states.submitted(request.folder, name).get("asked") or {})
    changed = sorted(
        key
        for key in there.keys() | asked.keys()
        if key not in (*FREE, "outputs") and (there.get(key) or None) != (asked.get(key) or None)
    )
    if changed or not there:
        raise Refused(
            "A job with this name already exists. If you are trying to create a new job, use a different name. If you "
            f"are trying to update an existing job, the existing job's {', '.join(changed)} cannot be changed. Only "
            "description, tags, displayName, properties, and isArchived can be updated."
        )
    runs.change(request.folder, name, asked, asked.get("isArchived"))
    if asked.get("tags") is not None:  # "the Tags in the definition passed in will replace Tags in the existing job"
        gone = run_records.get_run(request.folder, name).tags.keys() - asked["tags"].keys()
        run_records.remove_tags(request.folder, name, [tag for tag in gone if not tag.startswith(SYSTEM)])


def _anew(request: Request, asked: dict) -> dict:
    """What is asked for with a new job, without what the service had added to the job that it was fetched from."""
    services, outputs = asked.get("services") or {}, dict(asked.get("outputs") or {})
    files = outputs.pop("default", None) or {}  # of the job that it was fetched from
    asked = asked | {
        "services": {key: one for key, one in services.items() if one.get("jobServiceType") not in ADDED},
        "tags": {key: value for key, value in (asked.get("tags") or {}).items() if not key.startswith(SYSTEM)},
        "outputs": outputs,
    }
    found = artifacts.at_address((files.get("uri") or "").partition(f"/{data.ARTIFACTSTORE}/")[2])
    job = job_states.submitted(request.folder, found[0]) if found else {}
    if "asked" not in job or "step" in job:
        return asked
    first, told = job["asked"], _described(request, run_records.get_run(request.folder, found[0]))["properties"]
    properties = {
        key: value
        for key, value in (asked.get("properties") or {}).items()
        if key in (first.get("properties") or {}) or told["properties"].get(key) != value
    }
    for key, output in outputs.items():  # where that job's lies is not where the new one's has to
        if output.get("uri") and output["uri"] == told["outputs"].get(key, {}).get("uri"):
            outputs[key] = output | {"uri": first["outputs"][key].get("uri")}
    return asked | {"properties": properties}


def _described(request: Request, run: run_records.RunRecord) -> dict:
    """The job's resource; of a pipeline's step, as from Azure, the name alone: the client asks the run history then."""
    job = job_states.submitted(request.folder, run.id)
    if "step" in job:
        return resource(request.scope, f"jobs/{run.id}", None, created=run.created)
    asked = rescoped(request.scope, job.get("asked") or {})
    if "hyperparameters" in job:
        asked = sweep_jobs.of_trial(asked, job["hyperparameters"])
    default = {
        "jobOutputType": "uri_folder",
        "mode": "ReadWriteMount",
        "uri": f"azureml://datastores/{data.ARTIFACTSTORE}/{artifacts.address(run.id)}",
    }
    outputs = {
        output["name"]: asked["outputs"][output["name"]] | {"uri": long_uri(request.scope, uri_at(output))}
        for output in job.get("outputs") or []
    }
    properties = asked | {
        "status": run.status,
        "displayName": run.display_name,
        "experimentName": run.experiment,
        "description": run.description or None,
        "tags": run.tags,
        "properties": run.properties,
        "isArchived": run.archived,
        "parentJobName": run.parent_id,
        "outputs": {**(asked.get("outputs") or {}), **outputs, "default": default},
        "services": {"Studio": {"jobServiceType": "Studio", "endpoint": runs.page_of(run)}},
    }
    return resource(request.scope, f"jobs/{run.id}", properties, created=run.created)

"""Run history: what the client asks for beside the jobs themselves, to stream and download and to change them."""

from collections.abc import Iterator
from pathlib import Path

from helpers.offline.arm import locations
from helpers.offline.arm.wire import Refused, Request, long_uri, uri_at
from helpers.offline.engine.history import job_states, statuses, studio
from helpers.offline.engine.jobs import run_records


def get(request: Request) -> dict:
    return _described(request, run_records.get_run(request.folder, request.names["name"]))


def details(request: Request) -> dict:
    """The run as it is now, with what went wrong. The client reads the logs in the datastore, not here."""
    run = run_records.get_run(request.folder, request.names["name"])
    return _described(request, run) | {"logFiles": {}, "warnings": []}


def children(request: Request) -> Iterator[dict]:
    run = run_records.get_run(request.folder, request.names["name"])
    return (
        _described(request, child) for child in run_records.list_runs(request.folder, run.experiment, parent_id=run.id)
    )


def services(request: Request) -> dict:
    """The interactive services of a job on one of its nodes: none has any here."""
    run_records.get_run(request.folder, request.names["name"])
    return {"instances": {}}


def data(request: Request) -> dict:
    """The run, with its named outputs as assets: output_uris says where they lie."""
    run = run_records.get_run(request.folder, request.body["runId"])
    outputs = job_states.submitted(request.folder, run.id).get("outputs") or []
    assets = {
        output["name"]: {"assetId": f"{run.id}/{output['name']}", "type": f"uri_{output['kind']}"} for output in outputs
    }
    return {"runMetadata": _described(request, run) | {"outputs": assets}}


def output_uris(request: Request) -> dict:
    """Where the outputs lie whose assets data() names."""
    values = {}
    for asset_id in request.body["values"]:
        run_id, _, name = asset_id.partition("/")
        output = locations.output_of(request.folder, run_id, name)
        values[asset_id] = {"uri": long_uri(request.scope, uri_at(output)), "type": f"uri_{output['kind']}"}
    return {"values": values}


def patch(request: Request) -> dict:
    change(request.folder, request.names["name"], request.body, request.body.get("hidden"))
    return get(request)


def change(folder: Path, run_id: str, given: dict, archived: bool | None) -> None:
    """Change display name, description and archive flag, add tags and properties, as far as given.

    Raises NotFound, and Refused for the archive flag of a job that has not ended.
    """
    run = run_records.get_run(folder, run_id)
    if archived and run.status not in statuses.FINAL:  # https://learn.microsoft.com/cli/azure/ml/job#az-ml-job-archive
        raise Refused(f"Only a job that has ended can be archived, and {run_id!r} is {run.status}.")
    if given.get("displayName") is not None:
        run_records.set_display_name(folder, run_id, given["displayName"])
    if given.get("description") is not None:
        run_records.set_description(folder, run_id, given["description"])
    if given.get("tags"):
        run_records.set_tags(folder, run_id, given["tags"])
    if given.get("properties"):
        run_records.set_properties(folder, run_id, given["properties"])
    if archived is not None:
        run_records.set_archived(folder, run_id, archived)


def page_of(run: run_records.RunRecord) -> str:
    """The run's page in the offline studio (`make studio`)."""
    return f"{studio.page_of(run.experiment_id, run.id)}?workspace=offline"


def _described(request: Request, run: run_records.RunRecord) -> dict:
    job = job_states.submitted(request.folder, run.id)
    target = None if "steps" in job else job.get("target")  # a pipeline runs nowhere itself
    return {
        "runId": run.id,
        "runNumber": run.number,
        "rootRunId": run.parent_id or run.id,
        "parentRunId": run.parent_id,
        "experimentId": run.experiment_id,
        "displayName": run.display_name,
        "description": run.description,
        "status": run.status,
        "createdUtc": run.created,
        "startTimeUtc": run.started,
        "endTimeUtc": run.ended,
        "tags": run.tags,
        "properties": run.properties,
        "hidden": run.archived,
        "services": {"Studio": {"type": "Studio", "endpoint": page_of(run)}},  # without, the client tells Azure's
        **({"compute": {"target": target}} if target else {}),
        **({"error": {"error": run.error}} if run.error else {}),
    }

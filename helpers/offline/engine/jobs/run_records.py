"""Run history as Azure ML tells it: status, times, tags and properties, out of MLflow and the jobs' states."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.history import experiments, job_states, metrics, mlflow_store, runs, spool
from helpers.offline.engine.history.statuses import FINAL, STATUS
from helpers.offline.engine.history.tags import PROPERTY, told
from helpers.offline.engine.jobs import submission
from helpers.offline.engine.workspace import database

DEFAULT = "0"  # id of the experiment "Default", where MLflow puts runs that name none; every store has it
PAGE = 100  # runs that one query brings


@dataclass(frozen=True)
class RunRecord:
    id: str
    number: int  # of the run in its experiment, from 1
    experiment: str
    experiment_id: str
    parent_id: str | None
    display_name: str
    description: str
    status: str
    created: str  # times are ISO 8601 in UTC
    started: str | None
    ended: str | None
    tags: dict[str, str]
    properties: dict[str, str]
    error: dict | None
    run_type: str | None
    archived: bool


def create_experiment(folder: Path, name: str) -> str:
    """The id of the experiment, which is made if it is not there."""
    return experiments.create(folder, name)


def get_experiment(folder: Path, name: str) -> dict:
    """Id, name, tags, archived and created of an experiment. Raises NotFound."""
    return _experiment(experiments.get(folder, name))


def list_experiments(folder: Path, archived: bool = False) -> list[dict]:
    """The experiments by name, the archived ones only where asked for."""
    found = [one for one in experiments.list_all(folder) if archived or not one.archived]
    return [_experiment(one) for one in found if one.id != DEFAULT or runs.list_ids(folder, DEFAULT)]


def set_experiment_archived(folder: Path, name: str, archived: bool) -> None:
    found = experiments.get(folder, name)
    if found.archived != archived:
        experiments.set_archived(folder, found.id, archived)


def set_experiment_tags(folder: Path, name: str, tags: dict[str, str]) -> None:
    experiments.set_tags(folder, experiments.get(folder, name).id, tags)


def remove_experiment_tags(folder: Path, name: str, names: list[str]) -> None:
    found = experiments.get(folder, name)
    for tag in names:
        if tag in told(found.tags):
            experiments.remove_tag(folder, found.id, tag)


def create_run(
    folder: Path,
    experiment: str,
    *,
    display_name: str | None = None,
    parent_id: str | None = None,
    tags: dict[str, str] | None = None,
    properties: dict[str, str] | None = None,
    status: str = "Running",
    run_type: str | None = None,
) -> str:
    """The id of a new run that is not a job: an interactive run, or a child. Raises Invalid."""
    return runs.create(
        folder,
        experiments.create(folder, experiment),
        display_name=display_name,
        parent_id=parent_id,
        tags=tags or {},
        properties=properties or {},
        status=status,
        run_type=run_type,
    )


def get_run(folder: Path, run_id: str) -> RunRecord:
    """A run as it is now; a dead supervisor is noticed here. Raises NotFound."""
    state = submission.look(folder, run_id)
    spool.carry_for_reader(folder, run_id)
    run = runs.get(folder, run_id)
    name = {one.id: one.name for one in experiments.list_all(folder)}[run.experiment_id]
    return _record(run, name, _numbers(folder, [run]), {run_id: state})


def get_status(folder: Path, run_id: str) -> str:
    """The run's status alone, which takes less than get_run(). Raises NotFound."""
    state = submission.look(folder, run_id)
    return state["status"] if state else STATUS[runs.get(folder, run_id).status]


def list_runs(
    folder: Path, experiment: str, *, parent_id: str | None = None, include_children: bool = False
) -> Iterator[RunRecord]:
    """The experiment's runs, the newest first: its top ones, or those below `parent_id`, or all. Raises NotFound."""
    found = experiments.get(folder, experiment)
    for record in _search(folder, found.id, (runs.PARENT, parent_id) if parent_id else None):
        if parent_id or include_children or record.parent_id is None:
            yield record


def list_runs_of_type(folder: Path, run_type: str) -> Iterator[RunRecord]:
    """The runs of a type in all experiments, the newest first."""
    yield from _search(folder, None, (mlflow_store.RUN_TYPE, run_type))


def _search(folder: Path, experiment_id: str | None, tag: tuple[str, str] | None) -> Iterator[RunRecord]:
    """The runs of an experiment, or of all, the newest first; with `tag`, those that have it."""
    for job in job_states.unfinished(folder):
        submission.look(folder, job["run_id"])  # one that has ended is brought into the history before that is read
    run_ids = runs.list_ids(folder, experiment_id, tag)
    names = {one.id: one.name for one in experiments.list_all(folder)}
    for start in range(0, len(run_ids), PAGE):
        page = runs.get_all(folder, run_ids[start : start + PAGE])
        numbers, states = _numbers(folder, page), _states(folder, [run.id for run in page])
        for run in page:
            yield _record(run, names[run.experiment_id], numbers, states)


def set_tags(folder: Path, run_id: str, tags: dict[str, str]) -> None:
    """Set tags of a run. Raises NotFound and Invalid."""
    runs.set_tags(folder, run_id, tags)


def remove_tags(folder: Path, run_id: str, names: list[str]) -> None:
    for name in names:
        runs.remove_tag(folder, run_id, name)


def set_properties(folder: Path, run_id: str, properties: dict[str, str]) -> None:
    """Set properties of a run. Raises NotFound and Invalid."""
    runs.set_tags(folder, run_id, properties, PROPERTY)


def set_display_name(folder: Path, run_id: str, value: str) -> None:
    runs.set_display_name(folder, run_id, value)


def set_description(folder: Path, run_id: str, value: str) -> None:
    runs.set_description(folder, run_id, value)


def set_archived(folder: Path, run_id: str, archived: bool) -> None:
    runs.set_archived(folder, run_id, archived)


def set_status(folder: Path, run_id: str, status: str, error: dict | None = None) -> None:
    """The status of a run that is not a job; a job's is its supervisor's to write. One that has ended stays so."""
    if status in FINAL or STATUS[runs.get(folder, run_id).status] not in FINAL:
        runs.set_status(folder, run_id, status, error)


def log_metrics(folder: Path, run_id: str, events: list[dict]) -> None:
    """Log metric and table events to a run that is not a job."""
    metrics.log(folder, run_id, events, metrics.counts(folder, run_id))


def get_metrics(folder: Path, run_id: str, name: str | None = None) -> dict:
    """What the run has logged until now, with `name` as that alone; see history.metrics. Raises NotFound."""
    submission.look(folder, run_id)
    spool.carry_for_reader(folder, run_id)
    runs.check(folder, run_id)
    return metrics.read(folder, run_id, name)


def get_metric_values(folder: Path, run_id: str, name: str) -> list[float]:
    """The numbers among what get_metrics() has under one name, which take less than all of it."""
    spool.carry_for_reader(folder, run_id)
    return metrics.values(folder, run_id, name)


def tracking_uri(folder: Path) -> str:
    """The address of the MLflow store, which is made if it is not there, for code that uses MLflow itself."""
    mlflow_store.make(folder)
    return mlflow_store.tracking_uri(folder)


def _experiment(found: experiments.StoredExperiment) -> dict:
    return {
        "id": found.id,
        "name": found.name,
        "tags": told(found.tags),
        "archived": found.archived,
        "modified": _iso(found.modified),
        "created": _iso(found.created),
    }


def _numbers(folder: Path, found: list[runs.StoredRun]) -> dict[str, int]:
    """The runs' numbers in their experiments; one that MLflow made itself gets its number when it is first seen."""
    ids = [run.id for run in found]
    query = f"SELECT run_id, number FROM runs WHERE run_id IN ({', '.join('?' * len(ids))})"

    def known() -> dict[str, int]:
        return {row["run_id"]: row["number"] for row in database.rows(folder, query, tuple(ids))}

    numbers = known()
    new = sorted((run for run in found if run.id not in numbers), key=lambda run: run.started or 0)
    if not new:
        return numbers
    for run in new:
        runs.give_number(folder, run.experiment_id, run.id)
    return known()


def _states(folder: Path, run_ids: list[str]) -> dict[str, dict | None]:
    return {
        job["run_id"]: job if job["status"] in FINAL else submission.look(folder, job["run_id"])
        for job in job_states.get_all(folder, run_ids)
    }


def _record(run: runs.StoredRun, experiment: str, numbers: dict[str, int], states: dict[str, dict | None]) -> RunRecord:
    state, tags = states.get(run.id), run.tags
    stages = {stage["status"]: stage["time"] for stage in state["stages"]} if state else {}
    status = state["status"] if state else STATUS[run.status]
    if state and state["cancel_requested"] and status not in FINAL:
        status = "CancelRequested"
    created = _iso(run.started)
    error = state["error"] if state else json.loads(tags.get(runs.ERROR, "null"))
    return RunRecord(
        id=run.id,
        number=numbers[run.id],
        experiment=experiment,
        experiment_id=run.experiment_id,
        parent_id=tags.get(runs.PARENT),
        display_name=run.name,
        description=tags.get(runs.DESCRIPTION, ""),
        status=status,
        created=created,
        started=stages.get("Running") if state else created,
        ended=stages.get(status) if state and status in FINAL else _iso(run.ended),
        tags=told(tags),
        properties=told(tags, PROPERTY),
        error=error,
        run_type=tags.get(mlflow_store.RUN_TYPE),
        archived=json.loads(tags.get(runs.ARCHIVED, "false")),
    )


def _iso(milliseconds: int | None) -> str | None:
    return database.iso(milliseconds / 1000) if milliseconds else None

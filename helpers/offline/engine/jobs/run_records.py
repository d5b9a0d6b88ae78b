"""Run history as Azure ML tells it: status, times, tags and properties, out of MLflow and the jobs' states."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from helpers.offline.engine.history import job_states, metrics, mlflow_store, spool
from helpers.offline.engine.history.mlflow_store import PARENT
from helpers.offline.engine.history.statuses import FINAL, STATUS
from helpers.offline.engine.history.tags import PROPERTY, key, stored, told
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
    return mlflow_store.create_experiment(folder, name)


def get_experiment(folder: Path, name: str) -> dict:
    """Id, name, tags, archived and created of an experiment. Raises NotFound."""
    return _experiment(mlflow_store.experiment(folder, name))


def list_experiments(folder: Path, archived: bool = False) -> list[dict]:
    """The experiments by name, the archived ones only where asked for."""
    from mlflow.entities import ViewType

    view = ViewType.ALL if archived else ViewType.ACTIVE_ONLY
    found = mlflow_store.client(folder).search_experiments(view_type=view, order_by=["name ASC"])
    return [_experiment(one) for one in found if one.experiment_id != DEFAULT or _has_runs(folder, DEFAULT)]


def set_experiment_archived(folder: Path, name: str, archived: bool) -> None:
    store, found = mlflow_store.client(folder), mlflow_store.experiment(folder, name)
    if archived and found.lifecycle_stage == "active":
        store.delete_experiment(found.experiment_id)
    elif not archived and found.lifecycle_stage != "active":
        store.restore_experiment(found.experiment_id)


def set_experiment_tags(folder: Path, name: str, tags: dict[str, str]) -> None:
    found = mlflow_store.experiment(folder, name)
    for tag, value in stored(tags).items():
        mlflow_store.client(folder).set_experiment_tag(found.experiment_id, tag, value)


def remove_experiment_tags(folder: Path, name: str, names: list[str]) -> None:
    found = mlflow_store.experiment(folder, name)
    for tag in names:
        if tag in told(found.tags):
            mlflow_store.client(folder).delete_experiment_tag(found.experiment_id, key(tag))


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
    return mlflow_store.create_run(
        folder,
        mlflow_store.create_experiment(folder, experiment),
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
    run = mlflow_store.run(folder, run_id)
    name = mlflow_store.client(folder).get_experiment(run.info.experiment_id).name
    return _record(run, name, _numbers(folder, [run]), {run_id: state})


def get_status(folder: Path, run_id: str) -> str:
    """The run's status alone, which for a job takes no MLflow. Raises NotFound."""
    state = submission.look(folder, run_id)
    return state["status"] if state else STATUS[mlflow_store.run(folder, run_id).info.status]


def list_runs(
    folder: Path, experiment: str, *, parent_id: str | None = None, include_children: bool = False
) -> Iterator[RunRecord]:
    """The experiment's runs, the newest first: its top ones, or those below `parent_id`, or all. Raises NotFound."""
    found = mlflow_store.experiment(folder, experiment)
    filter_string = f"tags.`{PARENT}` = '{parent_id}'" if parent_id else ""
    for record in _search(folder, {found.experiment_id: experiment}, filter_string):
        if parent_id or include_children or record.parent_id is None:
            yield record


def list_runs_of_type(folder: Path, run_type: str) -> Iterator[RunRecord]:
    """The runs of a type in all experiments, the newest first."""
    experiments = {one["id"]: one["name"] for one in list_experiments(folder, archived=True)}
    yield from _search(folder, experiments, f"tags.`{mlflow_store.RUN_TYPE}` = '{run_type}'")


def _search(folder: Path, experiments: dict[str, str], filter_string: str) -> Iterator[RunRecord]:
    """The runs of experiments, which are given as id to name, the newest first."""
    for job in job_states.unfinished(folder):
        submission.look(folder, job["run_id"])  # one that has ended is brought into the history before that is read
    token = None
    while True:
        page = mlflow_store.client(folder).search_runs(
            list(experiments),
            filter_string,
            max_results=PAGE,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        numbers, states = _numbers(folder, page), _states(folder, [run.info.run_id for run in page])
        for run in page:
            yield _record(run, experiments[run.info.experiment_id], numbers, states)
        token = page.token
        if not token:
            return


def set_tags(folder: Path, run_id: str, tags: dict[str, str]) -> None:
    """Set tags of a run. Raises NotFound and Invalid."""
    mlflow_store.run(folder, run_id)
    mlflow_store.set_tags(folder, run_id, tags)


def remove_tags(folder: Path, run_id: str, names: list[str]) -> None:
    for name in names:
        mlflow_store.remove_tag(folder, run_id, name)


def set_properties(folder: Path, run_id: str, properties: dict[str, str]) -> None:
    """Set properties of a run. Raises NotFound and Invalid."""
    mlflow_store.run(folder, run_id)
    mlflow_store.set_tags(folder, run_id, properties, PROPERTY)


def set_display_name(folder: Path, run_id: str, value: str) -> None:
    mlflow_store.set_display_name(folder, run_id, value)


def set_description(folder: Path, run_id: str, value: str) -> None:
    mlflow_store.set_description(folder, run_id, value)


def set_archived(folder: Path, run_id: str, archived: bool) -> None:
    mlflow_store.set_archived(folder, run_id, archived)


def set_status(folder: Path, run_id: str, status: str, error: dict | None = None) -> None:
    """The status of a run that is not a job; a job's is its supervisor's to write."""
    mlflow_store.set_status(folder, run_id, status, error)


def log_metrics(folder: Path, run_id: str, events: list[dict]) -> None:
    """Log metric and table events to a run that is not a job."""
    metrics.log(folder, run_id, events, metrics.counts(folder, run_id))


def get_metrics(folder: Path, run_id: str) -> dict:
    """What the run has logged until now; see history.metrics. Raises NotFound."""
    submission.look(folder, run_id)
    spool.carry_for_reader(folder, run_id)
    return metrics.read(folder, run_id)


def get_metric_values(folder: Path, run_id: str, name: str) -> list[float]:
    """The numbers that the run has logged under one name until now, in the order of logging: cheaper than the rest."""
    spool.carry_for_reader(folder, run_id)
    return metrics.values(folder, run_id, name)


def tracking_uri(folder: Path) -> str:
    """The address of the MLflow store, which is made if it is not there, for code that uses MLflow itself."""
    if not mlflow_store.is_made(folder):
        mlflow_store.client(folder)  # loads MLflow, which takes a second
    return mlflow_store.tracking_uri(folder)


def _experiment(found) -> dict:
    return {
        "id": found.experiment_id,
        "name": found.name,
        "tags": told(found.tags),
        "archived": found.lifecycle_stage != "active",
        "modified": _iso(found.last_update_time),
        "created": _iso(found.creation_time),
    }


def _has_runs(folder: Path, experiment_id: str) -> bool:
    return bool(mlflow_store.client(folder).search_runs([experiment_id], max_results=1))


def _numbers(folder: Path, runs: list) -> dict[str, int]:
    """The runs' numbers in their experiments; one that MLflow made itself gets its number when it is first seen."""
    ids = [run.info.run_id for run in runs]
    query = f"SELECT run_id, number FROM runs WHERE run_id IN ({', '.join('?' * len(ids))})"

    def known() -> dict[str, int]:
        return {row["run_id"]: row["number"] for row in database.rows(folder, query, tuple(ids))}

    numbers = known()
    new = sorted((run.info for run in runs if run.info.run_id not in numbers), key=lambda info: info.start_time)
    if not new:
        return numbers
    for info in new:
        mlflow_store.give_numbers(folder, info.experiment_id, [info.run_id])
    return known()


def _states(folder: Path, run_ids: list[str]) -> dict[str, dict | None]:
    return {
        job["run_id"]: job if job["status"] in FINAL else submission.look(folder, job["run_id"])
        for job in job_states.get_all(folder, run_ids)
    }


def _record(run, experiment: str, numbers: dict[str, int], states: dict[str, dict | None]) -> RunRecord:
    state, tags = states.get(run.info.run_id), run.data.tags
    stages = {stage["status"]: stage["time"] for stage in state["stages"]} if state else {}
    status = state["status"] if state else STATUS[run.info.status]
    if state and state["cancel_requested"] and status not in FINAL:
        status = "CancelRequested"
    created = _iso(run.info.start_time)
    error = state["error"] if state else json.loads(tags.get(mlflow_store.ERROR, "null"))
    return RunRecord(
        id=run.info.run_id,
        number=numbers[run.info.run_id],
        experiment=experiment,
        experiment_id=run.info.experiment_id,
        parent_id=tags.get(PARENT),
        display_name=run.info.run_name,
        description=tags.get(mlflow_store.DESCRIPTION, ""),
        status=status,
        created=created,
        started=stages.get("Running") if state else created,
        ended=stages.get(status) if state and status in FINAL else _iso(run.info.end_time),
        tags=told(tags),
        properties=told(tags, PROPERTY),
        error=error,
        run_type=tags.get(mlflow_store.RUN_TYPE),
        archived=json.loads(tags.get(mlflow_store.ARCHIVED, "false")),
    )


def _iso(milliseconds: int | None) -> str | None:
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="microseconds")

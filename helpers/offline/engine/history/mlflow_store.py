"""Experiments, runs, metrics and tags in the workspace's MLflow store.

Importing MLflow takes a second, so it happens inside the functions, when the store is first used.
"""

import fcntl
import functools
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from helpers.offline.engine.history import new_store
from helpers.offline.engine.history.statuses import FINAL, MLFLOW_STATUS
from helpers.offline.engine.history.tags import PROPERTY, key, stored, told
from helpers.offline.engine.workspace import database, outages
from helpers.offline.engine.workspace.errors import AlreadyExists, NotFound
from helpers.offline.engine.workspace.leftovers import STORE

RUN_TYPE = "azureml.runType"
COMMAND_JOB = "azureml.commandjob"  # the run type of a script that SDK v2 submits
# Azure has no such endpoint, so that MLflow 3 fails there wherever it logs a model (Azure/azure-sdk-for-python #44896).
LOGGED_MODEL = (
    "API request to endpoint /api/2.0/mlflow/logged-models failed with error code 404 != 200. Azure ML has none, so "
    "that log_model of MLflow 3 fails in a job there, and here. Call save_model with a path below outputs/ instead, "
    "and register the model from the files of the job."
)
ERROR = "azureml.error"
MOST_OF_ERROR = 7000  # characters; a tag of MLflow's holds 8,000
PARENT = "mlflow.parentRunId"
DESCRIPTION = "mlflow.note.content"
ARCHIVED = "azureml.archived"


def is_loaded() -> bool:
    """Whether this process has used the store, so that using it again takes no time."""
    return _client.cache_info().currsize > 0


def is_made(folder: Path) -> bool:
    return (folder / STORE).exists()


@contextmanager
def connected(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the store for what MLflow has no call for. Raises FolderError."""
    address = f"{(folder / STORE).as_uri()}?mode=rw"
    with (
        outages.translated(folder),
        closing(sqlite3.connect(address, uri=True, timeout=database.BUSY_SECONDS, isolation_level=None)) as connection,
    ):
        yield connection


def tracking_uri(folder: Path) -> str:
    """The address of the store, as MLflow takes it."""
    return f"{new_store.address(folder / STORE)}?timeout={database.BUSY_SECONDS:.0f}"


def artifact_location(folder: Path) -> str:
    """Where MLflow puts the files of the workspace's runs: in <run id>/artifacts below this address."""
    return (folder / "artifacts").as_uri()


def client(folder: Path):
    """MLflow's client of the workspace; the store is made at its first use."""
    with outages.translated(folder):
        if not is_made(folder):
            _make_store(folder)
        return _client(folder, (folder / STORE).stat().st_ino)


def logged_models(folder: Path, run_id: str) -> dict[str, Path]:
    """The folders of the models that MLflow 3 has logged with a run, by name: it keeps them beside the run's files."""
    if not is_made(folder):
        return {}
    with connected(folder) as connection:
        rows = connection.execute(
            "SELECT name, artifact_location FROM logged_models WHERE source_run_id=? AND lifecycle_stage='active' "
            "ORDER BY creation_timestamp_ms",
            (run_id,),
        ).fetchall()
    return {name: Path(url2pathname(urlsplit(location).path)) for name, location in rows}


def logged_model_name(folder: Path, location: str) -> str | None:
    """The name of the model that MLflow 3 has logged to this address; None where it has not."""
    with connected(folder) as connection:
        found = connection.execute("SELECT name FROM logged_models WHERE artifact_location=?", (location,)).fetchone()
    return found and found[0]


def create_experiment(folder: Path, name: str) -> str:
    """The id of the experiment, which is made if it is not there."""
    store = client(folder)
    found = store.get_experiment_by_name(name)
    if found is None:
        from mlflow.exceptions import MlflowException

        try:
            return store.create_experiment(name, artifact_location=artifact_location(folder))
        except MlflowException:  # another process was first
            found = store.get_experiment_by_name(name)
            if found is None:
                raise
    return found.experiment_id


def experiment(folder: Path, name: str):
    """MLflow's experiment of this name, archived or not. Raises NotFound."""
    found = client(folder).get_experiment_by_name(name)
    if found is None:
        raise NotFound(f"The workspace has no experiment {name!r}.")
    return found


def create_run(
    folder: Path,
    experiment_id: str,
    *,
    display_name: str | None,
    parent_id: str | None,
    tags: dict[str, str],
    properties: dict[str, str],
    status: str,
    run_type: str | None,
    description: str | None = None,
    run_id: str | None = None,
) -> str:
    """A new run's id: `run_id`, where one is given.

    Raises Invalid for a tag or property that the store cannot keep, AlreadyExists for a run_id that is taken.
    """
    mlflow_tags = stored(tags) | stored(properties, PROPERTY)
    if parent_id:
        mlflow_tags[PARENT] = parent_id
    if run_type:
        mlflow_tags[RUN_TYPE] = run_type
    if description:
        mlflow_tags[DESCRIPTION] = description
    store = client(folder)
    if run_id is not None:
        _insert_run(folder, experiment_id, run_id, display_name or _random_name(), mlflow_tags, status)
    else:
        run_id = store.create_run(experiment_id, tags=mlflow_tags, run_name=display_name).info.run_id
        if status != "Running":
            store.update_run(run_id, status=MLFLOW_STATUS[status])
    give_numbers(folder, experiment_id, [run_id])
    return run_id


def _random_name() -> str:
    """The name that MLflow gives a run which has none."""
    from mlflow.utils.name_utils import _generate_random_name

    return _generate_random_name()


@outages.patiently
def _insert_run(folder: Path, experiment_id: str, run_id: str, name: str, tags: dict[str, str], status: str) -> None:
    """A run of an id that is given, which MLflow itself has no call for. Raises AlreadyExists."""
    columns = {
        "run_uuid": run_id,
        "name": name,
        "experiment_id": int(experiment_id),
        "artifact_uri": f"{artifact_location(folder)}/{run_id}/artifacts",
        "status": MLFLOW_STATUS[status],
        "start_time": int(time.time() * 1000),
        "lifecycle_stage": "active",
        "source_type": "UNKNOWN",
        **dict.fromkeys(("source_name", "entry_point_name", "user_id", "source_version"), ""),
    }
    with connected(folder) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                f"INSERT INTO runs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [*columns.values()]
            )
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(f"The workspace has a run {run_id!r} already; give another name.") from error
        connection.executemany(
            "INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)",
            [(run_id, key, value) for key, value in {**tags, "mlflow.runName": name}.items()],
        )
        connection.execute("COMMIT")


@outages.patiently
def give_numbers(folder: Path, experiment_id: str, run_ids: list[str]) -> None:
    """Number runs within their experiment, in this order; a run that has its number keeps it."""
    with database.transaction(folder) as connection:
        for run_id in run_ids:
            connection.execute(
                "INSERT OR IGNORE INTO runs "
                "VALUES (?, ?, 1 + (SELECT coalesce(max(number), 0) FROM runs WHERE experiment_id=?))",
                (run_id, experiment_id, experiment_id),
            )


def set_status(folder: Path, run_id: str, status: str, error: dict | None = None) -> None:
    """Bring MLflow's status of the run up to Azure ML's; a final one also sets the end time."""
    store = client(folder)
    if error:
        store.set_tag(run_id, ERROR, _as_tag(error))
    if status in FINAL:
        store.set_terminated(run_id, MLFLOW_STATUS[status], end_time=int(time.time() * 1000))
    else:
        store.update_run(run_id, status=MLFLOW_STATUS[status])


def _as_tag(error: dict) -> str:
    """The error as JSON, with so much of its message as a tag can hold."""
    text = json.dumps(error)
    if len(text) > MOST_OF_ERROR:
        message = error["message"]
        # Six characters stand for one at most.
        kept = max(len(message) - (len(text) - MOST_OF_ERROR), MOST_OF_ERROR // 6 - 50)
        text = json.dumps(error | {"message": message[:kept]})
    return text


def set_tags(folder: Path, run_id: str, tags: dict[str, str], prefix: str = "") -> None:
    """Set tags, or properties with `prefix=PROPERTY`. Raises Invalid."""
    from mlflow.entities import RunTag

    client(folder).log_batch(run_id, tags=[RunTag(name, value) for name, value in stored(tags, prefix).items()])


def remove_tag(folder: Path, run_id: str, name: str) -> None:
    """Remove a tag of the user's; a tag that is not there is no error."""
    found = _run(client(folder), run_id).data.tags
    if name in told(found):
        client(folder).delete_tag(run_id, key(name))


def set_display_name(folder: Path, run_id: str, value: str) -> None:
    client(folder).update_run(run_id, name=value)


def set_description(folder: Path, run_id: str, value: str) -> None:
    client(folder).set_tag(run_id, DESCRIPTION, value)


def set_archived(folder: Path, run_id: str, archived: bool) -> None:
    """Keep a run out of lists, or bring it back. (MLflow's own deleted runs take no metrics any more.)"""
    client(folder).set_tag(run_id, ARCHIVED, json.dumps(archived))


def run(folder: Path, run_id: str):
    """MLflow's run of this id. Raises NotFound."""
    return _run(client(folder), run_id)


def has_run(folder: Path, run_id: str) -> bool:
    """Whether there is a run of this id, which takes no MLflow."""
    if not is_made(folder):
        return False
    with connected(folder) as connection:
        return bool(connection.execute("SELECT 1 FROM runs WHERE run_uuid=?", (run_id,)).fetchone())


def _run(store, run_id: str):
    from mlflow.exceptions import MlflowException

    try:
        return store.get_run(run_id)
    except (MlflowException, TypeError) as error:
        if getattr(error, "error_code", None) not in (None, "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise NotFound(f"The workspace has no run {run_id!r}.") from None


@contextmanager
def registry_lock(folder: Path) -> Iterator[None]:
    """One registration at a time: MLflow numbers versions by looking at the last one."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_store(folder: Path) -> None:
    """Create the database under a lock and under another name first: no process ever sees half of it."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made(folder):
            return
        new = folder / "mlflow-new.db"
        new.unlink(missing_ok=True)
        new_store.make(new)
        new.rename(folder / STORE)


@lru_cache(maxsize=4)
def _client(folder: Path, inode: int):
    _set_triggers(folder)
    return _Guarded(folder, new_store.new_client(tracking_uri(folder)))


class _Guarded:
    """MLflow's client of a workspace, whose calls raise the store's faults as FolderError; see outages."""

    def __init__(self, folder: Path, client):
        self._folder, self._client = folder, client

    def __getattr__(self, name: str):
        function = getattr(self._client, name)

        @outages.patiently
        @functools.wraps(function)
        def guarded(*arguments, **named):
            with outages.translated(self._folder):
                return function(*arguments, **named)

        return guarded


def _set_triggers(folder: Path) -> None:
    """Have the store itself hold what code that uses MLflow directly would do otherwise.

    The files of every experiment are in the workspace's folder: MLflow would put those of experiments that such code
    makes into `mlruns` below its working directory. And the command jobs of SDK v2 log no models: see LOGGED_MODEL.
    """
    location = artifact_location(folder)
    update = f"UPDATE experiments SET artifact_location='{location}' WHERE experiment_id="
    triggers = {
        "inside_from_the_start": f"AFTER INSERT ON experiments BEGIN {update} NEW.experiment_id; END",
        "inside_ever_after": f"AFTER UPDATE OF artifact_location ON experiments BEGIN {update} NEW.experiment_id; END",
        "no_logged_model": (
            "BEFORE INSERT ON logged_models WHEN EXISTS (SELECT 1 FROM runs JOIN tags USING (run_uuid) "
            f"WHERE key='{RUN_TYPE}' AND value='{COMMAND_JOB}' AND (run_uuid=NEW.source_run_id OR "
            # a script that has not started to use its run tells MLflow of none
            "NEW.source_run_id IS NULL AND experiment_id=NEW.experiment_id AND status IN ('RUNNING', 'SCHEDULED'))) "
            f"BEGIN SELECT RAISE(ABORT, '{LOGGED_MODEL}'); END"
        ),
    }
    wanted = {name: f"CREATE TRIGGER {name} {action}" for name, action in triggers.items()}
    with connected(folder) as connection:
        if dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")) == wanted:
            return
        connection.execute("BEGIN IMMEDIATE")
        for name, statement in wanted.items():
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            connection.execute(statement)
        connection.execute(f"{update} 0")  # MLflow's own experiment "Default", made with the store
        connection.execute("COMMIT")

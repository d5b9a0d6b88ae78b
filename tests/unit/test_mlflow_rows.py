"""What the engine writes into MLflow's tables is, row for row, what MLflow itself writes for the same."""

import sqlite3
from contextlib import closing
from itertools import count

import pytest
from small_history import mlflow_client

from helpers.offline.engine.assets import models
from helpers.offline.engine.history import experiments, metrics, runs
from helpers.offline.engine.workspace import folder

FIRST_MOMENT = 1_600_000_000_000  # milliseconds since 1970; it is later
METRICS = [("Loss", 0.5, 1, 10), ("Loss", 0.25, 2, 20), ("Loss", 0.75, 2, 19), ("Loss", 0.75, 2, 19)]
METRICS += [("a b/c", float("inf"), 0, 1), ("low", float("-inf"), 0, 1), ("none", float("nan"), -3, 1)]
LATER = [("Loss", 0.1, 1, 99), ("low", 3.0, 0, 1)]
TAGS = {"color": "grün", "empty": "", "long": "x" * 8000}


@pytest.fixture
def worlds(tmp_path, mlflow_store, monkeypatch):
    """Two workspaces for the same things to be done in, in which no two moments are the same."""
    ticks = count(FIRST_MOMENT)
    for place in (
        "helpers.offline.engine.history.experiments.now",
        "helpers.offline.engine.history.runs.now",
        "helpers.offline.engine.assets.model_versions.now",
        "mlflow.store.tracking.sqlalchemy_store.get_current_time_millis",
        "mlflow.store.model_registry.sqlalchemy_store.get_current_time_millis",
    ):
        monkeypatch.setattr(place, lambda: next(ticks))
    return [folder.open_folder(tmp_path / name) for name in ("ours", "theirs")]


def rows(world):
    """All rows by table. A moment is told by its place among those of its row, a run by its name."""
    mlflow_client(world)  # which makes the store
    found = {}
    with closing(sqlite3.connect(world / "mlflow.db")) as connection:
        connection.row_factory = sqlite3.Row
        names = dict(connection.execute("SELECT run_uuid, name FROM runs").fetchall())
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            if table != "sqlite_sequence":
                kept = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
                found[table] = sorted((told(row, names, world) for row in kept), key=repr)
    return found


def told(row, names, world):
    moments = sorted({value for value in row.values() if isinstance(value, int) and value >= FIRST_MOMENT})
    for column, value in row.items():
        if value in moments:
            row[column] = f"moment {moments.index(value)}"
        elif isinstance(value, str):
            row[column] = value.replace(str(world), "FOLDER")
            for run_id, name in names.items():
                row[column] = row[column].replace(run_id, f"run {name}")
    return row


def same(ours, theirs):
    one, other = rows(ours), rows(theirs)
    for table in other:
        assert one[table] == other[table], table
    assert any(other.values())


def test_experiments(worlds):
    ours, theirs = worlds
    store = mlflow_client(theirs)
    for name in ("first", "second"):
        found = experiments.create(ours, name)
        assert experiments.create(ours, name) == found
        their = store.create_experiment(name)
    experiments.set_tags(ours, found, {"color": "red", "kind": "old"})
    experiments.set_tags(ours, found, {"color": "blue"})
    experiments.remove_tag(ours, found, "kind")
    for tag, value in (("color", "red"), ("kind", "old"), ("color", "blue")):
        store.set_experiment_tag(their, tag, value)
    store.delete_experiment_tag(their, "kind")
    same(ours, theirs)


def test_an_experiment_that_is_archived_and_brought_back(worlds):
    ours, theirs = worlds
    store = mlflow_client(theirs)
    made(ours), made_by_mlflow(theirs)
    one, other = experiments.get(ours, "e"), store.get_experiment_by_name("e")
    experiments.set_archived(ours, one.id, archived=True)
    store.delete_experiment(other.experiment_id)
    same(ours, theirs)
    experiments.set_archived(ours, one.id, archived=False)
    store.restore_experiment(other.experiment_id)
    same(ours, theirs)


def made(world):
    """A run of ours."""
    return runs.create(
        world,
        experiments.create(world, "e"),
        display_name="named",
        parent_id="another",
        tags=TAGS,
        properties={"p": 1},
        status="Running",
        run_type="azureml.scriptrun",
        description="what it is",
    )


def made_by_mlflow(world):
    """The same, made by MLflow."""
    store = mlflow_client(world)
    found = store.get_experiment_by_name("e")
    tags = TAGS | {"azureml.property.p": "1", "mlflow.parentRunId": "another", "azureml.runType": "azureml.scriptrun"}
    made = store.create_run(
        found.experiment_id if found else store.create_experiment("e"),
        tags=tags | {"mlflow.note.content": "what it is"},
        run_name="named",
        start_time=FIRST_MOMENT,
    )
    return made.info.run_id


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_with_its_tags_and_its_end(worlds, status):
    ours, theirs = worlds
    one, other, store = made(ours), made_by_mlflow(theirs), mlflow_client(theirs)
    runs.set_tags(ours, one, {"color": "red", "new": "1"})
    runs.set_display_name(ours, one, "renamed")
    runs.set_description(ours, one, "another")
    runs.remove_tag(ours, one, "empty")
    runs.set_status(ours, one, {"FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled"}[status])
    for tag, value in {"color": "red", "new": "1", "mlflow.note.content": "another"}.items():
        store.set_tag(other, tag, value)
    store.update_run(other, name="renamed")
    store.delete_tag(other, "empty")
    store.set_terminated(other, status, end_time=FIRST_MOMENT + 1_000_000)
    same(ours, theirs)


def test_metrics_and_the_latest_of_each(worlds):
    from mlflow.entities import Metric

    ours, theirs = worlds
    one, other, store = made(ours), made_by_mlflow(theirs), mlflow_client(theirs)
    counts = {}
    for logged in (METRICS, LATER):
        events = [
            {"kind": "metric", "name": name, "value": value, "step": step, "time": time / 1000}
            for name, value, step, time in logged
        ]
        metrics.log(ours, one, events, counts)
        store.log_batch(other, metrics=[Metric(name, value, time, step) for name, value, step, time in logged])
    same(ours, theirs)


def test_versions_of_models(worlds, tmp_path):
    ours, theirs = worlds
    store = mlflow_client(theirs)
    (tmp_path / "weights").write_text("1")
    for version in (1, 2, 3):
        record = models.register(
            ours,
            "net",
            tmp_path / "weights",
            stored_as="weights",
            tags={"a": "1"},
            properties={"p": "2"},
            description="d",
            run_id="a-run",
        )
        assert record.version == version
        if version == 1:
            store.create_registered_model("net")
        tags = {"a": "1", "azureml.property.p": "2", "azureml.model": "{}"}
        address = (theirs / record.path.relative_to(ours)).as_uri()
        store.create_model_version("net", address, "a-run", tags=tags, description="d")
    models.update(ours, "net", 2, tags={"b": "2"}, description="e", properties={"p": "3"})
    store.set_model_version_tag("net", "2", "b", "2")
    store.set_model_version_tag("net", "2", "azureml.property.p", "3")
    store.delete_model_version_tag("net", "2", "a")
    store.update_model_version("net", "2", "e")
    models.delete(ours, "net", 3)
    store.delete_model_version("net", "3")
    same(ours, theirs)

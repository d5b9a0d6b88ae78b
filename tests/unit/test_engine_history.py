"""Run history and the model registry, on MLflow."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_history import mlflow_client

from helpers.offline.engine.assets import models
from helpers.offline.engine.history import artifacts, metrics, mlflow_store, new_store, run_files, runs
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, InvalidName, NotFound


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


def metric(name, value, step=None):
    return {"kind": "metric", "name": name, "value": value, "step": step, "time": 1.0}


def table(type, name, value):
    return {"kind": "table", "type": type, "name": name, "value": value, "time": 1.0}


def metrics_after(opened, *events):
    run_id = run_records.create_run(opened, "e")
    run_records.log_metrics(opened, run_id, list(events))
    return run_records.get_metrics(opened, run_id)


def test_the_shape_of_metrics(opened):
    found = metrics_after(
        opened,
        metric("once", 1),
        metric("curve", 0.3),
        metric("curve", 0.2),
        metric("steps", 5.0, 2),
        metric("steps", 6.0, 1),
        metric("Accuracy (%)", 97),
        table("list", "l", [1, "two", 3.0]),
        table("row", "r", {"x": 1, "y": "a"}),
        table("row", "r", {"x": 2, "y": "b"}),
        table("row", "single", {"x": 1}),
        table("table", "t", {"a": [1, 2]}),
        table("artifact", "i", "i.png"),
    )
    assert found["once"] == 1.0
    assert found["curve"] == [0.3, 0.2]
    assert found["steps"] == [6.0, 5.0]
    assert found["Accuracy (%)"] == 97
    assert found["l"] == [1, "two", 3.0]
    assert found["r"] == {"x": [1, 2], "y": ["a", "b"]}
    assert found["single"] == {"x": 1}
    assert found["t"] == {"a": [1, 2]}
    assert found["i"].startswith("aml://artifactId/ExperimentRun/dcid.") and found["i"].endswith("/i.png")


@given(st.from_regex(r"[^/]+", fullmatch=True), st.text())
def test_an_address_among_the_files_of_all_runs_is_read_as_it_was_written(run_id, name):
    assert artifacts.at_address(artifacts.address(run_id, name)) == (run_id, name)


@pytest.mark.parametrize("path", ["", "models/m/1", "ExperimentRun/dcid.", "ExperimentRun/dcid./a", "ExperimentRun/x"])
def test_what_is_no_address_of_a_run(path):
    assert artifacts.at_address(path) is None


def test_the_same_value_logged_at_the_same_moment_counts_twice(opened):
    assert metrics_after(opened, metric("a", 1), metric("a", 1))["a"] == [1.0, 1.0]


def test_later_values_go_on_where_earlier_ones_ended(opened):
    run_id = run_records.create_run(opened, "e")
    for value in (1, 2, 3):
        run_records.log_metrics(opened, run_id, [metric("a", value)])
    assert run_records.get_metrics(opened, run_id)["a"] == [1.0, 2.0, 3.0]


def test_a_fraction_that_is_logged_while_whole_numbers_are_read_stays_one(opened, monkeypatch):
    run_id = run_records.create_run(opened, "e")
    run_records.log_metrics(opened, run_id, [metric("m", 1), metric("m", 2)])
    read = metrics._rows

    def late(*asked):
        monkeypatch.undo()
        run_records.log_metrics(opened, run_id, [metric("m", 0.5)])
        return read(*asked)

    monkeypatch.setattr(metrics, "_rows", late)
    assert run_records.get_metrics(opened, run_id, "m") == {"m": [1.0, 2.0, 0.5]}


def test_many_metrics_take_no_more_looks_into_the_store_than_one(opened, monkeypatch):
    def looks(number):
        run_id, opens = run_records.create_run(opened, "e"), []
        run_records.log_metrics(opened, run_id, [metric(f"m{one}", one) for one in range(number)])
        with monkeypatch.context() as patch:
            patch.setattr(metrics, "connected", lambda folder: opens.append(1) or mlflow_store.connected(folder))
            assert metrics.read(opened, run_id) == {f"m{one}": one for one in range(number)}
        return len(opens)

    assert looks(50) == looks(1)


def test_not_a_number_is_kept(opened):
    assert math.isnan(metrics_after(opened, metric("a", float("nan")))["a"])


def test_runs_newest_first_with_and_without_children(opened):
    first = run_records.create_run(opened, "e", display_name="first")
    child = run_records.create_run(opened, "e", parent_id=first)
    run_records.create_run(opened, "other")
    assert [run.id for run in run_records.list_runs(opened, "e")] == [first]
    assert {run.id for run in run_records.list_runs(opened, "e", include_children=True)} == {first, child}
    assert [run.id for run in run_records.list_runs(opened, "e", parent_id=first)] == [child]
    assert [run.number for run in run_records.list_runs(opened, "e")] == [1]
    with pytest.raises(NotFound):
        list(run_records.list_runs(opened, "no such"))


def test_runs_of_one_moment_are_listed_newest_first_too(opened, monkeypatch):
    monkeypatch.setattr(runs, "now", lambda: 1_000)
    made = [run_records.create_run(opened, "e") for _ in range(8)]
    assert [run.id for run in run_records.list_runs(opened, "e")] == made[::-1]


def test_more_runs_than_a_page(opened, monkeypatch):
    monkeypatch.setattr(run_records, "PAGE", 2)
    made = [run_records.create_run(opened, "e") for _ in range(5)]
    assert {run.id for run in run_records.list_runs(opened, "e")} == set(made)


def test_tags_and_properties_are_apart(opened):
    run_id = run_records.create_run(opened, "e", tags={"a": "1"}, properties={"p": "x"})
    run_records.set_tags(opened, run_id, {"b": 2})
    run_records.remove_tags(opened, run_id, ["a", "not there", "mlflow.runName"])
    record = run_records.get_run(opened, run_id)
    assert (record.tags, record.properties) == ({"b": "2"}, {"p": "x"})
    assert record.display_name


@pytest.mark.parametrize("tags", [{"%" * 100: "x"}, {"": "x"}, {"a": "x" * 8001}])
def test_tags_that_cannot_be_kept_are_refused(opened, tags):
    with pytest.raises(Invalid):
        run_records.create_run(opened, "e", tags=tags)


def test_the_status_of_a_run_that_is_no_job(opened):
    run_id = run_records.create_run(opened, "e")
    assert run_records.get_run(opened, run_id).status == "Running"
    run_records.set_status(opened, run_id, "Failed", {"message": "why"})
    record = run_records.get_run(opened, run_id)
    assert (record.status, record.error) == ("Failed", {"message": "why"})
    assert record.ended


@pytest.mark.parametrize("letter", ["x", "ü", '"', "\n"])
def test_so_much_of_a_long_error_is_kept_as_can_be(opened, letter):
    run_id = run_records.create_run(opened, "e")
    run_records.set_status(opened, run_id, "Failed", {"code": "UserError", "message": letter * 9000})
    error = run_records.get_run(opened, run_id).error
    assert error["code"] == "UserError"
    assert len(error["message"]) > 1000 and set(error["message"]) == {letter}


def test_archived_experiments_are_listed_on_request(opened):
    run_records.create_experiment(opened, "a")
    run_records.create_experiment(opened, "b")
    run_records.set_experiment_archived(opened, "a", True)
    assert [e["name"] for e in run_records.list_experiments(opened)] == ["b"]
    assert [e["name"] for e in run_records.list_experiments(opened, archived=True)] == ["a", "b"]
    run_records.set_experiment_archived(opened, "a", False)
    assert [e["name"] for e in run_records.list_experiments(opened)] == ["a", "b"]


def test_files_of_a_run(opened, tmp_path):
    run_id = run_records.create_run(opened, "e")
    (tmp_path / "f").write_text("one")
    artifacts.upload(opened, run_id, "outputs/f", tmp_path / "f")
    with pytest.raises(AlreadyExists):
        artifacts.upload(opened, run_id, "outputs/f", tmp_path / "f")
    artifacts.upload_bytes(opened, run_id, "outputs/f", b"two", overwrite=True)
    assert run_files.path_of(opened, run_id, "outputs/f").read_text() == "two"
    assert run_files.files_of(opened, run_id) == ["outputs/f"]
    for name in ("../f", "/f", "outputs/../../f"):
        with pytest.raises(Invalid):
            artifacts.upload(opened, run_id, name, tmp_path / "f")
    with pytest.raises(NotFound, match="outputs/f"):
        run_files.path_of(opened, run_id, "outputs/g")
    with pytest.raises(NotFound):
        run_files.files_of(opened, "no-such-run")


def test_models(opened, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").write_text("1")
    run_id = run_records.create_run(opened, "e")
    first = models.register(
        opened, "keras-mnist", tmp_path / "model", stored_as="model", tags={"a": "1"}, run_id=run_id
    )
    (tmp_path / "model" / "w").write_text("2")
    second = models.register(opened, "keras-mnist", tmp_path / "model" / "w", stored_as="w", properties={"p": "q"})
    assert (first.id, second.id, first.run_id) == ("keras-mnist:1", "keras-mnist:2", run_id)
    assert (first.path / "model" / "w").read_text() == "1"
    assert models.get(opened, "keras-mnist") == second and models.get(opened, "keras-mnist", 1) == first
    assert models.list_all(opened, latest=True) == [second]
    updated = models.update(opened, "keras-mnist", 1, tags={"b": "2"}, properties={"p": "q"}, description="d")
    assert (updated.tags, updated.properties, updated.description) == ({"b": "2"}, {"p": "q"}, "d")
    models.delete(opened, "keras-mnist", 2)
    assert models.get(opened, "keras-mnist").version == 1 and not second.path.exists()


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "../a", "a b", "é", "-a", "x" * 256])
def test_model_names_that_are_refused(opened, tmp_path, name):
    (tmp_path / "w").write_text("")
    with pytest.raises(InvalidName):
        models.register(opened, name, tmp_path / "w", stored_as="w")


def test_models_that_are_not_there(opened, tmp_path):
    (tmp_path / "w").write_text("")
    models.register(opened, "0" * 64, tmp_path / "w", stored_as="w", extra={"anonymous": True})
    with pytest.raises(NotFound, match="It has: none"):  # a name that nobody has given is none to choose
        models.get(opened, "m")
    with pytest.raises(NotFound):
        models.register(opened, "m", tmp_path / "nothing", stored_as="w")
    with pytest.raises(Invalid, match=f"{2**70} is no version of a model"):
        models.register(opened, "m", tmp_path / "w", stored_as="w", version=2**70)
    assert models.list_all(opened, "quote'") == []


def test_what_mlflow_would_cut_is_kept_and_what_it_would_refuse_is_told(opened):
    run_id = run_records.create_run(opened, "e" * 500)
    run_records.set_description(opened, run_id, "long " * 5000)
    assert run_records.get_run(opened, run_id).description == "long " * 5000
    with pytest.raises(Invalid, match=r"name of the experiment has 501 characters; it holds up to 500\."):
        run_records.create_run(opened, "e" * 501)


@pytest.mark.parametrize("keep", ["set_description", "set_display_name"])
def test_what_is_no_text_is_refused_in_words(opened, keep):
    run_id = run_records.create_run(opened, "e")
    with pytest.raises(Invalid, match=r"'a\\udcff' is no text: character 2 of it"):
        getattr(run_records, keep)(opened, run_id, "a\udcff")
    with pytest.raises(Invalid, match="is no text"):
        run_records.log_metrics(opened, run_id, [metric("a\udcff", 1)])


def test_the_store_is_mlflows(opened):
    run_id = run_records.create_run(opened, "e")
    run_records.log_metrics(opened, run_id, [metric("a", 1)])
    from mlflow import MlflowClient

    assert MlflowClient(mlflow_store.tracking_uri(opened)).get_run(run_id).data.metrics == {"a": 1.0}


def test_runs_that_mlflow_made_are_numbered_when_they_are_first_seen(opened):
    store = mlflow_client(opened)
    experiment = run_records.create_experiment(opened, "e")
    ids = [store.create_run(experiment, start_time=1000 + index).info.run_id for index in range(3)]
    assert run_files.files_of(opened, ids[2]) == []  # before any look at it
    assert [run.number for run in run_records.list_runs(opened, "e")] == [3, 2, 1]
    own = run_records.create_run(opened, "e")
    later = store.create_run(experiment, start_time=1).info.run_id
    assert run_records.get_run(opened, own).number == 4
    assert run_records.get_run(opened, later).number == 5
    assert [run_records.get_run(opened, run_id).number for run_id in ids] == [1, 2, 3]


def test_files_of_every_experiment_are_in_the_folder(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = mlflow_client(opened)
    elsewhere = store.create_experiment("elsewhere", artifact_location=(tmp_path / "away").as_uri())
    (tmp_path / "model").write_text("weights")
    for experiment in ("0", store.create_experiment("by MLflow"), elsewhere):
        run_id = store.create_run(experiment).info.run_id
        store.log_artifact(run_id, "model", "outputs")
        assert run_files.path_of(opened, run_id, "outputs/model").read_text() == "weights"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "offline"]


def test_experiment_of_mlflow_is_listed_once_it_has_a_run(opened):
    run_records.create_experiment(opened, "e")
    assert [one["name"] for one in run_records.list_experiments(opened)] == ["e"]
    mlflow_client(opened).create_run("0")
    assert [one["name"] for one in run_records.list_experiments(opened)] == ["Default", "e"]


def test_a_model_that_mlflow_registered(opened, tmp_path):
    store = mlflow_client(opened)
    run_id = run_records.create_run(opened, "e")
    artifacts.upload_bytes(opened, run_id, "model/w", b"1")
    store.create_registered_model("m")
    store.create_model_version("m", f"runs:/{run_id}/model", run_id)
    model = models.get(opened, "m")
    assert (model.files, model.run_id, model.extra) == (["model/w"], run_id, {})
    models.delete(opened, "m", 1)
    assert run_files.files_of(opened, run_id) == ["model/w"]


def test_an_address_for_mlflow_makes_the_store(tmp_path):
    new = folder.open_folder(tmp_path / "new")
    assert run_records.tracking_uri(new) == mlflow_store.tracking_uri(new)
    assert (new / "mlflow.db").exists()


def test_a_new_workspaces_store_is_copied_from_the_one_that_the_set_up_has_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    made = folder.open_folder(tmp_path / "made")
    mlflow_store.make(made)
    new_store.keep()
    monkeypatch.setattr(new_store, "_make_anew", None)
    copied = folder.open_folder(tmp_path / "copied")
    experiment = mlflow_client(copied).get_experiment("0")
    assert (experiment.name, experiment.artifact_location) == ("Default", (copied / "artifacts").as_uri())
    columns = []
    for store in (made, copied):
        with mlflow_store.connected(store) as connection:
            asked = "SELECT t.name, c.name, c.type FROM sqlite_master AS t, pragma_table_info(t.name) AS c"
            columns.append(set(connection.execute(asked)))
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert columns[0] == columns[1] and ("runs", "run_uuid", "VARCHAR(32)") in columns[0]


def test_a_kept_store_that_is_damaged_is_not_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    new_store.keep()
    (kept,) = tmp_path.rglob("mlflow-*.db")
    whole = kept.read_bytes()
    for name, left in {"empty": b"", "cut": whole[:300_000]}.items():
        kept.write_bytes(left)
        new = folder.open_folder(tmp_path / name)
        assert mlflow_client(new).get_experiment("0").name == "Default", name

"""Runs as a driver sees them: submitted ones that completed, failed and were canceled, and interactive ones."""

import io
import json
import math
import types
from pathlib import Path

import numpy as np
import pytest
from azureml import _metrics, _run_wait
from azureml.core import Dataset, Environment, Experiment, Run, ScriptRunConfig
from azureml.core.script_run import ScriptRun
from azureml.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    ServiceException,
    SnapshotException,
    UserErrorException,
)
from sdk_world import source
from small_jobs import wait_until

SCRIPT = """
import sys
from azureml.core import Run

run = Run.get_context()
print("arguments", sys.argv[1:])
for epoch, accuracy in enumerate([0.5, 0.75, 0.9]):
    run.log("Accuracy", accuracy, step=epoch)
run.log("Final", 0.91)
with open("outputs/model.txt", "w") as file:
    file.write("the model")
with open("outputs/notes.txt", "w") as file:
    file.write("notes")
print("größer, 大きい")
"""


@pytest.fixture(scope="module")
def experiment(workspace):
    return Experiment(workspace, "runs")


@pytest.fixture(scope="module")
def completed(experiment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("completed")
    config = ScriptRunConfig(**source(folder, SCRIPT), arguments=["--rate", 0.001, "--name", "a 'b' \"ç\""])
    run = experiment.submit(config, tags={"purpose": "test", "number": 3})
    run.wait_for_completion()
    return run


@pytest.fixture(scope="module")
def failed(experiment, tmp_path_factory):
    script = "print('before')\nraise ValueError('the data are wrong')\n"
    run = experiment.submit(ScriptRunConfig(**source(tmp_path_factory.mktemp("failed"), script)))
    run.wait_for_completion(raise_on_error=False)
    return run


@pytest.fixture
def interactive(experiment):
    run = experiment.start_logging(outputs=False, snapshot_directory=None)
    yield run
    if run.get_status() == "Running":
        run.complete()


def test_submit_returns_a_script_run_with_its_tags(completed, workspace):
    assert isinstance(completed, ScriptRun)
    assert completed.type == "azureml.scriptrun"
    assert completed.status == "Completed"
    assert completed.get_tags() == {"purpose": "test", "number": "3"}
    again = Run.get(workspace, completed.id)
    assert isinstance(again, ScriptRun)
    assert (again.id, again.number, again.experiment.name) == (completed.id, completed.number, "runs")


def test_repr_and_html_name_the_run(completed, monkeypatch):
    assert repr(completed) == (
        f"Run(Experiment: runs,\nId: {completed.id},\nType: azureml.scriptrun,\nStatus: Completed)"
    )
    for served in (False, True):  # while MLflow's page is not served, a link would lead nowhere
        monkeypatch.setattr("helpers.offline.engine.history.studio.is_up", lambda served=served: served)
        html = completed._repr_html_()
        assert html.startswith("<table") and completed.id in html
        assert (completed.get_portal_url() in html) == served == ("make studio" not in html)


def test_details_have_the_services_keys(completed):
    details = completed.get_details()
    assert details["runId"] == completed.id
    assert details["target"] == "local"
    assert details["status"] == "Completed"
    assert details["startTimeUtc"].endswith("Z") and details["startTimeUtc"] < details["endTimeUtc"]
    assert details["properties"]["ContentSnapshotId"] == completed.get_snapshot_id()
    assert details["runDefinition"]["script"] == "train.py"
    assert details["runDefinition"]["arguments"] == ["--rate", "0.001", "--name", "a 'b' \"ç\""]
    assert "user_logs/std_log.txt" in details["logFiles"]
    assert "error" not in details


def test_arguments_arrive_as_they_were_given(completed):
    log = completed.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert """['--rate', '0.001', '--name', 'a \\'b\\' "ç"']""" in log
    assert "größer, 大きい" in log


def test_metrics_have_the_services_shape(completed):
    assert completed.get_metrics() == {"Accuracy": [0.5, 0.75, 0.9], "Final": 0.91}
    assert completed.get_metrics(name="Final") == {"Final": 0.91}
    assert completed.get_metrics(name="None such") == {}


def test_environment_of_a_run(completed, interactive):
    assert isinstance(completed.get_environment(), Environment)
    with pytest.raises(UserErrorException, match="no run definition"):
        interactive.get_environment()


def test_run_of_a_conda_environment_that_lacks_a_package_fails_in_preparing(experiment, tmp_path):
    (tmp_path / "conda.yml").write_text("dependencies:\n- pip:\n  - no-such-package-anywhere==1.0\n")
    environment = Environment.from_conda_specification("lacking", str(tmp_path / "conda.yml"))
    run = experiment.submit(ScriptRunConfig(**source(tmp_path / "code", "print(1)"), environment=environment))
    with pytest.raises(ActivityFailedException, match="no-such-package-anywhere"):
        run.wait_for_completion()
    assert run.get_environment().name == "lacking"


def test_streamed_output_has_the_headings_and_every_line(completed, capsys):
    assert completed.wait_for_completion(show_output=True)["status"] == "Completed"
    output = capsys.readouterr().out
    url = completed.get_portal_url()
    assert output.startswith(f"RunId: {completed.id}\nWeb View: {url}\n\nStreaming user_logs/std_log.txt\n====")
    assert "\narguments ['--rate'" in output and "\ngrößer, 大きい\n" in output
    assert output.endswith(f"\nExecution Summary\n=================\nRunId: {completed.id}\nWeb View: {url}\n\n")


def test_output_is_streamed_while_the_script_runs(experiment, tmp_path, monkeypatch):
    go = tmp_path / "go"
    script = f"""
import pathlib, time
print("first", end="", flush=True)
print(" line", flush=True)
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.02)
print("last line without an end", end="")
"""
    printed = []

    def note(text):
        printed.append(text)
        if text == "first line":
            go.touch()  # the script ends only because its first line was streamed

    monkeypatch.setattr(_run_wait, "_print", note)
    experiment.submit(ScriptRunConfig(**source(tmp_path / "code", script))).wait_for_completion(show_output=True)
    assert "last line without an end" in printed


def test_interrupted_output_leaves_the_run_going(experiment, tmp_path, monkeypatch):
    config = ScriptRunConfig(**source(tmp_path, "import time\nprint('here', flush=True)\ntime.sleep(600)"))
    run = experiment.submit(config)

    def interrupt(text):
        if text == "here":
            raise KeyboardInterrupt

    monkeypatch.setattr(_run_wait, "_print", interrupt)
    with pytest.raises(ExperimentExecutionException, match="output streaming for the run interrupted"):
        run.wait_for_completion(show_output=True)
    assert run.get_status() == "Running"
    run.cancel()
    monkeypatch.undo()
    assert run.wait_for_completion()["status"] == "Canceled"


def test_failed_run_raises_with_its_error(failed, capsys):
    with pytest.raises(ActivityFailedException) as raised:
        failed.wait_for_completion()
    assert raised.value.message.startswith("Activity Failed:\n{")
    assert json.loads(raised.value.message.partition("\n")[2])["error"]["code"] == "UserError"
    assert "the data are wrong" in raised.value.message

    details = failed.wait_for_completion(show_output=True, raise_on_error=False)
    assert details["status"] == "Failed"
    assert "\nError:\n{" in capsys.readouterr().out


def test_download_file_goes_where_it_is_told(completed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    completed.download_file("outputs/model.txt")
    completed.download_file("outputs/model.txt", "new/folder/copy.txt")
    completed.download_file("outputs/model.txt", "new")
    for path in ("model.txt", "new/folder/copy.txt", "new/model.txt"):
        assert Path(path).read_text() == "the model"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "outputs/../../x", "", "outputs"])
def test_download_of_what_is_no_file_of_the_run_writes_nothing(completed, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserErrorException):
        completed.download_file(name, "target")
    assert list(tmp_path.iterdir()) == []


def test_download_of_an_unknown_file_lists_those_there_are(completed):
    with pytest.raises(UserErrorException, match=r"File with path outputs/no was not found,\n.*outputs/model.txt"):
        completed.download_file("outputs/no")


def test_download_files_below_a_prefix(completed, tmp_path, monkeypatch, caplog):
    completed.download_files("outputs", output_directory=str(tmp_path / "with"))
    completed.download_files("outputs/", output_directory=str(tmp_path / "without"), append_prefix=False)
    assert written(tmp_path / "with") == ["outputs/model.txt", "outputs/notes.txt"]
    assert written(tmp_path / "without") == ["model.txt", "notes.txt"]
    monkeypatch.chdir(tmp_path)
    completed.download_files("outputs", output_paths=["a.txt", "b.txt"])
    assert Path("a.txt").read_text() == "the model"
    completed.download_files("outputs", "own", output_paths=["one.txt"], append_prefix=False)
    assert written(tmp_path / "own") == ["outputs/model.txt", "outputs/notes.txt"]
    assert "output_paths are not one for each of the 2 files" in caplog.text
    with pytest.raises(UserErrorException, match="Prefix with path nothing/ was not found"):
        completed.download_files("nothing")


@pytest.mark.parametrize("path", ["../outside.txt", "/outside-of-the-folder.txt"])
def test_download_files_stay_in_the_folder_that_was_asked_for(completed, tmp_path, path):
    with pytest.raises(UserErrorException):
        completed.download_files("outputs", str(tmp_path / "in"), output_paths=["inside.txt", path])
    assert written(tmp_path) == []


def test_all_logs_are_written_below_a_folder(completed, tmp_path):
    paths = completed.get_all_logs(str(tmp_path / "logs"))
    assert str(tmp_path / "logs" / "user_logs" / "std_log.txt") in paths
    assert all(Path(path).is_file() for path in paths)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserErrorException, match="exists and is not a directory"):
        completed.get_all_logs(str(tmp_path / "file"))


def test_snapshot_holds_the_code(completed, tmp_path):
    import zipfile

    path = completed.restore_snapshot(path=str(tmp_path))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["train.py"]
    with pytest.raises(SnapshotException, match="already has one"):
        completed.take_snapshot(str(tmp_path))


def test_a_snapshot_is_of_a_folder(interactive, tmp_path):
    (tmp_path / "file.py").touch()
    for path, error in ((tmp_path / "file.py", NotADirectoryError), (tmp_path / "nowhere", FileNotFoundError)):
        with pytest.raises(error):
            interactive.take_snapshot(str(path))
    assert interactive.get_snapshot_id() is None


def test_dataset_as_mount_without_a_name_is_an_input_of_the_run(experiment, workspace, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("1")
    dataset = Dataset.File.upload_directory(
        str(tmp_path / "data"), (workspace.get_default_datastore(), "given"), show_progress=False
    ).register(workspace, "given")
    script = """
import os, sys
from azureml.core import Run
run = Run.get_context()
run.log("same", int(list(run.input_datasets.values()) == [sys.argv[1]]))
run.log("files", len(os.listdir(sys.argv[1])))
"""
    config = ScriptRunConfig(**source(tmp_path / "code", script), arguments=[dataset.as_mount()])
    run = experiment.submit(config)
    details = run.wait_for_completion()
    assert run.get_metrics() == {"same": 1, "files": 1}
    (given,) = details["inputDatasets"]
    assert (given["dataset"].name, given["dataset"].id) == ("given", dataset.id)
    assert given["consumptionDetails"]["mechanism"] == "Mount"
    assert given["consumptionDetails"]["inputName"].startswith("input_")


@pytest.mark.parametrize("name", ["{folder}/part/train.py", "part/../part/train.py"])
def test_a_script_has_the_name_that_it_has_in_its_directory(experiment, tmp_path, name):
    source(tmp_path / "part", "print(__file__)")
    run = experiment.submit(ScriptRunConfig(str(tmp_path), script=name.format(folder=tmp_path)))
    run.wait_for_completion()
    assert run.get_details()["runDefinition"]["script"] == "part/train.py"
    assert run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].endswith("part/train.py\n")


def test_command_in_place_of_a_script(experiment, tmp_path):
    config = ScriptRunConfig(source_directory=str(tmp_path), command=["echo", "one two", "&& echo three"])
    (tmp_path / "empty.txt").write_text("")
    run = experiment.submit(config)
    logs = {**run.wait_for_completion(), **run.get_details_with_logs()}["logFiles"]
    assert logs["user_logs/std_log.txt"] == "one two\nthree\n"


def test_what_cannot_run_is_refused_before_there_is_a_run(experiment, tmp_path):
    before = len(list(experiment.get_runs()))
    good = source(tmp_path / "code", "print(1)")
    with pytest.raises(ExperimentExecutionException, match="no compute"):
        experiment.submit(ScriptRunConfig(**good, compute_target="no-such-cluster"))
    with pytest.raises(ExperimentExecutionException, match=r"missing\.py"):
        experiment.submit(ScriptRunConfig(str(tmp_path / "code"), script="missing.py"))
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        experiment.submit(ScriptRunConfig(str(tmp_path / "nothing"), script="train.py"))
    with pytest.raises(TypeError, match="sequence item 1: expected str instance, int found"):
        experiment.submit(ScriptRunConfig(str(tmp_path / "code"), command=["echo", 1]))
    with pytest.raises(ExperimentExecutionException, match="script or a command"):
        experiment.submit(ScriptRunConfig(str(tmp_path / "code")))
    with pytest.raises(AzureMLException, match="Method to be submitted has not been registered"):
        experiment.submit("train.py")
    with pytest.raises(NotImplementedError, match="priority"):
        experiment.submit(ScriptRunConfig(**good), priority=3)
    assert len(list(experiment.get_runs())) == before


def test_interactive_run_is_logged_to_and_completed(interactive):
    assert interactive.get_status() == "Running"
    assert interactive.type is None
    interactive.log("loss", 0.5)
    interactive.log("loss", 0.25)
    interactive.log("text", "good")
    interactive.log_list("list", [1, 2.5])
    interactive.log_row("rows", fruit="lime", size=3)
    interactive.log_row("rows", fruit="lemon", size=7)
    interactive.log_table("table", {"x": [1, 2], "y": [3, 4]})
    assert interactive.get_metrics() == {
        "loss": [0.5, 0.25],
        "text": "good",
        "list": [1, 2.5],
        "rows": {"fruit": ["lime", "lemon"], "size": [3, 7]},
        "table": {"x": [1, 2], "y": [3, 4]},
    }
    interactive.complete()
    assert interactive.get_status() == "Completed"
    assert interactive.get_details()["endTimeUtc"]


def test_numpy_numbers_are_logged_as_the_sdk_does(interactive, caplog):
    interactive.log("float32", np.float32(0.5))
    interactive.log("nan", float("nan"))
    interactive.log("int64", np.int64(3))
    metrics = interactive.get_metrics()
    assert metrics["float32"] == 0.5
    assert math.isnan(metrics["nan"])
    assert metrics["int64"] == "np.int64(3)"  # the SDK's own limit; a warning says so
    assert "int64" in caplog.text


@pytest.mark.parametrize(
    ("call", "exception", "words"),
    [
        (lambda run: run.log("x", [1]), UserErrorException, "run.log does not support list type"),
        (lambda run: run.log_row("x", a=[1]), AzureMLException, "Rows cannot contain list values, column a"),
        (lambda run: run.log_table("x", [1]), AzureMLException, "of invalid type. Expected type"),
        (lambda run: run.log_table("x", {"a": [1, 2], "b": [1]}), AzureMLException, "must have the same length"),
        (lambda run: run.log_list("x", [object()]), AzureMLException, "is not supported"),
        (lambda run: run.log("x", 10**400), AzureMLException, "is out of range"),
        (lambda run: run.log_residuals("x", "{"), UserErrorException, "Invalid JSON provided"),
        (lambda run: run.log_image("x"), AzureMLException, "one of path and plot is required"),
        (lambda run: run.log_image("x", path="a", plot=1), AzureMLException, "both provided"),
        (lambda run: run.log_image("x", plot=1), AzureMLException, "Argument .plot. is of invalid type"),
        (lambda run: run.log_image("x", path=__file__), AzureMLException, "is malformed"),
        (lambda run: run.log_image("x", path="none.png"), FileNotFoundError, "none.png"),
        (lambda run: run.upload_file("x", Path(__file__)), UserErrorException, "UnsupportedType"),
        (lambda run: run.upload_files(["a"], []), TypeError, "lists of equal lengths"),
        (lambda run: run.upload_folder("x", __file__), UserErrorException, "not a valid directory"),
        (lambda run: run.upload_file("../x", __file__), UserErrorException, r"without '\.\.'"),
        (lambda run: run.upload_file("/x", __file__), UserErrorException, "relative path"),
        (lambda run: run.upload_file("x", __file__, datastore_name="d"), NotImplementedError, "datastore_name"),
        (lambda run: run.get_metrics(populate=True), NotImplementedError, "populate"),
        (lambda run: run.create_children(), UserErrorException, "Either count or tag_key"),
        (lambda run: run.create_children(101), UserErrorException, "more than 100"),
        (lambda run: run.fail(error_details=3), TypeError, "error_details must be"),
    ],
)
def test_what_cannot_be_logged_is_refused(interactive, call, exception, words):
    with pytest.raises(exception, match=words):
        call(interactive)
    assert interactive.get_metrics() == {}
    assert interactive.get_file_names() == []


def test_images_are_files_of_the_run(interactive, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    interactive.log_image("Accuracy vs Loss", plot=figure)
    interactive.log_image("Accuracy vs Loss", plot=figure)
    figure.savefig(tmp_path / "saved.png")
    monkeypatch.chdir(tmp_path)
    interactive.log_image("by path", path="saved.png")
    names = interactive.get_file_names()
    assert len(names) == 3 and "saved.png" in names
    assert all(name.endswith(".png") for name in names)
    metrics = interactive.get_metrics()
    assert metrics["by path"] == f"aml://artifactId/ExperimentRun/dcid.{interactive.id}/saved.png"
    first = metrics["Accuracy vs Loss"].rpartition("/")[2]  # the SDK gives the first of several
    assert first in names and first.startswith("Accuracy vs Loss_")


def test_images_from_elsewhere_keep_their_folders(interactive, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    folders = [tmp_path / "before", tmp_path / "after"]
    for folder in folders:
        folder.mkdir()
        Figure().savefig(folder / "plot.png")
    interactive.log_image("absolute", path=str(folders[0] / "plot.png"))
    monkeypatch.chdir(folders[0])
    interactive.log_image("relative", path="../after/plot.png")
    assert interactive.get_file_names() == sorted(str(folder / "plot.png").lstrip("/") for folder in folders)
    address = f"aml://artifactId/ExperimentRun/dcid.{interactive.id}/"  # then the path as it was given, as in the SDK
    assert interactive.get_metrics() == {
        "absolute": f"{address}{folders[0]}/plot.png",
        "relative": f"{address}../after/plot.png",
    }


def test_charts_are_files_of_the_run(interactive, tmp_path):
    matrix = {"schema_type": "confusion_matrix", "schema_version": "1.0.0", "data": {"matrix": [[3, 0], [1, 2]]}}
    interactive.log_confusion_matrix("matrix", json.dumps(matrix))
    interactive.log_accuracy_table("table", {"schema_type": "accuracy_table"})
    interactive.log_residuals("rest", {"schema_type": "residuals"})
    interactive.log_predictions("a/guess (%)", {"schema_type": "predictions"})
    names = ["a/guess (%)", "matrix", "rest", "table"]
    assert interactive.get_file_names() == names
    address = f"aml://artifactId/ExperimentRun/dcid.{interactive.id}/"
    assert interactive.get_metrics() == {name: address + name for name in names}
    interactive.download_file("matrix", str(tmp_path / "matrix.json"))
    assert json.loads((tmp_path / "matrix.json").read_text()) == matrix
    with pytest.raises(AzureMLException, match="already"):
        interactive.log_confusion_matrix("matrix", matrix)
    with pytest.raises(UserErrorException, match="Invalid JSON"):
        interactive.log_residuals("more", "{")
    assert interactive.get_file_names() == names


def test_plots_of_the_same_second_have_names_of_their_own(monkeypatch):
    monkeypatch.setattr(_metrics, "time", types.SimpleNamespace(time=lambda: 1700000000.9))
    taken = set()
    names = [_metrics.plot_name("curve", taken) for _ in range(3)]
    assert names == ["curve_1700000000.png", "curve_1700000001.png", "curve_1700000002.png"]


def test_files_are_uploaded_and_names_are_not_reused(interactive, tmp_path):
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "b.txt").write_text("b")
    (tmp_path / "a.txt").write_text("a")
    interactive.upload_file("a.txt", str(tmp_path / "a.txt"))
    interactive.upload_file("stream.txt", io.BytesIO(b"from a stream"))
    interactive.upload_files(["x/1.txt", "x/2.txt"], [str(tmp_path / "a.txt")] * 2)
    interactive.upload_folder("folder/", str(tmp_path / "folder") + "/")
    assert interactive.get_file_names() == ["a.txt", "folder/below/b.txt", "stream.txt", "x/1.txt", "x/2.txt"]
    with pytest.raises(AzureMLException, match="already"):
        interactive.upload_file("a.txt", str(tmp_path / "a.txt"))


def test_outputs_folder_is_added_when_an_interactive_run_ends(experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "notebook.py").write_text("print(1)")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "old.txt").write_text("was there before")
    run = experiment.start_logging(snapshot_directory="code", display_name="by hand", description="why")
    (tmp_path / "outputs" / "new.txt").write_text("new")
    with run:
        pass
    assert (run.get_status(), run.display_name, run.description) == ("Completed", "by hand", "why")
    assert run.get_file_names() == ["outputs/new.txt"]
    assert run.get_snapshot_id()


def test_run_context_fails_with_the_exception(experiment):
    run = experiment.start_logging(outputs=False, snapshot_directory=None)
    with pytest.raises(ValueError, match="no good"), run:
        raise ValueError("no good")
    assert run.get_status() == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["message"] == "User program failed with ValueError: no good"
    assert run.fail("later, and with a code", "MyCode") is None
    assert run.get_details()["error"]["error"]["code"] == "MyCode"


def test_children_and_their_metrics(interactive):
    interactive.log("A", 1)
    with interactive.child_run("part") as child:
        child.log("A", 2)
        grandchild = child.child_run()
        grandchild.complete()
    tagged = interactive.create_children(tag_key="lr", tag_values=[0.1, 0.2])
    for one in tagged:
        one.cancel()
    assert child.parent.id == interactive.id and child.display_name == "part"
    assert interactive.get_metrics(recursive=True) == {interactive.id: {"A": 1}, child.id: {"A": 2}}
    assert {run.id for run in interactive.get_children()} == {child.id, *(run.id for run in tagged)}
    assert grandchild.id in {run.id for run in interactive.get_children(recursive=True)}
    assert [run.id for run in interactive.get_children(tags={"lr": 0.2})] == [tagged[1].id]
    assert {run.id for run in interactive.get_children(tags="lr", status="Canceled")} == {run.id for run in tagged}
    counted = interactive.create_children(2)
    assert [(run.status, run.get_status()) for run in counted] == [("NotStarted", "Running")] * 2
    assert [run.tags for run in counted] == [{"azureml.batch_child_number": number} for number in "01"]


def test_what_has_ended_does_not_run_again(interactive):
    child = interactive.child_run()
    child.complete()
    child.start()
    assert child.get_status() == "Completed"


def test_submitted_child_is_below_its_parent(interactive, tmp_path):
    child = interactive.submit_child(ScriptRunConfig(**source(tmp_path, "print(1)")))
    child.wait_for_completion()
    assert child.parent.id == interactive.id
    assert [run.id for run in interactive.get_children()] == [child.id]
    assert child.id not in [run.id for run in interactive.experiment.get_runs()]


def test_tags_change_and_properties_do_not(interactive):
    interactive.tag("a")
    interactive.set_tags({"b": 1})
    interactive.tag("b", 2)
    interactive.remove_tags(["a"])
    assert interactive.tags == interactive.get_tags() == {"b": "2"}
    interactive.add_properties({"author": "x"})
    interactive.add_properties({"author": "x", "other": "y"})
    with pytest.raises(ServiceException, match="immutable"):
        interactive.add_properties({"author": "z"})
    assert interactive.get_properties() == {"author": "x", "other": "y"}
    interactive.display_name = "new name"
    interactive.description = "new description"
    assert (interactive.display_name, interactive.description) == ("new name", "new description")


def test_tags_that_are_no_texts_are_told(interactive, experiment, caplog):
    interactive.set_tags({"epochs": 3, "mood": "good", "bare": None})
    interactive.add_properties({"done": True})
    experiment.tag("year", 2026)
    assert caplog.messages == [
        "Converting non-string tag to string: (epochs: 3)",
        "Converting non-string tag to string: (done: True)",
        "Converting non-string tag to string: (year: 2026)",
    ]
    for tagged in (interactive, experiment):
        with pytest.raises(ValueError, match="Refuse str type"):
            tagged.remove_tags("mood")
    assert interactive.get_tags()["mood"] == "good"


def test_unknown_run_is_told_as_the_service_does(workspace):
    with pytest.raises(ServiceException, match="no run 'nothing'") as raised:
        Run.get(workspace, "nothing")
    assert raised.value.status_code == 404


def test_cancel_ends_a_running_script(experiment, tmp_path):
    run = experiment.submit(ScriptRunConfig(**source(tmp_path, "import time\ntime.sleep(600)")))
    wait_until(lambda: run.get_status() == "Running")
    run.cancel()
    assert run.wait_for_completion()["status"] == "Canceled"


def written(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_limits_of_a_snapshot_can_be_raised_where_people_raise_them(experiment, tmp_path, monkeypatch):
    from azureml._restclient import snapshots_client

    assert (snapshots_client.SNAPSHOT_MAX_SIZE_BYTES, snapshots_client.SNAPSHOT_MAX_FILES) == (300 * 2**20, 2000)
    given = ScriptRunConfig(**source(tmp_path / "code", "print(1)"))
    monkeypatch.setattr(snapshots_client, "SNAPSHOT_MAX_FILES", 0)
    with pytest.raises(SnapshotException, match="file limit of 0"):
        experiment.submit(given)
    monkeypatch.setenv("AML_SNAPSHOT_NO_FILE_LIMIT", "1")
    monkeypatch.setattr(snapshots_client, "SNAPSHOT_MAX_SIZE_BYTES", 2)
    with pytest.raises(SnapshotException, match="exceeds the limit of"):
        experiment.submit(given)
    monkeypatch.setattr(snapshots_client, "SNAPSHOT_MAX_SIZE_BYTES", 200)
    assert experiment.submit(given).wait_for_completion()["status"] == "Completed"

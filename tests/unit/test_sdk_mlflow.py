"""MLflow beside the SDK: code that uses MLflow alone, in a notebook and in a job, and the page of `make studio`."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import mlflow
import psutil
import pytest
import requests
from azureml.core import Experiment, Model, Run, ScriptRunConfig
from mlflow.deployments import get_deploy_client
from sdk_world import source
from small_jobs import wait_until

ROOT = Path(__file__).parents[2]

NOTEBOOK = """
import sys

import mlflow
from azureml.core import Workspace
from matplotlib.figure import Figure

workspace = Workspace.from_config()
mlflow.set_tracking_uri(workspace.get_mlflow_tracking_uri())
with mlflow.start_run():
    mlflow.log_metric("in default", 1)
mlflow.set_experiment("notebook")
with mlflow.start_run(run_name="outer"):
    mlflow.set_tag("framework", "keras")
    mlflow.log_metric("final", 0.5)
    for epoch, loss in enumerate([0.75, 0.25]):
        mlflow.log_metric("loss", loss, step=epoch)
    mlflow.log_figure(Figure(), "plots/curve.png")
    mlflow.log_text("some weights", "model/weights.txt")
    store, run_id = mlflow.MlflowClient(), mlflow.active_run().info.run_id
    store.create_registered_model("from-mlflow")
    store.create_model_version("from-mlflow", mlflow.get_artifact_uri("model"), run_id)
    with mlflow.start_run(nested=True):
        mlflow.log_metric("inner", 1)
try:
    with mlflow.start_run(run_name="second"):
        raise RuntimeError
except RuntimeError:
    pass
mlflow.create_experiment("elsewhere", artifact_location=sys.argv[1])
"""

JOB = """
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import mlflow
import mlflow.keras
import numpy as np
from matplotlib.figure import Figure

mlflow.keras.autolog(log_models=False, log_datasets=False)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse", metrics=["mae"])
model.fit(np.ones((8, 3), "float32"), np.ones((8, 2), "float32"), epochs=3, verbose=0)
"""

LOGGING_JOB = """
import os

import mlflow
from matplotlib.figure import Figure

for epoch in range(3):
    mlflow.log_metric("loss", 1 / 2**epoch, step=epoch)
mlflow.log_metric("final", 0.5)
mlflow.log_figure(Figure(), "plots/curve.png")
os.makedirs("made/deep")
with open("made/deep/notes.txt", "w") as file:
    file.write("notes")
mlflow.log_artifacts("made", "made")
mlflow.set_tag("framework", "keras")
mlflow.end_run()
with mlflow.start_run(run_name="another"):
    mlflow.log_metric("of another", 1)
"""


@pytest.fixture(scope="module")
def after_notebook(workspace, tmp_path_factory):
    """The workspace after a notebook that uses MLflow alone; and the folder where that notebook ran."""
    here = tmp_path_factory.mktemp("notebook")
    path = [str(ROOT / "helpers/offline/sdk_v1"), str(ROOT), os.environ["PYTHONPATH"]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    command = [sys.executable, "-c", NOTEBOOK, str(here / "away")]
    result = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return workspace, here


def test_runs_of_a_notebook(after_notebook):
    workspace, _ = after_notebook
    second, outer = Experiment(workspace, "notebook").get_runs()
    assert (outer.number, outer.display_name, outer.status) == (1, "outer", "Completed")
    assert (second.display_name, second.status) == ("second", "Failed")
    assert outer.get_metrics() == {"final": 0.5, "loss": [0.75, 0.25]}
    assert outer.get_tags() == {"framework": "keras"}
    (child,) = outer.get_children()
    assert child.get_metrics() == {"inner": 1} and child.parent.id == outer.id
    assert sorted([outer.number, child.number, second.number]) == [1, 2, 3]
    assert Run.get(workspace, outer.id).number == 1  # a number that was given stays


def test_files_of_a_notebook(after_notebook, tmp_path):
    workspace, here = after_notebook
    (outer,) = (run for run in Experiment(workspace, "notebook").get_runs() if run.display_name == "outer")
    assert outer.get_file_names() == ["model/weights.txt", "plots/curve.png"]
    outer.download_file("model/weights.txt", str(tmp_path / "weights.txt"))
    assert (tmp_path / "weights.txt").read_text() == "some weights"
    outer.upload_file("added.txt", str(tmp_path / "weights.txt"))
    assert "added.txt" in outer.get_file_names()
    assert list(here.iterdir()) == [], "MLflow wrote outside the workspace's folder"


def test_run_without_an_experiment(after_notebook):
    workspace, _ = after_notebook
    (run,) = workspace.experiments["Default"].get_runs()
    assert run.get_metrics() == {"in default": 1}


def test_model_registered_with_mlflow(after_notebook, tmp_path):
    workspace, _ = after_notebook
    model = Model(workspace, "from-mlflow")
    assert (model.version, model.run.display_name, model.model_framework) == (1, "outer", "Custom")
    assert [one.name for one in Model.list(workspace, name="from-mlflow")] == ["from-mlflow"]
    model.download(str(tmp_path / "got"))
    assert (tmp_path / "got/model/weights.txt").read_text() == "some weights"
    model.delete()
    assert "model/weights.txt" in model.run.get_file_names(), "the run's own file went with the model"


def test_job_that_logs_with_mlflow(workspace, tmp_path):
    experiment = Experiment(workspace, "logging")
    run = experiment.submit(ScriptRunConfig(**source(tmp_path / "source", LOGGING_JOB)))
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.get_metrics() == {"loss": [1.0, 0.5, 0.25], "final": 0.5}
    assert {"plots/curve.png", "made/deep/notes.txt"} <= set(run.get_file_names())
    assert run.get_tags() == {"framework": "keras"}
    assert [one.id for one in experiment.get_runs()] == [run.id]
    (another,) = run.get_children()  # what it starts beside its own run is below it
    assert another.get_metrics() == {"of another": 1}


def test_job_that_trains_with_autolog(workspace, tmp_path):
    run = Experiment(workspace, "autolog").submit(ScriptRunConfig(**source(tmp_path / "source", JOB)))
    assert run.wait_for_completion()["status"] == "Completed"
    metrics = run.get_metrics()
    assert {"loss", "mae"} <= set(metrics) and all(len(metrics[name]) == 3 for name in ("loss", "mae"))
    assert "model_summary.txt" in run.get_file_names()


def test_what_azureml_mlflow_has_beside_tracking_is_refused_in_plain_words(workspace, tmp_path):
    tracking = workspace.get_mlflow_tracking_uri()
    mlflow.set_tracking_uri(tracking)
    with pytest.raises(NotImplementedError, match=r"run\(backend=\"azureml\"\) is not supported .*ScriptRunConfig"):
        mlflow.projects.run(str(tmp_path), backend="azureml", backend_config={"COMPUTE": "local"})
    for target in ("azureml", tracking):
        with pytest.raises(NotImplementedError, match=r"get_deploy_client\(.*\) is not supported .*Model\.deploy"):
            get_deploy_client(target)
    with pytest.raises(NotImplementedError, match="run_local"):
        mlflow.deployments.run_local("azureml", "name", "models:/none/1")


def test_studio(after_notebook):
    workspace, here = after_notebook
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "scripts" / "studio.py"), str(port)]
    address = f"http://127.0.0.1:{port}"
    with (here.parent / "studio.log").open("w") as log:
        studio = subprocess.Popen(command, cwd=here, stdout=log, stderr=log)
    process = psutil.Process(studio.pid)
    try:
        wait_until(lambda: studio.poll() is not None or answers(address), seconds=180)
        experiment = Experiment(workspace, "notebook")
        found = requests.post(f"{address}/api/2.0/mlflow/runs/search", json={"experiment_ids": [experiment.id]})
        runs = {run["info"]["run_name"]: run for run in found.json()["runs"]}
        assert {metric["key"]: metric["value"] for metric in runs["outer"]["data"]["metrics"]}["loss"] == 0.25
        run_id = runs["outer"]["info"]["run_id"]
        image = requests.get(f"{address}/get-artifact", {"path": "plots/curve.png", "run_uuid": run_id})
        assert image.content.startswith(b"\x89PNG")
        processes = [process, *process.children(recursive=True)]
        listening = [one.laddr for each in processes for one in each.net_connections() if one.status == "LISTEN"]
        assert (("127.0.0.1", port) in listening) and {ip for ip, _ in listening} == {"127.0.0.1"}
    finally:
        processes = [*process.children(recursive=True), process]
        studio.terminate()
        left = psutil.wait_procs(processes, timeout=60)[1]
        for each in left:
            each.kill()
        studio.wait()
    assert left == [] and "Traceback" not in (here.parent / "studio.log").read_text()


def answers(address):
    try:
        return requests.get(f"{address}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


LOGS_A_MODEL = """
import mlflow
import mlflow.pyfunc

class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * 2

with mlflow.start_run():  # the job's own
    mlflow.pyfunc.log_model(name="doubles", python_model=Doubles(), pip_requirements=[])
"""


def test_a_model_that_a_job_has_logged_is_among_its_files_and_can_be_registered(workspace, tmp_path):
    config = ScriptRunConfig(**source(tmp_path / "logs", LOGS_A_MODEL))
    run = Experiment(workspace, "logged").submit(config)
    run.wait_for_completion(raise_on_error=True)
    assert "doubles/MLmodel" in run.get_file_names()
    model = run.register_model("doubles", "doubles")
    model.download(tmp_path / "model")
    assert (tmp_path / "model/doubles/MLmodel").is_file()
    mlflow.set_tracking_uri(workspace.get_mlflow_tracking_uri())
    mlflow.register_model(f"runs:/{run.id}/doubles", "doubles")
    Model(workspace, "doubles", version=2).download(tmp_path / "of MLflow")
    assert (tmp_path / "of MLflow/doubles/MLmodel").is_file()
    run.download_file("doubles/MLmodel", str(tmp_path / "MLmodel"))
    assert (tmp_path / "MLmodel").read_text() == (tmp_path / "model/doubles/MLmodel").read_text()

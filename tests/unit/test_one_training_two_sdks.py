"""One training, two SDKs: the same seed and arguments give the same weights and figures through v1, v2 and by hand."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from azure.ai.ml import Input, command
from azure.ai.ml.entities import Data, Environment
from small_v2 import IMAGE, make_cluster, wait_for
from test_training_script import OPTIONS, record_of, run_script, write_digits

from helpers.training import stage_training_script

ARGUMENTS = [str(word) for word in OPTIONS]
JAX = {"KERAS_BACKEND": "jax"}  # which is imported in a third of the time
EPOCHS = ("Loss", "Accuracy", "Training loss", "Training accuracy")
FIGURES = {**{name: [1, 2] for name in EPOCHS}, "Final test loss": [0], "Final test accuracy": [0]}  # and their steps


@pytest.fixture(scope="module")
def digits(ml_client):
    return write_digits(Path("digits"))


@pytest.fixture(scope="module")
def submitted(ml_client, digits):
    """The run of v1 and the name of the job of v2, in one workspace, both on their way."""
    make_cluster(ml_client)
    return submit_v1(digits), submit_v2(ml_client, digits)


def submit_v1(digits):
    from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig, Workspace

    workspace, folder = Workspace.from_config(), stage_training_script("v1")
    datastore = workspace.get_default_datastore()
    datastore.upload(str(digits), "mnist", show_progress=False)
    mounted = Dataset.File.from_files((datastore, "mnist")).as_named_input("mnist").as_mount()
    environment = Environment.from_conda_specification("keras-v1", str(folder / "conda_dependencies.yml"))
    environment.environment_variables.update(JAX)
    config = ScriptRunConfig(
        str(folder),
        "keras_mnist.py",
        ["--data-folder", mounted, *ARGUMENTS],
        compute_target="cpu",
        environment=environment,
    )
    return Experiment(workspace, "together").submit(config)


def submit_v2(ml_client, digits):
    """The job prints what it imports."""
    folder = stage_training_script("v2")
    ml_client.data.create_or_update(Data(name="mnist", path=str(digits), type="uri_folder"))
    job = command(
        code=str(folder),
        command="python -X importtime keras_mnist.py --data-folder ${{inputs.mnist}} " + " ".join(ARGUMENTS),
        inputs={"mnist": Input(type="uri_folder", path="mnist@latest")},
        compute="cpu",
        environment=Environment(image=IMAGE, conda_file=str(folder / "conda_dependencies.yml")),
        environment_variables=JAX | {"TF_CPP_MIN_LOG_LEVEL": "0"},  # nothing is held back that is written meanwhile
        experiment_name="together",
    )
    return ml_client.jobs.create_or_update(job).name


@pytest.fixture(scope="module")
def ended(ml_client, submitted, tmp_path_factory):
    """The ids of the two runs, and the folders of what they have left behind."""
    run, name = submitted
    run.wait_for_completion(raise_on_error=True)
    wait_for(ml_client, name, "Completed", seconds=300)
    downloaded = tmp_path_factory.mktemp("downloaded")
    run.download_files(output_directory=str(downloaded / "v1"))
    ml_client.jobs.download(name, download_path=downloaded / "v2", all=True)
    return {"v1": (run.id, downloaded / "v1"), "v2": (name, downloaded / "v2" / "artifacts")}


def weights_hash(outputs):
    """Of the weights and the optimizer's state, as the last checkpoint has them."""
    found = hashlib.sha256()
    with np.load(outputs / "checkpoints" / "checkpoint.npz") as arrays:
        for name in sorted(set(arrays.files) - {"state"}):
            found.update(arrays[name])
    return found.hexdigest()


def test_the_weights_are_the_same_through_both_and_by_hand(digits, ended, tmp_path):
    """By hand without a job, the script of v2 writes into its output folder and nowhere else."""
    script = stage_training_script("v2") / "keras_mnist.py"
    finished = run_script("--data-folder", digits.absolute(), *OPTIONS, script=script, cwd=tmp_path, **JAX)
    assert finished.returncode == 0, finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    assert (tmp_path / "outputs" / "Accuracy vs Loss.png").is_file()

    folders = {"by hand": tmp_path} | {sdk: folder for sdk, (_, folder) in ended.items()}
    outputs = [folder / "outputs" for folder in folders.values()]
    assert len({weights_hash(folder) for folder in outputs}) == 1
    first, *others = [record_of(folder) for folder in outputs]
    for record in others:
        assert {**record, "sha256": ""} == {**first, "sha256": ""}  # the model's file has the time in it


def test_the_figures_have_the_same_names_values_and_steps(ml_client, ended):
    from mlflow import MlflowClient  # not above: each worker would take a second for it

    client = MlflowClient(ml_client.workspaces.get("a-workspace").mlflow_tracking_uri)
    logged = {}
    for sdk, (run_id, _) in ended.items():
        assert set(client.get_run(run_id).data.metrics) == set(FIGURES)
        logged[sdk] = {
            name: [(metric.step, metric.value) for metric in client.get_metric_history(run_id, name)]
            for name in FIGURES
        }
    assert logged["v1"] == logged["v2"]
    assert {name: [step for step, _ in series] for name, series in logged["v2"].items()} == FIGURES


def test_the_files_are_the_same_and_the_picture_is_in_both(ended):
    files = {
        sdk: {str(path.relative_to(folder)) for path in (folder / "outputs").rglob("*") if path.is_file()}
        for sdk, (_, folder) in ended.items()
    }
    model = {"outputs/model/model.keras", "outputs/model/training.json"}
    assert files["v1"] == files["v2"] == model | {"outputs/checkpoints/checkpoint.npz"}
    pictures = [path.name for _, folder in ended.values() for path in sorted(folder.glob("*.png"))]
    assert len(pictures) == 2 and pictures[1] == "Accuracy vs Loss.png"
    assert re.fullmatch(r"Accuracy vs Loss_\d+\.png", pictures[0])


def test_nothing_of_azureml_is_imported_through_v2(ended):
    log = (ended["v2"][1] / "user_logs" / "std_log.txt").read_text()
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", log, re.MULTILINE))
    assert {"mlflow", "tracking"} <= imported
    assert not [name for name in imported if name.startswith("azureml")]

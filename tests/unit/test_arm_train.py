"""From data to a registered model by azure-ai-ml as it is installed, offline."""

import re
from pathlib import Path

import pytest
import yaml
from azure.ai.ml import Input, Output, command
from azure.ai.ml.entities import Data, Model
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError
from small_v2 import make_cluster, make_environment, script_job, wait_for

MODEL = """
    import mlflow
    import mlflow.pyfunc

    class Doubles(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input * 2

    mlflow.pyfunc.save_model("outputs/doubles", python_model=Doubles(), pip_requirements=[])
    for look in (lambda: None, lambda: mlflow.log_text("logged", "notes/a.txt")):  # the second starts to use the run
        look()
        try:
            mlflow.pyfunc.log_model(name="doubles", python_model=Doubles(), pip_requirements=[])
        except mlflow.MlflowException as error:
            print("refused", flush=True)
            refusal = error
    raise refusal
"""
TRAIN = """
    import argparse, os, pathlib
    import mlflow
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--named")
    given = parser.parse_args()
    assert os.environ["AZUREML_DATAREFERENCE_data"] == given.data
    print("files:", sorted(path.name for path in pathlib.Path(given.data).iterdir()))
    print("parameters:", os.environ["AZUREML_PARAMETER_rate"], os.environ["AZUREML_PARAMETER_data"] == given.data)
    mlflow.log_param("rate", given.rate)
    for step in range(3):
        mlflow.log_metric("Loss", 1 / (step + 1), step=step)
    pathlib.Path("outputs/model").mkdir()
    pathlib.Path("outputs/model/weights.txt").write_text("weights")
    pathlib.Path(given.named, "named.txt").write_text("named")
"""
LINE = "python script.py --data ${{inputs.data}} --rate ${{inputs.rate}} --named ${{outputs.named}}"


@pytest.fixture(scope="module")
def trained(ml_client):
    """A job that has trained on the data asset "digits", and what jobs.stream printed of it."""
    Path("digits/deep").mkdir(parents=True)
    Path("digits/labels.txt").write_text("5 0 4")
    Path("digits/deep/images.txt").write_text("images")
    ml_client.data.create_or_update(Data(name="digits", path="digits", type="uri_folder"))
    make_cluster(ml_client)
    make_environment(ml_client, packages=["mlflow"])
    job = script_job(
        TRAIN,
        LINE,
        inputs={"data": Input(type="uri_folder", path="digits@latest"), "rate": 0.01},
        outputs={"named": Output(type="uri_folder")},
        experiment_name="digits-v2",
        display_name="a small one",
        tags={"purpose": "test"},
    )
    submitted = ml_client.jobs.create_or_update(job)
    assert submitted.status in ("NotStarted", "Preparing", "Queued")
    return submitted.name


def test_stream_tells_what_the_job_prints_and_how_it_ends(ml_client, trained, capsys):
    ml_client.jobs.stream(trained)
    told = capsys.readouterr().out
    assert f"RunId: {trained}" in told and "Execution Summary" in told
    assert "files: ['deep', 'labels.txt']" in told  # the folder as it is
    assert "parameters: 0.01 True" in told


def test_stream_looks_less_often_at_what_takes_long(ml_client):
    from azure.ai.ml.operations import _job_ops_helper

    assert [_job_ops_helper._wait_before_polling(seconds) for seconds in (0, 5, 25, 600)] == [0.2, 0.2, 0.5, 1.0]


def test_get_tells_the_job_as_it_was_asked_for(ml_client, trained):
    job = wait_for(ml_client, trained, "Completed")
    assert (job.display_name, job.experiment_name, job.tags) == ("a small one", "digits-v2", {"purpose": "test"})
    assert (job.compute, job.environment) == ("cpu", "small:1")
    told = yaml.safe_load(str(job))
    assert told["inputs"] == {"data": {"type": "uri_folder", "path": "azureml:digits:1"}, "rate": "0.01"}
    assert told["outputs"]["named"]["path"].endswith(f"/datastores/workspaceblobstore/paths/azureml/{trained}/named/")
    assert re.search(rf"runs/{trained}\b", job.studio_url)


def test_mlflow_has_the_run_under_the_jobs_name(ml_client, trained):
    wait_for(ml_client, trained, "Completed")
    from mlflow import MlflowClient  # not above: each worker would take a second for it

    client = MlflowClient(ml_client.workspaces.get("a-workspace").mlflow_tracking_uri)
    run = client.get_run(trained)
    assert run.data.params == {"rate": "0.01"} and run.info.status == "FINISHED"
    assert [metric.value for metric in client.get_metric_history(trained, "Loss")] == [1, 1 / 2, 1 / 3]
    assert client.get_experiment(run.info.experiment_id).name == "digits-v2"


def test_download_brings_files_logs_and_named_outputs(ml_client, trained, tmp_path):
    wait_for(ml_client, trained, "Completed")
    ml_client.jobs.download(trained, download_path=tmp_path / "all", all=True)
    assert (tmp_path / "all/artifacts/outputs/model/weights.txt").read_text() == "weights"
    assert "files:" in (tmp_path / "all/artifacts/user_logs/std_log.txt").read_text()
    assert (tmp_path / "all/named-outputs/named/named.txt").read_text() == "named"
    ml_client.jobs.download(trained, download_path=tmp_path / "one", output_name="named")
    assert [path.name for path in (tmp_path / "one").rglob("*.txt")] == ["named.txt"]


def test_a_model_is_registered_from_the_job_and_downloaded(ml_client, trained, tmp_path):
    wait_for(ml_client, trained, "Completed")
    path = f"azureml://jobs/{trained}/outputs/artifacts/paths/outputs/model/"
    model = ml_client.models.create_or_update(Model(name="digits", path=path, tags={"from": "v2"}))
    assert (model.version, model.type, model.job_name, model.tags) == ("1", "custom_model", trained, {"from": "v2"})
    assert ml_client.models.create_or_update(Model(name="digits", path=path)).version == "2"
    assert ml_client.models.get("digits", label="latest").version == "2"
    ml_client.models.download("digits", "1", download_path=tmp_path)
    assert (tmp_path / "digits/model/weights.txt").read_text() == "weights"


def test_lists_tell_what_is_there(ml_client, trained):
    wait_for(ml_client, trained, "Completed")
    assert trained in [job.name for job in ml_client.jobs.list()]
    assert [data.name for data in ml_client.data.list()] == ["digits"]
    environments = [environment.name for environment in ml_client.environments.list()]
    assert [name for name in environments if not name.startswith("AzureML-")] == ["small"]
    assert [cluster.name for cluster in ml_client.compute.list()] == ["cpu"]
    assert [workspace.name for workspace in ml_client.workspaces.list()] == ["offline"]
    assert [one.name for one in ml_client.workspaces.list(filtered_kinds=["project", "default"])] == ["offline"]
    assert list(ml_client.workspaces.list(filtered_kinds="hub")) == []


def test_log_model_fails_as_on_azure_and_save_model_does(ml_client, trained, tmp_path):
    wait_for(ml_client, trained, "Completed")
    name = ml_client.jobs.create_or_update(script_job(MODEL, folder="doubles")).name
    wait_for(ml_client, name, "Failed")
    with pytest.raises(JobException, match=r"logged-models failed with error code 404.*save_model.*outputs/"):
        ml_client.jobs.stream(name)
    ml_client.jobs.download(name, download_path=tmp_path)
    assert (tmp_path / "artifacts/notes/a.txt").read_text() == "logged"
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text().count("refused\n") == 2
    path = f"azureml://jobs/{name}/outputs/artifacts/paths/outputs/doubles/"
    model = ml_client.models.create_or_update(Model(name="doubles", path=path, type="mlflow_model"))
    assert "python_function" in model.flavors


@pytest.mark.parametrize(("inputs", "told"), [({}, "all end\n"), ({"x": 1}, "all --x 1 end\n")])
def test_a_part_of_a_command_is_left_out_where_its_input_is_not_given(ml_client, trained, tmp_path, inputs, told):
    line = "echo all $[[--x ${{inputs.x}}]] $[[--y ${{inputs.y}}]] end"
    job = command(command=line, inputs=inputs, environment="small@latest", compute="local")
    name = ml_client.jobs.create_or_update(job).name
    assert wait_for(ml_client, name, "Completed").command == line
    ml_client.jobs.download(name, download_path=tmp_path)
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == told


def test_a_part_that_may_be_left_out_names_no_output_that_there_is_not(ml_client, trained):
    line = "echo $[[${{outputs.typo}}]]"
    with pytest.raises(HttpResponseError, match=r"names \$\{\{outputs.typo\}\}, and the job has: none"):
        ml_client.jobs.create_or_update(command(command=line, environment="small@latest", compute="local"))


ASKS = """
    import os, sys
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential
    client = MLClient(DefaultAzureCredential(), "any", "any", "any")
    job = client.jobs.get(os.environ["AZUREML_RUN_ID"])
    print(job.name, job.status.value, [data.name for data in client.data.list()])
"""


def test_a_script_that_asks_for_its_own_job_is_answered_too(ml_client, trained, tmp_path):
    name = ml_client.jobs.create_or_update(script_job(ASKS, folder="asks")).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path)
    assert f"{name} Running ['digits']" in (tmp_path / "artifacts/user_logs/std_log.txt").read_text()

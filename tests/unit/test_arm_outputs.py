"""Where the outputs of SDK v2's jobs land, offline, and what they are registered as."""

import re
from pathlib import Path

import pytest
from azure.ai.ml import Input, Output, command, load_job
from azure.ai.ml.dsl import pipeline
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from small_v2 import make_cluster, make_environment, wait_for

from helpers.offline.engine.assets import data, details
from helpers.offline.engine.jobs import outputs
from helpers.offline.engine.workspace import folder as folders

STORE = "azureml://datastores/${{default_datastore}}/paths/"
WRITES = {"command": "echo written > ${{outputs.out}}/a.txt", "environment": "small@latest"}
YAML = """
type: pipeline
settings: {default_datastore: azureml:DATASTORE, default_compute: azureml:cpu}
outputs: {told: {type: uri_folder, path: "azureml://datastores/${{default_datastore}}/paths/t/${{name}}"}}
jobs:
  write:
    type: command
    command: echo written > ${{outputs.out}}/a.txt
    environment: azureml:small:1
    outputs: {out: "${{parent.outputs.told}}"}
"""


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client, most=3)
    make_environment(ml_client)


def output(path=None):
    return Output(type="uri_folder", path=path)


def landed(datastore, path):
    return (data.datastore_root(folders.open_folder(), datastore) / path / "a.txt").read_text() == "written\n"


@pytest.mark.parametrize("path", ["t/${{name}}/${{output_name}}/", "t/${{ name }}/${{output_name }}"])
def test_expressions_in_the_path_of_an_output_stand_for_what_the_service_knows(ml_client, path):
    job = ml_client.jobs.create_or_update(command(**WRITES, compute="cpu", outputs={"out": output(STORE + path)}))
    assert job.outputs.out.path.endswith(f"/datastores/workspaceblobstore/paths/t/{job.name}/out/")
    wait_for(ml_client, job.name, "Completed")
    assert landed("workspaceblobstore", f"t/{job.name}/out")


@pytest.mark.parametrize("path", [None, STORE + "azureml/${{name}}/${{output_name}}"])
def test_the_default_datastore_is_the_workspaces(ml_client, path):
    folder = folders.open_folder()
    details.change(folder, lambda body: body | {"default_datastore": data.FILESTORE})
    try:
        job = ml_client.jobs.create_or_update(command(**WRITES, compute="cpu", outputs={"out": output(path)}))
    finally:
        details.change(folder, lambda body: body | {"default_datastore": data.BLOBSTORE})
    wait_for(ml_client, job.name, "Completed")
    assert landed("workspacefilestore", f"azureml/{job.name}/out")


def test_an_expression_that_the_service_does_not_know_is_refused(ml_client):
    message = "names ${{job_name}}, and there are: ${{default_datastore}}, ${{name}}, ${{output_name}}."
    with pytest.raises(HttpResponseError, match=re.escape(message)):
        ml_client.jobs.create_or_update(
            command(**WRITES, compute="cpu", outputs={"out": output(STORE + "${{job_name}}/${{name}}")})
        )


def test_in_a_pipeline_they_are_the_steps_name_and_the_pipelines_datastore(ml_client):
    write = command(**WRITES, outputs={"out": output()})

    @pipeline(default_compute="cpu", default_datastore="workspacefilestore")
    def chain():
        one, other, third = write(), write(), write()
        one.outputs.out = output(STORE + "t/${{name}}/${{output_name}}")
        third.outputs.out = output("azureml://datastores/workspaceblobstore/paths/t/${{name}}")
        return {"told": other.outputs.out}

    asked = chain()
    asked.outputs.told = output(STORE + "p/${{name}}/${{output_name}}")
    name = ml_client.jobs.create_or_update(asked).name
    wait_for(ml_client, name, "Completed")
    assert landed("workspacefilestore", f"t/{name}_one/out")
    assert landed("workspacefilestore", f"p/{name}_other/out")
    assert landed("workspaceblobstore", f"t/{name}_third")


@pytest.mark.parametrize("datastore", ["workspaceblobstore", "workspacefilestore"])
def test_a_pipeline_in_yaml_has_a_datastore_too(ml_client, datastore):
    Path("chain.yml").write_text(YAML.replace("DATASTORE", datastore), encoding="utf-8")
    name = ml_client.jobs.create_or_update(load_job("chain.yml")).name
    assert ml_client.jobs.get(name).outputs.told.path.endswith(f"/datastores/{datastore}/paths/t/{name}_write/")
    ml_client.jobs.begin_cancel(name).result()


def registering(ml_client, line="echo written > ${{outputs.out}}/a.txt", **details):
    """A job that has ended, whose output is registered."""
    made = command(**WRITES | {"command": line}, compute="cpu", outputs={"out": Output(**details)})
    return wait_for(ml_client, ml_client.jobs.create_or_update(made).name)


def test_an_output_with_a_name_is_registered_as_data_once_its_job_is_completed(ml_client):
    jobs = [registering(ml_client, type="uri_folder", name="words", version=version) for version in ("7", None)]
    failed = registering(ml_client, "exit 1", type="uri_folder", name="words")
    assert [job.status for job in (*jobs, failed)] == ["Completed", "Completed", "Failed"]
    assert outputs.keep(folders.open_folder(), jobs[1].name, completed=True) == []  # as after a crash: nothing new
    found = {one.version: (one.type, one.path) for one in ml_client.data.list("words")}
    assert found == {
        version: ("uri_folder", job.outputs.out.path) for version, job in zip(("7", "8"), jobs, strict=True)
    }
    reads = command(
        command="cat ${{inputs.words}}/a.txt | grep written",
        inputs={"words": Input(type="uri_folder", path="azureml:words:8")},
        environment="small@latest",
        compute="cpu",
    )
    wait_for(ml_client, ml_client.jobs.create_or_update(reads).name, "Completed")


def test_an_output_that_is_a_model_is_registered_as_one(ml_client):
    line = "echo 'flavors: {python_function: {loader_module: m}}' > ${{outputs.out}}/MLmodel"
    job = registering(ml_client, line, type="mlflow_model", name="digits")
    model = ml_client.models.get("digits", version="1")
    assert outputs.keep(folders.open_folder(), job.name, completed=True) == []
    assert [one.version for one in ml_client.models.list("digits")] == ["1"]
    assert (model.type, model.job_name, model.path) == ("mlflow_model", job.name, job.outputs.out.path)
    assert model.flavors == {"python_function": {"loader_module": "m"}}
    ml_client.models.download("digits", version="1")
    assert Path("digits/out/MLmodel").is_file()


def test_in_a_pipeline_steps_register_what_they_or_the_pipeline_name(ml_client):
    @pipeline(default_compute="cpu")
    def registered():
        own = command(**WRITES, outputs={"out": output()})()
        own.outputs.out = Output(type="uri_folder", name="of-step")
        return {"out": command(**WRITES, outputs={"out": output()})().outputs.out}

    made = registered()
    made.outputs.out = Output(type="uri_folder", name="of-pipeline", version="3")
    job = wait_for(ml_client, ml_client.jobs.create_or_update(made).name, "Completed")
    assert ml_client.data.get("of-pipeline", version="3").path == job.outputs.out.path
    assert [one.version for one in ml_client.data.list("of-step")] == ["1"]


def test_what_cannot_be_registered_is_refused_at_the_submission(ml_client):
    registering(ml_client, type="uri_folder", name="taken", version="1")
    with pytest.raises(ResourceExistsError, match="has a version 1 already"):
        registering(ml_client, type="uri_folder", name="taken", version="1")
    with pytest.raises(HttpResponseError, match="a new version cannot be of another, as uri_file is"):
        registering(ml_client, type="uri_file", name="taken")
    with pytest.raises(HttpResponseError, match="is a whole number above 0, not 'first'"):
        registering(ml_client, type="custom_model", name="digits", version="first")


def test_an_output_that_is_gone_fails_its_job(ml_client):
    job = registering(ml_client, "rmdir ${{outputs.out}}", type="custom_model", name="gone")
    assert job.status == "Failed"
    told = ml_client.jobs._runs_operations.get_run_details(job.name).error.error.message
    assert "The output out: There is no file or folder" in told

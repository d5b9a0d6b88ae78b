"""Where the outputs of SDK v2's jobs land, offline: as their paths say, or in the default datastore."""

import re
from pathlib import Path

import pytest
from azure.ai.ml import Output, command, load_job
from azure.ai.ml.dsl import pipeline
from azure.core.exceptions import HttpResponseError
from small_v2 import make_cluster, make_environment, wait_for

from helpers.offline.engine.assets import data, details
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

"""Jobs of SDK v2 that are sent again, offline: changed under their own names, or fetched and sent under new ones."""

import re

import pytest
from azure.ai.ml import Output, command
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.entities import JupyterLabJobService
from azure.ai.ml.sweep import Choice, SweepJobLimits
from azure.core.exceptions import HttpResponseError
from small_v2 import make_cluster, make_environment, script_job, wait_for

from helpers.offline.engine.history import job_states
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder as folders


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client)
    make_environment(ml_client)


def test_the_tags_of_a_definition_take_the_place_of_those_that_were_there(ml_client):
    def put(tags):
        job = command(command="echo", environment="small@latest", compute="local", name="tagged", tags=tags)
        return ml_client.jobs.create_or_update(job).tags

    assert put({"a": "1", "b": "2", "ä/c": "3"}) == {"a": "1", "b": "2", "ä/c": "3"}
    assert put({"b": "4", "d": "5"}) == {"b": "4", "d": "5"}
    job = ml_client.jobs.get("tagged")
    del job.tags["b"]
    assert ml_client.jobs.create_or_update(job).tags == {"b": "4", "d": "5"}  # by the run history, which adds tags
    assert ml_client.jobs.create_or_update(job, experiment_name=job.experiment_name).tags == {"d": "5"}
    run_records.set_tags(folders.open_folder(), "tagged", {"_aml_system_trial": "{}"})
    assert put({}) == {"_aml_system_trial": "{}"}


def writes(**details):
    job = {"command": "echo 1 > ${{outputs.out}}/a.txt", "environment": "small@latest", "compute": "cpu"}
    return command(**{**job, "outputs": {"out": Output(type="uri_folder")}, **details})


def anew(ml_client, name, new_name, **changes):
    """A job that is fetched, changed, and sent under a new name."""
    job = ml_client.jobs.get(name)
    for key, value in {"name": new_name, **changes}.items():
        setattr(job, key, value)
    return ml_client.jobs.create_or_update(job)


def kept(name):
    """What is kept of a job as it was asked for."""
    return job_states.submitted(folders.open_folder(), name)["asked"]


def test_a_command_job_that_was_fetched_runs_again_under_a_new_name(ml_client):
    path = "azureml://datastores/workspaceblobstore/paths/mine/${{name}}"
    outputs = {"out": Output(type="uri_folder"), "mine": Output(type="uri_folder", path=path)}
    first = ml_client.jobs.create_or_update(writes(outputs=outputs, tags={"a": "1"}, properties={"p": "1"}))
    wait_for(ml_client, first.name, "Completed")
    again = anew(ml_client, first.name, "again")
    assert (again.command, again.tags, again.properties["p"]) == (first.command, {"a": "1"}, "1")
    assert again.outputs.out.path.endswith("/azureml/again/out/") and again.outputs.mine.path.endswith("/mine/again/")
    assert first.name not in str(kept("again")).replace(f"'displayName': '{first.name}'", "")
    wait_for(ml_client, "again", "Completed")
    third = ml_client.jobs.get("again")
    third.name, third.outputs.out.path = "third", first.outputs.out.path
    assert ml_client.jobs.create_or_update(third).outputs.out.path == first.outputs.out.path  # as it was asked for
    ml_client.jobs.begin_cancel("third").result()


def test_code_that_has_changed_has_a_snapshot_of_its_own(ml_client):
    first = ml_client.jobs.create_or_update(script_job("print(1)", compute="local")).name
    script_job("print(2)", folder="other")
    again = anew(ml_client, first, "other-code", code="other")
    snapshots = [ml_client.jobs.get(name).properties["ContentSnapshotId"] for name in (first, again.name)]
    assert snapshots[0] != snapshots[1] == job_states.submitted(folders.open_folder(), again.name)["snapshot_id"]


def test_an_interactive_service_is_refused_in_a_job_that_was_fetched_too(ml_client):
    first = ml_client.jobs.create_or_update(writes(compute="local")).name
    services = ml_client.jobs.get(first).services | {"lab": JupyterLabJobService()}
    with pytest.raises(HttpResponseError, match="An interactive service of a job is not supported offline"):
        anew(ml_client, first, "interactive", services=services)


def test_a_pipeline_that_was_fetched_writes_to_a_place_of_its_own(ml_client):
    @pipeline(default_compute="cpu")
    def chain():
        return {"told": writes(compute=None)().outputs.out}

    first = ml_client.jobs.create_or_update(chain())
    ml_client.jobs.begin_cancel(first.name).result()
    again = anew(ml_client, first.name, "chained")
    ml_client.jobs.begin_cancel("chained").result()
    old, new = first.outputs.told.path, again.outputs.told.path
    assert re.search(r"/azureml/chained_\w+/out/$", new) and old == new.replace("/chained_", f"/{first.name}_")


def test_a_sweep_that_was_fetched_has_neither_trials_nor_a_best_one_yet(ml_client):
    sweep = writes(command="echo ${{inputs.rate}} > ${{outputs.out}}/a.txt", inputs={"rate": 0.1})
    sweep = sweep(rate=Choice([0.1])).sweep(
        sampling_algorithm="grid", primary_metric="A", goal="maximize", compute="cpu"
    )
    sweep.limits = SweepJobLimits(max_total_trials=1, max_concurrent_trials=1)
    sweep.tags, sweep.properties = {"a": "1"}, {"p": "1"}
    first = ml_client.jobs.create_or_update(sweep).name
    ml_client.jobs.begin_cancel(first).result()
    run_records.set_tags(folders.open_folder(), first, {f"_aml_system_{first}_0": "{}"})
    run_records.set_properties(folders.open_folder(), first, {"best_child_run_id": f"{first}_0"})
    again = anew(ml_client, first, "swept")
    ml_client.jobs.begin_cancel("swept").result()
    assert not [name for name in again.tags if name.startswith(f"_aml_system_{first}")] and again.tags["a"] == "1"
    assert again.properties["p"] == "1" and "best_child_run_id" not in again.properties

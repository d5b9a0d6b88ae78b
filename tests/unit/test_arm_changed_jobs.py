"""Jobs of SDK v2 that are sent again, offline: changed under their own names, or fetched and sent under new ones."""

import pytest
from azure.ai.ml import command
from small_v2 import make_cluster, make_environment

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

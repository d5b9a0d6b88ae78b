"""Requests that no client of Microsoft's sends are refused as the service refuses them: with 400, and in words."""

import json
import re
import time

import pytest

from helpers.offline.arm import jobs, routes
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.jobs import run_records

WORKSPACE = (
    "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
    "/workspaces/w"
)

NO_SCALE = (
    b'{"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": 5}}}'
)


@pytest.mark.parametrize(
    "method, path, body, told",
    [
        ("PUT", "/computes/cpu", b"{", "is not JSON"),
        ("PUT", "/computes/cpu", b"[]", "body of PUT .*/computes/cpu has to be a JSON object"),
        ("PUT", "/jobs/j", b'{"properties": 5}', "body's properties of PUT .*/jobs/j has to be a JSON object"),
        ("PUT", "/computes/cpu", NO_SCALE, "cannot be understood"),
        ("GET", "/computes?$skip=some", b"", r"\$skip is 'some'"),
        ("GET", "/jobs?listViewType=Everything", b"", "'Everything'; give one of ActiveOnly, ArchivedOnly, All"),
        ("GET", "/computes?$skip=-1", b"", r"\$skip is '-1'"),
    ],
)
def test_what_cannot_be_read_is_refused(offline_folder, method, path, body, told):
    answer = routes.answer(method, WORKSPACE + path, {}, body)
    assert answer.status == 400
    assert re.search(told, json.loads(answer.content)["error"]["message"])


def test_a_fault_of_the_engines_is_not_told_as_one_of_the_request(offline_folder, monkeypatch):
    monkeypatch.setattr(clusters, "assets", None)
    with pytest.raises(AttributeError, match="NoneType"):
        routes.answer("GET", WORKSPACE + "/computes/cpu", {}, b"")


def test_code_that_lies_in_a_datastore_stays_there(offline_folder):
    script = offline_folder / "datastores" / "workspaceblobstore" / "src" / "train.py"
    script.parent.mkdir(parents=True)
    script.write_text("print('trained')")
    code = {"codeUri": "https://offline.blob.core.windows.net/azureml-blobstore/src"}
    body = json.dumps({"properties": code}).encode()
    answer = routes.answer("PUT", WORKSPACE + "/codes/c/versions/1", {}, body)
    assert answer.status in (200, 201), answer.content
    assert script.is_file()


def test_jobs_of_all_kinds_are_listed_the_newest_first(offline_folder):
    made = []
    for kind in ("Sweep", "Command", "Pipeline", "Command", "Sweep"):
        made.append(run_records.create_run(offline_folder, "kinds", run_type=jobs.RUN_TYPES[kind]))
        time.sleep(0.002)  # MLflow counts milliseconds
    answer = routes.answer("GET", WORKSPACE + "/jobs", {}, b"")
    assert [job["name"] for job in json.loads(answer.content)["value"]] == made[::-1]

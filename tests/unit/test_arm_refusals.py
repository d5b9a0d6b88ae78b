"""What SDK v2 cannot do offline, or nowhere: each is refused in words, as the service or the client refuses it."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from azure.ai.ml import Input, MLClient, Output, PyTorchDistribution, TensorFlowDistribution, load_data, load_job
from azure.ai.ml.entities import (
    AmlCompute,
    BuildContext,
    CommandJobLimits,
    ComputeInstance,
    Environment,
    ManagedOnlineEndpoint,
    Model,
    UserIdentityConfiguration,
)
from azure.ai.ml.exceptions import JobException, MlException, ValidationException
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, InteractiveBrowserCredential
from marshmallow import ValidationError
from small_jobs import supervisor_of
from small_v2 import make_cluster, make_environment, script_job, wait_for

from helpers.offline.engine.compute import kubernetes
from helpers.offline.engine.workspace import folder as folders

ROOT = Path(__file__).resolve().parents[2]
PAGE = r"docs/offline-coverage-v2\.md"


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client)
    make_environment(ml_client)


def submit(ml_client, **details):
    return ml_client.jobs.create_or_update(script_job("print('runs')", **details))


# What the service refuses and the client lets through


def test_a_cluster_cannot_have_the_name_that_a_kubernetes_cluster_has(ml_client):
    kubernetes.add(folders.open_folder(), "kube", {})
    try:
        with pytest.raises(HttpResponseError, match="has a compute target 'kube' already"):
            ml_client.compute.begin_create_or_update(AmlCompute(name="kube", size="Standard_DS3_v2"))
    finally:
        kubernetes.remove(folders.open_folder(), "kube")
    with pytest.raises(ResourceNotFoundError):
        ml_client.compute.get("kube")


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"compute": "no-such"}, "Unknown compute target 'no-such'"),
        ({"environment": "no-such:1"}, "no environment 'no-such' version '1'"),
        ({"environment": "max_nodes:1"}, "no environment 'max_nodes' version '1'"),
        ({"environment": "small:9"}, "no environment 'small' version '9'. It has the versions 1"),
        ({"inputs": {"d": Input(type="uri_folder", path="no-such:1")}}, "no data 'no-such' version '1'"),
        ({"inputs": {"d": Input(type="custom_model", path="no-such:1")}}, "no model 'no-such'"),
        (
            {"inputs": {"d": Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/not/there")}},
            "'not/there' matches no file",
        ),
        ({"inputs": {"d": Input(type="uri_folder", path="azureml://jobs/no-such/outputs/out/")}}, "no output 'out'"),
        ({"limits": CommandJobLimits(timeout=-5)}, "timeout of a job is a number of seconds above 0"),
        ({"line": " "}, "The command of a job is empty"),
        ({"name": "not a name"}, "'not a name' is no name for a job"),
        (
            {"instance_count": 5, "distribution": PyTorchDistribution()},
            "at most 2. Ask for fewer nodes, or let the compute target have more.",
        ),
        (
            {"instance_count": 2, "distribution": TensorFlowDistribution(worker_count=3)},
            "3 processes cannot be shared out evenly among 2 nodes",
        ),
        ({"instance_count": 0}, "a job runs on one node at least"),
        ({"shm_size": "lots"}, "shm_size is 'lots'; give a number above 0 and its unit"),
        ({"shm_size": "0g"}, "shm_size is '0g'"),
        ({"compute": None, "instance_type": "STANDARD_NC6"}, "STANDARD_NC6 was retired"),
        ({"tags": {"": "1"}}, "'' is no name for a tag"),
    ],
)
def test_a_job_that_cannot_run_is_refused_before_there_is_one(ml_client, details, message):
    before = [job.name for job in ml_client.jobs.list()]
    with pytest.raises(HttpResponseError, match=re.escape(message)):
        submit(ml_client, **details)
    assert [job.name for job in ml_client.jobs.list()] == before


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"instance_count": 2}, "several nodes without a distribution"),
        ({"inputs": {"t": Input(type="mltable", path="azureml://datastores/workspaceblobstore/paths/t")}}, "mltable"),
        ({"outputs": {"o": Output(type="mltable")}}, "mltable"),
    ],
)
def test_a_job_that_the_service_would_run_and_this_machine_does_not_names_the_page(ml_client, details, message):
    with pytest.raises(HttpResponseError, match=f"{message}.*{PAGE}") as refused:
        submit(ml_client, **details)
    assert refused.value.status_code == 501


def test_a_name_that_is_taken(ml_client):
    submit(ml_client, name="taken")
    with pytest.raises(HttpResponseError, match=r"job with this name already exists.*command.* cannot be changed"):
        ml_client.jobs.create_or_update(script_job("print('other')", "python script.py again", name="taken"))
    assert wait_for(ml_client, "taken", "Completed").command == "python script.py"


def test_what_is_not_there_is_told(ml_client, tmp_path):
    for ask in (ml_client.jobs.get, ml_client.jobs.stream, ml_client.jobs.archive, ml_client.jobs.begin_cancel):
        with pytest.raises(ResourceNotFoundError, match="no run 'no-such'"):
            ask("no-such")
    with pytest.raises(ResourceNotFoundError, match="no compute 'no-such'"):
        ml_client.compute.get("no-such")
    with pytest.raises(ResourceNotFoundError, match="no model 'no-such'"):
        ml_client.models.get("no-such", version="1")
    with pytest.raises(MlException, match="no-such does not exist in workspace"):
        ml_client.data.get("no-such", label="latest")
    with pytest.raises(ResourceNotFoundError, match="no datastore 'no-such'"):
        ml_client.datastores.get("no-such")
    with pytest.raises(ResourceNotFoundError, match="matches no file"):
        path = "azureml://datastores/workspaceblobstore/paths/not/there/"
        ml_client.models.create_or_update(Model(name="absent", path=path))


# What the client itself refuses


@pytest.mark.parametrize(
    ("described", "error", "message"),
    [
        ("command: echo 1\ncomputes: azureml:cpu", ValidationError, "Unknown field"),
        ("compute: azureml:cpu", ValidationError, "Missing data for required field"),
        ("type: comand\ncommand: echo 1", ValidationException, "Unsupported job type: comand"),
        ("command: echo 1\nlimits: {timeout: soon}", ValidationError, "Not a valid integer"),
        ("command: [echo", ValidationException, "parsing yaml"),
    ],
)
def test_a_job_in_wrong_yaml(tmp_path, described, error, message):
    (tmp_path / "job.yml").write_text(described, encoding="utf-8")
    with pytest.raises(Exception, match=message) as refused:
        load_job(tmp_path / "job.yml")
    assert isinstance(refused.value, error) or error.__name__ in str(refused.value)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"line": "echo ${{inputs.zz}}"}, "'zz'"),
        ({"code": "no-such-folder"}, "no-such-folder"),
        ({"environment": "small@nosuch"}, "small with version label nosuch does not exist"),
        ({"inputs": {"d": Input(type="uri_folder", path="no-such@latest")}}, "no-such does not exist in workspace"),
    ],
)
def test_a_job_that_names_what_is_not_there(ml_client, details, message):
    with pytest.raises(Exception, match=message):
        submit(ml_client, **details)


def test_a_data_file_that_is_not_there(ml_client, tmp_path):
    (tmp_path / "data.yml").write_text("name: a\ntype: uri_folder\npath: ./nothing", encoding="utf-8")
    with pytest.raises(Exception, match="nothing"):
        ml_client.data.create_or_update(load_data(tmp_path / "data.yml"))


# What would leave the machine


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda client: list(client.schedules.list()), "GET schedules"),
        (lambda client: list(client.batch_endpoints.list()), "GET batchEndpoints"),
        (lambda client: list(client.connections.list()), "GET connections"),
        (lambda client: client.workspaces.begin_delete("a-workspace", delete_dependent_resources=False), "DELETE"),
    ],
)
def test_what_is_not_offered_names_the_call_and_the_page(ml_client, call, name):
    with pytest.raises(HttpResponseError, match=f"{name}.*{PAGE}") as refused:
        call(ml_client)
    assert refused.value.status_code == 501


def test_registries_and_sharing(ml_client):
    with pytest.raises(HttpResponseError, match=f"registry 'mine' is not supported.*without one.*{PAGE}"):
        ml_client.models.share("m", "1", share_with_name="m", share_with_version="1", registry_name="mine")
    with pytest.raises(HttpResponseError, match=f"registry 'mine' is not supported.*without one.*{PAGE}"):
        MLClient(DefaultAzureCredential(), registry_name="mine")


def test_local_endpoints(ml_client):
    for call in (
        lambda: ml_client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="e"), local=True),
        lambda: ml_client.online_endpoints.get("e", local=True),
        lambda: ml_client.online_deployments.list("e", local=True),
    ):
        with pytest.raises(NotImplementedError, match=f"local=True needs Docker.*{PAGE}"):
            call()


def test_other_computes_and_build_contexts(ml_client, tmp_path):
    with pytest.raises(HttpResponseError, match=f"ComputeInstance.*{PAGE}"):
        ml_client.compute.begin_create_or_update(ComputeInstance(name="mine", size="STANDARD_DS3_V2"))
    (tmp_path / "Dockerfile").write_text("FROM scratch", encoding="utf-8")
    with pytest.raises(HttpResponseError, match=f"Docker build context.*{PAGE}"):
        ml_client.environments.create_or_update(Environment(name="built", build=BuildContext(path=tmp_path)))


def test_there_is_no_token_and_none_is_needed(ml_client):
    for credential in (DefaultAzureCredential(), InteractiveBrowserCredential()):
        with pytest.raises(CredentialUnavailableError, match="no token offline"):
            credential.get_token("https://management.azure.com/.default")
    with pytest.raises(ValueError, match="credential can not be None"):
        MLClient(None, "s", "g", "w")
    name = submit(ml_client, identity=UserIdentityConfiguration()).name  # for which the client asks for a token
    wait_for(ml_client, name, "Completed")


def test_telemetry_is_off_whatever_is_asked_for(ml_client):
    client = MLClient(DefaultAzureCredential(), "s", "g", "w", enable_telemetry=True)
    assert client._operation_config.enable_telemetry is False


def test_a_proxy_in_the_environment_is_not_asked(ml_client, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    client = MLClient(DefaultAzureCredential(), "s", "g", "w")
    assert client.workspaces.get("w").name == "w"


def test_what_is_on_this_machine_is_reached_and_past_any_proxy(ml_client, monkeypatch):
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.rest import HttpRequest

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from here")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    try:
        with RequestsTransport() as transport:
            response = transport.send(HttpRequest("GET", f"http://127.0.0.1:{server.server_port}/a"))
            response.read()
        assert response.content == b"from here"
    finally:
        server.shutdown()
        server.server_close()


def test_another_release_of_the_client_is_told(ml_client, monkeypatch):
    import azure.ai.ml

    from helpers.offline.arm import client

    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.99.0")
    with pytest.warns(UserWarning, match=r"azure-ai-ml 1\.99\.0 is installed.*1\.35"):
        client._take_over_client(azure.ai.ml)


def test_a_configuration_is_read_only_where_it_is_named(ml_client, tmp_path, monkeypatch):
    names = {"subscription_id": "s", "resource_group": "g", "workspace_name": "named"}
    (tmp_path / "config.json").write_text(json.dumps(names), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert MLClient.from_config(DefaultAzureCredential()).workspace_name == "offline"
    named = MLClient.from_config(DefaultAzureCredential(), path=tmp_path)
    assert (named.workspace_name, named.workspaces.get("named").name) == ("named", "named")
    with pytest.raises(ResourceNotFoundError, match="workspace 'other' was not found"):
        named.workspaces.get("other")


# Ends


def test_a_job_is_canceled(ml_client):
    name = ml_client.jobs.create_or_update(script_job("import time; print('up', flush=True); time.sleep(600)")).name
    wait_for(ml_client, name, "Running")
    ml_client.jobs.begin_cancel(name).result()
    assert ml_client.jobs.get(name).status == "Canceled"
    ml_client.jobs.begin_cancel(name).result()  # once more does no harm


def test_a_job_over_its_time_is_canceled_and_says_so(ml_client):
    job = script_job("import time; time.sleep(600)", limits=CommandJobLimits(timeout=1))
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Canceled")


def test_a_script_that_fails_is_told_by_stream_and_get(ml_client):
    name = ml_client.jobs.create_or_update(script_job("raise ValueError('no such digit')")).name
    wait_for(ml_client, name, "Failed")
    with pytest.raises(JobException, match=r"status code 1.*ValueError: no such digit"):
        ml_client.jobs.stream(name)


def test_a_job_whose_supervisor_is_killed_is_told_by_stream_and_get(ml_client):
    name = ml_client.jobs.create_or_update(script_job("import time; time.sleep(600)")).name
    wait_for(ml_client, name, "Running")
    supervisor_of(name).kill()
    with pytest.raises(JobException, match="process that supervised the run ended"):
        ml_client.jobs.stream(name)
    assert ml_client.jobs.get(name).status == "Failed"


def test_a_download_replaces_the_files_that_are_there(ml_client, tmp_path):
    name = submit(ml_client).name
    with pytest.raises(JobException, match="Download is allowed only in states"):
        ml_client.jobs.download(name, download_path=tmp_path)
    wait_for(ml_client, name, "Completed")
    log = tmp_path / "artifacts/user_logs/std_log.txt"
    log.parent.mkdir(parents=True)
    log.write_text("of another job", encoding="utf-8")
    ml_client.jobs.download(name, download_path=tmp_path)
    assert log.read_text(encoding="utf-8") == "runs\n"


# Code


def test_a_link_in_the_code_is_uploaded_as_what_it_points_to(ml_client, tmp_path):
    (tmp_path / "elsewhere.txt").write_text("from elsewhere", encoding="utf-8")
    job = script_job("print(open('linked.txt').read())", folder=str(tmp_path / "code"))
    (tmp_path / "code/linked.txt").symlink_to(tmp_path / "elsewhere.txt")
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path)
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == "from elsewhere\n"


def test_code_is_uploaded_once_and_anew_where_it_has_changed(ml_client, tmp_path):
    names = [
        ml_client.jobs.create_or_update(script_job(f"print('{word}')", folder=str(tmp_path / "code"))).name
        for word in ("same", "same", "else")
    ]
    first, second, third = (ml_client.jobs.get(name).code for name in names)
    assert first == second != third
    for name in names:
        wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(names[2], download_path=tmp_path)
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == "else\n"


def test_a_code_folder_over_the_limit_is_refused_and_leaves_nothing(ml_client, tmp_path, monkeypatch):
    from helpers.offline.engine.history import snapshot

    monkeypatch.setattr(snapshot, "MAX_FILES", 3)
    job = script_job("print('runs')", folder=str(tmp_path / "code"))
    for number in range(3):
        (tmp_path / f"code/{number}.txt").write_text("a", encoding="utf-8")
    with pytest.raises(HttpResponseError, match=r"snapshot of code: Your project exceeds the file limit of 3"):
        ml_client.jobs.create_or_update(job)
    uploads = folders.offline_folder() / "uploads"
    assert [path for path in uploads.iterdir() if not path.name.startswith(".")] == []


# The world


def test_a_damaged_world_is_told_at_once(tmp_path):
    code = (
        "import helpers; helpers.use_backend('offline'); import os, pathlib\n"
        "from azure.ai.ml import MLClient; from azure.identity import DefaultAzureCredential\n"
        "client = MLClient.from_config(DefaultAzureCredential())\n"
        "print(client.workspace_name)\n"
        "database = pathlib.Path(os.environ['AZUREML_OFFLINE_FOLDER'], 'assets.db')\n"
        "for file in database.parent.glob('assets.db*'): file.unlink()\n"
        "database.write_bytes(b'no database at all' * 100)\n"
        "client.compute.get('cpu')\n"
    )
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"AZUREML_OFFLINE_FOLDER": str(tmp_path / "offline")},
    )
    assert result.stdout.splitlines()[-1] == "offline"
    assert "is damaged" in result.stderr and "`make clean`" in result.stderr, result.stderr
    assert time.monotonic() - began < 60  # it is not tried again and again

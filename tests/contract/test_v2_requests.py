"""What the installed azure-ai-ml asks of Azure from data to a registered model, and to an endpoint: nothing new.

A release that asks for something else fails here, with the route's name, before a user meets it.
"""

from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.ai.ml import Input, Output
from azure.ai.ml.entities import AmlCompute, Data, Environment, Model
from small_endpoints import deploy, deployment, make_endpoint, make_model, set_traffic
from small_v2 import IMAGE, make_environment, script_job, wait_for

from helpers.offline.arm import routes, transport
from helpers.offline.arm.wire import BLOB_HOST

UPLOAD = {"HEAD blob", "PUT blob", "PUT blob ?comp=metadata"}
STORE = {"GET datastores/{name}", "POST datastores/{name}/listSecrets"}
LOG = {"GET blob ?comp=list", "GET blob"}
EXPECTED = {
    "workspace": {"GET workspace"},
    "cluster": {"GET workspace", "PUT computes/{name}"},
    "data": {*STORE, *UPLOAD, "GET data/{name}", "PUT data/{name}/versions/{version}"},
    "environment": {"GET environments/{name}", "PUT environments/{name}/versions/{version}"},
    "submit": {
        "GET data/{name}",
        "GET data/{name}/versions/{version}",
        "GET environments/{name}/versions",
        "GET codes/{name}/versions",
        "POST codes/{name}/versions/{version}/startPendingUpload",
        *UPLOAD,
        "PUT codes/{name}/versions/{version}",
        "PUT jobs/{name}",
    },
    "stream": {
        "GET jobs/{name}",
        "GET workspace",
        "GET discovery",
        "GET history runs/{name}/details",
        *STORE,
        *LOG,
    },
    "get": {"GET jobs/{name}"},
    "list": {"GET jobs"},
    "download": {
        "GET jobs/{name}",
        "POST history rundata",
        "POST data dataversion/batchGetResolvedUris",
        "GET datastores",
        *STORE,
        *LOG,
    },
    "register": {"GET models/{name}", "GET models/{name}/versions", "PUT models/{name}/versions/{version}"},
    "model": {
        "GET models/{name}/versions/{version}",
        *STORE,
        "HEAD blob",
        *LOG,
    },
}
ENDPOINT, DEPLOYMENT = "onlineEndpoints/{name}", "onlineEndpoints/{name}/deployments/{deployment}"
EXPECTED_OF_ENDPOINTS = {
    "endpoint": {"GET workspace", f"PUT {ENDPOINT}"},
    "deploy": {
        f"GET {ENDPOINT}",
        "GET codes/{name}/versions",
        "POST codes/{name}/versions/{version}/startPendingUpload",
        *UPLOAD,
        "PUT codes/{name}/versions/{version}",
        "GET environments/{name}/versions",
        "GET models/{name}/versions",
        "GET workspace",
        f"PUT {DEPLOYMENT}",
        f"GET {DEPLOYMENT}/operation",
        f"GET {DEPLOYMENT}",
    },
    "traffic": {f"GET {ENDPOINT}", f"GET {ENDPOINT}/deployments", "GET workspace", f"PUT {ENDPOINT}"},
    "invoke": {f"GET {ENDPOINT}", f"GET {ENDPOINT}/deployments", f"POST {ENDPOINT}/listKeys"},
    "keys": {f"GET {ENDPOINT}", f"POST {ENDPOINT}/listKeys", f"POST {ENDPOINT}/regenerateKeys"},
    "logs": {f"POST {DEPLOYMENT}/getLogs"},
    "lists": {"GET onlineEndpoints", f"GET {ENDPOINT}/deployments"},
    "delete deployment": {f"DELETE {DEPLOYMENT}"},
    "delete endpoint": {f"DELETE {ENDPOINT}"},
}


def name_of(method, url):
    """The route by which a request is answered, without what all of them begin with."""
    parts = urlsplit(url)
    if parts.hostname == BLOB_HOST:
        verb = parse_qs(parts.query).get("comp")
        return f"{method} blob" + (f" ?comp={verb[0]}" if verb else "")
    for known, pattern, _ in routes.ROUTES:
        if known == method and routes.compiled(pattern).fullmatch(parts.path):
            below = pattern.replace("/history/v1.0", "history").replace("/data/v1.0", "data")
            return f"{method} " + (
                below.replace(f"{routes.WORKSPACE}/", " ").replace(routes.WORKSPACE, "workspace").strip(" /")
            )
    return f"{method} {parts.path}: not offered"


@pytest.fixture
def asked(monkeypatch):
    """The requests since it was last emptied."""
    requests, answer = [], routes.answer

    def recorded(method, url, headers, content):
        requests.append(name_of(method, url))
        return answer(method, url, headers, content)

    monkeypatch.setattr(transport.routes, "answer", recorded)
    return requests


def test_the_way_from_data_to_a_model_asks_for_nothing_new(ml_client, asked, tmp_path):
    found = {}
    note = partial(noted, asked, found)

    Path("digits").mkdir()
    Path("digits/labels.txt").write_text("5 0 4", encoding="utf-8")
    specification = {"name": "small", "dependencies": ["python=3.11", {"pip": ["numpy"]}]}
    job = script_job(
        "import pathlib, sys; pathlib.Path('outputs/model').mkdir(); open('outputs/model/w', 'w').write('w'); "
        "open(sys.argv[2] + '/named.txt', 'w').write('named'); print('written')",
        "python script.py ${{inputs.digits}} ${{outputs.named}}",
        inputs={"digits": Input(type="uri_folder", path="digits@latest")},
        outputs={"named": Output(type="uri_folder")},
    )
    cluster = AmlCompute(name="cpu", size="STANDARD_DS3_V2", max_instances=2)

    note("workspace", lambda: ml_client.workspaces.get(ml_client.workspace_name))
    note("cluster", lambda: ml_client.compute.begin_create_or_update(cluster).result())
    note("data", lambda: ml_client.data.create_or_update(Data(name="digits", path="digits", type="uri_folder")))
    environment = Environment(name="small", image=IMAGE, conda_file=specification)
    note("environment", lambda: ml_client.environments.create_or_update(environment))
    name = note("submit", lambda: ml_client.jobs.create_or_update(job)).name
    note("stream", lambda: ml_client.jobs.stream(name))
    wait_for(ml_client, name, "Completed")
    note("get", lambda: ml_client.jobs.get(name))
    note("list", lambda: list(ml_client.jobs.list()))
    note("download", lambda: ml_client.jobs.download(name, download_path=tmp_path, all=True))
    model = Model(name="digits", path=f"azureml://jobs/{name}/outputs/artifacts/paths/outputs/model/")
    note("register", lambda: ml_client.models.create_or_update(model))
    note("model", lambda: ml_client.models.download("digits", "1", download_path=tmp_path))

    expect(EXPECTED, found)


def test_the_way_to_an_endpoint_asks_for_nothing_new(ml_client, asked, tmp_path):
    found = {}
    note = partial(noted, asked, found)
    make_environment(ml_client, "served", ["azureml-inference-server-http"])
    make_model(ml_client)
    (tmp_path / "request.json").write_text("1", encoding="utf-8")

    note("endpoint", lambda: make_endpoint(ml_client))
    note("deploy", lambda: deploy(ml_client, deployment("blue")))
    note("traffic", lambda: set_traffic(ml_client, {"blue": 100}))
    request = {"request_file": tmp_path / "request.json"}
    note("invoke", lambda: ml_client.online_endpoints.invoke("digits", **request, deployment_name="blue"))
    note("keys", lambda: ml_client.online_endpoints.begin_regenerate_keys("digits").result())
    note("logs", lambda: ml_client.online_deployments.get_logs("blue", "digits", lines=9))
    note("lists", lambda: [*ml_client.online_endpoints.list(), *ml_client.online_deployments.list("digits")])
    set_traffic(ml_client, {})
    note("delete deployment", lambda: ml_client.online_deployments.begin_delete("blue", "digits").result())
    note("delete endpoint", lambda: ml_client.online_endpoints.begin_delete("digits").result())

    expect(EXPECTED_OF_ENDPOINTS, found)


def noted(asked, found, step, call):
    """What the call gives; in `found` stands what it asked for."""
    asked.clear()
    made = call()
    found[step] = set(asked)
    return made


def expect(expected, found):
    assert found.keys() == expected.keys()
    new = {step: sorted(found[step] - expected[step]) for step in expected if found[step] - expected[step]}
    assert not new, f"azure-ai-ml asks for what it did not ask for before: {new}"
    gone = {step: sorted(expected[step] - found[step]) for step in expected if expected[step] - found[step]}
    assert not gone, f"azure-ai-ml no longer asks for: {gone}"

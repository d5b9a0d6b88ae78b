"""What the installed azure-ai-ml asks of Azure on the way from data to a registered model: nothing new.

A release that asks for something else fails here, with the route's name, before a user meets it.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.ai.ml import Input, Output
from azure.ai.ml.entities import AmlCompute, Data, Environment, Model
from small_v2 import IMAGE, script_job, wait_for

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

    def note(step, call):
        asked.clear()
        made = call()
        found[step] = set(asked)
        return made

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

    new = {step: sorted(found[step] - EXPECTED[step]) for step in EXPECTED if found[step] - EXPECTED[step]}
    assert not new, f"azure-ai-ml asks for what it did not ask for before: {new}"
    gone = {step: sorted(EXPECTED[step] - found[step]) for step in EXPECTED if EXPECTED[step] - found[step]}
    assert not gone, f"azure-ai-ml no longer asks for: {gone}"

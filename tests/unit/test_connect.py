"""Connecting: who logs in, what is told where that fails, and that no secret is ever shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_notebooks
from azureml.core import Workspace, authentication
from azureml.exceptions import ComputeTargetException, ProjectSystemException, UserErrorException
from stand_in import needs_the_real_sdk

import helpers
from helpers import backend, credentials

TESTS = Path(__file__).resolve().parents[1]
SECRET = "kept-Secret~42"
SERVICE_PRINCIPAL = {
    "AZUREML_AUTH": "service-principal",
    "AZURE_TENANT_ID": "22222222-2222-2222-2222-222222222222",
    "AZURE_CLIENT_ID": "app",
    "AZURE_CLIENT_SECRET": SECRET,
}
VARIABLES = (credentials.VARIABLE, credentials.CLOUD, *credentials.SERVICE_PRINCIPAL)


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def configure(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


# Who logs in


def test_with_nothing_configured_the_credential_is_left_to_the_sdk(offline_folder, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)  # of some other program
    asked = []
    from_config = Workspace.from_config
    monkeypatch.setattr(Workspace, "from_config", lambda **given: asked.append(given) or from_config(**given))
    helpers.connect()
    assert asked == [{"auth": None}]


@pytest.mark.parametrize(
    ("variables", "kind", "holds"),
    [
        ({"AZUREML_AUTH": "managed-identity"}, authentication.MsiAuthentication, {}),
        ({"AZUREML_AUTH": "cli"}, authentication.AzureCliAuthentication, {}),
        (
            {"AZUREML_AUTH": "interactive", "AZURE_TENANT_ID": "mine"},
            authentication.InteractiveLoginAuthentication,
            {"_tenant_id": "mine"},
        ),
        (
            SERVICE_PRINCIPAL,
            authentication.ServicePrincipalAuthentication,
            {"_service_principal_id": "app", "_cloud": "AzureCloud"},
        ),
        (
            SERVICE_PRINCIPAL | {"AZUREML_CURRENT_CLOUD": "AzureChinaCloud"},
            authentication.ServicePrincipalAuthentication,
            {"_cloud": "AzureChinaCloud"},
        ),
    ],
)
def test_each_way_is_the_sdks_own_class_and_offline_takes_it(offline_folder, monkeypatch, variables, kind, holds):
    configure(monkeypatch, **variables)
    made = helpers.credential()
    assert type(made) is kind
    assert vars(made).items() >= holds.items()
    assert SECRET not in repr(made)
    assert helpers.connect().name == "offline"


def test_the_managed_identity_can_be_one_of_several(monkeypatch):
    configure(monkeypatch, AZUREML_AUTH="managed-identity", AZURE_CLIENT_ID="one")
    asked = []
    monkeypatch.setattr(authentication, "MsiAuthentication", lambda **given: asked.append(given))
    helpers.credential()
    assert asked == [{"identity_config": {"client_id": "one"}}]


@pytest.mark.parametrize("missing", credentials.SERVICE_PRINCIPAL)
@pytest.mark.parametrize("instead", [None, ""])
def test_a_half_configured_service_principal_is_told_by_what_it_lacks(monkeypatch, missing, instead):
    configure(monkeypatch, **SERVICE_PRINCIPAL)
    monkeypatch.delenv(missing) if instead is None else monkeypatch.setenv(missing, instead)
    with pytest.raises(helpers.AzureProblem) as raised:
        helpers.connect()
    message = str(raised.value)
    assert [name for name in credentials.SERVICE_PRINCIPAL if name in message] == [missing]
    assert SECRET not in message


def test_a_way_that_does_not_exist_is_told_with_those_that_do(monkeypatch):
    configure(monkeypatch, AZUREML_AUTH="password")
    with pytest.raises(helpers.AzureProblem, match="service-principal, managed-identity, cli, interactive"):
        helpers.connect()


def test_offline_a_config_file_of_azure_is_not_used(offline_folder, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{not json")
    monkeypatch.chdir(tmp_path)
    assert helpers.connect().name == "offline"


# What the real SDK raises, explained

EXPLAIN = """
import json, os, sys, traceback
import fake_azure, helpers
helpers.use_backend("azure")
told = {}
for name, (answer, config, variables) in json.load(open("cases.json")).items():
    os.makedirs(name)
    os.chdir(name)
    if config is not None:
        with open("config.json", "w", errors="surrogateescape") as file:
            file.write(config)
    os.environ.update(variables)
    fake_azure.install(answer)
    try:
        helpers.connect()
        told[name] = "connected"
    except BaseException:
        told[name] = traceback.format_exc()
    for variable in variables:
        del os.environ[variable]
    os.chdir("..")
with open("told.json", "w") as file:
    json.dump(told, file)
"""

NAMED = {"subscription_id": "11111111-1111-1111-1111-111111111111", "resource_group": "rg", "workspace_name": "ws"}
GOOD = json.dumps(NAMED)
CASES = {  # what Azure answers, config.json, variables, what has to be told
    "connected": ("fine", GOOD, SERVICE_PRINCIPAL, "connected"),
    "scope": ("fine", json.dumps({"Id": None, "Scope": "a/b"}), SERVICE_PRINCIPAL, "its Scope is not the id of"),
    "no-file": ("fine", None, SERVICE_PRINCIPAL, "There is no config.json in this folder or in one above it"),
    "not-json": ("fine", "{subscription", SERVICE_PRINCIPAL, "config.json is not JSON"),
    "not-text": ("fine", "\udcff", SERVICE_PRINCIPAL, "config.json is not JSON"),
    "no-object": ("fine", "[]", SERVICE_PRINCIPAL, "has to hold an object with subscription_id, resource_group"),
    "unknown-keys": (
        "fine",
        json.dumps({"subscription_id": "1", "resource_group": "rg", "workspace": "ws"}),
        SERVICE_PRINCIPAL,
        "lacks workspace_name and holds workspace, which is not read",
    ),
    "other-cloud-in-file": (
        "fine",
        json.dumps({"cloud": "AzureChinaCloud", "subscription": "1"}),
        SERVICE_PRINCIPAL,
        "points to another Azure cloud, AzureChinaCloud. Set AZUREML_CURRENT_CLOUD=AzureChinaCloud",
    ),
    "secret-expired": ("secret expired", GOOD, SERVICE_PRINCIPAL, "secret has expired. Make a new one"),
    "secret-wrong": ("secret wrong", GOOD, SERVICE_PRINCIPAL, "AZURE_CLIENT_SECRET is not a secret of this"),
    "secret-repeated": ("secret repeated", GOOD, SERVICE_PRINCIPAL, "AZURE_CLIENT_SECRET is not a secret of this"),
    "unknown-answer": ("unknown answer", GOOD, SERVICE_PRINCIPAL, "AADSTS1234567: Something new about ***"),
    "application": ("application unknown", GOOD, SERVICE_PRINCIPAL, "Compare AZURE_CLIENT_ID and AZURE_TENANT_ID"),
    "tenant": ("tenant unknown", GOOD, SERVICE_PRINCIPAL, "The tenant was not found"),
    "other-cloud": ("other cloud", GOOD, SERVICE_PRINCIPAL, "belongs to another Azure cloud"),
    "login-expired": ("login expired", GOOD, SERVICE_PRINCIPAL, "The login has expired"),
    "subscription": ("no subscription", GOOD, SERVICE_PRINCIPAL, "does not see the subscription"),
    "permission": (
        "no permission",
        GOOD,
        SERVICE_PRINCIPAL,
        "no permission for this: Microsoft.MachineLearningServices/workspaces/read on /subscriptions/1111",
    ),
    "workspace": ("no workspace", GOOD, SERVICE_PRINCIPAL, "has no such workspace"),
    "group": ("no group", GOOD, SERVICE_PRINCIPAL, "has no such workspace"),
    "no-cli": (
        "fine",
        GOOD,
        {"AZUREML_AUTH": "cli", "AZUREML_CURRENT_CLOUD": "AzureCloud"},
        "AZUREML_AUTH=cli needs the package azure-cli",
    ),
}
WITHOUT_CAUSE = {"connected", "secret-repeated", "unknown-answer"}


def environment(**variables) -> dict[str, str]:
    """For a process that imports the real SDK and the stand-in for Azure."""
    path = os.pathsep.join([str(TESTS), os.environ["PYTHONPATH"]])
    return os.environ | {"PYTHONPATH": path} | variables


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What one process with the real SDK said in each case."""
    folder = tmp_path_factory.mktemp("real")
    cases = {name: case[:3] for name, case in CASES.items()}
    (folder / "cases.json").write_text(json.dumps(cases))
    subprocess.run([sys.executable, "-c", EXPLAIN], cwd=folder, env=environment(), check=True, timeout=300)
    return json.loads((folder / "told.json").read_text())


@needs_the_real_sdk
@pytest.mark.parametrize("case", CASES)
def test_what_the_real_sdk_raises_is_told_with_what_to_do(told, case):
    assert CASES[case][3] in told[case]
    if case not in WITHOUT_CAUSE:
        assert "The above exception was the direct cause" in told[case]
        assert "helpers.azure_problems.AzureProblem: " in told[case]


@needs_the_real_sdk
@pytest.mark.parametrize("case", CASES)
def test_the_secret_is_in_no_message(told, case):
    assert SECRET not in told[case]


# Refusals that come after connecting

QUOTA = """Compute object provisioning polling reached non-successful terminal state, current provisioning state: Failed
Provisioning operation error:
StatusCode: 400
Message: Operation results in exceeding quota limits of Core. Maximum allowed: 0, Current in use: 0"""
REFUSED = "Received bad response from Resource Provider:\nResponse Code: 403\nHeaders: {}\nContent: " + repr(
    b'{"error":{"code":"AuthorizationFailed","message":"The client \'me\' does not have authorization to perform '
    b"action 'Microsoft.MachineLearningServices/workspaces/computes/write' over scope '/subscriptions/1/c'.\"}}"
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ComputeTargetException(QUOTA), "The quota does not suffice"),
        (ComputeTargetException("[{'code': 'ClusterCoreQuotaReached'}]"), "The quota does not suffice"),
        (ComputeTargetException(REFUSED), "for this: Microsoft.MachineLearningServices/workspaces/computes/write on /"),
        (
            UserErrorException("You don't have access to 123 subscription, please check"),
            "does not see the subscription",
        ),
        (ProjectSystemException("Workspace not found."), "has no such workspace"),
        (ConnectionError("Failed to establish a new connection: refused"), "Azure cannot be reached"),
        (OSError("Failed to connect to MSI. Please make sure"), "There is no managed identity here"),
        (RuntimeError("ExpiredAuthenticationToken"), "The login has expired"),
    ],
)
def test_a_refusal_is_explained_and_kept_as_the_cause(error, said):
    with pytest.raises(helpers.AzureProblem) as raised, helpers.explained():
        raise error
    assert said in str(raised.value)
    assert raised.value.__cause__ is error


def test_the_cause_of_an_exception_counts_too():
    with pytest.raises(helpers.AzureProblem, match="quota"), helpers.explained():
        try:
            raise ComputeTargetException(QUOTA)
        except ComputeTargetException as cause:
            raise RuntimeError("no cluster") from cause


@pytest.mark.parametrize("error", [ComputeTargetException("ComputeTargetNotFound: gpu"), KeyError("a")])
def test_what_is_not_recognised_stays_as_it_is(error):
    with pytest.raises(type(error)) as raised, helpers.explained():
        raise error
    assert raised.value is error


def test_a_missing_permission_is_not_taken_for_a_notebook_that_was_not_run():
    with pytest.raises(helpers.AzureProblem, match="no permission"), helpers.made_by("03_compute.ipynb"):
        raise ComputeTargetException(REFUSED)


# Executed notebooks


@needs_the_real_sdk
@pytest.mark.parametrize(
    ("backend", "answer", "code"),
    [("offline", "fine", 0), ("azure", "fine", 0), ("azure", "secret repeated", 1), ("azure", "no permission", 1)],
)
def test_no_file_and_no_line_of_a_batch_holds_the_secret(tmp_path, backend, answer, code):
    small_notebooks.write_notebook(
        tmp_path,
        "01_connect",
        f"import fake_azure, helpers\nfake_azure.install({answer!r})\nhelpers.use_backend(backend)",
        "auth = helpers.credential()\nprint(auth, vars(helpers))\nauth",
        "ws = helpers.connect()\nprint(ws)\nws",
        parameters='backend: str = "offline"  # offline or azure',
    )
    (tmp_path / "notebooks" / "config.json").write_text(GOOD)
    variables = SERVICE_PRINCIPAL | {"AZUREML_OFFLINE_FOLDER": str(tmp_path / "offline")}
    command = [sys.executable, str(small_notebooks.RUNNER), "--notebooks", str(tmp_path / "notebooks")]
    done = subprocess.run(
        [*command, "--backend", backend], env=environment(**variables), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr
    executed = (tmp_path / "output" / "01_connect.ipynb").read_text()
    assert ("Workspace" if code == 0 else "AzureProblem") in executed
    shown = done.stdout + done.stderr
    written = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET not in shown
    assert SECRET not in written


def test_a_python_that_the_real_sdk_does_not_run_on_is_told_with_those_that_it_does(monkeypatch):
    monkeypatch.setattr(backend, "imported_backends", lambda: {"azureml": "azure"})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(helpers.BackendError, match=r"azureml-core needs Python 3\.12 or older.*version 2"):
        helpers.connect()


def test_what_version_2_paints_around_its_refusal_is_left_out(ml_client):
    with pytest.raises(helpers.NotMadeYet) as raised, helpers.made_by("02_data.ipynb"):
        ml_client.data.get("mnist", label="latest")
    said = f"Asset mnist does not exist in workspace {ml_client.workspace_name}."
    assert str(raised.value).endswith(f"The workspace's answer was: {said}")

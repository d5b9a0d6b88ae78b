"""The mocked SDK's workspace: how it is got, what it tells, what it refuses."""

import json

import pytest
from azureml._strict import UnsupportedOfflineError
from azureml.core import ComputeTarget, Dataset, Datastore, Environment, Experiment, Model, Run, Workspace
from azureml.core.webservice import Webservice
from azureml.core.workspace import Workspace as WorkspaceOfModule
from azureml.exceptions import (
    ComputeTargetException,
    ProjectSystemException,
    ServiceException,
    UserErrorException,
    WebserviceException,
    WorkspaceException,
)

AZURE = {"subscription_id": "1", "resource_group": "group", "workspace_name": "team"}


@pytest.fixture
def workspace(offline_folder):
    return Workspace.from_config()


@pytest.fixture
def new_folder(tmp_path, monkeypatch):
    folder = tmp_path / "new"
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(folder))
    return folder


def test_without_a_file_it_is_the_offline_one(workspace, offline_folder):
    assert WorkspaceOfModule is Workspace
    assert (workspace.name, workspace.resource_group, workspace.location) == ("offline", "offline", "local")
    assert workspace.subscription_id == "00000000-0000-0000-0000-000000000000"
    assert repr(workspace) == (
        "Workspace.create(name='offline', subscription_id='00000000-0000-0000-0000-000000000000', "
        "resource_group='offline')"
    )
    assert offline_folder.is_dir()


def test_an_azure_configuration_that_lies_around_is_not_used(offline_folder, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps(AZURE))
    monkeypatch.chdir(tmp_path)
    assert Workspace.from_config().name == "offline"


def test_a_file_that_is_named_is_read(workspace, tmp_path):
    with pytest.raises(
        UserErrorException, match=r"The workspace configuration file config\.json, could not be found in"
    ):
        Workspace.from_config(path=str(tmp_path / "nowhere"))

    file = tmp_path / "config.json"
    file.write_text(json.dumps(AZURE))
    with pytest.raises(UserErrorException) as error:
        Workspace.from_config(path=str(file))
    assert "'team'" in error.value.message and 'use_backend("azure")' in error.value.message

    file.write_text(json.dumps({"subscription_id": "1", "anything": "else"}))
    with pytest.raises(UserErrorException, match="does not seem to contain the required parameters"):
        Workspace.from_config(path=str(tmp_path))

    file.write_text("[1, 2")
    with pytest.raises(json.JSONDecodeError, match=r"config\.json is not JSON"):
        Workspace.from_config(path=str(tmp_path))


def test_write_config_and_read_it_from_below(workspace, tmp_path):
    workspace.write_config(path=str(tmp_path))
    assert [file.name for file in tmp_path.rglob("*.json")] == ["config.json"]
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert Workspace.from_config(path=str(below)).name == "offline"
    workspace.write_config(path=str(tmp_path), file_name="mine")
    assert Workspace.from_config(_file_name="mine.json", path=str(tmp_path)).name == "offline"


def test_write_config_keeps_the_configuration_of_another_workspace(workspace, tmp_path):
    folder = tmp_path / ".azureml"
    folder.mkdir()
    for content in (json.dumps(AZURE), "not json"):
        (folder / "config.json").write_text(content)
        with pytest.raises(UserErrorException, match="Could not write the config file to"):
            workspace.write_config(path=str(tmp_path))
        assert (folder / "config.json").read_text() == content


def test_write_config_where_a_file_is_in_the_way(workspace, tmp_path):
    (tmp_path / ".azureml").write_text("a file")
    with pytest.raises(UserErrorException, match="Could not write the config file to"):
        workspace.write_config(path=str(tmp_path))


def test_get_and_constructor_know_one_workspace(workspace):
    assert Workspace.get("offline").name == "offline"
    assert Workspace(workspace.subscription_id, "offline", "offline").name == "offline"
    for attempt in (
        lambda: Workspace.get("team"),
        lambda: Workspace.get("offline", resource_group="group"),
        lambda: Workspace("1", "group", "offline"),
    ):
        with pytest.raises(ProjectSystemException, match="Workspace not found"):
            attempt()


def test_list(workspace):
    assert [found.name for found in Workspace.list(workspace.subscription_id)["offline"]] == ["offline"]
    assert Workspace.list("1") == {}
    assert Workspace.list(None, resource_group="group") == {}


def test_create(new_folder, tmp_path):
    created = Workspace.create("offline", tags={"team": "a"}, friendly_name="A workshop")
    assert created.get_details()["friendlyName"] == "A workshop"
    with pytest.raises(WorkspaceException, match="already exists under"):
        Workspace.create("offline")
    assert Workspace.create("offline", exist_ok=True).tags == {"team": "a"}
    with pytest.raises(WorkspaceException, match="Couldn't create the workspace"):
        Workspace.create("team")
    team = Workspace.create("team", exist_ok=True)  # as a script does that makes sure of its workspace
    assert (team.name, team.get_details()["name"]) == ("team", "team")
    assert team.get_details()["friendlyName"] == "A workshop"
    team.write_config(str(tmp_path))
    assert Workspace.from_config(str(tmp_path)).name == "team"
    with pytest.raises(UnsupportedOfflineError, match=r"Argument key_vault of Workspace\.create"):
        Workspace.create("offline", exist_ok=True, key_vault="vault")


@pytest.mark.parametrize("name", ["", None, "ab", "-abc", "a b c", "a" * 34])
def test_create_refuses_names_that_the_service_refuses(new_folder, name):
    with pytest.raises(UserErrorException, match="Workspace name must be between 3 and 33 characters long"):
        Workspace.create(name)
    assert not new_folder.exists()


def test_delete_and_make_anew(workspace, offline_folder):
    workspace.update(description="old")
    workspace.delete()
    assert not offline_folder.exists()
    assert Workspace.create("offline").get_details()["description"] == ""


def test_details(workspace, offline_folder):
    details = workspace.get_details()
    assert details["id"].endswith("/providers/Microsoft.MachineLearningServices/workspaces/offline")
    assert details["storageAccount"] == str(offline_folder)
    assert details["workspaceid"] == Workspace.from_config().get_details()["workspaceid"]
    assert workspace.update(description="d", tags={"a": "b"})["description"] == "d"
    assert workspace.update(friendly_name="f")["tags"] == workspace.tags == {"a": "b"}
    with pytest.raises(UnsupportedOfflineError, match="image_build_compute"):
        workspace.update(image_build_compute="cpu-cluster")


def test_datastores(workspace):
    assert sorted(workspace.datastores) == ["workspaceblobstore", "workspacefilestore"]
    assert workspace.get_default_datastore().name == "workspaceblobstore"
    workspace.set_default_datastore("workspacefilestore")
    assert Datastore(Workspace.from_config()).name == "workspacefilestore"
    with pytest.raises(UserErrorException, match="Could not find datastore 'nope'"):
        workspace.set_default_datastore("nope")
    assert workspace.get_default_datastore().name == "workspacefilestore"


def test_what_an_empty_workspace_holds(workspace):
    assert dict(workspace.datasets) == {}
    assert workspace.compute_targets == {}
    assert workspace.models == {}
    assert workspace.experiments == {}
    assert all(name.startswith("AzureML-") for name in workspace.environments)
    assert workspace.images == workspace.webservices == workspace.linked_services == {}
    assert workspace.get_default_compute_target("GPU") is None
    with pytest.raises(ValueError, match="Invalid compute type"):
        workspace.get_default_compute_target("TPU")


def test_mlflow_tracking_address(workspace, offline_folder):
    assert str(offline_folder) in workspace.get_mlflow_tracking_uri()


def test_what_is_not_supported_says_so(workspace):
    for call in (
        workspace.get_default_keyvault,
        workspace.list_keys,
        lambda: workspace.diagnose_workspace({}),
        lambda: workspace.add_private_endpoint(None),
    ):
        with pytest.raises(UnsupportedOfflineError, match=r"docs/offline-coverage\.md"):
            call()


def test_two_folders_are_two_workspaces(workspace, tmp_path, monkeypatch):
    workspace.update(tags={"first": "yes"})
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "second"))
    assert Workspace.from_config().tags == {}
    assert workspace.tags == {"first": "yes"}


@pytest.mark.parametrize("name", [5, ["a"], {"a": 1}, "a\0b"])
def test_what_is_asked_for_by_a_name_that_is_none_is_not_there(workspace, name):
    asked = {
        lambda: ComputeTarget(workspace, name): ComputeTargetException,
        lambda: Dataset.get_by_name(workspace, name): UserErrorException,
        lambda: Dataset.get_by_id(workspace, name): UserErrorException,
        lambda: Datastore.get(workspace, name): UserErrorException,
        lambda: Environment.get(workspace, name): Exception,
        lambda: Experiment(workspace, name): UserErrorException,
        lambda: Model(workspace, name): WebserviceException,
        lambda: Model(workspace, id=name): WebserviceException,
        lambda: Run.get(workspace, name): (ServiceException, UserErrorException),
        lambda: Webservice(workspace, name): WebserviceException,
    }
    for ask, kind in asked.items():
        with pytest.raises(kind) as refused:
            ask()
        assert not isinstance(refused.value, (AttributeError, TypeError)), ask

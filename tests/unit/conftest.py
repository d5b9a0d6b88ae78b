"""A workspace, and its runs, that the tests of one module share: a run takes seconds."""

import shutil

import pytest


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The Workspace of a new offline folder; the working directory is beside it."""
    from azureml.core import Workspace

    from helpers.offline.engine import jobs, services

    top = tmp_path_factory.mktemp("world")
    (top / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZUREML_OFFLINE_FOLDER", str(top / "offline"))
        patch.chdir(top / "work")
        workspace = Workspace.from_config()
        yield workspace
        services.end_all(workspace._folder)
        jobs.end_all(workspace._folder)


@pytest.fixture(scope="module")
def ml_client(tmp_path_factory, mlflow_store):
    """The installed azure-ai-ml's MLClient of a new offline folder; the working directory is beside it."""
    from helpers.offline.arm import client
    from helpers.offline.engine import jobs, services
    from helpers.offline.engine.workspace import folder

    top = tmp_path_factory.mktemp("world")
    (top / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZUREML_OFFLINE_FOLDER", str(top / "offline"))
        patch.chdir(top / "work")
        path = folder.open_folder(top / "offline")
        shutil.copyfile(mlflow_store, path / "mlflow.db")
        client.use()
        from azure.ai.ml import MLClient
        from azure.identity import DefaultAzureCredential

        yield MLClient(DefaultAzureCredential(), "a-subscription", "a-group", "a-workspace")
        services.end_all(path)
        jobs.end_all(path)

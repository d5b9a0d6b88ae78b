"""A workspace, and its runs, that the tests of one module share: a run takes seconds."""

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

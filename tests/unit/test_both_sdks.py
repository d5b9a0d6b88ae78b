"""One offline workspace with both SDKs: what docs/v1-to-v2.md says that each sees of the other's."""

import re
from pathlib import Path

import mlflow
import pytest
from azure.ai.ml.entities import Data, ManagedOnlineEndpoint, Model
from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core import Model as ModelOfV1
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice
from small_v2 import make_cluster, make_environment, script_job, wait_for

PAGE = Path(__file__).resolve().parents[2] / "docs" / "v1-to-v2.md"
ROW = re.compile(r"^\| ([\w ,]+) \| ([^|]+) \|", re.MULTILINE)


def seen():
    """The column `offline` and the one beside it: what is there, and who sees it."""
    _, _, table = PAGE.read_text(encoding="utf-8").partition("| offline | seen by |")
    return dict(ROW.findall(table))


def names(things):
    return {thing.name for thing in things if not thing.name.startswith("AzureML-")}


@pytest.fixture(scope="module")
def workspace(ml_client):
    """The workspace, in which each SDK has made one of each kind."""
    workspace = Workspace.from_config()
    configuration = AmlCompute.provisioning_configuration(vm_size="STANDARD_DS3_V2", max_nodes=1)
    ComputeTarget.create(workspace, "one", configuration).wait_for_completion()
    make_cluster(ml_client, "two", 1)
    environment = Environment("one").register(workspace)
    make_environment(ml_client, "two")
    Path("source").mkdir()
    Path("source/score.py").write_text("def init(): pass\ndef run(data): return 1\n")
    Dataset.File.upload_directory("source", (workspace.get_default_datastore(), "files")).register(workspace, "one")
    ml_client.data.create_or_update(Data(name="two", path="source", type="uri_folder"))
    model = ModelOfV1.register(workspace, "source", "one")
    ml_client.models.create_or_update(Model(name="two", path="source", type="custom_model"))
    Experiment(workspace, "one").submit(
        ScriptRunConfig("source", "score.py", compute_target="one")
    ).wait_for_completion()
    job = script_job("print('ran')", compute="two", environment="two@latest", experiment_name="two")
    wait_for(ml_client, ml_client.jobs.create_or_update(job).name)
    inference = InferenceConfig(entry_script="score.py", source_directory="source", environment=environment)
    service = ModelOfV1.deploy(workspace, "one", [model], inference, AciWebservice.deploy_configuration(1, 1))
    service.wait_for_deployment()
    ml_client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="two", auth_mode="key")).result()
    yield workspace
    service.delete()


def test_what_both_sdks_see(ml_client, workspace):
    assert seen()["clusters, datastores, models"] == "both SDKs"
    assert set(workspace.compute_targets) == names(ml_client.compute.list()) == {"one", "two"}
    assert set(workspace.models) == names(ml_client.models.list()) == {"one", "two"}
    assert set(workspace.datastores) <= names(ml_client.datastores.list())


def test_what_each_sdk_has_of_its_own(ml_client, workspace):
    of_v1 = {name for name in Environment.list(workspace) if not name.startswith(("AzureML-", "default-"))}
    both = {
        "environments": (of_v1, names(ml_client.environments.list())),
        "datasets and data assets": (set(workspace.datasets), names(ml_client.data.list())),
        "web services and endpoints": (set(workspace.webservices), names(ml_client.online_endpoints.list())),
    }
    said = {kind: seen for kind, seen in seen().items() if seen.startswith("each SDK its own")}
    assert said.keys() == both.keys()
    assert all(found == ({"one"}, {"two"}) for found in both.values()), both


def test_v1_and_mlflow_see_the_jobs_of_v2_which_sees_no_runs_of_v1(ml_client, workspace):
    assert seen()["experiments, runs and jobs"] == "v1 and MLflow see all, `ml_client.jobs` its own"
    ids = {run.id for name in ("one", "two") for run in Experiment(workspace, name).get_runs()}
    assert set(workspace.experiments) == {"one", "two"} and len(ids) == 2
    tracking = mlflow.MlflowClient(ml_client.workspaces.get("a-workspace").mlflow_tracking_uri)
    assert {tracking.get_run(id).info.status for id in ids} == {"FINISHED"}
    assert [job.experiment_name for job in ml_client.jobs.list()] == ["two"]

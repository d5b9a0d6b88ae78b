"""Data, environments, models and clusters of SDK v2, offline: from Python and from YAML."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from azure.ai.ml import Input, Output, command, load_compute, load_data, load_environment, load_job, load_model
from azure.ai.ml.constants import ListViewType
from azure.ai.ml.entities import AmlCompute, Data, Environment, Model
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from small_history import mlflow_client
from small_v2 import IMAGE, make_cluster, make_environment, script_job, wait_for

from helpers.offline.engine.assets import data, models
from helpers.offline.engine.history import artifacts, mlflow_store
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace.errors import Invalid, NotFound
from helpers.offline.engine.workspace.folder import open_folder

ROOT = Path(__file__).resolve().parents[2]
MNIST = "https://azureopendatastorage.blob.core.windows.net/mnist/"


def write(name, content):
    """A YAML file of this content below the working directory."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client)
    make_environment(ml_client)


# Data


def test_a_file_is_data_of_its_own(ml_client):
    write("numbers.csv", "1,2,3")
    made = ml_client.data.create_or_update(Data(name="numbers", path="numbers.csv", type="uri_file", tags={"a": "1"}))
    assert (made.name, made.version, made.type, made.tags) == ("numbers", "1", "uri_file", {"a": "1"})
    assert made.path.startswith("azureml://subscriptions/a-subscription/resourcegroups/a-group/workspaces/a-workspace/")
    job = script_job(
        "import sys; print(open(sys.argv[1]).read(), sys.argv[1])",
        "python script.py ${{inputs.numbers}}",
        inputs={"numbers": Input(type="uri_file", path="numbers@latest")},
    )
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path="down")
    text, path = Path("down/artifacts/user_logs/std_log.txt").read_text().split()
    assert text == "1,2,3" and Path(path).name == "numbers.csv"


@pytest.mark.parametrize(("show_progress", "told"), [(False, r""), (True, r"(?s).*Uploading seen.txt.*100%.*")])
def test_an_upload_prints_nothing_where_its_progress_is_not_shown(ml_client, tmp_path, capsys, show_progress, told):
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    write(tmp_path / "seen.txt", f"shown: {show_progress}")
    client = MLClient.from_config(DefaultAzureCredential(), show_progress=show_progress)
    client.data.create_or_update(Data(name=f"shown-{show_progress}", path=str(tmp_path / "seen.txt"), type="uri_file"))
    assert re.fullmatch(told, capsys.readouterr().err)


def test_an_asset_whose_mode_is_direct_is_the_address_where_it_lies(ml_client, tmp_path):
    write("direct/a.txt", "a")
    data = ml_client.data.create_or_update(Data(name="direct", path="direct", type="uri_folder"))
    model = ml_client.models.create_or_update(Model(name="direct", path="direct"))
    inputs = {
        "data": Input(type="uri_folder", path="direct:1", mode="direct"),
        "model": Input(type="custom_model", path="direct:1", mode="direct"),
    }
    job = command(
        command="echo ${{inputs.data}} ${{inputs.model}}", inputs=inputs, environment="small:1", compute="cpu"
    )
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path)
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text().split() == [data.path, model.path]
    ml_client.models.archive("direct")


def test_names_of_files_come_through_as_they_are(ml_client, tmp_path):
    names = ["a b.txt", "ü#%41?.txt", "[1]*.txt", "deep [x]/c+d&e.txt"]
    for name in names:
        write(tmp_path / "odd [names]" / name, name)
    ml_client.data.create_or_update(Data(name="odd", path=tmp_path / "odd [names]", type="uri_folder"))
    script = """
        import pathlib, sys
        folder = pathlib.Path(sys.argv[1])
        for file in sorted(folder.rglob("*.txt")):
            print(file.relative_to(folder), file.read_text() == str(file.relative_to(folder)))
    """
    given = {"odd": Input(type="uri_folder", path="odd@latest")}
    name = ml_client.jobs.create_or_update(script_job(script, "python script.py ${{inputs.odd}}", inputs=given)).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path)
    told = (tmp_path / "artifacts/user_logs/std_log.txt").read_text(encoding="utf-8").splitlines()
    assert told == [f"{name} True" for name in sorted(names)]


def test_versions_are_texts_and_the_latest_is_the_last_made(ml_client):
    folder = write("letters/a.txt", "a").parent
    for version in ("2024-01", None, "1.0.0", "v2"):
        ml_client.data.create_or_update(Data(name="letters", path=folder, type="uri_folder", version=version))
    assert [data.version for data in ml_client.data.list("letters")] == ["v2", "1.0.0", "1", "2024-01"]
    assert ml_client.data.get("letters", label="latest").version == "v2"
    assert ml_client.data.create_or_update(Data(name="letters", path=folder, type="uri_folder")).version == "2"
    with pytest.raises(ResourceNotFoundError, match=r"no data 'letters' version '9'\. It has the versions"):
        ml_client.data.get("letters", version="9")


def test_the_path_of_a_version_cannot_change_and_its_tags_can(ml_client):
    write("fixed/a.txt", "a")
    made = ml_client.data.create_or_update(Data(name="fixed", path="fixed", type="uri_folder", version="1"))
    made.tags = {"stage": "checked"}
    ml_client.data.create_or_update(made)
    assert ml_client.data.get("fixed", version="1").tags == {"stage": "checked"}
    write("fixed/a.txt", "other")
    with pytest.raises(HttpResponseError, match="Asset paths cannot be updated"):
        ml_client.data.create_or_update(Data(name="fixed", path="fixed", type="uri_folder", version="1"))


def test_a_new_version_has_the_type_of_the_first(ml_client):
    write("typed/a.txt", "a")
    ml_client.data.create_or_update(Data(name="typed", path="typed", type="uri_folder"))
    with pytest.raises(HttpResponseError, match=r"'typed' is of the type uri_folder, and .* as uri_file is") as told:
        ml_client.data.create_or_update(Data(name="typed", path="typed/a.txt", type="uri_file"))
    assert told.value.status_code == 400
    assert [data.version for data in ml_client.data.list("typed")] == ["1"]


def test_what_is_archived_is_not_listed_until_it_is_restored(ml_client):
    write("old/a.txt", "a")
    for version in ("1", "2"):
        ml_client.data.create_or_update(Data(name="old", path="old", type="uri_folder", version=version))
    ml_client.data.archive("old", version="1")
    assert [data.version for data in ml_client.data.list("old")] == ["2"]
    assert [data.version for data in ml_client.data.list("old", list_view_type=ListViewType.ARCHIVED_ONLY)] == ["1"]
    ml_client.data.archive("old")
    assert "old" not in [data.name for data in ml_client.data.list()]
    assert list(ml_client.data.list("old")) == []
    assert ml_client.data.get("old", version="2").version == "2"  # it can still be used
    ml_client.data.restore("old")
    ml_client.data.restore("old", version="1")
    assert [data.version for data in ml_client.data.list("old")] == ["2", "1"]


@pytest.mark.parametrize("address", [MNIST, "wasbs://datasets@azuremlexamples.blob.core.windows.net/mnist/"])
def test_the_bundled_files_answer_for_the_addresses_that_mnist_has(ml_client, address):
    job = script_job(
        "import os, sys; print(*sorted(os.listdir(sys.argv[1])))",
        "python script.py ${{inputs.digits}}",
        inputs={"digits": Input(type="uri_folder", path=address, mode="download")},
    )
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=name)
    told = Path(name, "artifacts/user_logs/std_log.txt").read_text().split()
    assert told == sorted(path.name for path in (ROOT / "data/mnist").glob("*.gz"))


def test_an_address_that_is_not_known_is_refused(ml_client):
    with pytest.raises(ResourceNotFoundError, match=r"https://example\.com/a\.csv is not known offline"):
        ml_client.data.create_or_update(Data(name="web", path="https://example.com/a.csv", type="uri_file"))
    for path in ("abfss://files@lake.dfs.core.windows.net/a.csv", "adl://lake.azuredatalakestore.net/a.csv"):
        with pytest.raises(ResourceNotFoundError, match=f"{path} is not known offline"):
            ml_client.data.create_or_update(Data(name="web", path=path, type="uri_file"))
    with pytest.raises(ResourceNotFoundError, match="no datastore 'elsewhere'"):
        path = "azureml://datastores/elsewhere/paths/a"
        ml_client.data.create_or_update(Data(name="web", path=path, type="uri_folder"))


def test_data_from_yaml(ml_client):
    write("yaml/files/a.txt", "a")
    file = write("yaml/data.yml", {"name": "from-yaml", "type": "uri_folder", "path": "./files", "version": "7"})
    made = ml_client.data.create_or_update(load_data(file))
    assert (made.name, made.version, made.type) == ("from-yaml", "7", "uri_folder")


def test_a_list_of_names_tells_when_the_first_version_was_made(ml_client):
    write("timed/a.txt", "a")
    made = [ml_client.data.create_or_update(Data(name="timed", path="timed", type="uri_folder")) for _ in range(2)]
    environment = make_environment(ml_client, "timed")
    model = ml_client.models.create_or_update(Model(name="timed", path="timed"))
    (data,) = [one for one in ml_client.data.list() if one.name == "timed"]
    assert data.creation_context.created_at == made[0].creation_context.created_at
    assert data.creation_context.last_modified_at == made[1].creation_context.last_modified_at
    (listed,) = [one for one in ml_client.environments.list() if one.name == "timed"]
    assert listed.creation_context.created_at == environment.creation_context.created_at
    (listed,) = [one for one in ml_client.models.list() if one.name == "timed"]
    assert (listed.creation_context.created_at, model.description) == (model.creation_context.created_at, None)
    ml_client.models.archive("timed")


# Environments


def test_an_environment_is_made_anew_only_where_it_differs(ml_client):
    def make(packages):
        specification = {"name": "e", "dependencies": ["python=3.11", {"pip": packages}]}
        environment = Environment(name="packages", image=IMAGE, conda_file=specification)
        return ml_client.environments.create_or_update(environment).version

    assert [make(["numpy"]), make(["numpy"]), make(["numpy", "pandas"])] == ["1", "1", "2"]
    assert ml_client.environments.get("packages", label="latest").version == "2"
    assert ml_client.environments.get("packages", version="1").conda_file["dependencies"][1] == {"pip": ["numpy"]}
    same_version = Environment(name="packages", image="another", version="1")
    with pytest.raises(ResourceExistsError, match="version '1' exists with another content"):
        ml_client.environments.create_or_update(same_version)


def test_an_environment_from_yaml_and_one_that_a_job_brings(ml_client):
    conda = {"name": "e", "dependencies": ["python=3.11", "pip", {"pip": ["numpy"]}]}
    write("environments/conda.yml", conda)
    file = write("environments/one.yml", {"name": "by-yaml", "image": IMAGE, "conda_file": "conda.yml"})
    assert ml_client.environments.create_or_update(load_environment(file)).version == "1"
    inline = Environment(image=IMAGE, conda_file=conda)
    name = ml_client.jobs.create_or_update(script_job("print('runs')", environment=inline)).name
    assert wait_for(ml_client, name, "Completed").environment.startswith("CliV2AnonymousEnvironment:")
    assert "CliV2AnonymousEnvironment" not in [environment.name for environment in ml_client.environments.list()]


def test_a_package_that_is_not_here_fails_the_job_as_an_image_build_would(ml_client):
    make_environment(ml_client, "lacking", ["no-such-package-at-all"])
    name = ml_client.jobs.create_or_update(script_job("print('no')", environment="lacking@latest")).name
    wait_for(ml_client, name, "Failed")
    with pytest.raises(Exception, match=r"Image build failed.*'lacking'.*no-such-package-at-all is not installed"):
        ml_client.jobs.stream(name)


def test_environments_of_both_sdks_do_not_disturb_each_other(ml_client):
    from azureml.core import Environment as EnvironmentOfV1
    from azureml.core import Workspace

    workspace = Workspace.from_config()
    EnvironmentOfV1("both").register(workspace)
    assert make_environment(ml_client, "both").version == "1"
    assert [one.version for one in ml_client.environments.list("both")] == ["1"]
    assert {name for name in EnvironmentOfV1.list(workspace) if not name.startswith("AzureML-")} == {"both"}
    assert EnvironmentOfV1.get(workspace, "both").version == "1"


@pytest.mark.parametrize(
    "name",
    [
        "azureml://registries/azureml/environments/tensorflow-2.16-cuda12/labels/latest",
        "AzureML-tensorflow-2.16-cuda12@latest",
    ],
)
def test_a_job_in_a_curated_environment_runs_with_what_is_here(ml_client, name):
    name = ml_client.jobs.create_or_update(script_job("print('ran')", environment=name)).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=name)
    build = Path(name, "artifacts/azureml-logs/20_image_build_log.txt").read_text()
    assert "tensorflow[and-cuda]==2.16.2: MISSING, " in build and "an import of what is MISSING fails" in build


def test_curated_environments_are_those_of_the_workspace(ml_client):
    from azureml.core import Environment as EnvironmentOfV1
    from azureml.core import Workspace

    curated = {one.name for one in ml_client.environments.list() if one.name.startswith("AzureML-")}
    of_v1 = EnvironmentOfV1.list(Workspace.from_config())
    assert curated == {name for name in of_v1 if name.startswith("AzureML-")}
    assert {"AzureML-sklearn-1.5", "AzureML-Minimal", "AzureML-Tutorial"} <= curated
    got = ml_client.environments.get("AzureML-sklearn-1.5", label="latest")
    assert got.conda_file == of_v1["AzureML-sklearn-1.5"].python.conda_dependencies.as_dict()
    ml_client.jobs.create_or_update(script_job("print('as an object')", environment=got))
    assert [one.version for one in ml_client.environments.list("AzureML-sklearn-1.5")] == [got.version]
    assert ml_client.environments.get("AzureML-sklearn-1.5", version="1").conda_file == got.conda_file
    for change in (
        lambda: make_environment(ml_client, "AzureML-mine"),
        lambda: ml_client.environments.archive("AzureML-sklearn-1.5"),
        lambda: ml_client.environments.archive("AzureML-sklearn-1.5", version="1"),
    ):
        with pytest.raises(HttpResponseError, match="begins as only Microsoft's own environments do, which stay"):
            change()


def test_a_curated_environment_of_which_nothing_is_known(ml_client):
    name = "azureml://registries/azureml/environments/acpt-pytorch-2.8-cuda12.6/versions/1"
    with pytest.raises(HttpResponseError, match=r"'acpt-pytorch-2\.8-cuda12\.6' is not supported offline; AzureML-sk"):
        ml_client.jobs.create_or_update(script_job("print('no')", environment=name))


# Clusters


def test_a_cluster_from_yaml_is_made_changed_and_removed(ml_client):
    described = {"name": "by-yaml", "type": "amlcompute", "size": "STANDARD_DS3_V2", "max_instances": 3}
    described |= {"idle_time_before_scale_down": 60, "tier": "low_priority", "tags": {"team": "a"}}
    made = ml_client.compute.begin_create_or_update(load_compute(write("cluster.yml", described))).result()
    assert (made.size, made.min_instances, made.max_instances) == ("STANDARD_DS3_V2", 0, 3)
    assert (made.idle_time_before_scale_down, made.tier, made.tags) == (60, "low_priority", {"team": "a"})
    made.max_instances = 1
    assert ml_client.compute.begin_update(made).result().max_instances == 1
    ml_client.compute.begin_delete("by-yaml").result()
    with pytest.raises(ResourceNotFoundError, match="no compute 'by-yaml'"):
        ml_client.compute.get("by-yaml")


def test_sizes_and_usage(ml_client):
    assert "Standard_NC4as_T4_v3" in [size.name for size in ml_client.compute.list_sizes(compute_type="amlcompute")]
    used = {vars(usage)["name"]["value"]: vars(usage)["currentValue"] for usage in ml_client.compute.list_usage()}
    assert used["standardDSv2Family"] == 4 * len(list(ml_client.compute.list_nodes("cpu")))
    assert used["StandardNCADSA100v4Family"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": "STANDARD_NC6"}, "STANDARD_NC6"),
        ({"size": "STANDARD_NO_SUCH"}, r"'STANDARD_NO_SUCH' is not known.*ml_client\.compute\.list_sizes\(\)"),
        ({"name": "a_b"}, "Compute name 'a_b' is invalid"),
        ({"name": "serverless"}, "which has no compute of its own"),
        ({"min_instances": 3}, "here 2; not 3"),
        ({"tier": "cheap"}, "dedicated or low_priority, not 'Cheap'"),
        ({"max_instances": 0}, "can be 1 to 100, not 0"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(ml_client, change, message):
    cluster = AmlCompute(**{"name": "wrong", "size": "STANDARD_DS3_V2", "max_instances": 2} | change)
    with pytest.raises(HttpResponseError, match=message):
        ml_client.compute.begin_create_or_update(cluster)
    assert "wrong" not in [there.name for there in ml_client.compute.list()]


# Models


def test_a_model_has_a_stage_by_which_versions_are_listed(ml_client):
    write("staged/weights.txt", "staged")
    made = ml_client.models.create_or_update(Model(name="staged", path="staged", stage="Development"))
    ml_client.models.create_or_update(Model(name="staged", path="staged"))
    assert (made.stage, ml_client.models.get("staged", version="2").stage) == ("Development", None)
    made.stage = "Production"
    assert ml_client.models.create_or_update(made).stage == "Production"
    assert [model.version for model in ml_client.models.list("staged", stage="Production")] == ["1"]
    assert list(ml_client.models.list("staged", stage="Development")) == []
    ml_client.models.archive("staged", version="1")  # the client leaves the stage out
    assert ml_client.models.get("staged", version="1").stage == "Production"
    ml_client.models.archive("staged")


def test_models_from_a_folder_a_file_and_yaml(ml_client, tmp_path):
    write("models/one/weights.txt", "one")
    made = ml_client.models.create_or_update(Model(name="folder", path="models/one", description="first"))
    assert (made.version, made.type, made.description) == ("1", "custom_model", "first")
    again = ml_client.models.create_or_update(Model(name="folder", path="models/one", version="5"))
    assert again.version == "5"
    assert ml_client.models.create_or_update(Model(name="folder", path="models/one")).version == "6"
    with pytest.raises(ResourceNotFoundError, match=r"no model 'folder' version 9\. It has the versions 1, 5, 6\."):
        ml_client.models.get("folder", version="9")
    file = write("models/model.yml", {"name": "file", "path": "one/weights.txt", "type": "custom_model"})
    ml_client.models.create_or_update(load_model(file))
    ml_client.models.download("file", "1", download_path=tmp_path)
    ml_client.models.download("folder", "5", download_path=tmp_path)
    assert (tmp_path / "file/weights.txt").read_text() == "one"
    assert (tmp_path / "folder/one/weights.txt").read_text() == "one"
    ml_client.models.archive("folder", version="6")
    assert ml_client.models.get("folder", label="latest").version == "5"
    assert [model.version for model in ml_client.models.list("folder")] == ["5", "1"]
    ml_client.models.archive("folder")
    assert [model.name for model in ml_client.models.list()] == ["file"]


def test_an_mlflow_model_tells_its_flavors(ml_client):
    flavors = {"python_function": {"loader_module": "mlflow.keras"}, "keras": {"keras_version": "3.15.1"}}
    write("flavored/MLmodel", {"flavors": flavors})
    made = ml_client.models.create_or_update(Model(name="flavored", path="flavored", type="mlflow_model"))
    assert made.type == "mlflow_model" and set(made.flavors) == set(flavors)
    write("plain/weights.txt", "no MLmodel")
    with pytest.raises(HttpResponseError, match="has a file MLmodel, and plain has none"):
        ml_client.models.create_or_update(Model(name="plain", path="plain", type="mlflow_model"))
    write("bare/MLmodel", {"run_id": "r"})
    with pytest.raises(HttpResponseError, match="MLmodel of bare tells of no flavors"):
        ml_client.models.create_or_update(Model(name="bare", path="bare", type="mlflow_model"))


@pytest.mark.parametrize("content", [b"flavors: 3", b"flavors: {keras: 3}", b"- keras", b"flavors: [", b"\xff"])
def test_a_broken_mlflow_model_is_not_registered(ml_client, tmp_path, content):
    (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(HttpResponseError, match=r"MLmodel of the MLflow model (is not what MLflow writes|cannot)"):
        ml_client.models.create_or_update(Model(name="broken", path=tmp_path, type="mlflow_model"))
    assert list(ml_client.models.list("broken")) == []


def test_a_broken_mlflow_model_that_a_job_has_made_is_listed(ml_client, tmp_path):
    (tmp_path / "MLmodel").write_bytes(b"flavors: 3")
    extra = {"type": "mlflow_model"}
    models.register(open_folder(), "made-broken", tmp_path, stored_as="model", extra=extra)
    assert [made.version for made in ml_client.models.list("made-broken")] == ["1"]


def test_a_models_version_is_a_number(ml_client):
    with pytest.raises(HttpResponseError, match=r"whole number above 0, not '1\.0'"):
        ml_client.models.create_or_update(Model(name="numbered", path=write("n/a.txt", "a").parent, version="1.0"))


def test_a_model_is_the_input_of_a_job(ml_client):
    file = write("given/weights.txt", "given")
    ml_client.models.create_or_update(Model(name="given", path="given"))
    ml_client.models.create_or_update(Model(name="given-file", path=file))
    job = script_job(
        "import sys; print(open(f'{sys.argv[1]}/weights.txt').read(), open(sys.argv[2]).read())",
        "python script.py ${{inputs.folder}} ${{inputs.file}}",
        inputs={
            "folder": Input(type="custom_model", path="given:1"),
            "file": Input(type="custom_model", path="given-file:1"),
        },
    )
    name = ml_client.jobs.create_or_update(job).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=name)
    assert Path(name, "artifacts/user_logs/std_log.txt").read_text() == "given given\n"


def test_a_model_is_of_a_run_where_it_is_among_its_files(ml_client):
    folder = open_folder()
    run_id = run_records.create_run(folder, "e")
    artifacts.upload_bytes(folder, run_id, "outputs/weights.txt", b"w")
    below = artifacts.address(run_id, "outputs")
    data.upload(folder, [(write("copy/weights.txt", "w"), f"{below}/weights.txt")])
    for name, store, expected in (("own", data.ARTIFACTSTORE, run_id), ("copied", data.BLOBSTORE, None)):
        path = f"azureml://datastores/{store}/paths/{below}"
        assert ml_client.models.create_or_update(Model(name=name, path=path)).job_name == expected
    path = f"azureml://datastores/{data.ARTIFACTSTORE}/paths/{artifacts.address(run_id)}"
    assert ml_client.models.create_or_update(Model(name="all", path=path)).job_name == run_id


def test_what_mlflow_registers_keeps_its_name(ml_client, tmp_path):
    folder = open_folder()
    store = mlflow_client(folder)
    run = store.create_run(store.create_experiment("logs", artifact_location=mlflow_store.artifact_location(folder)))
    store.log_text(run.info.run_id, "1 2 3", "model/weights.txt")
    store.log_text(run.info.run_id, "flavors: {}", "model/MLmodel")
    for name, path in (("of-a-folder", "model"), ("of-a-file", "model/weights.txt")):
        store.create_registered_model(name)
        store.create_model_version(name, f"runs:/{run.info.run_id}/{path}", run.info.run_id)
    known = models.get(folder, "of-a-folder")
    known.copy_to(tmp_path / "served")
    assert (tmp_path / "served/model/weights.txt").read_text() == "1 2 3"
    assert known.where("model/MLmodel").is_file()
    with pytest.raises(Invalid, match="its files are below 'model'"):
        known.where("other/MLmodel")
    assert ml_client.models.get("of-a-folder", "1").path.endswith("models/of-a-folder/1/model")
    for name, file in (("of-a-folder", "model/weights.txt"), ("of-a-file", "weights.txt")):
        ml_client.models.download(name, "1", download_path=tmp_path)
        assert (tmp_path / name / file).read_text() == "1 2 3"
    shutil.rmtree(known.path)
    with pytest.raises(NotFound, match=r"The files of the model of-a-folder:1 are gone"):
        known.copy_to(tmp_path / "again")
    assert "of-a-folder" in [model.name for model in ml_client.models.list()]


# Jobs


def test_a_job_from_yaml_runs(ml_client):
    write("job/src/say.py", "import os, sys; print(*sys.argv[1:], os.environ['MOOD'])")
    write("job/files/a.txt", "a")
    ml_client.data.create_or_update(Data(name="job-files", path="job/files", type="uri_folder", version="1"))
    described = {
        "$schema": "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json",
        "type": "command",
        "code": "src",
        "command": "python say.py ${{inputs.word}} $(ls ${{inputs.files}})",
        "inputs": {"word": "hello", "files": {"type": "uri_folder", "path": "azureml:job-files@latest"}},
        "environment": "azureml:small@latest",
        "environment_variables": {"MOOD": "well"},
        "compute": "azureml:cpu",
        "experiment_name": "by-yaml",
        "display_name": "say",
        "limits": {"timeout": 300},
    }
    name = ml_client.jobs.create_or_update(load_job(write("job/job.yml", described))).name
    job = wait_for(ml_client, name, "Completed")
    assert (job.experiment_name, job.display_name, job.limits.timeout) == ("by-yaml", "say", 300)
    ml_client.jobs.download(name, download_path=name)
    assert Path(name, "artifacts/user_logs/std_log.txt").read_text() == "hello a.txt well\n"


def test_what_a_job_writes_is_what_the_next_one_reads(ml_client, tmp_path):
    outputs = {
        "file": Output(type="uri_file"),
        "folder": Output(type="uri_folder", mode="upload"),
        "place": Output(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/mine/${{name}}/"),
    }
    line = "echo 1 > ${{outputs.file}} && echo 2 > ${{outputs.folder}}/a.txt && echo 3 > ${{outputs.place}}/b.txt"
    first = ml_client.jobs.create_or_update(script_job("", line, outputs=outputs)).name
    job = wait_for(ml_client, first, "Completed")
    assert job.outputs["place"].path.endswith(f"/paths/mine/{first}/")
    ml_client.jobs.download(first, download_path=tmp_path, all=True)
    assert (tmp_path / "named-outputs/file/file").read_text() == "1\n"
    assert (tmp_path / "named-outputs/place/b.txt").read_text() == "3\n"
    inputs = {
        "file": Input(type="uri_file", path=f"azureml://jobs/{first}/outputs/file"),
        "folder": Input(type="uri_folder", path=job.outputs["folder"].path, mode="download"),
        "place": Input(type="uri_folder", path=f"azureml://jobs/{first}/outputs/place/paths/"),
        "address": Input(type="uri_folder", path=job.outputs["place"].path, mode="direct"),
    }
    line = (
        "cat ${{inputs.file}} ${{inputs.folder}}/a.txt ${{inputs.place}}/b.txt && echo ${{inputs.address}} "
        "&& echo $AZUREML_PARAMETER_file"
    )
    second = ml_client.jobs.create_or_update(script_job("", line, inputs=inputs)).name
    wait_for(ml_client, second, "Completed")
    ml_client.jobs.download(second, download_path=tmp_path / "second")
    *numbers, address, file = (tmp_path / "second/artifacts/user_logs/std_log.txt").read_text().split()
    assert numbers == ["1", "2", "3"]
    assert address == job.outputs["place"].path and file.endswith("/inputs/file/file")


def test_a_workspace_by_an_odd_name_tells_its_own(ml_client):
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    name = ml_client.jobs.create_or_update(script_job("print(1)")).name
    other = MLClient(DefaultAzureCredential(), 'a "quoted" one', "gr\\oup", "<WORKSPACE>")
    job = other.jobs.get(name)
    assert job.compute == "cpu" and job.environment == "small:1"
    assert '/subscriptions/a "quoted" one/resourceGroups/gr\\oup/' in job.id


def test_jobs_are_changed_archived_and_listed(ml_client):
    name = ml_client.jobs.create_or_update(script_job("print(1)", tags={"a": "1"})).name
    job = wait_for(ml_client, name, "Completed")
    changed = ml_client.jobs.update(name, display_name="another", tags={"b": "2"}, description="told")
    assert (changed.display_name, changed.description, changed.tags) == ("another", "told", {"a": "1", "b": "2"})
    job.tags = {"c": "3"}
    assert ml_client.jobs.create_or_update(job).tags == {"a": "1", "b": "2", "c": "3"}
    ml_client.jobs.archive(name)
    assert name not in [listed.name for listed in ml_client.jobs.list()]
    assert name in [listed.name for listed in ml_client.jobs.list(list_view_type=ListViewType.ARCHIVED_ONLY)]
    ml_client.jobs.restore(name)
    assert name in [listed.name for listed in ml_client.jobs.list()]
    assert list(ml_client.jobs.list(parent_job_name=name)) == []
    assert [listed.name for listed in ml_client.jobs.list(tag="c")] == [name]


def test_a_job_that_has_not_ended_is_not_archived(ml_client):
    name = ml_client.jobs.create_or_update(script_job("import time; time.sleep(600)")).name
    with pytest.raises(HttpResponseError, match=rf"Only a job that has ended can be archived, and '{name}' is"):
        ml_client.jobs.archive(name)
    ml_client.jobs.begin_cancel(name).result()
    ml_client.jobs.archive(name)
    assert name not in [listed.name for listed in ml_client.jobs.list()]


def test_runs_that_a_job_starts_with_mlflow_are_its_children(ml_client):
    script = """
        import mlflow
        with mlflow.start_run():
            for number in (1, 2):
                with mlflow.start_run(run_name=f"part-{number}", nested=True):
                    mlflow.log_metric("part", number)
    """
    name = ml_client.jobs.create_or_update(script_job(script)).name
    wait_for(ml_client, name, "Completed")
    children = list(ml_client.jobs.list(parent_job_name=name))
    assert sorted(child.display_name for child in children) == ["part-1", "part-2"]
    assert {child.status for child in children} == {"Completed"}
    assert name in [job.name for job in ml_client.jobs.list()]
    with pytest.raises(ResourceNotFoundError, match="was not submitted by SDK v2"):
        ml_client.jobs.get(children[0].name)

"""Models: registered from runs and from local files, found, downloaded, changed and deleted."""

import os
from pathlib import Path

import pytest
from azureml.core import Dataset, Experiment, Model
from azureml.exceptions import (
    ModelNotFoundException,
    ModelPathNotFoundException,
    UserErrorException,
    WebserviceException,
)


@pytest.fixture(scope="module")
def run(workspace, tmp_path_factory):
    """A completed run with a model folder of two files."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "model.keras").write_text("weights")
    (folder / "model.json").write_text("{}")
    run = Experiment(workspace, "models").start_logging(outputs=False, snapshot_directory=None)
    run.upload_folder("outputs/model", str(folder))
    run.complete()
    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_a_run_becomes_a_model(run, workspace, here):
    model = run.register_model(
        "keras-mnist", "outputs/model", tags={"accuracy": 0.98}, properties={"area": "mnist"}, description="digits"
    )
    assert (model.name, model.version, model.id) == ("keras-mnist", 1, "keras-mnist:1")
    assert (model.tags, model.properties, model.description) == ({"accuracy": "0.98"}, {"area": "mnist"}, "digits")
    assert (model.run_id, model.run.id, model.experiment_name) == (run.id, run.id, "models")
    assert model.created_time.tzinfo is not None
    assert model.download("down") == "down/model"
    assert Path("down/model/model.keras").read_text() == "weights"
    assert repr(model) == (
        f"Model(workspace={workspace!r}, name=keras-mnist, id=keras-mnist:1, version=1, "
        "tags={'accuracy': '0.98'}, properties={'area': 'mnist'})"
    )


def test_a_single_file_is_downloaded_as_a_file(run, here):
    model = run.register_model("one-file", model_path="outputs/model/model.keras")
    assert model.download() == "model.keras"
    assert Path("model.keras").read_text() == "weights"
    with pytest.raises(WebserviceException, match="File already exists"):
        model.download()
    Path("model.keras").write_text("other")
    assert model.download(exist_ok=True) == "model.keras"
    assert Path("model.keras").read_text() == "weights"


@pytest.mark.parametrize("path", ["outputs/mod", "nothing", "../model", "outputs/../../x", "/etc"])
def test_a_path_that_the_run_does_not_have_lists_its_files(run, path):
    with pytest.raises(ModelPathNotFoundException, match=r"Could not locate the provided model_path .*model\.keras"):
        run.register_model("nothing", path)


@pytest.mark.parametrize("name", ["", "with space", "-a", "a/b", "x" * 256])
def test_names_that_the_service_refuses(run, name):
    with pytest.raises(WebserviceException, match="Error, provided model name is invalid"):
        run.register_model(name, "outputs/model")


def test_each_registration_is_a_version(run, workspace):
    versions = [run.register_model("versions", "outputs/model").version for _ in range(3)]
    assert versions == [1, 2, 3]
    assert Model(workspace, "versions").version == 3
    assert Model(workspace, "versions", version=2).id == "versions:2"
    assert Model(workspace, id="versions:1").version == 1
    assert [model.version for model in Model.list(workspace, "versions")] == [3, 2, 1]
    assert [model.version for model in Model.list(workspace, "versions", latest=True)] == [3]
    assert workspace.models["versions"].version == 3
    Model(workspace, "versions", version=3).delete()
    assert Model(workspace, "versions").version == 2


def test_models_are_found_by_what_they_have(run, workspace):
    run.register_model("found", "outputs/model", tags={"stage": "test"}, model_framework=Model.Framework.TENSORFLOW)
    run.register_model("found", "outputs/model", tags={"stage": "live"}, properties={"p": "q"})
    assert Model(workspace, "found", tags=[["stage", "test"]]).version == 1
    assert Model(workspace, "found", model_framework="TensorFlow").version == 1
    assert [model.version for model in Model.list(workspace, "found", tags=["stage"])] == [2, 1]
    assert [model.version for model in Model.list(workspace, "found", properties=[["p", "q"]])] == [2]
    assert {model.run_id for model in Model.list(workspace, run_id=run.id)} == {run.id}
    assert Model.list(workspace, run_id="none") == []
    with pytest.raises(UserErrorException, match="Expected tags must be list type"):
        Model.list(workspace, tags={"stage": "test"})
    for tag, kind in ((("stage", "test"), "tuple"), (["stage", 1], "int")):
        with pytest.raises(TypeError, match=f'can only concatenate str .not "{kind}". to str'):
            Model.list(workspace, tags=[tag])
    with pytest.raises(UserErrorException, match="Expected page_count"):
        Model.list(workspace, page_count=5)


def test_a_model_that_is_not_there_is_told_as_the_service_does(workspace):
    with pytest.raises(WebserviceException, match="ModelNotFound: Model with name nothing not found in provided works"):
        Model(workspace, "nothing")
    with pytest.raises(WebserviceException, match="ModelNotFound: Model with id nothing:7 not found"):
        Model(workspace, "nothing", version=7)
    with pytest.raises(WebserviceException, match="one of id or name must be provided"):
        Model(workspace)


def test_a_model_that_was_deleted_is_told_as_the_service_does(run, workspace):
    model = run.register_model("deleted", "outputs/model")
    model.delete()
    for call in (model.delete, lambda: model.update(description="x"), lambda: model.add_tags({"a": "b"})):
        with pytest.raises(WebserviceException, match="ModelNotFound: Model with id deleted:1 not found in provided"):
            call()


def test_local_files_are_registered_from_below_the_working_directory(workspace, here, capsys):
    (here / "folder" / "deep").mkdir(parents=True)
    (here / "folder" / "a.txt").write_text("a")
    (here / "folder" / "deep" / "b.txt").write_text("b")
    (here / "folder" / "c.txt").write_text("c")
    whole = Model.register(workspace, "folder", "local")
    assert capsys.readouterr().out == "Registering model local\n"
    assert whole.download("whole") == "whole/folder"
    some = Model.register(workspace, "./folder/", "local", child_paths=["a.txt", "deep"])
    assert (some.version, some.run_id, some.model_framework) == (2, None, "Custom")
    some.download("some")
    assert sorted(path.name for path in Path("some/folder").iterdir()) == ["a.txt", "deep"]
    assert sorted(some.get_sas_urls()) == ["folder/a.txt", "folder/deep/b.txt"]


def test_paths_that_the_service_refuses(workspace, here, tmp_path_factory):
    (here / "folder").mkdir()
    outside = tmp_path_factory.mktemp("outside") / "m.txt"
    outside.write_text("m")
    with pytest.raises(FileNotFoundError, match="Path does not exist"):
        Model.register(workspace, "no-such", "refused")
    for path in (str(outside), os.path.relpath(outside)):
        with pytest.raises(PermissionError, match="Unauthorized access: Path outside current working directory"):
            Model.register(workspace, path, "refused")
    with pytest.raises(WebserviceException, match='provided child path "x" cannot be found'):
        Model.register(workspace, "folder", "refused", child_paths=["x"])
    with pytest.raises(WebserviceException, match=r"without '\.\.'"):
        Model.register(workspace, "folder", "refused", child_paths=[os.path.relpath(outside, "folder")])
    with pytest.raises(WebserviceException, match="framework version cannot be provided without"):
        Model.register(workspace, "folder", "refused", model_framework_version="1")
    assert Model.list(workspace, "refused") == []


def test_tags_change_and_properties_do_not(run, workspace, capsys):
    model = run.register_model("changing", "outputs/model", tags={"a": "1"}, properties={"p": "1"})
    model.add_tags({"a": "2", "b": "3"})
    model.remove_tags(["b", "c"])
    model.add_properties({"q": "2"})
    assert capsys.readouterr().out == (
        "Replacing tag a -> 1 with a -> 2\nModel tag add operation complete.\n"
        "Tag with key c not found.\nModel tag remove operation complete.\n"
        "Model properties add operation complete.\n"
    )
    with pytest.raises(WebserviceException, match=r"properties are immutable.*: p"):
        model.add_properties({"p": "9"})
    model.update(description="new")
    again = Model(workspace, "changing")
    for one in (model, again):
        assert (one.tags, one.properties, one.description) == ({"a": "2"}, {"p": "1", "q": "2"}, "new")
    again.update(tags={"only": 1})
    assert Model(workspace, "changing").tags == {"only": "1"}
    model.add_properties({"r": "3"})  # does not bring back the tags that this object knows
    found = Model(workspace, "changing")
    assert (found.tags, found.properties) == ({"only": "1"}, {"p": "1", "q": "2", "r": "3"})


def test_a_framework_that_the_sdk_gives_up_gives_a_warning(run, caplog):
    model = run.register_model("old", "outputs/model", model_framework=Model.Framework.TFKERAS)
    assert model.model_framework == "TfKeras"
    assert "Tfkeras will be deprecated soon" in caplog.text


def test_lineage_to_the_datasets(run, workspace, here):
    (here / "data").mkdir()
    (here / "data" / "a.txt").write_text("a")
    target = (workspace.get_default_datastore(), "lineage")
    dataset = Dataset.File.upload_directory("data", target, show_progress=False)
    model = run.register_model("lineage", "outputs/model", datasets=[("training", dataset)])  # which saves it
    assert (model.version, dataset.name) == (1, None)
    assert [found.id for found in Model(workspace, "lineage").datasets["training"]] == [dataset.id]
    assert Model.list(workspace, dataset_id=dataset.id)[0].name == "lineage"
    assert model.serialize()["datasets"] == [{"name": "training", "id": dataset.id}]


def test_a_model_as_a_dict_and_back(run, workspace):
    model = run.register_model("dict", "outputs/model")
    told = model.serialize()
    assert told["id"] == "dict:1" and told["runId"] == run.id and told["createdTime"] == model.created_time.isoformat()
    assert Model.deserialize(workspace, told).id == "dict:1"


def test_model_path_is_local_without_a_workspace_and_downloaded_with_one(run, workspace, here):
    with pytest.raises(ModelNotFoundException, match="Model path-model not found in cache at azureml-models"):
        Model.get_model_path("path-model")
    run.register_model("path-model", "outputs/model/model.keras")
    with pytest.raises(ModelNotFoundException, match=r"Model/Version path-model/2 not found.*path-model/1"):
        Model.get_model_path("path-model", 2, _workspace=workspace)
    path = Model.get_model_path("path-model", _workspace=workspace)
    assert path == "azureml-models/path-model/1/model.keras"
    assert Model.get_model_path("path-model") == path == Model.get_model_path("path-model", version=1)
    with pytest.raises(WebserviceException, match="version should be an int"):
        Model.get_model_path("path-model", version="1")
    (here / "beside").write_text("x")
    assert Model.get_model_path("beside") == "beside"


def test_packaging_is_refused_by_name(workspace):
    with pytest.raises(NotImplementedError, match="package"):
        Model.package(workspace, "digits", [])

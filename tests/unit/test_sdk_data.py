"""The mocked SDK's datasets and datastores: made, registered, listed, downloaded, mounted, refused."""

import json
import threading
from pathlib import Path

import pandas as pd
import pytest
from azureml._strict import UnsupportedNameError, UnsupportedOfflineError
from azureml.core import Dataset, Datastore, Experiment, Workspace
from azureml.data import FileDataset
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.dataset_error_handling import DatasetValidationError
from azureml.exceptions import UserErrorException

FILES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
WEB_PATHS = [f"http://yann.lecun.com/exdb/mnist/{name}" for name in FILES]


@pytest.fixture
def workspace(offline_folder):
    return Workspace.from_config()


@pytest.fixture
def datastore(workspace):
    return workspace.get_default_datastore()


@pytest.fixture
def local(tmp_path):
    """A folder of five small files."""
    folder = tmp_path / "local"
    for name in ("a.txt", "b.txt", "deep/a.txt", "deep/er/c.csv", "with [1] é.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def uploaded(datastore, local):
    return Dataset.File.upload_directory(str(local), (datastore, "set"), show_progress=False)


def below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


class TestFromFiles:
    def test_the_articles_addresses(self, workspace):
        dataset = Dataset.File.from_files(path=WEB_PATHS)
        assert isinstance(dataset, FileDataset)
        assert [path.rsplit("/", 1)[-1] for path in dataset.to_path()] == FILES
        assert (dataset.id, dataset.name, dataset.version, dataset.description, dataset.tags) == (None,) * 5
        text = str(dataset)
        assert text.startswith("FileDataset\n{")
        assert json.loads(text.split("\n", 1)[1])["source"] == WEB_PATHS

    def test_the_paths_are_the_real_sdks(self, workspace):
        # azureml-dataprep lists two web addresses like this; seen with a server on the loopback interface
        assert Dataset.File.from_files(WEB_PATHS[:2]).to_path() == [
            f"/http%3A/%2Fyann.lecun.com/exdb/mnist/{name}" for name in FILES[:2]
        ]

    def test_every_way_to_name_a_path_in_a_datastore(self, datastore, uploaded):
        for path in (
            (datastore, "set/deep"),
            [(datastore, "set/deep/**")],
            DataPath(datastore, "set/deep"),
            [DataPath(datastore, "/set/deep/")],
            datastore.path("set/deep"),
            datastore.path("set").path("deep"),
        ):
            assert Dataset.File.from_files(path).to_path() == ["/a.txt", "/er/c.csv"]
        assert Dataset.File.from_files((datastore, "set/*.txt")).to_path() == [
            "/a.txt",
            "/b.txt",
            "/with [1] é.txt",
        ]

    @pytest.mark.parametrize(
        "path",
        [
            None,
            "",
            [],
            5,
            {},
            "data.csv",
            "/etc/passwd",
            "ftp://host/file",
            [WEB_PATHS[0], 3],
            "https://account.blob.core.windows.net/c/f?sv=1&sig=2",
        ],
    )
    def test_other_paths_are_refused(self, path):
        with pytest.raises(UserErrorException, match="Invalid argument type for `path`"):
            Dataset.File.from_files(path)

    def test_other_tuples_are_refused(self, datastore):
        for path in (("a", "b"), (datastore, 3), (datastore, "a", "b")):
            with pytest.raises(UserErrorException, match="Invalid tuple for path"):
                Dataset.File.from_files(path)

    def test_what_cannot_be_found_is_told_when_it_is_used(self, datastore):
        unknown = Dataset.File.from_files("https://example.org/data.csv")
        missing = Dataset.File.from_files((datastore, "nowhere/*.csv"))
        for dataset, told in ((unknown, "not known offline"), (missing, "matches no file")):
            with pytest.raises(UserErrorException, match=f"error message: The requested stream was not found.*{told}"):
                dataset.to_path()

    def test_a_path_out_of_the_datastore_is_refused(self, datastore):
        for path in ("../../assets.db", "set/../../../assets.db", "*/../../../assets.db"):
            with pytest.raises(UserErrorException):
                Dataset.File.from_files((datastore, path)).to_path()

    def test_options(self, workspace):
        with pytest.warns(UserWarning, match="No validation will be performed"):
            Dataset.File.from_files(WEB_PATHS[0], is_file=True)
        with pytest.raises(UnsupportedOfflineError, match="partition_format"):
            Dataset.File.from_files(WEB_PATHS, partition_format="/{x}/data.csv")


class TestUploadDirectory:
    def test_copies_and_says_so(self, datastore, local, capsys):
        dataset = Dataset.File.upload_directory(src_dir=str(local), target=(datastore, "set"))
        out = capsys.readouterr().out
        assert dataset.to_path() == ["/a.txt", "/b.txt", "/deep/a.txt", "/deep/er/c.csv", "/with [1] é.txt"]
        assert "'overwrite' is set to False" in out and "Copied 5 files" in out

    def test_overwrite(self, datastore, local, uploaded, tmp_path):
        (local / "a.txt").write_text("changed")
        Dataset.File.upload_directory(str(local), (datastore, "set"), show_progress=False)
        assert Path(uploaded.download(str(tmp_path / "one"))[0]).read_text() == "a.txt"
        Dataset.File.upload_directory(str(local), (datastore, "set"), overwrite=True, show_progress=False)
        assert Path(uploaded.download(str(tmp_path / "two"))[0]).read_text() == "changed"

    def test_pattern_and_targets(self, datastore, local, capsys):
        for target in (datastore, DataPath(datastore, "only"), (datastore, "only")):
            dataset = Dataset.File.upload_directory(str(local), target, pattern="*.csv")
            assert dataset.to_path()[-1].endswith("c.csv")
        assert Dataset.File.from_files((datastore, "only")).to_path() == ["/deep/er/c.csv"]
        Dataset.File.upload_directory(str(local), (datastore, "none"), pattern="*.png")
        assert "No files found with pattern *.png" in capsys.readouterr().out

    def test_bad_input(self, datastore, local, offline_folder):
        with pytest.raises(UserErrorException, match="does not point to a directory"):
            Dataset.File.upload_directory(str(local / "nowhere"), datastore)
        with pytest.raises(ValueError, match="The target type is not supported"):
            Dataset.File.upload_directory(str(local), "set")
        with pytest.raises(ValueError, match="Expected pattern of type"):
            Dataset.File.upload_directory(str(local), datastore, pattern=["*.csv"])
        before = below(offline_folder)
        with pytest.raises(UserErrorException, match=r"without '\.\.'"):
            Dataset.File.upload_directory(str(local), (datastore, "../../outside"), show_progress=False)
        assert below(offline_folder) == before


class TestRegister:
    def test_versions(self, workspace):
        first = Dataset.File.from_files(WEB_PATHS[:2])
        one = first.register(
            workspace, "mnist-dataset", description="two files", tags={"n": 2}, create_new_version=True
        )
        two = Dataset.File.from_files(WEB_PATHS).register(workspace, "mnist-dataset", create_new_version=True)
        assert (first.id, one.version, two.version) == (None, 1, 2)
        assert (one.description, one.tags) == ("two files", {"n": "2"})
        assert Dataset.get_by_name(workspace, "mnist-dataset").to_path() == two.to_path()
        assert len(Dataset.get_by_name(workspace, "mnist-dataset", version=1).to_path()) == 2
        assert Dataset.get_by_name(workspace, "mnist-dataset", version="1").id == one.id != two.id
        assert Dataset.get_by_id(workspace, one.id).version == 1
        registration = json.loads(repr(one))["registration"]
        assert (registration["id"], registration["name"], registration["version"]) == (one.id, "mnist-dataset", 1)
        assert registration["workspace"] == repr(workspace)

    def test_a_taken_name_needs_create_new_version(self, workspace):
        Dataset.File.from_files(WEB_PATHS).register(workspace, "mnist-dataset")
        with pytest.raises(UserErrorException, match="There is already a dataset registered under name"):
            Dataset.File.from_files(WEB_PATHS[:1]).register(workspace, "mnist-dataset")
        assert Dataset.get_by_name(workspace, "mnist-dataset").version == 1

    def test_the_same_definition_gets_no_new_version(self, workspace):
        for description in ("first", "second"):
            dataset = Dataset.File.from_files(WEB_PATHS).register(
                workspace, "mnist-dataset", description=description, create_new_version=True
            )
        assert (dataset.version, dataset.description) == (1, "second")

    def test_two_at_once_get_two_versions(self, workspace):
        versions = []

        def register(count):
            dataset = Dataset.File.from_files(WEB_PATHS[:count])
            versions.append(dataset.register(workspace, "mnist-dataset", create_new_version=True).version)

        threads = [threading.Thread(target=register, args=(count,)) for count in (1, 2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(versions) == [1, 2, 3, 4]

    @pytest.mark.parametrize("name", ["", None, "a/b", "../a", "a\nb", "-a", "é", "a" * 256])
    def test_names_that_the_service_refuses(self, workspace, name):
        with pytest.raises(UserErrorException, match="Request failed"):
            Dataset.File.from_files(WEB_PATHS).register(workspace, name)
        assert len(workspace.datasets) == 0

    def test_unknown_datasets(self, workspace):
        Dataset.File.from_files(WEB_PATHS).register(workspace, "mnist-dataset")
        with pytest.raises(UserErrorException, match='Cannot find dataset registered with name "nope"'):
            Dataset.get_by_name(workspace, "nope")
        with pytest.raises(UserErrorException, match=r'name "mnist-dataset" \(version: 7\)'):
            Dataset.get_by_name(workspace, "mnist-dataset", version=7)
        with pytest.raises(UserErrorException, match="Invalid value newest for version"):
            Dataset.get_by_name(workspace, "mnist-dataset", version="newest")
        with pytest.raises(UserErrorException, match='Cannot find dataset with id "nope"'):
            Dataset.get_by_id(workspace, "nope")
        with pytest.raises(UnsupportedOfflineError, match="label"):
            Dataset.get_by_name(workspace, "mnist-dataset", label="latest")

    def test_tags_and_description(self, workspace):
        dataset = Dataset.File.from_files(WEB_PATHS).register(workspace, "mnist-dataset", tags={"a": "1"})
        assert dataset.add_tags({"b": 2}).tags == dataset.tags == {"a": "1", "b": "2"}
        with pytest.raises(UserErrorException, match="already contains different values for tags"):
            dataset.add_tags({"a": "other"})
        assert dataset.remove_tags(["a", "unknown"]).tags == {"b": "2"}
        assert dataset.update(description="new").tags == {"b": "2"}
        dataset.update(tags={})
        assert Dataset.get_by_name(workspace, "mnist-dataset").tags == {}
        assert Dataset.get_by_name(workspace, "mnist-dataset").description == "new"
        for call in ("update", "add_tags", "remove_tags"):
            with pytest.raises(UserErrorException, match="it must be registered"):
                getattr(Dataset.File.from_files(WEB_PATHS), call)()

    def test_listing_and_unregistering(self, workspace):
        dataset = Dataset.File.from_files(WEB_PATHS)
        for name in ("one", "two"):
            dataset.register(workspace, name)
        datasets = workspace.datasets
        assert sorted(datasets) == ["one", "two"] and len(datasets) == 2
        assert datasets["two"].name == "two"
        assert [registration.name for registration in datasets.registrations] == ["one", "two"]
        with pytest.raises(KeyError):
            datasets["three"]
        registered = Dataset.get_by_name(workspace, "one")
        registered.unregister_all_versions()
        assert list(Dataset.get_all(workspace)) == ["two"]
        assert registered.name is None
        assert len(registered.to_path()) == 4


class TestFiles:
    def test_download(self, uploaded, tmp_path):
        target = tmp_path / "here"
        paths = uploaded.download(target_path=str(target))
        assert paths == [str(target / name.lstrip("/")) for name in uploaded.to_path()]
        assert (target / "deep/er/c.csv").read_text() == "deep/er/c.csv"
        with pytest.raises(UserErrorException, match=r"already exists\. Set overwrite=True to overwrite it"):
            uploaded.download(str(target))
        (target / "a.txt").write_text("mine")
        uploaded.download(str(target), overwrite=True)
        assert (target / "a.txt").read_text() == "a.txt"
        assert all(Path(path).is_file() for path in uploaded.download())

    def test_download_changes_nothing_when_one_file_is_there(self, uploaded, tmp_path):
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep/a.txt").write_text("mine")
        with pytest.raises(UserErrorException, match="already exists"):
            uploaded.download(str(tmp_path))
        assert not (tmp_path / "a.txt").exists()
        assert (tmp_path / "deep/a.txt").read_text() == "mine"

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_download_does_not_follow_a_link_out_of_the_folder(self, uploaded, tmp_path, overwrite):
        outside, target = tmp_path / "outside", tmp_path / "target"
        outside.mkdir()
        target.mkdir()
        (target / "deep").symlink_to(outside)
        with pytest.raises(UserErrorException, match="through a link"):
            uploaded.download(str(target), overwrite=overwrite)
        assert below(outside) == []

    def test_a_path_that_matches_nothing_is_an_error(self, datastore, uploaded, tmp_path):
        dataset = Dataset.File.from_files([(datastore, "set/b.txt"), (datastore, "gone/b.txt")])
        for ignored in (False, True):
            with pytest.raises(UserErrorException, match=r"gone/b\.txt"):
                dataset.download(str(tmp_path / "target"), ignore_not_found=ignored)
        assert not (tmp_path / "target").exists()

    def test_mount(self, uploaded, tmp_path):
        with uploaded.mount() as context:
            assert below(context.mount_point) == [name.lstrip("/") for name in uploaded.to_path()]
            assert (Path(context.mount_point) / "deep/a.txt").read_text() == "deep/a.txt"
        assert not Path(context.mount_point).exists()
        assert len(uploaded.to_path()) == 5

        point = tmp_path / "point"
        context = uploaded.mount(str(point))
        context.start()
        assert (point / "b.txt").read_text() == "b.txt"
        (point / "deep/mine.txt").write_text("kept")
        context.stop()
        assert below(point) == ["deep/mine.txt"]
        with pytest.raises(UserErrorException, match="mount point must be empty"):
            uploaded.mount(str(point))
        with pytest.raises(UnsupportedOfflineError, match="mount_options"):
            uploaded.mount(mount_options=object())

    def test_parts(self, uploaded, workspace, tmp_path):
        names = uploaded.to_path()
        assert uploaded.take(2).to_path() == names[:2]
        assert uploaded.skip(3).to_path() == names[3:]
        assert uploaded.skip(2).take(1).to_path() == names[2:3]
        assert uploaded.take(0).to_path() == uploaded.skip(9).to_path() == []
        assert uploaded.take_sample(1).to_path() == names
        assert uploaded.take_sample(0.5, seed=1).to_path() == uploaded.take_sample(0.5, seed=1).to_path()
        left, right = uploaded.random_split(0.5, seed=3)
        assert sorted(left.to_path() + right.to_path()) == names
        assert left.to_path() == uploaded.random_split(0.5, seed=3)[0].to_path()
        part = uploaded.skip(2).register(workspace, "part")
        assert part.download(str(tmp_path / "part")) == [f"{tmp_path}/part{name}" for name in names[2:]]
        assert all((tmp_path / f"part{name}").read_text() == name.lstrip("/") for name in names[2:])
        for count in (-1, "2", 1.5):
            for part in (uploaded.take, uploaded.skip):
                with pytest.raises(ValueError, match="count must be a positive integer"):
                    part(count)
        for percentage in (-0.1, 1.5, "half"):
            with pytest.raises(ValueError, match="percentage must be a number"):
                uploaded.random_split(percentage)

    def test_what_there_is_no_more_of(self, uploaded):
        assert uploaded.partition_keys == []
        assert uploaded.data_changed_time.year >= 2024
        with pytest.raises(UserErrorException, match="no partition keys"):
            uploaded.get_partition_key_values()
        for call in (
            lambda: uploaded.filter(None),
            lambda: uploaded.file_metadata("Size"),
            lambda: uploaded.as_cache(None),
            lambda: uploaded["Path"],
        ):
            with pytest.raises(UnsupportedOfflineError, match=r"docs/offline-coverage\.md"):
                call()


class TestConsumption:
    def test_modes(self, workspace):
        dataset = Dataset.File.from_files(WEB_PATHS)
        for config, mode in (
            (dataset.as_mount(), "mount"),
            (dataset.as_download("/tmp/data"), "download"),
            (dataset.as_hdfs(), "hdfs"),
            (dataset.as_named_input("mnist"), "direct"),
        ):
            assert isinstance(config, DatasetConsumptionConfig)
            assert (config.mode, config.dataset) == (mode, dataset)
            assert config.arg_val == f"DatasetConsumptionConfig:{config.name}"
        assert dataset.as_download("/tmp/data").path_on_compute == "/tmp/data"
        assert dataset.as_named_input("mnist").as_mount("here").name == "mnist"
        registered = dataset.register(workspace, "mnist-dataset")
        assert registered.as_mount().name == f"input__{registered.id.split('-')[0]}"

    @pytest.mark.parametrize("name", ["a-b", "1a", "a b", "é", "a\n"])
    def test_names(self, name):
        with pytest.raises(UserErrorException, match="Invalid input name"):
            Dataset.File.from_files(WEB_PATHS).as_named_input(name)

    def test_a_name_of_a_common_variable_is_warned_of(self, caplog):
        assert Dataset.File.from_files(WEB_PATHS).as_named_input("HOME").name == "HOME"
        assert "has the potential to collide" in caplog.text

    def test_by_workspace_and_name(self, workspace):
        Dataset.File.from_files(WEB_PATHS).register(workspace, "mnist-dataset")
        assert DatasetConsumptionConfig("x", (workspace, "mnist-dataset", 1)).dataset.version == 1
        assert DatasetConsumptionConfig("x", (workspace, "mnist-dataset")).dataset.name == "mnist-dataset"
        with pytest.raises(UserErrorException, match="Invalid mode 'upload'"):
            DatasetConsumptionConfig("x", (workspace, "mnist-dataset"), mode="upload")


class TestDatastore:
    def test_get(self, workspace):
        assert Datastore.get(workspace, "workspaceblobstore").datastore_type == "AzureBlob"
        assert Datastore(workspace, "workspacefilestore").datastore_type == "AzureFile"
        told = json.loads(repr(Datastore(workspace)))
        assert [told[key] for key in ("name", "protocol", "endpoint")] == [
            "workspaceblobstore",
            "https",
            "core.windows.net",
        ]
        with pytest.raises(UserErrorException, match="Could not find datastore 'nope'"):
            Datastore.get(workspace, "nope")
        with pytest.raises(UnsupportedNameError, match=r"Datastore\.register_azure_blob_container is not supported"):
            Datastore.register_azure_blob_container(workspace, "mine", "container", "account")
        with pytest.raises(UserErrorException, match="cannot be unregistered"):
            Datastore(workspace).unregister()
        Datastore(workspace, "workspacefilestore").set_as_default()
        assert Datastore.get_default(workspace).name == "workspacefilestore"

    def test_upload_and_download(self, datastore, local, tmp_path, capsys, caplog):
        reference = datastore.upload(str(local), target_path="up")
        assert isinstance(reference, DataReference) and reference.path_on_datastore == "up"
        out = capsys.readouterr().out
        assert "Uploading an estimated of 5 files" in out and "Uploaded 5 files" in out
        assert out.count("Uploading ") == 6
        datastore.upload(str(local), target_path="up")
        assert "Target already exists. Skipping upload for up/a.txt" in capsys.readouterr().out
        assert datastore.download(str(tmp_path / "down"), prefix="up/deep", show_progress=False) == 2
        assert below(tmp_path / "down") == ["up/deep/a.txt", "up/deep/er/c.csv"]
        assert datastore.download(str(tmp_path / "down"), prefix="up/deep", show_progress=False) == 0

    def test_the_files_of_a_run_come_from_the_datastore_that_keeps_those_of_all(self, workspace, tmp_path):
        runs = [Experiment(workspace, "kept").start_logging(snapshot_directory=None) for _ in range(2)]
        for run in runs:
            run.upload_file("outputs/made.txt", __file__)
        prefix = f"ExperimentRun/dcid.{runs[0].id}/outputs"
        kept = Datastore.get(workspace, "workspaceartifactstore")
        assert kept.download(str(tmp_path / "down"), prefix=prefix, show_progress=False) == 1
        assert below(tmp_path / "down") == [f"{prefix}/made.txt"]

    def test_upload_files(self, datastore, local, tmp_path):
        files = [str(local / "a.txt"), str(local / "deep/a.txt")]
        datastore.upload_files(files, target_path="flat", show_progress=False)
        datastore.upload_files(files[1:], relative_root=str(local), target_path="kept", show_progress=False)
        assert datastore.download(str(tmp_path / "down"), show_progress=False) == 3
        assert below(tmp_path / "down") == ["flat/a.txt", "flat/deep/a.txt", "kept/deep/a.txt"]
        with pytest.raises(UserErrorException, match="is not part of the file_path"):
            datastore.upload_files(files, relative_root=str(local / "deep"))
        with pytest.raises(UserErrorException, match="does not point to a file"):
            datastore.upload_files([str(local)], relative_root=str(local))
        with pytest.raises(UserErrorException, match="src_path must be a directory"):
            datastore.upload(str(local / "a.txt"))

    def test_uploads_stay_in_the_datastore(self, datastore, local, offline_folder):
        datastore.upload(str(local / "deep"), target_path="/../../up", show_progress=False)  # as Azure, cut in front
        with pytest.raises(UserErrorException, match=r"without '\.\.'"):
            datastore.upload(str(local / "deep"), target_path="up/../../../out", show_progress=False)
        outside = [path for path in below(offline_folder) if path.endswith(".csv")]
        assert outside == ["datastores/workspaceblobstore/up/er/c.csv"]

    def test_a_nested_prefix_of_a_file_share(self, workspace, tmp_path):
        with pytest.raises(UserErrorException, match="Nested prefix 'a/b'"):
            Datastore(workspace, "workspacefilestore").download(str(tmp_path), prefix="a/b")


def test_references(datastore):
    assert str(datastore.path()) == "$AZUREML_DATAREFERENCE_workspaceblobstore"
    reference = datastore.path("a", data_reference_name="input").as_download("there")
    assert (reference.mode, reference.path_on_compute) == ("download", "there")
    assert str(reference) == "$AZUREML_DATAREFERENCE_input"
    path = DataPath.create_from_data_reference(reference)
    assert (path.datastore_name, path.path_on_datastore) == ("workspaceblobstore", "a")
    assert path.create_data_reference("again", DataPathComputeBinding(mode="upload")).mode == "upload"
    with pytest.raises(UserErrorException, match="Invalid mode link"):
        DataReference(datastore, mode="link")
    with pytest.raises(ValueError, match="datastore parameter is required"):
        DataPath()


def test_mnist_among_the_open_data_sets(workspace, tmp_path):
    from azureml.opendatasets import MNIST

    paths = MNIST.get_file_dataset().download(str(tmp_path), overwrite=True)
    assert sorted(Path(path).name for path in paths) == sorted(FILES)
    assert [path.rpartition("/")[2] for path in MNIST.get_file_dataset("test").to_path()] == [
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    with pytest.raises(UserErrorException, match="give one of 'all', 'train', 'test'"):
        MNIST.get_file_dataset("both")
    test = MNIST.get_tabular_dataset("test").to_pandas_dataframe()
    assert test.shape == (10_000, 785) and list(test.columns[[0, -1]]) == ["0", "label"]
    assert list(test.label[:3]) == [7, 2, 1] and test.iloc[:, :784].to_numpy().max() == 255
    with pytest.raises(ImportError, match="NycTlcGreen is not supported"):
        from azureml.opendatasets import NycTlcGreen  # noqa: F401


def test_diabetes_among_the_open_data_sets(workspace):
    from azureml.opendatasets import Diabetes

    frame = Diabetes.get_tabular_dataset().register(workspace, "diabetes").to_pandas_dataframe()
    assert (
        list(frame.columns) == ["AGE", "SEX", "BMI", "BP", "S1", "S2", "S3", "S4", "S5", "S6", "Y"]
        and len(frame) == 442
    )
    assert list(frame.iloc[0]) == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87, 151]  # Microsoft's page shows it
    assert frame.dtypes[["AGE", "BMI", "Y"]].astype(str).tolist() == ["int64", "float64", "int64"]


@pytest.mark.parametrize(
    ("address", "rows", "columns", "label"),
    [
        ("azuremlexamples.blob.core.windows.net/datasets/iris.csv", 150, 5, "species"),
        ("dprepdata.blob.core.windows.net/demo/Titanic.csv", 891, 12, "Survived"),
        ("azuremlexampledata.blob.core.windows.net/data/heart-disease-uci/data/heart.csv", 303, 14, "target"),
    ],
)
def test_tables_at_the_addresses_of_microsofts_examples(workspace, address, rows, columns, label):
    dataset = Dataset.Tabular.from_delimited_files(f"https://{address}")
    frame = dataset.to_pandas_dataframe()
    assert frame.shape == (rows, columns)
    shares = frame[label].value_counts(normalize=True)
    assert len(shares) > 1 and shares.min() > 0.2, "a label that hardly ever comes"
    host, _, path = address.partition("/")
    container, _, name = path.partition("/")
    again = Dataset.Tabular.from_delimited_files(f"wasbs://{container}@{host}/{name}").to_pandas_dataframe()
    assert frame.equals(again)


def test_the_table_of_credit_cards_has_two_headings(workspace, tmp_path):
    folder = "https://azuremlexamples.blob.core.windows.net/datasets/credit_card"
    (path,) = Dataset.File.from_files(f"{folder}/default%20of%20credit%20card%20clients.csv").download(str(tmp_path))
    frame = pd.read_csv(path, header=1, index_col=0)
    assert frame.shape == (30_000, 24) and 0.15 < frame["default payment next month"].mean() < 0.35


def test_nothing_is_collected(capsys):
    from azureml.telemetry import set_diagnostics_collection

    assert set_diagnostics_collection(send_diagnostics=True, reason="why") is None
    set_diagnostics_collection(send_diagnostics=False)
    assert capsys.readouterr().out == "Turning diagnostics collection on. why\n"


def test_other_tables_are_not_supported_and_say_so():
    for name in ("from_json_lines_files", "from_sql_query", "register_spark_dataframe"):
        with pytest.raises(UnsupportedOfflineError, match=f"TabularDatasetFactory.{name} is not supported"):
            getattr(Dataset.Tabular, name)("https://example.org/data.csv")
    with pytest.raises(UnsupportedOfflineError, match=r"Dataset\.from_json_files"):
        Dataset.from_json_files("x")
    assert not hasattr(Dataset.Tabular, "from_sql_query")
    with pytest.raises(ImportError, match="LinkFileOutputDatasetConfig is not supported"):
        from azureml.data import LinkFileOutputDatasetConfig  # noqa: F401


def test_error_classes():
    error = DatasetValidationError("wrong", exception=KeyError("x"))
    assert isinstance(error, UserErrorException) and isinstance(error.inner_exception, KeyError)

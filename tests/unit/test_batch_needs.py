"""What notebooks need of the workspace: what is planned, what is refused, and what is left as it was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batch import UsageError, needs
from batch.needs import Dependence, Need
from small_jobs import make_cluster
from small_notebooks import executed, manifest, run, write_notebook

import helpers.needs
from helpers.offline.engine.jobs import run_records

DATA, COMPUTE = Need("02_data", "dataset", "digits"), Need("03_compute", "compute", "gpu-cluster")
RUN, MODEL = Need("04_train", "run", "training"), Need("05_register", "model", "keras-mnist")
SERIES = {
    "01_setup": Dependence((), ()),
    "02_data": Dependence((), ()),
    "03_compute": Dependence((), ()),
    "04_train": Dependence((DATA, COMPUTE), ()),
    "05_register": Dependence((RUN,), ()),
    "06_validate": Dependence((MODEL,), ()),
    "09_clean_up": Dependence((), ("compute",)),
}

DEPENDENCES = {Path(f"{name}.ipynb"): dependence for name, dependence in SERIES.items()}


def planned(chosen: str, lacking: set, added: bool) -> str:
    """The numbers of the notebooks that are planned for those of the numbers in `chosen`."""
    paths = {name[1]: Path(f"{name}.ipynb") for name in SERIES}
    found = plan([paths[number] for number in chosen], DEPENDENCES, lambda asked: asked & lacking, added)
    return "".join(path.name[1] for path in found)


def plan(chosen: list[Path], dependences: dict[Path, Dependence], look, added: bool) -> list[Path]:
    return needs.plan(chosen, list(dependences), dependences.__getitem__, look, dependences if added else ())


@pytest.mark.parametrize(
    ("chosen", "lacking", "expected"),
    [
        ("1234569", {DATA, COMPUTE, RUN, MODEL}, "1234569"),
        ("456", {COMPUTE}, "3456"),
        ("456", set(), "456"),
        ("6", {DATA, COMPUTE, RUN, MODEL}, "23456"),
        ("6", {MODEL}, "56"),
        ("54", {RUN, MODEL}, "45"),
        ("54", {MODEL}, "54"),
        ("94", set(), "934"),
        ("934", {COMPUTE}, "934"),
        ("16", {RUN, MODEL}, "1456"),
    ],
)
def test_what_is_lacking_is_made_before_it_is_needed(chosen, lacking, expected):
    assert planned(chosen, lacking, added=True) == expected
    if sorted(expected) == sorted(chosen):
        assert planned(chosen, lacking, added=False) == expected
    else:
        with pytest.raises(UsageError, match=r"Nothing was run\. --with-needed would run "):
            planned(chosen, lacking, added=False)


def test_the_workspace_is_not_asked_where_each_notebook_follows_those_that_it_needs():
    assert plan(list(DEPENDENCES), DEPENDENCES, None, added=False) == list(DEPENDENCES)


def test_of_what_is_not_to_run_nothing_is_read():
    read = []

    def dependence(notebook: Path) -> Dependence:
        read.append(notebook.stem)
        return DEPENDENCES[notebook]

    chosen = [Path("05_register.ipynb")]
    assert needs.plan(chosen, list(DEPENDENCES), dependence, lambda asked: set(), ()) == chosen
    assert set(read) == {"05_register"}


def test_the_refusal_names_what_is_lacking_and_who_makes_it():
    with pytest.raises(UsageError) as refused:
        planned("46", {COMPUTE, MODEL}, added=False)
    assert str(refused.value).splitlines() == [
        "04_train needs the compute target gpu-cluster, which is not in the workspace: 03_compute makes it.",
        "06_validate needs the model keras-mnist, which is not in the workspace: 05_register makes it.",
        "Nothing was run. --with-needed would run 03_compute, 04_train, 05_register, 06_validate.",
    ]


def test_what_is_removed_in_between_is_told():
    with pytest.raises(UsageError, match="needs the compute target gpu-cluster, and a notebook that is to run before"):
        planned("394", set(), added=True)


def test_a_maker_that_is_not_there_is_told():
    dependences = {Path("04_train.ipynb"): Dependence((DATA,), ())}
    with pytest.raises(UsageError, match="needs what 02_data makes, and there is no such notebook"):
        plan(list(dependences), dependences, lambda asked: asked, added=True)


def test_notebooks_that_need_each_other_are_told():
    one, two = Path("01_a.ipynb"), Path("02_b.ipynb")
    dependences = {one: Dependence((Need("02_b", "model", "m"),), ()), two: Dependence((Need("01_a", "run", "r"),), ())}
    with pytest.raises(UsageError, match="02_b and 01_a need each other"):
        plan([one], dependences, lambda asked: asked, added=True)


# The metadata and the workspace

CELL = 'backend: str = "offline"\ncluster_name: str = "gpu-cluster"'


@pytest.fixture
def series(tmp_path):
    """Two notebooks, of which the second needs a cluster that the first (which does nothing) is said to make."""
    write_notebook(tmp_path, "03_compute", "x = 1", parameters=CELL)
    needed = {"03_compute": {"compute": "cluster_name"}}
    return write_notebook(tmp_path, "04_train", "x = 1", parameters=CELL, needs=needed)


@pytest.mark.parametrize(
    "workspace",
    [
        {"needs": {"03_compute": {"compute": "cluster"}}},
        {"needs": ["03_compute"]},
        {"needs": {"03_compute": "cluster_name"}},
        {"removes": {"compute": "delete"}},
    ],
)
def test_metadata_that_name_no_parameter_are_told(tmp_path, capsys, workspace):
    path = write_notebook(tmp_path, "04_train", "x = 1", parameters=CELL, **workspace)
    assert run(tmp_path) == 2
    assert f"{path}: its metadata has a `workspace` that cannot be understood" in capsys.readouterr().err


def test_without_a_workspace_everything_is_lacking_and_none_is_made(tmp_path, monkeypatch, capsys, series):
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "nothing"))
    assert run(tmp_path, "4") == 2
    assert "04_train needs the compute target gpu-cluster" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()


def test_what_is_refused_leaves_the_outputs_of_the_run_before_and_what_is_there_runs(
    tmp_path, offline_folder, capsys, series
):
    make_cluster(offline_folder, "gpu-cluster")
    assert run(tmp_path, "4") == 0
    before = manifest(tmp_path)
    assert run(tmp_path, "4", "-p", "cluster_name=another") == 2
    assert "needs the compute target another, which is not in the workspace" in capsys.readouterr().err
    assert manifest(tmp_path) == before
    assert executed(tmp_path, "04_train").cells

    assert run(tmp_path, "4", "--with-needed", "-p", "cluster_name=another") == 0
    assert "--with-needed: 03_compute runs, too" in capsys.readouterr().out
    assert [entry["parameters"] for entry in manifest(tmp_path).values()] == [{"cluster_name": "another"}] * 2


def test_a_maker_that_is_damaged_is_in_the_way_only_where_it_would_have_to_run(
    tmp_path, offline_folder, capsys, series
):
    series.with_name("03_compute.ipynb").write_text("not json")
    assert run(tmp_path, "4") == 2
    assert "needs what 03_compute makes, and there is no such notebook that can be read" in capsys.readouterr().err
    make_cluster(offline_folder, "gpu-cluster")
    assert run(tmp_path, "4") == 0


def test_resume_makes_again_what_has_left_the_workspace(tmp_path, offline_folder, capsys, series):
    assert run(tmp_path) == 0
    first = manifest(tmp_path)
    assert run(tmp_path, "--resume") == 0  # all is complete, so nobody asks for the cluster, which nobody has made
    assert manifest(tmp_path) == first

    write_notebook(tmp_path, "04_train", "x = 2", parameters=CELL, needs={"03_compute": {"compute": "cluster_name"}})
    assert run(tmp_path, "--resume") == 0
    told = capsys.readouterr().out
    assert "0 of 2 are complete. 03_compute and what follows it run: what it made is no longer in the workspace" in told
    assert manifest(tmp_path)["03_compute"]["started"] > first["03_compute"]["started"]


def test_a_workspace_that_cannot_be_asked_ends_it_before_anything_runs(tmp_path, monkeypatch, capfd, series):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "thesis.txt").write_text("mine")
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(damaged))
    assert run(tmp_path, "4") == 2
    error = capfd.readouterr().err
    assert "is no offline workspace" in error
    assert "the workspace could not be asked" in error
    assert "Traceback" not in error


def test_a_thing_is_there_or_not_unless_the_workspace_does_not_say(offline_folder, monkeypatch):
    from azureml.exceptions import AzureMLException

    def unavailable(*_):
        raise AzureMLException("Received bad response from Asset Service: Response Code: 503")

    make_cluster(offline_folder, "gpu-cluster")
    assert helpers.needs.is_there("v1", "compute", "gpu-cluster")
    for kind in ("dataset", "compute", "run", "model"):
        assert not helpers.needs.is_there("v1", kind, "digits")
    for status, counts in (("Failed", False), ("Canceled", False), ("Running", True), ("Completed", True)):
        run_id = run_records.create_run(offline_folder, f"of-{status}")
        run_records.set_status(offline_folder, run_id, status)
        assert helpers.needs.is_there("v1", "run", f"of-{status}") == counts
    with monkeypatch.context() as patch, pytest.raises(AzureMLException, match="503"):
        patch.setattr("azureml.core.Dataset.get_by_name", unavailable)
        helpers.needs.is_there("v1", "dataset", "digits")
    with pytest.raises(ValueError, match="no kind 'dream'"):
        helpers.needs.is_there("v1", "dream", "digits")
    helpers.needs._workspace.cache_clear()


def test_what_a_notebook_of_version_2_needs_is_asked_for_without_the_sdk_v1(offline_folder, tmp_path):
    """With its own login, and on a Python that the SDK v1 does not run on."""
    make_cluster(offline_folder, "gpu-cluster")
    absent = [["v2", kind, "digits"] for kind in ("data", "compute", "job", "model")]
    (asked := tmp_path / "needs.json").write_text(json.dumps([["v2", "compute", "gpu-cluster"], *absent]))
    code = (
        "import runpy, sys; sys.modules['azureml.core'] = None; runpy.run_module('helpers.needs', run_name='__main__')"
    )
    asking = subprocess.run([sys.executable, "-c", code, "offline", str(asked)], capture_output=True, text=True)
    assert asking.returncode == 0, asking.stderr
    assert json.loads(asked.read_text()) == absent


def test_ctrl_c_while_the_workspace_is_asked_leaves_the_telling_to_the_runner(offline_folder, tmp_path):
    os.mkfifo(asked := tmp_path / "needs.json")
    asking = subprocess.Popen([sys.executable, "-m", "helpers.needs", "offline", str(asked)], stderr=subprocess.PIPE)
    with asked.open("wb"):  # which returns when it reads that
        asking.send_signal(signal.SIGINT)
        _, told = asking.communicate(timeout=60)
    assert (asking.returncode, told) == (-signal.SIGINT, b"")


@pytest.mark.parametrize(
    ("code", "kind", "sdk"),
    [
        ("helpers.connect()", "compute", "v1"),
        ("client = helpers.ml_client()", "compute", "v2"),
        ("helpers.connect(), helpers.ml_client()", "dataset", "v1"),
    ],
)
def test_a_need_is_asked_for_by_the_sdk_of_the_notebook_or_that_of_its_kind(tmp_path, code, kind, sdk):
    path = write_notebook(tmp_path, "04_train", code, parameters=CELL, needs={"03_compute": {kind: "cluster_name"}})
    (need,) = needs.read_dependence(path, {"cluster_name": "gpu-cluster"}).needs
    assert need == Need("03_compute", kind, "gpu-cluster", sdk)

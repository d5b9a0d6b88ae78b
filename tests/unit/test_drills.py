"""Faults that a workspace was given on purpose: what they do, that they end, and that an ordinary one has none."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from small_jobs import make_cluster, submit, wait_for, wait_until

import helpers
from helpers import backend, drills, mnist
from helpers.offline import drills as offline_drills
from helpers.offline.engine import jobs, removal
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.workspace import faults
from helpers.offline.engine.workspace import folder as folders

GPU = "Standard_NC4as_T4_v3"
FAMILY = "Standard NCASv3_T4 Family"
NOTEBOOK = nbformat.read(helpers.REPOSITORY / "workshop" / "drills.ipynb", as_version=4)
CELLS = {cell.id: cell.source for cell in NOTEBOOK.cells}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An offline workspace that the helpers find, in which nothing is left running."""
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "offline"))
    monkeypatch.setattr(backend, "_chosen", ["offline"])
    folder = folders.open_folder()
    yield folder
    removal.reset(folder)


def test_an_ordinary_workspace_has_no_faults_and_no_file_of_them(world):
    assert faults.read(world) == {}
    assert not (world / faults.FILE).exists()
    assert {limit for _, limit in clusters.usages(world).values()} == {-1}
    assert drills.on() == []


def test_the_last_fault_that_is_taken_away_leaves_nothing(world):
    assert faults.change(world, "clock", 60) is None
    assert faults.change(world, "quota", {}) is None
    assert faults.change(world, "clock", None) == 60
    assert faults.change(world, "quota", None) == {}
    assert faults.change(world, "quota", None) is None
    assert not (world / faults.FILE).exists()


def test_without_quota_a_run_waits_says_why_and_goes_on_when_there_is_some(world, tmp_path, capsys):
    make_cluster(world, "gpu", vm_size=GPU)
    make_cluster(world, "cpu")
    before = submit(world, tmp_path / "source", "print('ran')", target="gpu")
    assert wait_for(world, before)["status"] == "Completed"
    drills.start("quota")  # the node is idle now, and goes
    waiting = submit(world, tmp_path / "source", "print('ran')", target="gpu")
    elsewhere = submit(world, tmp_path / "source", "print('ran')", target="cpu")
    assert wait_for(world, elsewhere)["status"] == "Completed"
    assert wait_for(world, waiting, "Queued")
    state = clusters.state(world, "gpu")
    (error,) = state["errors"]
    assert error["error"]["code"] == "ClusterCoreQuotaReached"
    assert "Maximum allowed: 0, Current in use: 0, Additional requested: 4." in error["error"]["message"]
    assert (state["current"], state["allocation_state"]) == (0, "Resizing")
    assert clusters.usages(world)[FAMILY] == (0, 0)
    drills.stop("quota")
    assert wait_for(world, waiting)["status"] == "Completed"
    assert clusters.state(world, "gpu")["errors"] == []
    assert clusters.usages(world)[FAMILY] == (4, -1)


def test_a_quota_counts_the_nodes_of_all_clusters_of_the_family(world, tmp_path):
    make_cluster(world, "one", vm_size=GPU)
    make_cluster(world, "two", vm_size="Standard_NC8as_T4_v3")
    faults.change(world, "quota", {FAMILY: 8})
    sleeping = submit(world, tmp_path / "source", "import time; time.sleep(600)", target="one")
    wait_for(world, sleeping, "Running")
    larger = submit(world, tmp_path / "source", "print('ran')", target="two")
    wait_for(world, larger, "Queued")
    assert "Maximum allowed: 8, Current in use: 4, Additional requested: 8." in str(
        clusters.state(world, "two")["errors"]
    )
    jobs.cancel(world, sleeping)
    wait_for(world, sleeping)
    clusters.delete(world, "one")  # its node, idle now, still counts until then
    assert wait_for(world, larger)["status"] == "Completed"


def test_a_clock_that_is_sped_up_lets_idle_nodes_go_sooner(world):
    make_cluster(world, "gpu", min_nodes=2, idle_seconds=3600)
    assert clusters.state(world, "gpu")["current"] == 2
    clusters.update(world, "gpu", min_nodes=0)
    assert clusters.state(world, "gpu")["current"] == 2
    drills.start("bill")
    wait_until(lambda: clusters.state(world, "gpu")["current"] == 0, seconds=20)  # an hour takes a second


def test_the_bill_counts_the_machines_that_are_on_at_the_tables_price(world, capsys, monkeypatch):
    from azureml.core import Workspace
    from azureml.core.compute import ComputeTarget

    make_cluster(world, "gpu", vm_size=GPU, min_nodes=2, idle_seconds=3600)
    cluster = ComputeTarget(Workspace.from_config(), "gpu")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert drills.bill(cluster, seconds=2) == pytest.approx(2 * 2 * 0.526)
    assert capsys.readouterr().out.splitlines()[-1] == "after 2 hours: 2.10 USD, and 2 machines on"
    drills.bill(cluster, seconds=1)
    assert capsys.readouterr().out.splitlines()[-1] == "after 1 hour: 1.05 USD, and 2 machines on"


def test_the_bill_of_no_time_is_nothing(capsys):
    assert drills.bill(SimpleNamespace(vm_size=GPU), seconds=0) == 0
    assert capsys.readouterr().out == "after 0 hours: 0.00 USD\n"


HANDS_OUT_FOLDERS = """
from helpers import drills
for name in ("labels", "unscaled"):
    begin, _ = drills.DRILLS[name]
    print(begin(None))
"""


def test_what_a_drill_hands_out_is_deleted_when_the_kernel_ends(tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    told = subprocess.check_output([sys.executable, "-c", HANDS_OUT_FOLDERS], env=environment, text=True)
    assert {Path(line).parent.parent for line in told.splitlines()} == {tmp_path}
    assert list(tmp_path.iterdir()) == []


WRITES_AND_WAITS = "from pathlib import Path; Path('outputs/kept').write_text('x'); import time; time.sleep(600)"


def test_a_node_of_low_priority_is_taken_away_once_something_is_kept(world, tmp_path):
    make_cluster(world, "cheap", vm_priority="LowPriority")
    make_cluster(world, "dear", vm_priority="Dedicated")
    drills.start("preemption")
    cheap, dear = (submit(world, tmp_path / "source", WRITES_AND_WAITS, target=name) for name in ("cheap", "dear"))
    end = wait_for(world, cheap)
    assert end["status"] == "Canceled"
    assert end["error"]["code"] == "NodePreempted"
    assert "The node was preempted" in end["error"]["message"]
    assert jobs.look(world, dear)["status"] == "Running"
    jobs.cancel(world, dear)
    assert wait_for(world, dear)["error"] is None


def test_the_improved_script_has_one_line_more_which_fails_in_the_third_epoch_and_not_before(world):
    improved = drills.start("script")
    original = (helpers.REPOSITORY / "scripts/training/keras_mnist.py").read_text().splitlines()
    lines = (improved / "keras_mnist.py").read_text().splitlines()
    (at,) = [number for number in range(len(lines)) if lines[:number] + lines[number + 1 :] == original]
    compile("\n".join(lines), "keras_mnist.py", "exec")
    logs, tracking = {"loss": np.float32(0.4), "val_loss": np.float32(0.5)}, SimpleNamespace(log=lambda *_: None)
    for step in (1, 2):
        exec(lines[at].strip(), {"tracking": tracking, "logs": logs, "step": step})
    with pytest.raises(ZeroDivisionError):
        exec(lines[at].strip(), {"tracking": tracking, "logs": logs, "step": 3})


def test_what_is_handed_out_is_broken_in_the_way_that_the_drill_says(world):
    labels = drills.start("labels")
    name = "train-labels-idx1-ubyte.gz"
    shuffled, right = (mnist.read_idx(folder / name) for folder in (labels, helpers.REPOSITORY / "data" / "mnist"))
    assert np.bincount(shuffled).tolist() == np.bincount(right).tolist()
    assert 0.08 < (shuffled == right).mean() < 0.12
    assert [row.name for row in mnist.check(labels) if not row.md5_ok] == ["train-labels-idx1-ubyte.gz"]
    assert "- numpy==99.1\n" in drills.start("environment").read_text()
    assert drills.start("script").is_dir()
    score = (drills.start("unscaled") / "score.py").read_text()
    assert "images.max() > 1" in (helpers.REPOSITORY / "scripts/scoring/score.py").read_text()
    assert "images.max() > 1" not in score
    compile(score, "score.py", "exec")
    assert drills.on() == ["labels", "environment", "script", "unscaled"]


def test_a_run_whose_environment_cannot_be_built_has_the_logs_that_the_hint_tells_of(world, tmp_path):
    from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace

    environment = Environment.from_conda_specification("drill-env", str(drills.start("environment")))
    (tmp_path / "script.py").write_text("print('ran')")
    configuration = ScriptRunConfig(str(tmp_path), "script.py", compute_target="local", environment=environment)
    run = Experiment(Workspace.from_config(), "drills").submit(configuration)
    run.wait_for_completion(raise_on_error=False)
    details = run.get_details_with_logs()
    build, script = (details["logFiles"][name] for name in sorted(details["logFiles"]))
    assert "numpy==99.1: MISSING" in build
    assert script.strip() == details["error"]["error"]["message"]
    assert sorted(details["logFiles"])[1] in CELLS["three-look"]


def told(capsys, cell: str, **variables) -> list[str]:
    """What the last cell of a drill prints with these variables, before it switches the drill off."""
    stopped = SimpleNamespace(mnist=mnist, drills=SimpleNamespace(stop=lambda name: print("stopped", name)))
    made = {"np": np, "Run": SimpleNamespace, "Model": SimpleNamespace}
    exec(CELLS[cell], {"helpers": stopped} | made | variables)
    *lines, end = capsys.readouterr().out.splitlines()
    assert end.startswith("stopped ")
    return lines


@pytest.mark.parametrize("value", [..., None, "a text"])
@pytest.mark.parametrize(
    ("cell", "name"),
    [("one", "elsewhere"), ("two", "mended"), ("three", "built"), ("four", "learning"), ("seven", "resumed")],
)
def test_a_run_that_was_not_submitted_is_told_by_its_name(capsys, cell, name, value):
    mine = {"wrong_file": ..., "folder": helpers.REPOSITORY / "data" / "mnist", "waiting": SimpleNamespace(cancel=int)}
    assert f"There is no run `{name}` yet" in told(capsys, f"{cell}-after", **mine, **{name: value})[-1]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [({}, "It trained for 0 of 3"), ({"Loss": 0.5}, "It trained for 1 of 3"), ({"Loss": [0.7, 0.6, 0.5]}, "It began")],
)
def test_the_drill_of_the_node_counts_the_epochs_however_many_were_logged(capsys, metrics, expected):
    resumed = SimpleNamespace(get_status=lambda: "Completed", get_metrics=lambda name: metrics)
    status, trained = told(capsys, "seven-after", resumed=resumed, epochs=3)
    assert status == "Completed" and trained.startswith(expected)


@pytest.mark.parametrize(("given", "right"), [("t10k", False), (..., False), ("train-labels-idx1-ubyte.gz", True)])
def test_the_drill_of_the_labels_tells_whether_it_is_the_wrong_file(world, capsys, given, right):
    folder = drills._labels(None)
    learned = SimpleNamespace(get_metrics=lambda: {"Final test accuracy": 0.9 if right else 0.1})
    about_file, about_run = told(capsys, "four-after", folder=folder, wrong_file=given, learning=learned)
    assert about_file.endswith("is the one: its checksum is not MNIST's.") is right
    assert (about_run == "The network learns.") is right


@pytest.mark.parametrize(
    ("is_intact", "replacement", "expected"),
    [
        (..., ..., ["`is_intact` is not yet right", "There is no new version"]),
        (False, None, ["The registered file is not", "There is no new version"]),
        (True, ("a-run", 3, {}), ["`is_intact` is not yet right", "There is no new version"]),
        (False, (None, 4, {"sha256": "1"}), ["The registered file is not", "`replacement` does not have the files"]),
        (False, ("a-run", 4, {}), ["The registered file is not", "`replacement` does not have the files"]),
        (False, ("a-run", 4, {"sha256": "1"}), ["The registered file is not", "Version 4 takes its place"]),
    ],
)
def test_the_drill_of_the_model_tells_what_is_not_right_yet(capsys, is_intact, replacement, expected):
    def version(run_id, number, properties):
        return SimpleNamespace(run_id=run_id, version=number, properties=properties)

    model = version("a-run", 3, {"sha256": "1"})
    registered = version(*replacement) if isinstance(replacement, tuple) else replacement
    lines = told(capsys, "five-after", is_intact=is_intact, replacement=registered, model=model)
    assert [line.startswith(start) for line, start in zip(lines, expected, strict=True)] == [True, True]


def test_a_drill_is_started_once_stopped_once_and_named_when_it_is_left_on(world, capsys, monkeypatch):
    drills.start("bill")
    with pytest.raises(drills.DrillError, match=r"is on already. helpers.drills.stop\('bill'\) switches it off"):
        drills.start("bill")
    helpers.use_backend("offline")
    assert "The drill 'bill' is on in this workspace; helpers.drills.stop('bill') ends it." in capsys.readouterr().out
    drills.stop("bill")
    with pytest.raises(drills.DrillError, match=r"The drill 'bill' is not on. On are: none."):
        drills.stop("bill")
    helpers.use_backend("offline")
    assert "is on in this workspace" not in capsys.readouterr().out
    with pytest.raises(drills.DrillError, match=r"There is no drill 'x'. There are: quota, script"):
        drills.start("x")


@pytest.mark.parametrize(("names", "all_done"), [(["bill", "quota"], [True, True]), (["bill"] * 2, [False, True])])
def test_of_drills_that_are_switched_at_once_none_is_lost(world, monkeypatch, names, all_done):
    lock, at_the_lock = fcntl.flock, threading.Semaphore(0)

    def tell_and_lock(file, operation):
        at_the_lock.release()
        lock(file, operation)

    with ThreadPoolExecutor() as pool, (world / ".faults.lock").open("w") as held:
        lock(held, fcntl.LOCK_EX)
        monkeypatch.setattr(fcntl, "flock", tell_and_lock)
        done = [pool.submit(offline_drills.switch, name, True) for name in names]
        for _ in names:
            assert at_the_lock.acquire(timeout=30)
    assert sorted(future.result() for future in done) == all_done
    assert sorted(drills.on()) == sorted(set(names))


def test_a_drill_that_is_interrupted_while_it_starts_leaves_nothing(world, monkeypatch):
    def interrupted(engine):
        engine.take_gpu_quota()
        raise KeyboardInterrupt

    _, end = drills.DRILLS["quota"]
    monkeypatch.setitem(drills.DRILLS, "quota", (interrupted, end))
    with pytest.raises(KeyboardInterrupt):
        drills.start("quota")
    assert faults.read(world) == {}


def test_a_drill_that_needs_a_lesson_names_it_and_is_not_on(world):
    with pytest.raises(drills.DrillError, match=r"run 05_register.ipynb first"):
        drills.start("tampered-model")
    with pytest.raises(drills.DrillError, match=r"run 08_deploy.ipynb first"):
        drills.start("leaked-key")
    assert drills.on() == []


def test_the_stranger_asks_the_service_of_notebook_8_whatever_other_services_there_are(world, monkeypatch):
    there = {
        name: SimpleNamespace(scoring_uri=f"http://{name}", get_keys=lambda name=name: [f"key of {name}", "another"])
        for name in ("drill-service", "keras-mnist-service")
    }
    for service in there.values():
        service.tags = helpers.SERIES_TAG
    asked = []

    def post(address, headers, **_):
        asked.append((address, headers["Authorization"]))
        return SimpleNamespace(status_code=200)

    monkeypatch.setattr(drills, "_workspace", lambda: SimpleNamespace(webservices=there))
    monkeypatch.setattr("requests.post", post)
    assert drills.start("leaked-key")() == 200
    assert set(asked) == {("http://keras-mnist-service", "Bearer key of keras-mnist-service")}


def test_a_model_that_was_tampered_with_is_as_before_when_the_drill_stops(world, tmp_path, monkeypatch):
    from azureml.core import Model, Workspace

    monkeypatch.chdir(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model.keras").write_bytes(b"weights")
    model = Model.register(Workspace.from_config(), "files", "keras-mnist")

    def content() -> bytes:
        return Path(model.download(target_dir=str(tmp_path / "got"), exist_ok=True)).read_bytes()

    drills.start("tampered-model")
    assert content() != b"weights"
    drills.stop("tampered-model")
    assert content() == b"weights"


def test_on_azure_there_are_none(monkeypatch):
    monkeypatch.setattr(backend, "_chosen", ["offline", "azure"])
    with pytest.raises(backend.BackendError, match=r"needs the offline one"):
        drills.start("quota")

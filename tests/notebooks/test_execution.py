"""The notebooks run as a batch with small parameters, again, alone, as plain scripts, and after an interruption."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from batch.kernels import ThisInterpreter
from books import QUICK, ROOT, STARTS_SOON, behind_a_dead_proxy, environment
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from small_jobs import make_cluster, wait_until

from helpers.offline.engine import assets
from helpers.offline.engine.assets import models
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.workspace import folder

RUNNER = [sys.executable, str(ROOT / "scripts" / "run_notebooks.py")]


def start(world: Path, *names: str, **parameters) -> subprocess.Popen:
    """Start the batch runner on notebooks (by default all) in the offline workspace of `world`."""
    command = [*RUNNER, *names, "--notebooks", str(world / "notebooks"), "--output", str(world / "executed")]
    for name, value in parameters.items():
        command += ["-p", f"{name}={value}"]
    variables = behind_a_dead_proxy(world) | STARTS_SOON
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(world: Path, *names: str, **parameters) -> tuple[int, str]:
    """Exit code of the batch runner, and what it printed."""
    with start(world, *names, **parameters) as runner:
        printed, errors = runner.communicate()
    return runner.returncode, printed + errors


def results(world: Path) -> dict[str, dict]:
    """What each notebook recorded, by its name."""
    manifest = json.loads((world / "executed" / "manifest.json").read_text())
    return {name: entry["results"] for name, entry in manifest["notebooks"].items()}


@pytest.mark.timeout(1800)
def test_they_train_on_several_nodes_run_again_and_alone_and_elsewhere_and_the_sixth_can_fail(world):
    make_cluster(folder.open_folder(world / "offline"), "not-ours")
    small = {"epochs": 1, **QUICK}
    code, printed = run(world, "02-06", **small, node_count=2, minimum_accuracy=0.999)
    assert code == 1
    assert "line 2: assert accuracy >= minimum_accuracy" in printed
    assert "is less than 0.999" in printed
    trained = results(world)["04_train"]
    accuracy = trained["Test accuracy in the run"]
    assert 0.8 <= accuracy <= 1
    assert trained == {
        "Test accuracy in the run": accuracy,
        "Test accuracy on several nodes": pytest.approx(accuracy, abs=0.03),
    }

    elsewhere = world / "elsewhere" / "deeper"
    elsewhere.mkdir(parents=True)
    plain = [sys.executable, "-m", "papermill", world / "notebooks" / "06_download_validate.ipynb", "out.ipynb"]
    plain += ["-p", "minimum_accuracy", "0.8", "--no-progress-bar"]
    done = subprocess.run(plain, cwd=elsewhere, env=environment(world), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    alarming = [line for line in done.stderr.splitlines() if re.search("warning|error", line, re.IGNORECASE)]
    # ipykernel's own: it listens on loopback, and is interrupted before it is shut down
    assert all(re.search("TCP without encryption|KeyboardInterrupt caught in kernel", line) for line in alarming), (
        done.stderr
    )
    assert [path for path in elsewhere.parent.rglob("*") if path.is_file()] == [elsewhere / "out.ipynb"]

    code, printed = run(world, "02", "03", "05", "08")
    assert code == 0, printed
    recorded = results(world)
    assert recorded["02_data"] == {"Dataset": "mnist-dataset, version 1"}
    assert recorded["05_register"] == {"Model": "keras-mnist, version 2"}
    assert recorded["08_deploy"] == {"Service": "keras-mnist-service with keras-mnist version 2"}
    assert left(world) == (["gpu-cluster", "not-ours"], ["keras-mnist-service"], ["mnist-dataset"])

    code, printed = run(world, "09", delete_models=True, delete_datasets=True)
    assert code == 0, printed
    assert left(world) == (["not-ours"], [], [])
    assert models.list_all(world / "offline") == []


@pytest.mark.parametrize("series", ["", "v2"])
def test_there_may_be_nothing_to_clean_up(world, series):
    code, printed = run(world, "09", "--series", series)
    assert code == 0, printed
    assert results(world)["09_clean_up"] == {"Resources left that cost money": 0}


@pytest.mark.parametrize(
    "names, makers",
    [
        (["04_train"], ["02_data", "03_compute"]),
        (["02_data", "04_train"], ["03_compute"]),
        (["05_register"], ["04_train"]),
        (["06_download_validate"], ["05_register"]),
        (["07_tune"], ["02_data", "03_compute"]),
        (["08_deploy"], ["05_register"]),
    ],
)
def test_a_batch_without_what_it_needs_is_refused_before_it_begins(world, names, makers):
    code, printed = run(world, *names)
    assert code == 2
    for maker in makers:
        assert f"which is not in the workspace: {maker} makes it." in printed
    assert not (world / "executed" / "manifest.json").exists()
    assert not (world / "offline").exists()


@pytest.mark.parametrize(
    "name, maker",
    [("04_train", "02_data"), ("05_register", "04_train"), ("06_download_validate", "05_register")],
)
def test_a_notebook_without_what_it_needs_says_in_one_line_which_one_to_run_first(world, monkeypatch, name, maker):
    monkeypatch.setenv(folder.VARIABLE, str(world / "offline"))
    path = world / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, kernel_manager_class=ThisInterpreter, resources={"metadata": {"path": path.parent}}
    )
    with pytest.raises(CellExecutionError):
        client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    (error,) = [output for output in outputs if output.output_type == "error"]
    (line,) = "".join(error.traceback).splitlines()
    assert line.startswith("NotMadeYet: ") and f"Run {maker}.ipynb first" in line
    assert any(f'<a href="{maker}.ipynb">' in output.get("data", {}).get("text/html", "") for output in outputs)


@pytest.mark.timeout(1800)
def test_the_next_notebook_finds_the_run_of_a_killed_one(world):
    code, printed = run(world, "02", "03")
    assert code == 0, printed
    with start(world, "04", epochs=4) as runner:
        wait_until(lambda: logs_with(world, "Epoch  1/4") or runner.poll() is not None, seconds=300)
        kill_kernel(runner.pid)
        assert not logs_with(world, "Epoch  4/4")
        printed, errors = runner.communicate()
    assert runner.returncode == 1, printed
    assert "the kernel died" in errors

    code, printed = run(world, "05")
    assert code == 0, printed
    assert logs_with(world, "Epoch  4/4")
    assert results(world)["05_register"] == {"Model": "keras-mnist, version 1"}


def left(world: Path) -> tuple[list[str], list[str], list[str]]:
    """The names of the clusters, services and datasets in the workspace."""
    kinds = (clusters.KIND, "ACI service", "dataset")
    return tuple([asset.name for asset in assets.list_latest(world / "offline", kind)] for kind in kinds)


def logs_with(world: Path, words: str) -> list[Path]:
    """The logs of runs that have these words in them."""
    logs = (world / "offline").rglob("std_log.txt")
    return [log for log in logs if words in log.read_text(errors="replace")]


def kill_kernel(runner_pid: int) -> None:
    """Kill the kernel, and nothing else, of what the runner has started."""
    processes = psutil.Process(runner_pid).children(recursive=True)
    (kernel,) = [process for process in processes if "ipykernel_launcher" in process.cmdline()]
    kernel.kill()

"""Several processes train together, and a training goes on from a checkpoint: the script in processes of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from test_training_script import SCRIPT, record_of, refused, run_script, write_digits

TRAIN, TEST = 120, 70
# One step an epoch, in which all images are seen.
THREE_STEPS = ["--epochs", 3, "--batch-size", TRAIN, "--validation-split", 0, "--first-layer-neurons", 30]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("data") / "mnist", TRAIN, TEST)


@pytest.fixture(scope="module")
def jax_alone(tmp_path_factory):
    """A folder to import from, where neither TensorFlow nor the SDK is: the script needs neither to train with JAX."""
    folder = tmp_path_factory.mktemp("jax_alone")
    for package in ("tensorflow", "azureml"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(f"raise ModuleNotFoundError({package!r})")
    return folder


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def pytorch(rank, size, port):
    return {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def mpi(rank, size, port):
    names = {"SIZE": size, "RANK": rank, "LOCAL_RANK": rank % 2}
    told = {f"OMPI_COMM_WORLD_{name}": value for name, value in names.items()}
    return told | {"AZ_BATCH_MASTER_NODE": f"127.0.0.1:{port}", "AZUREML_NODE_COUNT": size // 2}


def start(tell, size, arguments, cwd, path, ranks=None):
    """Start the processes of a world, each with its log in `cwd`; by rank."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment["PYTHONPATH"] = os.pathsep.join([str(path), environment["PYTHONPATH"]])
    started = {}
    for rank in ranks or range(size):
        told = {name: str(value) for name, value in tell(rank, size, port).items()}
        with (cwd / f"{rank}.log").open("w") as log:
            command = [sys.executable, str(SCRIPT), *map(str, arguments)]
            started[rank] = subprocess.Popen(command, cwd=cwd, env=environment | told, stdout=log, stderr=log)
    return started


def run_together(tell, size, arguments, cwd, path):
    """What the processes of a world print, by rank; they all have to end well."""
    started = start(tell, size, arguments, cwd, path)
    codes = {rank: process.wait(300) for rank, process in started.items()}
    logs = [(cwd / f"{rank}.log").read_text() for rank in started]
    assert set(codes.values()) == {0}, logs
    return logs


def history_of(outputs):
    with np.load(outputs / "checkpoints" / "checkpoint.npz") as arrays:
        return json.loads(arrays["state"].item())["history"]


@pytest.fixture(scope="module")
def alone(digits, jax_alone, tmp_path_factory):
    """The outputs of one process that makes three steps with JAX."""
    cwd = tmp_path_factory.mktemp("alone")
    finished = run_script("--data-folder", digits, *THREE_STEPS, cwd=cwd, path=jax_alone, KERAS_BACKEND="jax")
    assert finished.returncode == 0, finished.stderr
    return cwd / "outputs"


@pytest.mark.parametrize(("tell", "size"), [(pytorch, 2), (mpi, 4)])
def test_processes_together_do_what_one_does(digits, jax_alone, alone, tmp_path, tell, size):
    logs = run_together(tell, size, ["--data-folder", digits, *THREE_STEPS], tmp_path, jax_alone)
    ends = rf"^Process (\d) of {size} ends with the weights (\w{{16}})$"
    found = [re.findall(ends, log, re.MULTILINE) for log in logs]
    assert [rank for ((rank, _),) in found] == [str(rank) for rank in range(size)]
    assert len({weights for ((_, weights),) in found}) == 1

    ours, theirs = history_of(tmp_path / "outputs"), history_of(alone)
    assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-4) and len(ours["loss"]) == 3
    assert ours["loss"][0] > ours["loss"][2] + 0.02  # it learns
    if size == 2:  # the test images, which validate here, can be shared out
        assert ours["val_loss"] == pytest.approx(theirs["val_loss"], abs=1e-4)
    else:
        assert all("2 of 70 validation images cannot be shared out" in log for log in logs)
    for name, value in record_of(alone)["metrics"].items():
        if name.startswith("Final"):  # of all test images, however they can be shared out
            assert record_of(tmp_path / "outputs")["metrics"][name] == pytest.approx(value, abs=1e-4)

    assert "Epoch  3/3" in logs[0] and "Final test accuracy" in logs[0].replace("final", "Final")
    for log in logs[1:]:
        assert "Epoch" not in log and "accuracy" not in log
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("outputs/**/*") if path.is_file())
    assert files == [
        "outputs/Accuracy vs Loss.png",
        "outputs/checkpoints/checkpoint.npz",
        "outputs/model/model.keras",
        "outputs/model/training.json",
    ]


def test_one_process_shares_out_its_batches_among_its_devices(digits, jax_alone, alone, tmp_path):
    """As on a node of several GPUs; here the processor is told to be two."""
    two = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    finished = run_script("--data-folder", digits, *THREE_STEPS, cwd=tmp_path, path=jax_alone, **two)
    assert finished.returncode == 0, finished.stderr
    assert f"Each step trains on {TRAIN} images, {TRAIN // 2} on each of 2 devices" in finished.stdout
    assert history_of(tmp_path / "outputs")["loss"] == pytest.approx(history_of(alone)["loss"], abs=1e-4)
    refused = run_script("--data-folder", digits, "--batch-size", 25, cwd=tmp_path, path=jax_alone, **two)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == "--batch-size 25 cannot be shared out among 2 devices"


def test_when_one_process_is_killed_the_others_end(digits, jax_alone, tmp_path):
    started = start(pytorch, 2, ["--data-folder", digits, "--epochs", 100_000], tmp_path, jax_alone)
    try:
        wait_until(lambda: "Epoch  2/" in (tmp_path / "0.log").read_text())
        started[1].send_signal(signal.SIGKILL)
        assert started[0].wait(120) != 0
    finally:
        for process in started.values():
            process.kill()
            process.wait()
    assert not (tmp_path / "outputs" / "model" / "model.keras").exists()


def wait_until(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "told", "message"),
    [
        (["--batch-size", 50], {"WORLD_SIZE": "3"}, "--batch-size 50 cannot be shared out among 3 processes"),
        ([], {"WORLD_SIZE": "2", "KERAS_BACKEND": "tensorflow"}, "set KERAS_BACKEND=jax, not tensorflow"),
        ([], {"WORLD_SIZE": "2", "RANK": "2"}, "RANK is 2, but WORLD_SIZE is 2"),
        (["--join-seconds", 1], {"WORLD_SIZE": "2"}, "of 2 processes these did not come within 1 s: 1"),
    ],
)
def test_a_world_that_cannot_train_is_refused_at_once(digits, tmp_path, arguments, told, message):
    told = {"RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())} | told
    assert message in refused("--data-folder", digits, *arguments, cwd=tmp_path, **told)


@pytest.fixture(scope="module")
def interrupted(digits, tmp_path_factory):
    """The outputs of a training that came to its first epoch of three, and those of one that was not interrupted."""
    cwd = tmp_path_factory.mktemp("interrupted")
    for name, epochs in [("first", 1), ("whole", 3)]:
        finished = run_script(*resumable(digits, cwd / name, epochs), cwd=cwd)
        assert finished.returncode == 0, finished.stderr
    return cwd / "first", cwd / "whole"


def resumable(digits, outputs, epochs, **changes):
    options = {"batch-size": 25, "first-layer-neurons": 30, "dataset-repeat": 2, "seed": 7} | changes
    given = [f"--{name}={value}" for name, value in options.items()]
    return ["--data-folder", digits, "--output-folder", outputs, "--epochs", epochs, *given]


def test_a_resumed_training_goes_on_as_if_nothing_had_happened(digits, interrupted, tmp_path):
    first, whole = interrupted
    finished = run_script(*resumable(digits, tmp_path / "outputs", 3), "--resume-from", first, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "Resumed after epoch 1" in finished.stdout
    assert re.findall(r"^Epoch +(\d)/3", finished.stdout, re.M) == ["2", "3"]
    assert history_of(first) == {name: values[:1] for name, values in history_of(whole).items()}
    for name, values in history_of(whole).items():
        assert history_of(tmp_path / "outputs")[name] == pytest.approx(values, rel=1e-6), name
    metrics, expected = record_of(tmp_path / "outputs")["metrics"], record_of(whole)["metrics"]
    assert metrics == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first-layer-neurons": 31}, "a training with --first-layer-neurons 30, not 31"),
        ({"batch-size": 30}, "a training with --batch-size 25, not 30"),
        ({"seed": 8}, "a training with --seed 7, not 8"),
        ({"epochs": 1}, "has been trained to epoch 1 already: give --epochs above that"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_at_once(digits, interrupted, tmp_path, change, message):
    arguments = resumable(digits, tmp_path / "outputs", change.pop("epochs", 3), **change)
    assert message in refused(*arguments, "--resume-from", interrupted[0], cwd=tmp_path)


def test_a_checkpoint_of_other_images_is_refused_before_training_starts(interrupted, tmp_path):
    """The arguments are the same: only the shapes tell."""
    data = write_digits(tmp_path / "small", TRAIN, TEST, side=6)
    arguments = resumable(data, tmp_path / "outputs", 3)
    finished = run_script(*arguments, "--resume-from", interrupted[0], cwd=tmp_path)
    assert finished.returncode == 1
    assert "the checkpoint is of another network" in finished.stderr.splitlines()[-1]
    assert "Epoch" not in finished.stdout


def truncated(path):
    path.write_bytes(path.read_bytes()[:-2000])


def altered(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def foreign(path):
    np.savez(path, weights=np.zeros(3))


def pickled(path):
    np.savez(path, state=np.array({"epochs": 1}, object))


@pytest.mark.parametrize("damage", [truncated, altered, foreign, pickled])
def test_a_damaged_or_foreign_checkpoint_is_refused_at_once(digits, interrupted, tmp_path, damage):
    checkpoint = shutil.copy(interrupted[0] / "checkpoints" / "checkpoint.npz", tmp_path)
    damage(tmp_path / "checkpoint.npz")
    line = refused(*resumable(digits, tmp_path / "outputs", 3), "--resume-from", checkpoint, cwd=tmp_path)
    assert f"{checkpoint} is no whole checkpoint of this script" in line


def test_a_folder_without_a_checkpoint_is_refused(digits, tmp_path):
    line = refused(*resumable(digits, tmp_path / "outputs", 3), "--resume-from", tmp_path / "nowhere", cwd=tmp_path)
    assert "there is no checkpoint.npz" in line and "nowhere" in line

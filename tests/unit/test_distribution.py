"""How processes that train together learn of each other and meet, and how they share out the batches."""

import os
import socket
import subprocess
import sys
import threading
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "scripts" / "training"))
import batches
import distribution
from distribution import World

PYTORCH = {"WORLD_SIZE": "4", "RANK": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "10.0.0.4", "MASTER_PORT": "6105"}
MPI = {
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "AZ_BATCH_MASTER_NODE": "10.0.0.4:6000",
    "AZUREML_NODE_COUNT": "2",
}
ONE_NODE = MPI | {"AZ_BATCH_MASTER_NODE": "", "AZ_BATCHAI_MPI_MASTER_NODE": "10.0.0.4", "AZUREML_NODE_COUNT": "1"}


@pytest.mark.parametrize(
    ("environment", "world"),
    [
        ({}, World()),
        (PYTORCH | {"WORLD_SIZE": "1", "RANK": "0"}, World()),
        (PYTORCH, World(4, 2, 0, None, "10.0.0.4", 6105)),
        (MPI, World(4, 3, 1, 2, "10.0.0.4", 6000)),
        (ONE_NODE, World(4, 3, 1, 1, "10.0.0.4", 29500)),
        (MPI | {"MASTER_ADDR": "10.0.0.9", "MASTER_PORT": "7000"}, World(4, 3, 1, 2, "10.0.0.9", 7000)),
    ],
)
def test_the_environment_tells_of_the_world(environment, world):
    assert distribution.world(environment) == world


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"RANK": "4"}, "RANK is 4, but WORLD_SIZE is 4: ranks go from 0 to 3"),
        ({"RANK": "one"}, "RANK has to be a whole number, not 'one'"),
        ({"WORLD_SIZE": ""}, "WORLD_SIZE has to be a whole number, not ''"),
        ({"AZUREML_NODE_COUNT": "3"}, "WORLD_SIZE is 4, but AZUREML_NODE_COUNT is 3"),
        ({"AZUREML_NODE_COUNT": "2", "WORLD_SIZE": "1"}, "WORLD_SIZE is 1, but AZUREML_NODE_COUNT is 2"),
        ({"MASTER_ADDR": ""}, "neither MASTER_ADDR nor AZ_BATCH_MASTER_NODE"),
        ({"MASTER_PORT": "x"}, "MASTER_PORT has to be a whole number, not 'x'"),
    ],
)
def test_figures_that_do_not_go_together_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        distribution.world(PYTORCH | change)


@pytest.mark.parametrize("environment", [{"AZUREML_NODE_COUNT": "2"}, {"TF_CONFIG": "{}", "AZUREML_NODE_COUNT": "1"}])
def test_nodes_that_are_not_told_of_each_other_are_refused(environment):
    """Each would train alone, and log and save as if it were the only one."""
    with pytest.raises(ValueError, match=r"distributed_job_config=PyTorchConfiguration\(node_count=…\)"):
        distribution.world(environment)
    assert distribution.world({"AZUREML_NODE_COUNT": "1"}) == World()


def test_the_backend_is_jax_where_several_processes_train(monkeypatch):
    environment = {}
    distribution.choose_backend(World(), environment)
    assert environment == {"KERAS_BACKEND": "tensorflow"}
    environment = {}
    distribution.choose_backend(World(size=2), environment)
    assert environment == {"KERAS_BACKEND": "jax"}
    with pytest.raises(ValueError, match="set KERAS_BACKEND=jax, not torch"):
        distribution.choose_backend(World(size=2), {"KERAS_BACKEND": "torch"})
    monkeypatch.setattr(distribution.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="install the package jax"):
        distribution.choose_backend(World(size=2), {})


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def meet_all(worlds, seconds):
    """What distribution.meet raised for each of the worlds, or None, all at once."""
    raised = [None] * len(worlds)

    def meet(number):
        try:
            distribution.meet(worlds[number], seconds)
        except ValueError as error:
            raised[number] = str(error)

    threads = [threading.Thread(target=meet, args=(number,)) for number in range(len(worlds))]
    for thread in reversed(threads):  # process 0 comes last
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return raised


def test_processes_meet(port):
    assert meet_all([World(3, rank, host="127.0.0.1", port=port) for rank in range(3)], 30) == [None] * 3
    distribution.meet(World(), 0)  # alone


def test_a_process_that_never_comes_is_named_to_all_that_came(port):
    raised = meet_all([World(4, rank, host="127.0.0.1", port=port) for rank in (0, 2)], 0.5)
    assert all("of 4 processes these did not come within 0.5 s: 1, 3" in error for error in raised)


def test_process_0_never_comes(port):
    (raised,) = meet_all([World(2, 1, host="127.0.0.1", port=port)], 0.3)
    assert f"process 0 was not to be met at 127.0.0.1:{port} within 0.3 s" in raised


@pytest.mark.parametrize(("rank", "size"), [(1, 3), (2, 2)])
def test_processes_that_were_told_otherwise_are_refused(port, rank, size):
    """One is told of another number of processes, or has the rank of another."""
    worlds = [World(3, 0, host="127.0.0.1", port=port), World(3, 1, host="127.0.0.1", port=port)]
    raised = meet_all([*worlds, World(size, rank, host="127.0.0.1", port=port)], 2)
    assert (
        raised[0]
        and f"process 0 was told of 3 processes, and met one that was told that it is process {rank}" in (raised[0])
    )


def test_a_port_in_use_is_refused(port):
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ValueError, match=f"port {port} .* is in use"):
        distribution.meet(World(2, 0, host="127.0.0.1", port=port), 1)


@pytest.mark.parametrize("says", [b"GET / HTTP/1.1\r\n\r\n", b""])
def test_whoever_else_connects_is_sent_away(port, says, monkeypatch):
    monkeypatch.setattr(distribution, "PATIENCE", 0.2)
    raised = []
    world = World(2, 0, host="127.0.0.1", port=port)
    first = threading.Thread(target=lambda: raised.extend(meet_all([world], 30)))
    first.start()
    stranger = connected(port)
    stranger.sendall(says)
    assert meet_all([world._replace(rank=1)], 30) == [None]
    first.join(60)
    assert raised == [None]
    stranger.close()


def connected(port):
    """A connection to the port, as soon as something listens there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on {port}"


def some_images(total):
    """Images (total, 4, 5), of which each pixel of one holds its number, and labels that are the numbers."""
    numbers = np.arange(total, dtype="u1")
    return np.broadcast_to(numbers[:, None, None], (total, 4, 5)), np.arange(total)


def labels_of(given, epoch):
    given.epoch = epoch
    return [given[step][1].tolist() for step in range(len(given))]


def test_each_epoch_has_every_image_once_in_an_order_of_its_own():
    given = batches.Batches(*some_images(25), batch_size=10, seed=3)
    assert len(given) == 3
    first, second = labels_of(given, 0), labels_of(given, 1)
    assert [len(labels) for labels in first] == [10, 10, 5]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(25))
    assert first != second
    assert labels_of(batches.Batches(*some_images(25), batch_size=10, seed=3), 1) == second
    assert labels_of(batches.Batches(*some_images(25), batch_size=10, seed=4), 1) != second
    images, labels = given[0]
    assert images.shape == (10, 20)
    assert images.dtype == "f4" and (images == labels[:, None].astype("f4") / 255).all()


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_out_each_batch(processes):
    """Disjoint, and together what one process has, but for the rest of 27 images, which is told."""
    whole = labels_of(batches.Batches(*some_images(27), batch_size=8, seed=3), 5)
    shares = [
        batches.Batches(*some_images(27), batch_size=8, seed=3, shares=processes, mine=World(processes, rank).mine)
        for rank in range(processes)
    ]
    parts = [labels_of(share, 5) for share in shares]
    together = [list(chain(*step)) for step in zip(*parts, strict=True)]
    assert [share.left_out for share in shares] == [3 % processes] * processes
    assert together[:3] == whole[:3]
    assert together[3:] == ([whole[3][: 3 - 3 % processes]] if processes == 2 else [])


def test_several_devices_of_a_process_get_their_shares_one_after_the_other():
    worlds = [World(2, rank, devices=2) for rank in range(2)]
    shares = [batches.Batches(*some_images(16), 8, 3, shares=world.shares, mine=world.mine) for world in worlds]
    whole = batches.Batches(*some_images(16), 8, 3)[0][1].tolist()
    assert shares[0][0][1].tolist() + shares[1][0][1].tolist() == whole


def test_an_epoch_of_more_data_has_each_image_moved_otherwise_and_cut_at_the_edge():
    image = np.arange(1, 13, dtype="u1").reshape(3, 4)
    padded = np.pad(image, 2)
    windows = {(2 - row, 2 - column): padded[row:, column:][:3, :4] for row in range(5) for column in range(5)}
    given = batches.Batches(np.repeat(image[None], 400, axis=0), np.arange(400), batch_size=400, seed=1, repeat=3)
    assert len(given) == 3
    passes = [np.rint(given[step][0].reshape(400, 3, 4) * 255) for step in range(3)]
    assert (passes[0] == image).all()
    shifts = [
        [next(shift for shift, window in windows.items() if (window == moved).all()) for moved in images]
        for images in passes[1:]
    ]
    assert set(shifts[0]) == set(shifts[1]) == set(windows)
    assert shifts[0] != shifts[1]


def test_the_part_of_the_validation_images_is_told_where_it_does_not_divide(capsys):
    images, labels = some_images(10)
    parts = [World(4, rank).part_of(images, labels) for rank in range(4)]
    assert [part.tolist() for _, part in parts] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert "2 of 10 validation images cannot be shared out" in capsys.readouterr().out


OWN_COPY = f"""
import sys
sys.path.append({str(Path(distribution.__file__).parent)!r})
import keras
import numpy as np
from distribution import World, own_copy

class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(3, activation="softmax")

    def call(self, images):
        return self.layer(images)

def build():
    model = kind()
    model(keras.KerasTensor((None, 4)))
    top = keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy", top])
    return model

def sequential():
    return keras.Sequential([keras.layers.Dense(3, activation="softmax")])

for kind, policy in ((Subclass, "float32"), (sequential, "mixed_float16")):
    keras.utils.clear_session()
    keras.config.set_dtype_policy(policy)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    model = build()
    images, labels = np.eye(4), np.array([0, 1, 2, 0])
    model.fit(images, labels, verbose=0)
    copy = own_copy(World(size=2), model, build)
    assert keras.distribution.distribution() is None
    for which in (model, copy):
        measured = which.evaluate(images, labels, verbose=0, return_dict=True)
        state = [np.asarray(variable).round(6).tolist() for variable in which.optimizer.variables]
        layers = [(layer.name, layer.compute_dtype) for layer in which.layers]
        print(layers, sorted(measured), state, round(measured["loss"], 5))
"""


def test_its_own_copy_of_a_model_is_what_was_trained_of_whatever_kind_it_is():
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    told = subprocess.check_output([sys.executable, "-c", OWN_COPY], env=environment, text=True)
    trained, copy, another, its_copy = told.splitlines()
    assert (copy, its_copy) == (trained, another) and "'top'" in trained and "'float16'" in another

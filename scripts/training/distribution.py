"""Several processes that train together: what each of them is told by Azure ML, and how they meet.

Each process computes the gradients of its part of a batch. JAX adds them up over the network, so that every process
makes the same step with the same weights. Process 0 alone logs and saves.
"""

import errno
import hashlib
import importlib.util
import os
import socket
import sys
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

import numpy as np

DEFAULT_PORT = 29500  # where the environment tells the first node and no port
AGAIN = 0.1  # seconds between two attempts to reach process 0
PATIENCE = 5  # seconds that a process may take to tell who it is; and, beyond the limit, to tell who did not come
GO = "go"


class World(NamedTuple):
    """The processes that train together: how many, which of them this one is, and where process 0 awaits the others.

    nodes: on how many machines they run, None where that is not told.
    devices: how many processors, such as GPUs, each process computes on.
    """

    size: int = 1
    rank: int = 0
    local_rank: int = 0
    nodes: int | None = None
    host: str = ""
    port: int = DEFAULT_PORT
    devices: int = 1

    @property
    def leads(self):
        """Whether this is the one process that logs and saves."""
        return self.rank == 0

    @property
    def shares(self):
        """How many equal shares a batch is cut into: one for each device of each process."""
        return self.size * self.devices

    @property
    def mine(self):
        """This process's shares among them."""
        return slice(self.rank * self.devices, (self.rank + 1) * self.devices)

    def part_of(self, *arrays):
        """This process's part of arrays that all processes hold; what cannot be shared out is left out, and told."""
        total = len(arrays[0])
        left_out = total % self.shares
        if left_out:
            print(f"{left_out} of {total} validation images cannot be shared out: left out")
        each = (total - left_out) // self.size
        return tuple(array[self.rank * each : (self.rank + 1) * each] for array in arrays)


def world(environment):
    """The World that `environment`, os.environ, tells of: one process where it tells of none.

    PyTorchConfiguration sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT. MpiConfiguration sets
    OMPI_COMM_WORLD_RANK, _SIZE and _LOCAL_RANK, and AZ_BATCH_MASTER_NODE, which is host:port; on a single node it is
    AZ_BATCHAI_MPI_MASTER_NODE, the host alone.
    Raises ValueError for figures that do not go together.
    """
    nodes = whole(environment, "AZUREML_NODE_COUNT") if "AZUREML_NODE_COUNT" in environment else None
    if "WORLD_SIZE" in environment:
        names = {"size": "WORLD_SIZE", "rank": "RANK", "local_rank": "LOCAL_RANK"}
    elif "OMPI_COMM_WORLD_SIZE" in environment:
        names = {name: f"OMPI_COMM_WORLD_{name.upper()}" for name in ("size", "rank", "local_rank")}
    elif "TF_CONFIG" in environment or (nodes or 1) > 1:
        raise ValueError(
            "the job has several processes, but sets neither WORLD_SIZE nor OMPI_COMM_WORLD_SIZE: give it "
            "distributed_job_config=PyTorchConfiguration(node_count=…). TensorFlow's strategy for several nodes, which "
            "TensorflowConfiguration is for, does not work with Keras 3"
        )
    else:
        return World()
    size = whole(environment, names["size"])
    if nodes and size % nodes:
        raise ValueError(
            f"{names['size']} is {size}, but AZUREML_NODE_COUNT is {nodes}: "
            "each node has to have the same number of processes"
        )
    if size == 1:
        return World()
    rank = whole(environment, names["rank"])
    if not 0 <= rank < size:
        raise ValueError(f"{names['rank']} is {rank}, but {names['size']} is {size}: ranks go from 0 to {size - 1}")
    host, port = meeting_place(environment)
    local_rank = whole(environment, names["local_rank"]) if names["local_rank"] in environment else 0
    return World(size, rank, local_rank, nodes, host, port)


def prepare(environment, batch_size):
    """The World that `environment` tells of, with the backend chosen that its processes need.

    Raises ValueError where they cannot train together, and where a batch cannot be shared out among them.
    """
    found = world(environment)
    choose_backend(found, environment)
    if batch_size % found.size:
        raise ValueError(f"--batch-size {batch_size} cannot be shared out among {found.size} processes")
    return found


def whole(environment, name):
    text = environment.get(name)
    try:
        return int(text)
    except (TypeError, ValueError):
        raise ValueError(f"the environment variable {name} has to be a whole number, not {text!r}") from None


def meeting_place(environment):
    host, _, port = environment.get("AZ_BATCH_MASTER_NODE", "").partition(":")
    host = environment.get("MASTER_ADDR") or host or environment.get("AZ_BATCHAI_MPI_MASTER_NODE")
    if not host:
        raise ValueError("several processes are to train, but neither MASTER_ADDR nor AZ_BATCH_MASTER_NODE is set")
    if "MASTER_PORT" in environment:
        return host, whole(environment, "MASTER_PORT")
    return host, int(port) if port.isdigit() else DEFAULT_PORT


def choose_backend(world, environment):
    """Set KERAS_BACKEND where it is not set. Raises ValueError where several processes cannot use it."""
    backend = environment.setdefault("KERAS_BACKEND", "jax" if world.size > 1 else "tensorflow")
    if world.size == 1:
        return
    if backend != "jax":
        raise ValueError(f"{world.size} processes train together on JAX alone: set KERAS_BACKEND=jax, not {backend}")
    if importlib.util.find_spec("jax") is None:
        raise ValueError(
            f"{world.size} processes train together on JAX: install the package jax, or jax[cuda12] for nodes with GPUs"
        )


def meet(world, seconds):
    """Wait until all processes are there.

    JAX would end each process with a dump of its stack when one never comes, and would share a port with another
    program without a word. So they first meet here: each tells process 0 its rank and the size of its world.
    Raises ValueError when the port is taken, when not all have come within `seconds`, or when they do not go together.
    """
    if world.size == 1:
        return
    deadline = time.monotonic() + seconds
    if world.rank > 0:
        report(world, deadline, seconds)
        return
    try:
        server = socket.create_server((world.host, world.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(
                f"port {world.port} of {world.host}, where the processes are to meet, is in use by another program: "
                "set MASTER_PORT to a free one"
            ) from error
        raise ValueError(f"the processes cannot meet at {world.host}:{world.port}: {error}") from error
    guests = []
    with server, ExitStack() as connections:
        problem = receive(world, server, connections, guests, deadline)
        came = {rank for rank, _ in guests}
        if not problem and len(came) < world.size - 1:
            missing = ", ".join(str(rank) for rank in range(1, world.size) if rank not in came)
            problem = f"of {world.size} processes these did not come within {seconds} s: {missing}. Look at their logs"
        for _, connection in guests:
            with suppress(OSError):
                connection.sendall((problem or GO).encode())
    if problem:
        raise ValueError(problem)


def receive(world, server, connections, guests, deadline):
    """Add each process that comes to `guests`: rank and connection. Returns what does not go together, or None."""
    while len(guests) < world.size - 1 and (left := deadline - time.monotonic()) > 0:
        server.settimeout(left)
        try:
            connection = connections.enter_context(server.accept()[0])
            connection.settimeout(min(left, PATIENCE))  # whoever belongs to us tells at once
            rank, size = map(int, connection.recv(64).split())
        except (OSError, ValueError):  # nobody came, or somebody who does not belong to us
            continue
        known = [rank for rank, _ in guests]
        guests.append((rank, connection))
        if rank in known or size != world.size:
            return (
                f"process 0 was told of {world.size} processes, and met one that was told that it is process {rank} "
                f"of {size}" + (", the second of this rank" if rank in known else "")
            )
    return None


def report(world, deadline, seconds):
    """Tell process 0 that this one is there, and wait for its word."""
    answer = ""
    while not answer:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ValueError(
                f"process 0 was not to be met at {world.host}:{world.port} within {seconds} s. Look at its log, and "
                "whether a firewall is between the nodes"
            )
        try:
            with socket.create_connection((world.host, world.port), left) as connection:
                connection.settimeout(left + PATIENCE)
                connection.sendall(f"{world.rank} {world.size}".encode())
                answer = connection.recv(1000).decode()
        except OSError:
            pass  # it is not there yet, or does not answer
        if not answer:
            time.sleep(AGAIN)
    if answer != GO:
        raise ValueError(answer)


def distribute(world, seconds):
    """Have Keras share out what it computes among the devices of all processes, which have met before.

    Returns the World with the number of devices. One process alone is left as it is, but for one on JAX that has
    several devices.
    """
    import keras

    if keras.backend.backend() != "jax":
        return world
    import jax

    if world.size > 1:
        several_on_a_node = world.local_rank > 0 or (world.nodes is not None and world.size > world.nodes)
        jax.distributed.initialize(
            f"{world.host}:{world.port}",
            world.size,
            world.rank,
            local_device_ids=[world.local_rank] if several_on_a_node else None,  # then each has one of the node's GPUs
            coordinator_bind_address=f"{world.host}:{world.port}",
            cluster_detection_method="deactivate",
            initialization_timeout=seconds,
        )
    world = world._replace(devices=jax.local_device_count())
    if world.shares > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return world


@contextmanager
def together(world, seconds, batch_size):
    """Yields the World with its devices, among which Keras shares out what is computed within.

    Exits where a batch cannot be shared out among them. Where one of several processes fails within, it ends at once.
    """
    with ending_at_once(world):
        world = distribute(world, seconds)
        if batch_size % world.shares:  # known only now, when each process has several devices
            sys.exit(f"--batch-size {batch_size} cannot be shared out among {world.shares} devices")
        yield world


def tell_shares(world, batches, rate):
    """Print how the Batches are shared out, where they are, and at which learning rate."""
    if world.shares > 1:
        print(
            f"Each step trains on {batches.batch_size} images, {batches.batch_size // world.shares} on each of "
            f"{world.shares} devices, at the learning rate {rate:g}"
        )
    if batches.left_out:
        print(f"Training images that are left out of each pass, different ones each time: {batches.left_out}")


def tell_weights(world, model):
    """Print a short hash of the model's weights, where others train with this process: all end with the same ones."""
    if world.size == 1:
        return
    weights = hashlib.sha256()
    for array in model.get_weights():
        weights.update(np.ascontiguousarray(array))
    print(f"Process {world.rank} of {world.size} ends with the weights {weights.hexdigest()[:16]}")


@contextmanager
def ending_at_once(world):
    """End the process at once where what is inside raises, if others train with it.

    JAX would have it wait at its end for the others, and they wait for its part of the step.
    """
    try:
        yield
    except BaseException as error:
        if world.size > 1:
            if isinstance(error, SystemExit):
                print(error.code, file=sys.stderr)
            else:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        raise


def own_copy(world, model, build):
    """The trained model, its optimizer included, as this process can use it without the others.

    It is a new one of `build`, which has made the trained one.
    """
    import keras

    if world.shares == 1:
        return model
    policy = keras.config.dtype_policy()  # which network.py may have set as it was imported
    keras.utils.clear_session(free_memory=False)  # of the distribution, and of the names that its layers have taken
    keras.config.set_dtype_policy(policy)
    copy = build()
    copy.set_weights(model.get_weights())
    copy.optimizer.build(copy.trainable_variables)
    for theirs, ours in zip(model.optimizer.variables, copy.optimizer.variables, strict=True):
        ours.assign(np.asarray(theirs))
    return copy

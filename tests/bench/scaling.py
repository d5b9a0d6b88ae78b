"""What several nodes would bring for the article's network.

Measures the step of one process and of two on this machine, each on a core of its own, fits a model of three parts to
it, and prints what the model says of more nodes: an estimate, as good as its assumption that a node computes as one
core does here.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from helpers import costs
from helpers.offline.engine.jobs.ranks import free_ports

STEPS = Path(__file__).with_name("steps.py")
BATCHES = (50, 200, 800)
TURNS = 3
WEIGHTS = 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
GRADIENT = 4 * WEIGHTS  # bytes
LINK = 8e9 / 8  # bytes a second: the network bandwidth that Azure tells of VM_SIZE
VM_SIZE = "Standard_NC4as_T4_v3"
IMAGES, EPOCHS = 60_000, 20


def measure(processes: int) -> list[float]:
    """Seconds of a step for each of BATCHES, of so many processes together."""
    (port,) = free_ports(1)
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    started = [
        subprocess.Popen(
            [sys.executable, str(STEPS), *map(str, BATCHES)],
            env=os.environ | {"KERAS_BACKEND": "jax", "RANK": str(rank)} | together,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    ended = [process.communicate() for process in started]
    if any(process.returncode for process in started):
        sys.exit(f"{STEPS} failed:\n" + "".join(errors for _, errors in ended))
    return [float(line) for line in ended[0][0].splitlines() if line[0].isdigit()]


def fit(alone: list[float], together: list[float]) -> tuple[float, float, float]:
    """Seconds of a step whatever its size, of an image, and of the exchange between two, by least squares."""
    rows = [[1, batch, 0] for batch in BATCHES] + [[1, batch / 2, 1] for batch in BATCHES]
    measured = np.array([*alone, *together])
    rows = np.array(rows, float) / measured[:, None]  # each relative to itself: the short steps count as much
    found = np.linalg.lstsq(rows, np.ones(len(measured)), rcond=None)[0]
    return tuple(np.maximum(found, 0.0))


def bench_nodes() -> list[tuple]:
    """Print what was measured, and what the model says of more nodes. There is no bar."""
    turns = [(measure(1), measure(2)) for _ in range(TURNS)]
    alone, together = (
        [statistics.median(turn[which][batch] for turn in turns) for batch in range(len(BATCHES))] for which in (0, 1)
    )
    fixed, image, exchange = fit(alone, together)
    print(f"  {'images a step':>13} {'one process':>14} {'two':>12} {'two, fitted':>12}")
    for batch, one, two in zip(BATCHES, alone, together, strict=True):
        fitted = fixed + image * batch / 2 + exchange
        print(f"  {batch:13} {one * 1e3:11.2f} ms {two * 1e3:9.2f} ms {fitted * 1e3:9.2f} ms")
    print(f"  fitted: {fixed * 1e3:.2f} ms a step, {image * 1e6:.2f} µs an image, {exchange * 1e3:.2f} ms the exchange")
    print(f"  the gradient is {GRADIENT / 1e6:.2f} MB: over 8 Gbit/s it takes {GRADIENT / LINK * 1e3:.2f} ms")
    show_plan(fixed, image, exchange)
    return []


def show_plan(fixed: float, image: float, exchange: float) -> None:
    """What the model says: seconds of the training and dollars for the nodes while they train.

    All nodes sum their gradients in a ring, over which each sends 2 (n - 1) / n of its gradient.
    """
    dollars, when = costs.price(VM_SIZE)
    print(f"  {EPOCHS} epochs of {IMAGES:,} images by this model; dollars: {VM_SIZE}, {when}, without starting it")
    print(f"  {'images a step':>13} {'nodes':>6} {'seconds':>9} {'times as fast':>14} {'dollars':>8}")
    for batch in (50, 800, 6400):
        for nodes in (1, 2, 4, 8):
            step = fixed + image * batch / nodes
            if nodes > 1:
                step += exchange + 2 * (nodes - 1) / nodes * GRADIENT / LINK
            seconds = step * IMAGES / batch * EPOCHS
            if nodes == 1:
                alone = seconds
            cost = seconds / 3600 * nodes * dollars
            print(f"  {batch:13} {nodes:6} {seconds:9.1f} {alone / seconds:14.2f} {cost:8.4f}", flush=True)

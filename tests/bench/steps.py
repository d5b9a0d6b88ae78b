"""One of the processes that train together: python tests/bench/steps.py BATCH_SIZE …

Each has a core of its own. Process 0 prints the seconds of a step for each batch size, on images drawn at random.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import distribution
import numpy as np
from batches import Batches
from quiet import quietly

IMAGES, SECONDS = 20_000, 300


def main(batch_sizes: list[int]) -> None:
    world = distribution.world(os.environ)
    if hasattr(os, "sched_setaffinity"):  # Linux alone: a core each, that two do not share what one has to itself
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[world.rank % len(cores)]})
    distribution.choose_backend(world, os.environ)
    distribution.meet(world, SECONDS)
    with quietly():
        import fast_epochs
        import keras
        import network
    world = distribution.distribute(world, SECONDS)
    keras.utils.set_random_seed(0)
    model = network.build(784, 300, 100, 0.001)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES, 28, 28), "u1")
    labels = random.integers(0, 10, IMAGES, "u1")
    with fast_epochs.settings(model, steps_per_execution=100):
        for batch_size in batch_sizes:
            given = Batches(images, labels, batch_size, seed=0, shares=world.shares, mine=world.mine)
            model.fit(fast_epochs.Steps(given), verbose=0)  # compiles
            began = time.perf_counter()
            model.fit(fast_epochs.Steps(given), verbose=0)
            if world.leads:
                print((time.perf_counter() - began) / len(given), flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])

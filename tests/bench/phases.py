"""Runs the training script with a clock on each of its parts: python tests/bench/phases.py OUTPUT.json ARGUMENTS …

OUTPUT.json gets the seconds of each part without the parts that it calls, the seconds of the steps of each epoch, and
the peak of memory in bytes.
"""

import functools
import itertools
import json
import resource
import sys
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import checkpoint
import dataset
import keras_mnist
import outputs
import tracking

STEPS = "steps"
seconds, ends = {}, [0.0]  # of each part; of the steps until the end of each epoch
began, within = [], [0.0]  # of the parts that go on now: when each began, and the seconds of the parts that it called


@contextmanager
def timed(part):
    """Add the time that is spent within to a part."""
    began.append(time.perf_counter())
    within.append(0.0)
    try:
        yield
    finally:
        spent = time.perf_counter() - began.pop()
        seconds[part] = seconds.get(part, 0.0) + spent - within.pop()
        within[-1] += spent


def clock(place, name, part):
    """Add the time that place.name takes to a part."""
    function = getattr(place, name)

    @functools.wraps(function)
    def clocked(*arguments, **options):
        with timed(part):
            return function(*arguments, **options)

    setattr(place, name, clocked)


@contextmanager
def quietly_and_timed(quietly=keras_mnist.quietly):
    """Where the script imports Keras: from then on its parts have a clock, too."""
    with timed("import of Keras and its backend"), quietly():
        yield
        import keras
        import network
    clock(network, "build", "building the network")
    clock(keras.Model, "fit", STEPS)
    clock(keras.Model, "evaluate", "validation and test")


def note_epoch(*arguments):
    ends.append(time.perf_counter() - began[-1] - within[-1])
    clocked_write(*arguments)


keras_mnist.quietly = quietly_and_timed
clock(dataset.mnist, "load", "reading")
clock(dataset, "load", "splitting")
clock(dataset, "flat", "scaling")
clock(tracking, "log", "logging")
clock(tracking, "log_figure", "plotting")
clock(checkpoint, "write", "checkpoints")
clock(outputs, "save", "saving the model")
clock(outputs, "curve", "plotting")
clocked_write = checkpoint.write
checkpoint.write = note_epoch
output = Path(sys.argv.pop(1))
keras_mnist.main()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
epochs = [end - start for start, end in itertools.pairwise(ends)]
output.write_text(json.dumps({"seconds": seconds, "epochs": epochs, "peak_bytes": peak}))

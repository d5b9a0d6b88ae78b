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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import checkpoint
import keras_mnist

STEPS = "steps"
seconds, ends = {}, [0.0]  # of each part; of the steps until the end of each epoch
began, within = [], [0.0]  # of the parts that go on now: when each began, and the seconds of the parts that it called


def clock(place, name, part):
    """Add the time that place.name takes to a part."""
    function = getattr(place, name)

    @functools.wraps(function)
    def clocked(*arguments, **options):
        began.append(time.perf_counter())
        within.append(0.0)
        try:
            return function(*arguments, **options)
        finally:
            spent = time.perf_counter() - began.pop()
            seconds[part] = seconds.get(part, 0.0) + spent - within.pop()
            within[-1] += spent

    setattr(place, name, clocked)


def import_and_clock(import_keras=keras_mnist.import_keras):
    keras = import_keras()
    clock(keras.Model, "fit", STEPS)
    clock(keras.Model, "evaluate", "validation and test")
    return keras


def note_epoch(*arguments):
    ends.append(time.perf_counter() - began[-1] - within[-1])
    clocked_write(*arguments)


keras_mnist.import_keras = import_and_clock
clock(keras_mnist, "import_keras", "import of Keras and its backend")
clock(keras_mnist.mnist, "load", "reading")
clock(keras_mnist, "prepare", "splitting")
clock(keras_mnist, "flat", "scaling")
clock(keras_mnist, "build", "building the network")
clock(keras_mnist.NoRun, "log", "logging")
clock(checkpoint, "write", "checkpoints")
clock(keras_mnist, "save", "saving the model")
clock(keras_mnist, "plot", "plotting")
clocked_write = checkpoint.write
checkpoint.write = note_epoch
output = Path(sys.argv.pop(1))
keras_mnist.main()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
epochs = [end - start for start, end in itertools.pairwise(ends)]
output.write_text(json.dumps({"seconds": seconds, "epochs": epochs, "peak_bytes": peak}))

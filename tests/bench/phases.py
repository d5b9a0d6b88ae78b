"""Runs the training script with a clock on each of its parts: python tests/bench/phases.py OUTPUT.json ARGUMENTS …

OUTPUT.json gets the seconds of each part, and the peak of memory in bytes.
"""

import functools
import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import checkpoint
import keras_mnist

seconds = {}


def clock(place, name, part):
    """Add the time that place.name takes to a part."""
    function = getattr(place, name)

    @functools.wraps(function)
    def clocked(*arguments, **options):
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - began

    setattr(place, name, clocked)


def import_and_clock(import_keras=keras_mnist.import_keras):
    began = time.perf_counter()
    keras = import_keras()
    seconds["import of Keras and its backend"] = time.perf_counter() - began
    clock(keras.Model, "fit", "fit")
    clock(keras.Model, "evaluate", "validation and test")
    return keras


keras_mnist.import_keras = import_and_clock
clock(keras_mnist.mnist, "load", "reading")
clock(keras_mnist, "prepare", "scaling")
clock(keras_mnist.NoRun, "log", "logging")
clock(checkpoint, "write", "checkpoints")
clock(keras_mnist, "save", "saving the model")
clock(keras_mnist, "plot", "plotting")
output = Path(sys.argv.pop(1))
keras_mnist.main()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
output.write_text(json.dumps({"seconds": seconds, "peak_bytes": peak}))

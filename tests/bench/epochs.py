"""Runs a Keras script an epoch at a time: python tests/bench/epochs.py SCRIPT ARGUMENTS …

After the first epoch, in which all is compiled, it says that it is ready. Then it trains for an epoch for each line
that it reads, and prints its seconds, with the validation and whatever else the script does at its end. What the
script itself prints goes to stderr.
"""

import os
import runpy
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
from quiet import quietly

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with quietly():
    import keras

told = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
fit = keras.Model.fit


class Turns(keras.callbacks.Callback):
    """Epochs that await their turn; the last of the callbacks, since its time is to have that of the others in it."""

    began = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.began and not sys.stdin.readline():
            sys.exit()
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        print(time.perf_counter() - self.began if epoch else "ready", file=told)


def fit_in_turns(model, *arguments, callbacks=(), **options):
    return fit(model, *arguments, callbacks=[*callbacks, Turns()], **options)


keras.Model.fit = fit_in_turns
del sys.argv[0]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")

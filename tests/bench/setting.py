"""Trains the article's network with one choice of Keras's settings, and prints a line at the end of each epoch.

python tests/bench/setting.py DATA_FOLDER EPOCHS arrays|batches|loop|tuned STEPS_PER_EXECUTION auto|true
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import dataset
from batches import Batches
from quiet import quietly

data_folder, epochs, given, steps, compiled = sys.argv[1:]
(images, labels), _, _ = dataset.load(data_folder, 0, seed=1)
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with quietly():
    import fast_epochs
    import keras
    import network
keras.utils.set_random_seed(1)
model = network.build(784, 300, 100, 0.001)
settings = {"epochs": int(epochs), "shuffle": given == "arrays", "verbose": 0}
settings["callbacks"] = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("Epoch", flush=True))]
flat, _ = dataset.flat((images, labels))
in_order = Batches(images, labels, 50, seed=1)
looping = nullcontext()
if given == "arrays":
    training = {"x": flat, "y": labels, "batch_size": 50}
elif given == "batches":  # the same ones, each given by itself
    training = {"x": fast_epochs.Steps(in_order)}
else:
    if given == "tuned":
        fast_epochs.untuned = lambda dataset: dataset
    training = {"x": fast_epochs.chunks(in_order)}
    looping = fast_epochs.step_by_step(model, in_order)
changes = {"steps_per_execution": int(steps)} | ({"jit_compile": True} if compiled == "true" else {})
with fast_epochs.settings(model, **changes):
    if given in ("loop", "tuned"):
        model.evaluate(flat[:1000], labels[:1000], batch_size=1000, verbose=0)
    with looping:
        model.fit(**training, **settings)

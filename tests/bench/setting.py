"""Trains the article's network with one choice of Keras's settings, and prints a line at the end of each epoch.

python tests/bench/setting.py DATA_FOLDER EPOCHS arrays|batches|loop|tuned STEPS_PER_EXECUTION auto|true
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "training"))
import batches
import keras_mnist

data_folder, epochs, given, steps, compiled = sys.argv[1:]
data = keras_mnist.mnist.load(data_folder)
images, labels = data.train_images, data.train_labels
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
keras = keras_mnist.import_keras()
keras.utils.set_random_seed(1)
model = keras_mnist.build(784, 300, 100)
model.compile(
    keras.optimizers.RMSprop(0.001),
    steps_per_execution=int(steps),
    jit_compile=True if compiled == "true" else "auto",
    **keras_mnist.LOSS,
)
settings = {"epochs": int(epochs), "shuffle": given == "arrays", "verbose": 0}
settings["callbacks"] = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("Epoch", flush=True))]
flat, _ = keras_mnist.flat((images, labels))
looping = nullcontext()
if given == "arrays":
    training = {"x": flat, "y": labels, "batch_size": 50}
elif given == "batches":  # the same ones, each given by itself
    training = {"x": batches.Batches(images, labels, 50, seed=1).one_by_one()}
else:
    model.evaluate(flat[:1000], labels[:1000], batch_size=1000, verbose=0)
    if given == "tuned":
        batches.untuned = lambda dataset: dataset
    in_order = batches.Batches(images, labels, 50, seed=1)
    training = {"x": in_order.for_keras()}
    looping = batches.step_by_step(model, in_order)
with looping:
    model.fit(**training, **settings)

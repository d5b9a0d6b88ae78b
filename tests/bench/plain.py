"""The article's network as it is written without a thought for speed: what keras_mnist.py is compared with.

python tests/bench/plain.py DATA_FOLDER OUTPUT_FOLDER EPOCHS SEED
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

sys.path.append(str(Path(__file__).resolve().parents[2] / "helpers"))
import mnist

data_folder, output_folder, epochs, seed = sys.argv[1:]
data = mnist.load(data_folder)
train_images = data.train_images.reshape(-1, 784).astype("float32") / 255
test_images = data.test_images.reshape(-1, 784).astype("float32") / 255

keras.utils.set_random_seed(int(seed))
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(300, activation="relu"),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.RMSprop(0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    train_images,
    data.train_labels,
    batch_size=50,
    epochs=int(epochs),
    validation_data=(test_images, data.test_labels),
    callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("Epoch", flush=True))],
    verbose=0,
)
loss, accuracy = model.evaluate(test_images, data.test_labels, verbose=0)
print(f"Final test loss {loss:.4f}, final test accuracy {accuracy:.4f}", flush=True)
Path(output_folder).mkdir(parents=True, exist_ok=True)
model.save(Path(output_folder) / "model.keras")

"""Train the article's network on MNIST with what the article used: Keras 2.3.1 on TensorFlow 2.0 and Python 3.7.

As in the article, all training images are trained on, and the test images validate.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported

import keras
import matplotlib
import mnist  # it is put beside this script when the job is submitted
import numpy as np
import tensorflow
from azureml.core import Run
from keras.layers import Dense

matplotlib.use("Agg")
from matplotlib import pyplot


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-folder", required=True, help="holds the four MNIST files, anywhere below it")
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--first-layer-neurons", type=int, default=300)
    parser.add_argument("--second-layer-neurons", type=int, default=100)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()

    data = mnist.load(args.data_folder)
    train_images, test_images = scale(data.train_images), scale(data.test_images)
    train_labels, test_labels = one_hot(data.train_labels), one_hot(data.test_labels)
    print("Keras", keras.__version__, "on TensorFlow", tensorflow.__version__)

    np.random.seed(args.seed)
    tensorflow.random.set_seed(args.seed)
    model = keras.Sequential(
        [
            Dense(args.first_layer_neurons, activation="relu", input_shape=train_images.shape[1:]),
            Dense(args.second_layer_neurons, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.RMSprop(learning_rate=args.learning_rate)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])

    run = Run.get_context()
    history = model.fit(
        train_images,
        train_labels,
        batch_size=args.batch_size,
        epochs=args.epochs,
        validation_data=(test_images, test_labels),
        callbacks=[LogToRun(run)],
        verbose=0,
    ).history
    loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    print(f"Final test loss {loss:.4f}, final test accuracy {accuracy:.4f}")
    run.log("Final test loss", float(loss))
    run.log("Final test accuracy", float(accuracy))
    run.log_image("Accuracy vs Loss", plot=plot(history))
    save(model, Path("outputs/model"))
    run.flush()  # without it a job can end before its last metrics are sent


def scale(images):
    return images.reshape(len(images), -1) / np.float32(255)


def one_hot(labels):
    return np.eye(10, dtype="float32")[labels]


class LogToRun(keras.callbacks.Callback):
    """Logs the figures of each epoch to the run, under the names that keras_mnist.py gives them."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        figures = {
            "Loss": logs["val_loss"],
            "Accuracy": logs["val_accuracy"],
            "Training loss": logs["loss"],
            "Training accuracy": logs["accuracy"],
        }
        for name, value in figures.items():
            self.run.log(name, float(value))
        seconds = time.perf_counter() - self.start
        told = ", ".join(f"{name.lower()} {value:.4f}" for name, value in figures.items())
        print(f"Epoch {epoch + 1}: {told}, {seconds:.1f} s", flush=True)


def plot(history):
    """Draw the loss and the accuracy of validation over the epochs; pyplot, as log_image takes it."""
    epochs = range(1, len(history["val_loss"]) + 1)
    pyplot.figure(figsize=(6, 3))
    pyplot.title("Accuracy vs Loss")
    pyplot.plot(epochs, history["val_accuracy"], "-g", label="Accuracy")
    pyplot.plot(epochs, history["val_loss"], "-b", label="Loss")
    pyplot.xlabel("epoch")
    pyplot.legend()
    return pyplot


def save(model, folder):
    """Write the network as model.json and its weights as model.h5, as the article's sample does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(model.to_json())
    model.save_weights(str(folder / "model.h5"))


if __name__ == "__main__":
    main()

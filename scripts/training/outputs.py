"""What is left of a training: the model, its record, and the curve of its epochs."""

import hashlib
import importlib
import json
import platform

import arguments
import numpy as np


def save(model, history, final, args):
    """Write model/model.keras and model/training.json, each under its name only once it is complete.

    The JSON holds hyperparameters, metrics, versions and the SHA-256 of the model file. It comes last, so
    that its hash tells whether the two belong together.
    """
    folder = args.output_folder / "model"
    partial_model = args.output_folder / "partial.keras"
    partial_record = args.output_folder / "partial.json"
    model.save(partial_model)
    record = {
        "model_file": "model.keras",
        "sha256": hashlib.sha256(partial_model.read_bytes()).hexdigest(),
        "hyperparameters": {**arguments.of_training(args), "epochs": args.epochs},
        "metrics": {
            "Loss": history["val_loss"][-1],
            "Accuracy": history["val_accuracy"][-1],
            "Final test loss": final["loss"],
            "Final test accuracy": final["accuracy"],
        },
        "versions": versions(),
    }
    partial_record.write_text(json.dumps(record, indent=2) + "\n")
    partial_model.replace(folder / "model.keras")
    partial_record.replace(folder / "training.json")


def versions():
    """What the figures depend on: Python, Keras, its backend and NumPy."""
    import keras

    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: importlib.import_module(backend).__version__,
        "numpy": np.__version__,
    }


def computed_with(model):
    """The versions, and what the model computes on: TensorFlow's and PyTorch's name for it, JAX's for all devices."""
    import keras

    if keras.backend.backend() == "jax":
        device = " ".join(keras.distribution.list_devices())
    else:
        device = str(model.weights[0].value.device).rpartition("device:")[2]
    return ", ".join(f"{name} {version}" for name, version in versions().items()) + f", on {device}"


def curve(history):
    """A matplotlib figure of accuracy and loss over the epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ["accuracy", "loss"], strict=True):
        steps = range(1, len(history[name]) + 1)
        axes.plot(steps, history[f"val_{name}"], marker=".", label="validation")
        axes.plot(steps, history[name], marker=".", label="training")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    figure.suptitle("Accuracy vs Loss")
    return figure

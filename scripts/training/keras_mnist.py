"""Train a network of two hidden layers on MNIST with Keras, as an Azure ML job or by hand.

By hand, from the repository:  python scripts/training/keras_mnist.py --data-folder data/mnist

The environment variable KERAS_BACKEND selects what Keras computes with: tensorflow (default), jax or torch.
Where Azure ML starts several processes, on one node or many, they train together on jax: see distribution.py.
"""

import argparse
import hashlib
import importlib
import json
import math
import os
import platform
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import checkpoint
import distribution
import numpy as np
from batches import Batches, at_once, scale, step_by_step

try:
    import mnist  # it is put beside this script when the job is submitted
except ModuleNotFoundError:
    sys.path.append(str(Path(__file__).resolve().parents[2] / "helpers"))
    import mnist

LOSS = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
EVALUATION_BATCH = 1000  # bears on speed alone
ARTICLE_BATCH = 50
GROWTH = {"constant": 0.0, "sqrt": 0.5, "linear": 1.0}  # of the learning rate: the power of the batch size


def main():
    sys.stdout.reconfigure(line_buffering=True)  # a line is in the streamed log as soon as it is printed
    parser = argument_parser()
    args = parser.parse_args()
    try:
        world = distribution.world(os.environ)
        distribution.choose_backend(world, os.environ)
        if args.batch_size % world.size:
            raise ValueError(f"--batch-size {args.batch_size} cannot be shared out among {world.size} processes")
        training, validation, test = prepare(mnist.load(args.data_folder), args.validation_split, args.seed)
        resumed = checkpoint.read(args.resume_from, args) if args.resume_from else None
        (args.output_folder / "model").mkdir(parents=True, exist_ok=True)
        distribution.meet(world, args.join_seconds)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    for name, (_, labels) in {"Training": training, "Validation": validation, "Test": test}.items():
        print(f"{name} set: {len(labels):,} images")

    keras = import_keras()  # takes seconds, so it comes after all that can be refused at once
    with distribution.ending_at_once(world):
        world = distribution.distribute(world, args.join_seconds)
        if args.batch_size % world.shares:  # known only now, when each process has several devices
            sys.exit(f"--batch-size {args.batch_size} cannot be shared out among {world.shares} devices")
        keras.utils.set_random_seed(args.seed)
        run_training(training, validation, test, args, world, resumed)


def run_training(training, validation, test, args, world, resumed):
    """Train, evaluate and save; process 0 alone does more than to train."""
    model = build(training[0][0].size, args.first_layer_neurons, args.second_layer_neurons)
    # The device is told since a GPU that is not found is no error to Keras.
    print(", ".join(f"{name} {version}" for name, version in versions().items()) + f", on {device(model)}")
    run = current_run(args.output_folder) if world.leads else NoRun(args.output_folder)
    try:
        history = train(model, training, validation, args, run, world, resumed)
        if world.size > 1:
            print(f"Process {world.rank} of {world.size} ends with the weights {digest(model)}")
        if not world.leads:
            return
        if world.shares > 1:
            model = distribution.own_copy(model)
        final = model.evaluate(*flat(test), batch_size=EVALUATION_BATCH, verbose=0, return_dict=True)
        print(f"Final test loss {final['loss']:.4f}, final test accuracy {final['accuracy']:.4f}")
        run.log("Final test loss", final["loss"])
        run.log("Final test accuracy", final["accuracy"])
        save(model, history, final, args)
        run.log_image("Accuracy vs Loss", plot=plot(history))
    finally:
        run.flush()  # without it a job can end before its last metrics are sent


def argument_parser():
    parser = argparse.ArgumentParser(
        description="Train a network of two hidden layers on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    count = number(int, "a whole number above 0", lambda value: value > 0)
    rate = number(float, "a number above 0", lambda value: 0 < value < math.inf)
    share = number(float, "a number from 0 to below 1", lambda value: 0 <= value < 1)
    seed = number(int, "a whole number from 0 to 4294967295", lambda value: 0 <= value < 2**32)
    add = parser.add_argument
    add("--data-folder", type=Path, required=True, help="holds the four MNIST files, anywhere below it")
    add("--output-folder", type=Path, default=Path("outputs"), help="gets model/ and checkpoints/")
    add("--batch-size", type=count, default=ARTICLE_BATCH, help="images per step, of all processes together")
    add("--first-layer-neurons", type=count, default=300, help="width of the first hidden layer")
    add("--second-layer-neurons", type=count, default=100, help="width of the second hidden layer")
    add("--learning-rate", type=rate, default=0.001, help="of RMSprop")
    add(
        "--learning-rate-rule",
        choices=GROWTH,
        default="constant",
        help=f"how the learning rate grows with a --batch-size above {ARTICLE_BATCH}, as more processes allow it: "
        "not at all, with its square root, or as it does",
    )
    add("--epochs", type=count, default=20, help="passes over the training set")
    add(
        "--dataset-repeat",
        type=count,
        default=1,
        metavar="K",
        help="train on K times the images in each epoch: as they are, and K-1 times moved by up to two pixels",
    )
    add("--resume-from", type=Path, help="go on from the checkpoint in this folder, or this file")
    add("--join-seconds", type=count, default=300, help="how long processes wait for each other at the start")
    add("--seed", type=seed, default=42, help="of the weights, the split and the order of the images")
    add(
        "--validation-split",
        type=share,
        default=0.1,
        help="share of the training images to validate on. Whoever chooses a model by its validation figures "
        "fits it a little to them, so the test images stay out of it until the end. 0 is the article's way: "
        "all training images are trained on, and the test images validate",
    )
    return parser


def number(convert, wanted, is_right):
    """An argparse type: `convert` the text, and refuse what is not `wanted`, which `is_right` decides."""

    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = math.nan
        if not is_right(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return value

    return parse


def prepare(data, validation_split, seed):
    """Training, validation and test set, each a pair: images (n, 28, 28), uint8, and labels (n,).

    Raises ValueError if the split leaves one of them empty.
    """
    test = data.test_images, data.test_labels
    if validation_split == 0:
        return (data.train_images, data.train_labels), test, test
    total = len(data.train_images)
    held_out = round(validation_split * total)
    if not 0 < held_out < total:
        raise ValueError(f"--validation-split {validation_split} of {total} images leaves one part empty")
    order = np.random.default_rng(seed).permutation(total)
    parts = order[held_out:], order[:held_out]
    training, validation = ((data.train_images[part], data.train_labels[part]) for part in parts)
    return training, validation, test


def flat(pair):
    """Images as the network takes them, (n, pixels) and scaled, and their labels."""
    images, labels = pair
    return scale(images.reshape(len(images), -1)), labels


def import_keras():
    """Import Keras and its backend, without the notes that TensorFlow writes to stderr while it loads.

    TF_CPP_MIN_LOG_LEVEL should hide those but does not (tensorflow issue 100442). They are shown if the import
    fails, and if that variable is 0.
    """
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        # Keras on another backend imports it, too, where it is installed, and only to ask for the types of things.
        sys.modules.setdefault("tensorflow", None)
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        return importlib.import_module("keras")
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            return importlib.import_module("keras")
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def build(pixels, first_layer_neurons, second_layer_neurons):
    """The article's network, not yet compiled."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((pixels,)),
            layers.Dense(first_layer_neurons, activation="relu"),
            layers.Dense(second_layer_neurons, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


class NoRun:
    """Takes the run's place when the script is run by hand; all that is logged is printed anyway."""

    def __init__(self, folder):
        self.folder = folder

    def log(self, name, value, step=None):
        pass

    def log_image(self, name, plot):
        plot.savefig(self.folder / f"{name}.png")

    def flush(self):
        pass


def current_run(folder):
    """The run of the Azure ML job that this process is, or else a NoRun."""
    try:
        from azureml.core import Run
        from azureml.exceptions import RunEnvironmentException
    except ModuleNotFoundError:
        return NoRun(folder)
    try:
        # The run that the SDK gives otherwise outside a job knows no steps.
        return Run.get_context(allow_offline=False)
    except RunEnvironmentException:
        return NoRun(folder)


def train(model, training, validation, args, run, world, resumed):
    """Fit the model, logging to the run and writing a checkpoint after each epoch.

    resumed: the Checkpoint to go on from, or None. Returns Keras's history: a list for each figure.
    Exits with code 1 when the loss is no number any more, and for a checkpoint of another network.
    """
    import keras

    batches = Batches(
        *training, args.batch_size, args.seed, repeat=args.dataset_repeat, shares=world.shares, mine=world.mine
    )
    rate = learning_rate(args)
    if world.shares > 1:
        print(
            f"Each step trains on {args.batch_size} images, {args.batch_size // world.shares} on each of "
            f"{world.shares} devices, at the learning rate {rate:g}"
        )
    if batches.left_out:
        print(
            f"{batches.left_out} training images cannot be shared out: each pass leaves out as many, others each time"
        )
    backend = keras.backend.backend()
    # Steps this small would wait for Python. docs/performance.md has what each of these settings saves.
    model.compile(
        keras.optimizers.RMSprop(rate),
        steps_per_execution=100 if backend == "jax" else 1,  # PyTorch takes 1 alone, step_by_step needs no more
        jit_compile=True if backend == "tensorflow" else "auto",
        **LOSS,
    )
    history = {}
    if resumed:
        try:
            checkpoint.restore(resumed, model)
        except ValueError as error:
            sys.exit(f"--resume-from {args.resume_from}: {error}")
        history = resumed.history
        print(f"Resumed after epoch {resumed.epochs}")
    epoch_ends = [time.perf_counter()]

    def begin(epoch, logs):
        batches.epoch = epoch

    def report(epoch, logs):
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
        if not math.isfinite(logs["loss"]):
            sys.exit(f"The training diverged: its loss is {logs['loss']}. Try a smaller --learning-rate.")
        if not world.leads:
            return
        step = epoch + 1
        epoch_ends.append(time.perf_counter())
        run.log("Loss", logs["val_loss"], step=step)
        run.log("Accuracy", logs["val_accuracy"], step=step)
        run.log("Training loss", logs["loss"], step=step)
        run.log("Training accuracy", logs["accuracy"], step=step)
        print(
            f"Epoch {step:2}/{args.epochs}: loss {logs['val_loss']:.4f}, accuracy {logs['val_accuracy']:.4f} "
            f"(training {logs['loss']:.4f}, {logs['accuracy']:.4f}), {epoch_ends[-1] - epoch_ends[-2]:.1f} s"
        )
        checkpoint.write(args.output_folder / "checkpoints", model, step, history, args)

    images, labels = world.part_of(*flat(validation))
    if backend == "tensorflow":
        validated = {"validation_data": at_once(images, labels)}
        model.evaluate(validated["validation_data"], verbose=0)
        looping = step_by_step(model, batches)
    else:
        validated = {
            "validation_data": (images, labels),
            "validation_batch_size": world.devices * max(1, EVALUATION_BATCH // world.shares),
        }
        looping = nullcontext()
    with looping:
        model.fit(
            batches.for_keras(),
            initial_epoch=resumed.epochs if resumed else 0,
            epochs=args.epochs,
            **validated,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=report)],
            shuffle=False,
            verbose=0,
        )
    # These settings are saved with a model, and would make `predict` slow to start for whoever loads it.
    model.compile(model.optimizer, **LOSS)
    return history


def learning_rate(args):
    """The rate for this batch size, by the rule that was chosen."""
    return args.learning_rate * max(1, args.batch_size / ARTICLE_BATCH) ** GROWTH[args.learning_rate_rule]


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
        "hyperparameters": {**checkpoint.arguments(args), "epochs": args.epochs},
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


def device(model):
    """What the model computes on: TensorFlow's and PyTorch's name for it, or JAX's for all devices together."""
    import keras

    if keras.backend.backend() == "jax":
        return " ".join(keras.distribution.list_devices())
    return str(model.weights[0].value.device).rpartition("device:")[2]


def digest(model):
    """A short hash of the model's weights: the same for each of the processes that trained it together."""
    weights = hashlib.sha256()
    for array in model.get_weights():
        weights.update(np.ascontiguousarray(array))
    return weights.hexdigest()[:16]


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


def plot(history):
    """Draw accuracy and loss over the epochs; returns pyplot with the figure, as log_image takes it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(panels, ["accuracy", "loss"], strict=True):
        steps = range(1, len(history[name]) + 1)
        axes.plot(steps, history[f"val_{name}"], marker=".", label="validation")
        axes.plot(steps, history[name], marker=".", label="training")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    figure.suptitle("Accuracy vs Loss")
    return pyplot


if __name__ == "__main__":
    main()

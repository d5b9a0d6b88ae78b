"""The state of a training after an epoch: one file, which is there whole or not at all."""

import json
import sys
import zipfile
import zlib
from typing import NamedTuple

import arguments
import numpy as np

NAME = "checkpoint.npz"


class Checkpoint(NamedTuple):
    """After `epochs` epochs: the variables of model and optimizer, and Keras's history, a list for each figure.

    The random state is in `arguments` and `epochs`: the order of the images follows from seed and epoch alone.
    """

    epochs: int
    history: dict
    arguments: dict
    model: list
    optimizer: list


def write(folder, model, epochs, history, args):
    """Write folder/checkpoint.npz in place of the last one."""
    state = {"epochs": epochs, "history": history, "arguments": arguments.of_training(args)}
    arrays = {
        f"{part}_{number}": np.asarray(variable)
        for part, variables in {"model": model.variables, "optimizer": model.optimizer.variables}.items()
        for number, variable in enumerate(variables)
    }
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "partial.npz"
    np.savez(partial, state=json.dumps(state), **arrays)
    partial.replace(folder / NAME)


def read(path, args):
    """The Checkpoint at `path`, a file or a folder with one anywhere below, for a training with these arguments.

    Raises FileNotFoundError where there is none, ValueError for one that is damaged, of something else, or of a
    training with other arguments.
    """
    found = [path] if path.is_file() else sorted(path.rglob(NAME), key=lambda file: file.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"--resume-from {path}: there is no {NAME}")
    file = found[-1]
    try:
        with np.load(file) as arrays:  # refuses what would have to be unpickled
            everything = {name: arrays[name] for name in arrays.files}
            state = json.loads(everything["state"].item())
            parts = [
                [everything[f"{part}_{number}"] for number in range(sum(name.startswith(part) for name in everything))]
                for part in ("model", "optimizer")
            ]
            checkpoint = Checkpoint(int(state["epochs"]), dict(state["history"]), dict(state["arguments"]), *parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{file} is no whole checkpoint of this script: {error}") from error
    for name, value in arguments.of_training(args).items():
        theirs = checkpoint.arguments.get(name)
        if theirs != value:
            option = "--" + name.replace("_", "-")
            raise ValueError(f"{file} is of a training with {option} {theirs}, not {value}: give what it was made with")
    if checkpoint.epochs >= args.epochs:
        raise ValueError(f"{file} has been trained to epoch {checkpoint.epochs} already: give --epochs above that")
    return checkpoint


def resume(checkpoint, model, args):
    """Give the compiled model the checkpoint's state, where there is one.

    Returns the history so far, and after how many epochs it is; exits with code 1 for a checkpoint of another network.
    """
    if checkpoint is None:
        return {}, 0
    try:
        restore(checkpoint, model)
    except ValueError as error:
        sys.exit(f"--resume-from {args.resume_from}: {error}")
    print(f"Resumed after epoch {checkpoint.epochs}")
    return checkpoint.history, checkpoint.epochs


def restore(checkpoint, model):
    """Give the compiled model and its optimizer the checkpoint's state. Raises ValueError for another network's."""
    model.optimizer.build(model.trainable_variables)
    for kept, variables in (
        (checkpoint.model, model.variables),
        (checkpoint.optimizer, model.optimizer.variables),
    ):
        shapes = [array.shape for array in kept]
        wanted = [tuple(variable.shape) for variable in variables]
        if shapes != wanted:
            raise ValueError(f"the checkpoint is of another network: its shapes are {shapes}, not {wanted}")
        for variable, array in zip(variables, kept, strict=True):
            variable.assign(array)

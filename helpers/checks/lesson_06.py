"""The exercises of lesson 6: a model that was downloaded."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from helpers.checks.looking import NotYet, given, near, number, require, value, whole

SURE = 0.99


def exercise_1(variables: Mapping[str, object]) -> str:
    is_intact = value(variables, "is_intact")
    require(callable(is_intact), "`is_intact` has to be a function that takes a folder.")
    verdicts = {}
    for name in ("model_folder", "tampered_folder"):
        verdicts[name] = _answer(is_intact, name, given(variables, name))
        kind = type(verdicts[name]).__name__
        require(
            isinstance(verdicts[name], bool), f"`is_intact({name})` returns a `{kind}`; it should return True or False."
        )
    require(verdicts["model_folder"], "`is_intact` says False to the model as it was downloaded.")
    require(
        not verdicts["tampered_folder"], "`is_intact` says True to the folder in which a byte of the model was changed."
    )
    return "It tells the two apart, and has loaded neither: what was tampered with is never opened."


def exercise_2(variables: Mapping[str, object]) -> str:
    told, labels = whole(variables, "hardest"), given(variables, "data").test_labels
    predictions = np.asarray(given(variables, "predictions"))
    shares = np.array([np.mean(predictions[labels == digit] == digit) for digit in range(10)])
    require(0 <= told <= 9, f"{told} is no digit.")
    most = int(np.argmax(np.bincount(labels[predictions != labels], minlength=10)))
    hint = " (It has the most mistakes, but also more images.)" if told == most else ""
    share = f"Of the images that show a {told}, {shares[told]:.1%} are read correctly"
    require(near(shares[told], shares.min(), 1e-9), f"{share}; another digit has a lower share.{hint}")
    return f"{share}; of all images it is {_mean(variables):.1%}. One number for all digits hides that."


def exercise_3(variables: Mapping[str, object]) -> str:
    told, labels = number(variables, "when_sure"), given(variables, "data").test_labels
    probabilities = np.asarray(given(variables, "probabilities"))
    sure = probabilities.max(axis=1) >= SURE
    right = np.mean(probabilities.argmax(axis=1)[sure] == labels[sure])
    require(told <= 1, f"{told:g} is more than 1; a share is asked for.")
    share = f"{told:.4f} is the share of images of which it is sure. What is the accuracy on these?"
    require(not near(told, sure.mean(), 1e-4), share)
    require(near(told, right, 1e-3), f"{told:.4f} is not the accuracy on the images of which it is sure.")
    return f"It is sure of {sure.mean():.1%} of the images, and reads {right:.2%} of these correctly."


def exercise_4(variables: Mapping[str, object]) -> str:
    told, data = number(variables, "share_sure"), given(variables, "data")
    raw = data.test_images.reshape(len(data.test_images), -1).astype("float32")
    probabilities = given(variables, "network").predict(raw, batch_size=1000, verbose=0)
    right = float(np.mean(probabilities.max(axis=1) >= SURE))
    scaled = float(np.mean(np.asarray(given(variables, "probabilities")).max(axis=1) >= SURE))
    accuracy = np.mean(probabilities.argmax(axis=1) == data.test_labels)
    require(told <= 1, f"{told:g} is more than 1; a share is asked for.")
    require(near(right, scaled, 1e-4) or not near(told, scaled, 1e-4), f"{told:.4f} is the share for scaled pixels.")
    require(not near(told, accuracy, 1e-4), f"{told:.4f} is the accuracy. Of how many images is the network sure?")
    require(near(told, right, 1e-3), f"{told:.4f} is not the share of which it is sure with pixels from 0 to 255.")
    return (
        f"Sure of {right:.1%} of the images instead of {scaled:.1%}, and right about {accuracy:.1%} instead of "
        f"{_mean(variables):.1%}. Nothing fails, and the accuracy alone would not have given it away."
    )


def _answer(is_intact: Callable[[Path], object], name: str, folder: Path) -> object:
    """What the learner's function says to a folder. Raises NotYet where it fails."""
    try:
        return is_intact(folder)
    except Exception as error:
        raise NotYet(f"`is_intact({name})` raises {type(error).__name__}: {error}.") from error


def _mean(variables: Mapping[str, object]) -> float:
    """The accuracy on all test images."""
    return float(np.mean(np.asarray(given(variables, "predictions")) == given(variables, "data").test_labels))

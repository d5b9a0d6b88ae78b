"""The exercises of lesson 8: a service."""

import hashlib
import json
from collections.abc import Callable, Mapping
from numbers import Integral

import numpy as np

from helpers.checks.looking import given, listed, require, text, whole
from helpers.words import counted

Ask = Callable[[str], dict]  # sends the text of a request, and returns the answer
ASKED = 100  # images among which the least sure one is looked for


def exercise_1(variables: Mapping[str, object]) -> str:
    return ten_digits(variables, lambda text: given(variables, "service").run(text))


def exercise_2(variables: Mapping[str, object]) -> str:
    return repaired(variables, lambda text: given(variables, "service").run(text))


def exercise_3(variables: Mapping[str, object]) -> str:
    return replaced_key(variables, *given(variables, "service").get_keys())


def exercise_4(variables: Mapping[str, object]) -> str:
    return least_certain(variables, lambda text: given(variables, "service").run(text))


def ten_digits(variables: Mapping[str, object], ask: Ask) -> str:
    """Whether `digits` is what the service reads in the first ten images."""
    told, images = listed(variables, "digits"), given(variables, "images")
    require(len(told) == 10, f"`digits` has {counted(len(told), 'digit')}; ten images were to be read.")
    digits = [int(digit) for digit in told if isinstance(digit, Integral)]
    require(len(digits) == 10, "`digits` should hold ten whole numbers: the entry `digits` of the answer does.")
    answer = ask(_scaled(images[:10]))
    require(
        digits == answer["digits"],
        f"The service reads these images as {answer['digits']}, and `digits` says something else.",
    )
    right = int(np.sum(np.array(answer["digits"]) == given(variables, "labels")[:10]))
    return f"Ten images, {right} of them read correctly, by a program that knows nothing of Keras."


def repaired(variables: Mapping[str, object], ask: Ask) -> str:
    """Whether `fixed` is a request for the first image that the service accepts."""
    told, image = text(variables, "fixed"), given(variables, "images")[0]
    try:
        pixels = np.asarray(json.loads(told)["data"], float)
    except (ValueError, TypeError, KeyError):
        require(False, '`fixed` has to be the text of a JSON object with one entry, "data", that holds numbers.')
    require(pixels.size == image.size, f"The request has {pixels.size} pixels; one image has {image.size}.")
    one = (image.size,), image.shape
    fitting = pixels.shape in (*one, *((1, *shape) for shape in one))
    require(fitting, f"The request has pixels of the shape {pixels.shape}; an image is {one[0]} or {one[1]}.")
    scaled = image.reshape(pixels.shape) / 255
    require(pixels.max() <= 1, f"There are still pixels up to {pixels.max():g}; the network was trained on 0 to 1.")
    require(np.allclose(pixels, scaled, atol=0.005), "These are pixels from 0 to 1, but not those of `images[0]`.")
    answer = ask(told)
    return f"Accepted, and read as a {answer['digits'][0]}. The service refused the other one instead of guessing."


def replaced_key(variables: Mapping[str, object], *keys: str) -> str:
    """Whether the second of the keys, and only that, is another than in `fingerprints`."""
    primary, secondary = given(variables, "fingerprints")
    now_primary, now_secondary = map(fingerprint, keys)
    require(
        now_primary == primary,
        "The primary key was replaced, and whoever uses it is locked out. Only the secondary leaked. To try again, run "
        "the cell that records the fingerprints once more.",
    )
    require(now_secondary != secondary, "The secondary key is still the one that leaked.")
    return "The leaked key is now worthless, and nobody who uses the primary one has noticed anything."


def least_certain(variables: Mapping[str, object], ask: Ask) -> str:
    """Whether `least_sure` is the image about which the service is least certain."""
    told, images = whole(variables, "least_sure"), given(variables, "images")
    require(0 <= told < ASKED, f"{told} is not the place of one of the first {ASKED} images, counted from 0.")
    surest = np.array(ask(_scaled(images[:ASKED]))["probabilities"]).max(axis=1)
    lowest = int(surest.argmin())
    require(
        told != int(surest.argmax()),
        f"About image {told} it is most certain; find the one about which it is least certain.",
    )
    require(told == lowest, f"About image {told} it is {surest[told]:.1%} certain; about another it is less so.")
    label = given(variables, "labels")[lowest]
    return f"Image {lowest}, a {label}: {surest[lowest]:.1%}. A service may hand such an image to a person."


def fingerprint(key: str) -> str:
    """What tells one key from another and gives neither away."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _scaled(images: np.ndarray) -> str:
    """The text of a request with images of 0 to 255."""
    return json.dumps({"data": (images / 255).round(4).tolist()})

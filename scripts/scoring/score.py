"""Reads handwritten digits: the entry script of the web service that notebook 8 deploys.

A request is JSON, {"data": images}: one image or a list of them, each 28 rows of 28 pixels or 784 pixels in a row, from
0 (paper) to 1 (ink), which is what the network was trained on. The answer is JSON with a list of the digits read, and a
list of the ten probabilities for each. What is no such request is answered with status 400 and {"message": why}.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from azureml_inference_server_http.api.aml_response import AMLResponse

os.environ.setdefault("KERAS_BACKEND", "numpy")  # read when Keras is imported: starts soonest, and needs no compiler

PIXELS = 28 * 28

network = None


class BadRequest(Exception):
    """What is wrong with a request, for whoever sent it."""


def init():
    """Load the model before the first request. Raises RuntimeError if it is not what was trained."""
    global network
    network = load(Path(os.environ["AZUREML_MODEL_DIR"]))
    network(np.zeros((1, PIXELS), dtype=np.float32))  # the first call is the slowest


def run(data):
    """Answer one request: a dict that becomes JSON, or an AMLResponse that tells what is wrong."""
    try:
        images = read(data)
    except BadRequest as problem:
        return AMLResponse({"message": str(problem)}, 400, json_str=True)
    probabilities = np.asarray(network(images), dtype=np.float64)
    return {
        "digits": probabilities.argmax(axis=1).tolist(),
        "probabilities": probabilities.round(6).tolist(),
    }


def load(folder):
    """The network in model.keras somewhere below the folder; its SHA-256 has to be the one beside it."""
    (path,) = folder.rglob("model.keras")
    expected = json.loads((path.parent / "training.json").read_text())["sha256"]
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise RuntimeError(f"{path.name} is not the file that was trained: its SHA-256 is another.")
    import keras

    return keras.models.load_model(path, safe_mode=True)


def read(data):
    """The images of a request as float32 of shape (count, 784). Raises BadRequest."""
    try:
        request = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request is not JSON: {error}.") from None
    if not isinstance(request, dict) or "data" not in request:
        raise BadRequest('The request has to be a JSON object such as {"data": [[0, 0.5, …]]}.')
    return checked(request["data"])


def checked(data):
    """The images as an array, after a look at their shape, type and range. Raises BadRequest."""
    try:
        images = np.asarray(data)
    except (ValueError, RecursionError):  # rows of different lengths
        raise BadRequest("The images are not all of the same shape.") from None
    if images.dtype.kind not in "iuf":
        raise BadRequest("The pixels have to be numbers, the same count in each image.")
    if images.shape in ((PIXELS,), (28, 28)):
        images = images[np.newaxis]
    if images.shape[1:] not in ((PIXELS,), (28, 28)) or not len(images):
        raise BadRequest(f"The data has the shape {images.shape}; an image is 784 pixels, or 28 rows of 28.")
    if np.isnan(images).any():
        raise BadRequest("Some pixels are NaN, which is not a number.")
    if images.min() < 0 or images.max() > 1:
        raise BadRequest("The pixels have to be from 0 to 1. If yours are from 0 to 255, divide them by 255.")
    return images.reshape(len(images), PIXELS).astype(np.float32)

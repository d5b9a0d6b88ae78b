"""Serves a SavedModel that is deployed without an entry script: the script that stands in its place.

A request is JSON, as TensorFlow Serving has it: {"instances": rows}, answered with {"predictions": rows}, or
{"inputs": columns}, answered with {"outputs": columns}; "signature_name" besides, where it is not serving_default. Of a
signature with one input or output its name may be left out, or is. What is wrong is told with status 400.
"""

import json
import os
from pathlib import Path

import tensorflow as tf
from azureml_inference_server_http.api.aml_response import AMLResponse

DEFAULT = "serving_default"

model = None


def init():
    """Load the model, once, before the first request."""
    global model
    # TensorFlow Serving serves the version of the highest number.
    folders = [path.parent for path in Path(os.environ["AZUREML_MODEL_DIR"]).rglob("saved_model.pb")]
    model = tf.saved_model.load(str(max(folders, key=lambda folder: (folder.name.isdigit(), len(folder.name), folder))))


def run(data):
    """Answer one request: what the signature computes, or an AMLResponse that tells what is wrong."""
    try:
        request = json.loads(data)
        if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
            raise ValueError('The request has to be a JSON object with either "instances" or "inputs".')
        return answer(request)
    except (ValueError, RecursionError, TypeError, KeyError, tf.errors.OpError) as error:
        return AMLResponse({"error": str(error)}, 400, json_str=True)


def answer(request):
    """What the signature that the request names computes. Raises ValueError and what TensorFlow raises."""
    name = request.get("signature_name", DEFAULT)
    if name not in model.signatures:
        raise ValueError(f"The model has no signature {name!r}; it has: {', '.join(sorted(model.signatures))}.")
    signature = model.signatures[name]
    specs = signature.structured_input_signature[1]
    is_rows = "instances" in request
    given = columns_of(request["instances"]) if is_rows else request["inputs"]
    if not isinstance(given, dict) or not given.keys() <= specs.keys():
        if len(specs) > 1:
            raise ValueError(f"The signature has several inputs: give {', '.join(sorted(specs))} by their names.")
        given = {next(iter(specs)): given}
    outputs = signature(**{key: tensor_of(value, key, specs[key]) for key, value in given.items()})
    told = {key: plain(value.numpy()) for key, value in outputs.items()}
    if not is_rows:
        return {"outputs": told if len(told) > 1 else next(iter(told.values()))}
    if len(told) == 1:
        return {"predictions": next(iter(told.values()))}
    return {"predictions": [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)]}


def tensor_of(value, key, spec):
    tensor = tf.constant(value, spec.dtype)
    if not spec.shape.is_compatible_with(tensor.shape):
        raise ValueError(f"The input {key} has the shape {tensor.shape}, and the model takes {spec.shape}.")
    return tensor


def columns_of(instances):
    """Rows that name their inputs as columns; rows of a single input as they are."""
    if not isinstance(instances, list) or not instances:
        raise ValueError('"instances" has to be a list of one row at least.')
    if all(isinstance(row, dict) for row in instances):
        return {name: [row[name] for row in instances] for name in instances[0]}
    return instances


def plain(array):
    values = array.tolist()
    return json.loads(json.dumps(values, default=lambda value: value.decode("utf-8", "replace")))

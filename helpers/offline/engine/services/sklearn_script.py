"""Serves a scikit-learn model that is deployed without an entry script: the script that stands in its place.

A request is JSON, as Azure has it: {"data": rows, "method": name}. Without a method it is predict_proba, where the
model has it, or else predict. The answer is {method: what the model says}.
"""

import json
import os
from pathlib import Path

import joblib
from azureml_inference_server_http.api.aml_response import AMLResponse

model = None


def init():
    """Load the model, once, before the first request."""
    global model
    (file,) = [path for path in Path(os.environ["AZUREML_MODEL_DIR"]).rglob("*") if path.is_file()]
    model = joblib.load(file)


def run(data):
    """Answer one request: what the model says, or an AMLResponse that tells what is wrong."""
    try:
        request = json.loads(data)
        rows = request["data"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return refused('The request has to be a JSON object with the key "data".')
    method = request.get("method") or ("predict_proba" if hasattr(model, "predict_proba") else "predict")
    if method not in ("predict", "predict_proba") or not hasattr(model, method):
        return refused(f"The model has no method {method!r}.")
    try:
        return {method: getattr(model, method)(rows).tolist()}
    except (ValueError, TypeError) as error:
        return refused(str(error))


def refused(message):
    return AMLResponse({"message": message}, 400, json_str=True)

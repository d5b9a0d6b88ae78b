"""Serves an MLflow model that is deployed without a scoring script: the entry script that stands in its place.

A request is JSON, as Azure has it: {"input_data": data}, and "params" where the model has some. `data` is a table as
{"columns": […], "index": […], "data": […]}, or a list of rows, or {name of an input: values}. The answer is what the
model predicts. What is no such request, or does not fit the model's signature, is answered with status 400.
"""

import json
import os
from io import StringIO
from pathlib import Path

import mlflow.pyfunc
from azureml_inference_server_http.api.aml_response import AMLResponse
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server

TABLE = {"columns", "index", "data"}

model = None


def init():
    """Load the model, once, before the first request."""
    global model
    (description,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("MLmodel")
    model = mlflow.pyfunc.load_model(str(description.parent))


def run(data):
    """Answer one request: what the model predicts, or an AMLResponse that tells what is wrong."""
    try:
        request = json.loads(data)
    except (ValueError, RecursionError) as error:
        return refused(f"The request is not JSON: {error}.")
    if not isinstance(request, dict) or "input_data" not in request:
        return refused('The request has to be a JSON object with the key "input_data".')
    given = request["input_data"]
    is_table = isinstance(given, dict) and "data" in given and given.keys() <= TABLE
    try:
        parsed = scoring_server.infer_and_parse_data(
            {"dataframe_split" if is_table else "inputs": given}, model.metadata.get_input_schema()
        )
        predictions = model.predict(parsed, params=request.get("params"))
    except MlflowException as error:
        return refused(error.message)
    text = StringIO()
    scoring_server.unwrapped_predictions_to_json(predictions, text)
    return json.loads(text.getvalue())


def refused(message):
    return AMLResponse({"message": message}, 400, json_str=True)

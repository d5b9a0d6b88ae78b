"""The last step of the pipeline: register the model, with what the evaluation found.

As a job on Azure it acts for whoever submitted it: its identity has to be user_identity.
"""

import argparse
import json
import os
from pathlib import Path

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from azure.ai.ml.identity import AzureMLOnBehalfOfCredential


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-folder", type=Path, required=True, help="holds model/model.keras")
    parser.add_argument("--evaluation", type=Path, required=True, help="holds evaluation.json")
    parser.add_argument("--model-name", required=True, help="the name to register it under")
    parser.add_argument("--tag", required=True, help="a tag of the model: its name, =, and its value")
    parser.add_argument("--output-folder", type=Path, required=True, help="gets registered.json")
    args = parser.parse_args()

    name, _, value = args.tag.partition("=")
    evaluation = json.loads((args.evaluation / "evaluation.json").read_text())
    where = [os.environ[f"AZUREML_ARM_{part}"] for part in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    client = MLClient(AzureMLOnBehalfOfCredential(), *where)
    model = Model(
        name=args.model_name,
        path=args.model_folder / "model",
        type="custom_model",
        description="Two hidden layers on MNIST, by a pipeline",
        tags={name: value, "accuracy": f"{evaluation['accuracy']:.4f}", "job": os.environ["AZUREML_RUN_ID"]},
    )
    registered = client.models.create_or_update(model)
    note = {"name": registered.name, "version": registered.version}
    (args.output_folder / "registered.json").write_text(json.dumps(note))
    print(f"{registered.name}, version {registered.version}")


if __name__ == "__main__":
    main()

"""What a service takes: the scoring script of notebook 8 behind the front, with a network of the article's size."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[2] / "scripts" / "scoring"
NETWORK = """
import hashlib, json, pathlib, sys
import keras
folder = pathlib.Path(sys.argv[1])
layers = [keras.layers.Dense(n, activation=a) for n, a in ((300, "relu"), (100, "relu"), (10, "softmax"))]
keras.Sequential([keras.Input((784,)), *layers]).save(folder / "model.keras")
digest = hashlib.sha256((folder / "model.keras").read_bytes()).hexdigest()
(folder / "training.json").write_text(json.dumps({"sha256": digest}))
"""


def network() -> Path:
    """A folder with a network of the article's size and the note beside it, as the training script leaves them."""
    folder = Path(tempfile.mkdtemp()) / "model"
    folder.mkdir()
    environment = os.environ | {"KERAS_BACKEND": "numpy"}
    subprocess.run([sys.executable, "-c", NETWORK, str(folder)], env=environment, check=True, capture_output=True)
    return folder


def request(count: int) -> dict:
    """A request of so many images, as notebook 8 sends them."""
    images = (np.random.default_rng(1).integers(0, 256, (count, 784)) / 255).round(4)
    return {"data": images.tolist()}


def bench_scoring() -> list[tuple]:
    """One image, a batch of 1,000, and 500 requests from 8 clients, with a key, as a client has it."""
    from azureml.core import Environment, Model, Workspace
    from azureml.core.model import InferenceConfig
    from azureml.core.webservice import AciWebservice

    from helpers import scoring
    from helpers.offline.engine.assets import models

    workspace = Workspace.from_config()
    models.register(workspace._folder, "bench", network(), stored_as="model")
    conda = Environment.from_conda_specification("bench", str(SOURCE / "conda_dependencies.yml"))
    service = Model.deploy(
        workspace,
        "bench",
        [Model(workspace, "bench")],
        InferenceConfig("score.py", source_directory=str(SOURCE), environment=conda),
        AciWebservice.deploy_configuration(auth_enabled=True),
        overwrite=True,
    )
    try:
        service.wait_for_deployment()
        headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
        one, many = request(1), request(1000)
        scoring.latencies(service.scoring_uri, headers, one, 20)
        single = float(np.median(scoring.latencies(service.scoring_uri, headers, one, 200)))
        batch = float(np.median(scoring.latencies(service.scoring_uri, headers, many, 5)))
        answered, taken = scoring.load(service.scoring_uri, headers, one, count=500, clients=8)
    finally:
        service.delete()
    print(
        f"  500 requests from 8 clients in {taken:.1f} s; {len(json.dumps(many)):,} bytes for 1,000 images", flush=True
    )
    return [
        ("one image scored, median of 200", f"{single * 1000:.1f} ms", "30 ms", single < 0.03),
        ("1,000 images scored in one request", f"{batch:.2f} s", "1 s", batch < 1),
        ("of 500 requests from 8 clients, lost", str(500 - answered), "0", answered == 500),
    ]

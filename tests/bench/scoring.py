"""What a service takes: the scoring script of notebook 8 behind the front, with a network of the article's size."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
NETWORK = """
import hashlib, json, pathlib, sys
import keras
folder = pathlib.Path(sys.argv[1])
layers = [keras.layers.Dense(n, activation=a) for n, a in ((300, "relu"), (100, "relu"), (10, "softmax"))]
keras.Sequential([keras.Input((784,)), *layers]).save(folder / "model.keras")
digest = hashlib.sha256((folder / "model.keras").read_bytes()).hexdigest()
(folder / "training.json").write_text(json.dumps({"sha256": digest}))
"""


def bench_scoring() -> list[tuple]:
    """One image, a batch of 1,000, and 500 requests from 8 clients, with a key, as a client has it."""
    from azureml.core import Environment, Model, Workspace
    from azureml.core.model import InferenceConfig
    from azureml.core.webservice import AciWebservice

    from helpers import scoring
    from helpers.offline.engine.assets import models

    workspace = Workspace.from_config()
    folder = Path(tempfile.mkdtemp()) / "model"
    folder.mkdir()
    environment = os.environ | {"KERAS_BACKEND": "numpy"}
    subprocess.run([sys.executable, "-c", NETWORK, str(folder)], env=environment, check=True, capture_output=True)
    models.register(workspace._folder, "bench", folder, stored_as="model")
    source = ROOT / "scripts" / "scoring"
    conda = Environment.from_conda_specification("bench", str(source / "conda_dependencies.yml"))
    service = Model.deploy(
        workspace,
        "bench",
        [Model(workspace, "bench")],
        InferenceConfig("score.py", source_directory=str(source), environment=conda),
        AciWebservice.deploy_configuration(auth_enabled=True),
        overwrite=True,
    )
    try:
        service.wait_for_deployment()
        headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
        images = (np.random.default_rng(1).integers(0, 256, (1000, 784)) / 255).round(4)  # as notebook 8 sends them
        one, many = {"data": images[:1].tolist()}, {"data": images.tolist()}
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

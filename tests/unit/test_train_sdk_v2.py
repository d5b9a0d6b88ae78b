"""The script that trains and registers with the SDK v2 runs to its end, on all of MNIST."""

import os
import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "train_sdk_v2.py"


def test_mnist_is_trained_and_the_model_registered(tmp_path):
    world = {"AZUREML_OFFLINE_FOLDER": str(tmp_path / "offline")}
    result = subprocess.run(
        [sys.executable, SCRIPT, "--epochs", "1"], capture_output=True, text=True, cwd=tmp_path, env=os.environ | world
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "Training set: 54,000 images" in result.stdout
    assert float(re.search(r"Final test loss .*, final test accuracy (0\.\d+)", result.stdout)[1]) > 0.9
    registered = re.search(r"Registered keras-mnist-in-one-script, version 1, of the job (\w+)", result.stdout)
    assert f"RunId: {registered[1]}" in result.stdout
    assert len(list((tmp_path / "offline" / "models" / "keras-mnist-in-one-script").glob("*/model/model.keras"))) == 1
    ml = [Path(sys.executable).with_name("ml"), "job", "show", "--name", registered[1], "--query", "limits.timeout"]
    shown = subprocess.run(ml, capture_output=True, text=True, cwd=tmp_path, env=os.environ | world, check=True)
    assert 0 < int(shown.stdout) <= 3600, "on Azure, a job without a limit may cost money for weeks"

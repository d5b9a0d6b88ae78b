"""What the tests of the notebooks share: the notebooks, and a world of their own to run them in."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NAMES = [path.stem for path in PATHS]
SERIES = {"v1": PATHS, "v2": sorted((NOTEBOOKS / "v2").glob("*.ipynb"))}  # the SDK's version, and the lessons on it

# For tests in which something is trained, whatever with: JAX starts sooner than TensorFlow.
STARTS_SOON = {"KERAS_BACKEND": "jax"}
QUICK = {"first_layer_neurons": 32, "second_layer_neurons": 16, "batch_size": 250, "learning_rate": 0.003}  # to train


def environment(world: Path) -> dict[str, str]:
    """The environment of a process that works in `world`, which is its repository and holds its offline workspace."""
    python_path = os.pathsep.join(filter(None, [str(world), os.environ.get("PYTHONPATH")]))
    return os.environ | {"AZUREML_OFFLINE_FOLDER": str(world / "offline"), "PYTHONPATH": python_path}


def behind_a_dead_proxy(world: Path) -> dict[str, str]:
    """The same, with a proxy that answers nobody: what is on this machine has to be reached without it."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return environment(world) | proxies | {"no_proxy": "", "NO_PROXY": ""}

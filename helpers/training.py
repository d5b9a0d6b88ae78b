"""The training script's folder, as it is submitted."""

import atexit
import shutil
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TRAINING = REPOSITORY / "scripts" / "training"


def stage_training_script(source: Path = TRAINING) -> Path:
    """A temporary folder with what a run needs: the files in `source` and, beside them, the MNIST reader of helpers.

    What is submitted is a whole folder, so it holds nothing else. It is deleted when the kernel ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="keras-mnist-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in [*source.iterdir(), REPOSITORY / "helpers" / "mnist.py"]:
        if file.is_file():
            shutil.copy(file, folder)
    return folder

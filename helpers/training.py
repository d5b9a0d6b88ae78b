"""The training script's folder, as it is submitted."""

import shutil
from pathlib import Path

from helpers import REPOSITORY
from helpers.temporary import new_folder

TRAINING = REPOSITORY / "scripts" / "training"
EDITIONS = {  # the folders that a run's files come from; of files of one name, the last one's is taken
    "v1": [TRAINING],
    "v2": [TRAINING, TRAINING / "v2"],
    "pipeline": [TRAINING, TRAINING / "v2", TRAINING / "pipeline"],
    "legacy": [TRAINING / "legacy"],
}


def stage_training_script(edition: str = "v1") -> Path:
    """A temporary folder with what a run needs: the script's files and, beside them, the MNIST reader of helpers.

    The editions "v1" and "v2" are one script, which logs to the run of the SDK v1 or with MLflow; "pipeline" is v2's
    with the scripts of the steps around it, and "legacy" is the article's. What is submitted is a whole folder, so it
    holds nothing else. It is deleted when the kernel ends.
    """
    folder = new_folder("keras-mnist")
    files = [file for source in EDITIONS[edition] for file in source.iterdir() if file.is_file()]
    for file in [*files, REPOSITORY / "helpers" / "mnist.py"]:
        shutil.copy(file, folder)
    return folder

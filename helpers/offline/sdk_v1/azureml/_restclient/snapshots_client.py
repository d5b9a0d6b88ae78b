"""The limits of a snapshot, in the place where people raise them for a source directory that is larger."""

import os

from azureml import _engine

SNAPSHOT_MAX_SIZE_BYTES = _engine.snapshot.MAX_BYTES
SNAPSHOT_MAX_FILES = _engine.snapshot.MAX_FILES


def limits():
    """What the engine takes for them. The variable AML_SNAPSHOT_NO_FILE_LIMIT lifts the one on the number of files."""
    unlimited = os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT")
    return {"max_bytes": SNAPSHOT_MAX_SIZE_BYTES, "max_files": float("inf") if unlimited else SNAPSHOT_MAX_FILES}

"""Folders that last as long as the kernel."""

import atexit
import shutil
import tempfile
from pathlib import Path


def new_folder(prefix: str) -> Path:
    """An empty folder, which is deleted when the kernel ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder

"""Keras and its backend without the notes that they write while they load."""

import os
import sys
import tempfile
from contextlib import contextmanager


@contextmanager
def quietly():
    """Import Keras within; KERAS_BACKEND has to be set. What TensorFlow writes to stderr meanwhile is held back.

    TF_CPP_MIN_LOG_LEVEL should do that but does not (tensorflow issue 100442). The notes are shown if the import
    fails, and if that variable is 0.
    """
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        # Keras on another backend imports it, too, where it is installed, and only to ask for the types of things.
        sys.modules.setdefault("tensorflow", None)
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

"""Keras and its backend without the notes that they write while they load, and without what they do for nothing."""

import gc
import os
import sys
import tempfile
from contextlib import contextmanager

# Keras imports these where they happen to be installed, to take their tables and be one of their estimators. That takes
# a second, and no training here uses it.
NOT_NEEDED = ("pandas", "sklearn")


@contextmanager
def quietly():
    """Import Keras within; KERAS_BACKEND has to be set. What TensorFlow writes to stderr meanwhile is held back.

    TF_CPP_MIN_LOG_LEVEL should do that but does not (tensorflow issue 100442). The notes are shown if the import
    fails, and if that variable is 0.
    """
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        # Keras on another backend imports it, too, where it is installed, and only to ask for the types of things.
        sys.modules.setdefault("tensorflow", None)
    absent = [name for name in NOT_NEEDED if sys.modules.setdefault(name, None) is None]
    try:
        with _garbage_not_sought(), _notes_held_back():
            yield
    finally:
        for name in absent:  # who asks for them later finds them
            del sys.modules[name]


@contextmanager
def _garbage_not_sought():
    """While modules load, hundreds of thousands of objects are made, and all of them stay: to look through them again
    and again takes a third of the time. Nor are they looked through later, when the process ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _notes_held_back():
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

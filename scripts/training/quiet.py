"""Keras and its backend without the notes that they write while they load, and without what they do for nothing."""

import gc
import importlib
import os
import sys
import tempfile
import types
from contextlib import contextmanager

# Keras and MLflow import these where they happen to be installed: to take tables, be an estimator, draw pictures and
# open a prompt. That takes more than a second, and no training here uses it.
NOT_NEEDED = ("pandas", "pyarrow", "sklearn", "matplotlib.pyplot", "IPython")

# MLflow imports its gateway to language models, which takes this module's one error.
WEB_FRAMEWORK = "fastapi"


@contextmanager
def quietly():
    """Import Keras within, and MLflow; KERAS_BACKEND has to be set. What TensorFlow writes to stderr is held back.

    TF_CPP_MIN_LOG_LEVEL should do that but does not (tensorflow issue 100442). The notes are shown if the import
    fails, and if that variable is 0.
    """
    backend, not_needed = os.environ["KERAS_BACKEND"], NOT_NEEDED
    # Keras imports these on another backend, too, where they are installed, and only to ask for the types of things.
    if backend != "tensorflow":
        sys.modules.setdefault("tensorflow", None)
    if backend != "jax":
        not_needed += ("jax",)
    absent = [name for name in not_needed if sys.modules.setdefault(name, None) is None]
    if WEB_FRAMEWORK not in sys.modules:
        sys.modules[WEB_FRAMEWORK] = types.ModuleType(WEB_FRAMEWORK)
        sys.modules[WEB_FRAMEWORK].HTTPException = _web_error
        absent.append(WEB_FRAMEWORK)
    try:
        with _garbage_not_sought(), _notes_held_back():
            yield
    finally:
        for name in absent:  # who asks for them later finds them
            del sys.modules[name]


def _web_error(*given, **named):
    return importlib.import_module(WEB_FRAMEWORK).HTTPException(*given, **named)


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

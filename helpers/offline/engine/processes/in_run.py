"""What every Python of a job or service does as it starts (see run_python): standard library only, valid on Python 3.7.

It gets its run's variables back where it was started without them, writes down the exception that ends it, and lacks
what its environment lacks.
"""

import atexit
import os
import sys

FOLDER = "AZUREML_OFFLINE_FOLDER"  # a variable that every job and service has
ERROR = "AZUREML_OFFLINE_ERROR"  # the file for the exception that ends a job's program
SAID = ".said"  # ending of the file beside that one for the text that sys.exit() was last given
OUTERMOST = "AZUREML_OFFLINE_PYTHON"  # process id of the Python that others below it have as their ancestor
LONGEST = 2000  # characters that are told of an exception

_missing = {}  # packages that are not to be found: name to why


def start(missing):
    """To be called as a Python starts; twice does no harm. `missing` packages are not found, for a reason."""
    _give_back_variables()
    _tell_what_ends_this()
    _missing.update(missing)
    sys.modules.update(dict.fromkeys(missing))  # no import finds them, and importlib.util.find_spec tells None


def _give_back_variables():
    """Let the run's variables be what they were where all of them are missing, as after `env -i`."""
    if FOLDER in os.environ:
        return
    import json

    with open(os.path.join(sys.prefix, "run.json"), encoding="utf-8") as record:  # noqa: PTH118, PTH123 - too slow
        os.environ.update(json.load(record)["variables"])


def _tell_what_ends_this():
    """Have what ends this Python written down, unless another Python of the job started it."""
    own = str(os.getpid())
    if ERROR in os.environ and os.environ.setdefault(OUTERMOST, own) == own:
        atexit.register(_tell, os.environ[ERROR], own)
        sys.exit = _noting(sys.exit, os.environ[ERROR] + SAID, own)


def _noting(leave, path, process):
    """sys.exit() that also writes down the text it is given: the interpreter prints that, and keeps nothing of it."""

    def exit(status=None):
        if status is not None and not isinstance(status, int) and str(os.getpid()) == process:
            _write(path, str(status))
        leave(status)

    return exit


def _tell(path, process):
    # The interpreter keeps an exception that nobody caught, whatever prints it. A fork is not the program itself.
    error = getattr(sys, "last_value", None)
    if error is not None and str(os.getpid()) == process:
        tell(path, error)


def tell(path, error):
    """Write down the exception that ends the program."""
    _write(path, text(error))


def _write(path, text):
    with open(path + ".part", "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
        file.write(text[:LONGEST])
    os.replace(path + ".part", path)  # noqa: PTH105


def text(error):
    """An exception as the end of its traceback has it; of a group, those that it holds as well."""
    import traceback

    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package in _missing:
        return f"ModuleNotFoundError: No module named {package!r}. {_missing[package]}"
    if isinstance(error, SyntaxError):  # the traceback shows the code first
        return f"{type(error).__name__}: {error}"
    own = "".join(traceback.format_exception_only(type(error), error)).strip()
    held = getattr(error, "exceptions", None)
    if isinstance(held, (list, tuple)) and all(isinstance(one, BaseException) for one in held):
        return "{}: {}".format(own, "; ".join(map(text, held)))
    return own

"""Imported first by each program here that needs the packages of .venv: where they are not, it ends with a sentence.

It runs on any Python from 3.8, without packages. Another environment that has them, such as conda's, serves as well.
"""

import os
import shlex
import sys
from pathlib import Path

import endings

VENV = endings.FOLDER.parent / ".venv"
OLDEST = (3, 11)


def end(lacking):
    command = shlex.join([os.path.relpath(str(VENV / "bin" / "python")), *sys.argv])
    endings.tell(f"{sys.executable} {lacking}. `make setup` makes .venv; then run: {command}")
    sys.exit(2)


def tell_what_is_lacking(kind, error, traceback):
    if issubclass(kind, ModuleNotFoundError) and Path(sys.prefix) != VENV:  # in .venv, the fault is ours
        end(f"does not have the package {error.name}")
    endings.end_in_a_sentence(kind, error, traceback)


if endings.IS_ONE_OF_THEM:
    if Path(sys.prefix) != VENV and sys.version_info < OLDEST:
        end(f"is older than Python {OLDEST[0]}.{OLDEST[1]}")
    sys.excepthook = tell_what_is_lacking

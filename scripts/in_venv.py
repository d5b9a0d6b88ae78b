"""Imported first by each program here that needs the packages of .venv: where they are not, it ends with a sentence.

It runs on any Python from 3.8, without packages. Another environment that has them, such as conda's, serves as well.
And a character that the locale's encoding lacks is printed as its escape: it would end the program.
"""

import os
import shlex
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VENV = FOLDER.parent / ".venv"
OLDEST = (3, 11)


def end(lacking):
    command = shlex.join([os.path.relpath(str(VENV / "bin" / "python")), *sys.argv])
    program = Path(sys.argv[0]).name
    print(f"{program}: {sys.executable} {lacking}. `make setup` makes .venv; then run: {command}", file=sys.stderr)
    sys.exit(2)


def end_where_a_package_is_missing(kind, error, traceback):
    """As Python's own hook for what ends a program, but without a traceback that tells nobody what to do."""
    if issubclass(kind, ModuleNotFoundError):
        end(f"does not have the package {error.name}")
    sys.__excepthook__(kind, error, traceback)


if Path(sys.argv[0]).resolve().parent == FOLDER:
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")
    if Path(sys.prefix) != VENV:  # in .venv, a fault is ours
        if sys.version_info < OLDEST:
            end(f"is older than Python {OLDEST[0]}.{OLDEST[1]}")
        sys.excepthook = end_where_a_package_is_missing

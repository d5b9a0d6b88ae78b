"""Imported first by each program here that needs the packages of .venv: where they are not, it ends with a sentence.

So it does at Ctrl-C, which may come while packages are imported; without a word where nobody reads what is printed any
more, as in `… | head`. A character that the locale's encoding lacks is
printed as its escape: it would end the program.
It runs on any Python from 3.8, without packages. Another environment that has them, such as conda's, serves as well.
"""

import atexit
import os
import select
import shlex
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VENV = FOLDER.parent / ".venv"
OLDEST = (3, 11)


def end(lacking):
    command = shlex.join([os.path.relpath(str(VENV / "bin" / "python")), *sys.argv])
    tell(f"{sys.executable} {lacking}. `make setup` makes .venv; then run: {command}")
    sys.exit(2)


def tell(what):
    print(f"{Path(sys.argv[0]).name}: {what}", file=sys.stderr)


def tell_nobody(*streams):
    """Have what is still to be printed there go nowhere: it would fail again, at the latest as this process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def has_no_reader(stream):
    """Whether who read what is printed there has ended."""
    state = select.poll()
    state.register(stream, 0)  # which asks for no event but that
    return bool(state.poll(0))


def let_readers_go():
    """Have what is printed where nobody reads it any more go nowhere; whether there is such a stream."""
    left = [stream for stream in (sys.stdout, sys.stderr) if stream and has_no_reader(stream)]
    tell_nobody(*left)
    return bool(left)


def end_in_a_sentence(kind, error, traceback):
    """As Python's own hook for what ends a program, but without a traceback that tells nobody what to do."""
    if issubclass(kind, KeyboardInterrupt):
        tell("interrupted")
        return
    if issubclass(kind, BrokenPipeError) and let_readers_go():
        return
    if issubclass(kind, ModuleNotFoundError) and Path(sys.prefix) != VENV:  # in .venv, the fault is ours
        end(f"does not have the package {error.name}")
    sys.__excepthook__(kind, error, traceback)


if Path(sys.argv[0]).resolve().parent == FOLDER:
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")
    if Path(sys.prefix) != VENV and sys.version_info < OLDEST:
        end(f"is older than Python {OLDEST[0]}.{OLDEST[1]}")
    sys.excepthook = end_in_a_sentence
    atexit.register(let_readers_go)  # what is printed last is written only then

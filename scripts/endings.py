"""How each program here ends: at Ctrl-C in a sentence, and without a word where nobody reads what it prints any more.

The latter is so in `… | head`. A character that the locale's encoding lacks is printed as its escape: it would end the
program. It is imported first, by in_venv where a program needs packages, and runs on any Python from 3.8 without any.
"""

import atexit
import os
import select
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
IS_ONE_OF_THEM = Path(sys.argv[0]).resolve().parent == FOLDER  # and not a test, which imports them


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
    sys.__excepthook__(kind, error, traceback)


if IS_ONE_OF_THEM:
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")
    sys.excepthook = end_in_a_sentence
    atexit.register(let_readers_go)  # what is printed last is written only then

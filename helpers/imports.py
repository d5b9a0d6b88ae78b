"""Imports of large packages that take no longer than they must."""

import gc
import importlib.util
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# What is loaded when somebody calls it, by the name that its importers take of it. jsonschema, which nbformat and
# azure-ai-ml import, builds a grammar for addresses where Jupyter has it installed.
_LATER = {"rfc3987_syntax": "is_valid_syntax"}


@contextmanager
def quick_import(without: Iterable[str] = ()) -> Iterator[None]:
    """Have what is imported within take no longer than it must, and not find the modules that it can do without.

    Of what it imports and hardly anybody uses, a part is loaded when it is called: that takes most of a second. And the
    garbage collector would look a hundred times through what stays, and again later and as the process ends.
    """
    deferred = [name for name in _LATER if name not in sys.modules and importlib.util.find_spec(name) is not None]
    for name in deferred:
        sys.modules[name] = _later(name, _LATER[name])
    absent = [name for name in without if sys.modules.setdefault(name, None) is None]
    is_collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_collected:
            gc.enable()
        for name in (*absent, *deferred):
            sys.modules.pop(name, None)  # another thread's import may have ended first


def _later(module: str, function: str) -> types.ModuleType:
    """A module with one function, or class to be called, which loads the real one."""

    def load_and_call(*given, **named):
        return getattr(importlib.import_module(module), function)(*given, **named)

    stand_in = types.ModuleType(module)
    setattr(stand_in, function, load_and_call)
    return stand_in

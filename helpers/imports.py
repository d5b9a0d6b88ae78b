"""Imports of large packages that take no longer than they must."""

import gc
import importlib.util
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def quick_import(without: Iterable[str] = ()) -> Iterator[None]:
    """Have what is imported within take no longer than it must, and not find the modules that it can do without.

    jsonschema, which nbformat and azure-ai-ml import, loads a grammar for addresses where Jupyter has it installed.
    That takes most of a second and is used for nothing here: it is loaded when somebody asks for it. And the garbage
    collector would look a hundred times through what stays, and again later and as the process ends.
    """
    is_deferred = _GRAMMAR not in sys.modules and importlib.util.find_spec(_GRAMMAR) is not None
    if is_deferred:
        later = types.ModuleType(_GRAMMAR)
        later.is_valid_syntax = lambda *given: importlib.import_module(_GRAMMAR).is_valid_syntax(*given)
        sys.modules[_GRAMMAR] = later
    absent = [name for name in without if sys.modules.setdefault(name, None) is None]
    is_collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_collected:
            gc.enable()
        for name in absent:
            sys.modules.pop(name, None)  # another thread's import may have ended first
        if is_deferred:
            del sys.modules[_GRAMMAR]

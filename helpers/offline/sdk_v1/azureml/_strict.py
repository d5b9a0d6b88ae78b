"""How the mocked SDK refuses what it does not support.

A member that is not supported is a call of unsupported() and nothing else; arguments that are not are given to
refuse(), first thing in a body. The coverage table (scripts/coverage_table.py) is read from these.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import importlib
import sys

from azureml._elsewhere import ELSEWHERE

COVERAGE = "docs/offline-coverage.md"


class UnsupportedOfflineError(NotImplementedError):
    """A call, an argument or a setting that only a real workspace supports."""


class UnsupportedNameError(UnsupportedOfflineError, AttributeError):
    """A name of the real SDK that the mocked one lacks; an AttributeError, so that hasattr() says False."""


class UnsupportedModuleError(ModuleNotFoundError):
    """A module of the real SDK that the mocked one lacks."""


def _message(what):
    return (
        f"{what} is not supported by the offline backend. {COVERAGE} lists what is; "
        'use_backend("azure") runs it on a real workspace.'
    )


def unsupported(what):
    """Raise UnsupportedOfflineError; `what` names the call or the argument, e.g. "Model.deploy()"."""
    raise UnsupportedOfflineError(_message(what))


def refuse(call, **arguments):
    """Raise UnsupportedOfflineError if an argument of a call is given, that is, not None: refuse(call, name=name)."""
    refuse_unknown(call, {name: value for name, value in arguments.items() if value is not None})


def refuse_unknown(call, kwargs, allowed=()):
    """Raise UnsupportedOfflineError if `kwargs`, what a call's **kwargs caught, has keys beyond `allowed`."""
    unknown = sorted(set(kwargs) - set(allowed))
    if unknown:
        unsupported(f"Argument {', '.join(unknown)} of {call}")


def module_getattr(module_name, exports=None, submodules=False):
    """Return a module's `__getattr__` (PEP 562).

    exports: name to module name, imported when the name is first used. _elsewhere has more such of most modules.
    submodules: whether a package's submodules are imported by mere mention, as if the package had done it.
    What remains is refused: ImportError to `from module import name`, AttributeError to anything else.
    """
    exports = {**ELSEWHERE.get(module_name, {}), **(exports or {})}

    def __getattr__(name):
        if name.startswith("_"):
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        if name in exports:
            value = getattr(importlib.import_module(exports[name]), name)
            setattr(sys.modules[module_name], name, value)
            return value
        if submodules:
            try:
                return importlib.import_module(f"{module_name}.{name}")
            except UnsupportedModuleError:
                pass
        message = _message(f"{module_name}.{name}")
        if _is_from_import(sys._getframe(1)):
            raise ImportError(message, name=module_name)
        raise UnsupportedNameError(message)

    return __getattr__


def _is_from_import(frame):
    # `from module import name` turns an AttributeError into an ImportError of its own words; ours says more.
    import dis

    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"


class _MissingModules:
    """Last on sys.meta_path: says of a module below `azureml` that nobody found why it is not there."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("azureml."):
            raise UnsupportedModuleError(_message("Module " + name), name=name)


def explain_missing_modules():
    """Make the import of a module that the mocked SDK lacks say so."""
    if _MissingModules not in sys.meta_path:
        sys.meta_path.append(_MissingModules)

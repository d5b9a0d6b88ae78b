"""Describe the public surface of the `azureml` that this process imports, as JSON.

    python surface.py <first entry of sys.path or ""> [module …]

Without modules, every public module below `azureml` is described; it is run in a process of its own, since the
mocked and the real SDK cannot live in one.
"""

import ast
import contextlib
import functools
import importlib
import inspect
import json
import pkgutil
import re
import sys
import warnings
from pathlib import Path


def main():
    first, *modules = sys.argv[1:]
    if first:
        sys.path.insert(0, first)
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        surface = {name: describe_module(name) for name in modules or public_modules()}
    json.dump(surface, sys.stdout)


def public_modules():
    import azureml

    names = [module.name for module in pkgutil.walk_packages(azureml.__path__, "azureml.")]
    return [name for name in names if not re.search(r"\._", name)]


def describe_module(name):
    """{member: description} of the module's classes, functions and constants; {"error": …} if it fails to import.

    "here" tells what the module defines, or names in `__all__`, from what it merely imports.
    """
    try:
        module = importlib.import_module(name)
        members = {key: getattr(module, key) for key in getattr(module, "__all__", ())}
    except ImportError as error:
        return {"error": str(error)}
    here = set(members) | assigned_names(module)
    for key, value in vars(module).items():
        if is_azureml(value) or is_plain(value):
            members.setdefault(key, value)
            if is_azureml(value) and (value.__module__ == name or value.__module__.startswith(name + "._")):
                here.add(key)
            elif inspect.isclass(value) and value.__module__.startswith(name.rpartition(".")[0] + "._"):
                here.add(key)  # from a private module beside this one: a part of this one
    return {
        key: {**describe(value), "here": key in here}
        for key, value in sorted(members.items())
        if not key.startswith("_")
    }


def assigned_names(module):
    """The names that the module's own lines assign at the top level."""
    tree = ast.parse(inspect.getsource(module))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def is_azureml(value):
    return (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("azureml")


def is_plain(value):
    return isinstance(value, (str, int, float)) or (isinstance(value, list) and all(map(is_plain, value)))


def describe(value):
    if inspect.isclass(value):
        return describe_class(value)
    if isinstance(value, property):
        return {"kind": "property", "settable": value.fset is not None}
    if isinstance(value, (staticmethod, classmethod)):
        return {"kind": type(value).__name__, "parameters": parameters(value.__func__)}
    if callable(value):
        return {"kind": "function", "parameters": parameters(value)}
    return {"kind": "constant", "value": without_addresses(repr(value))}


@functools.cache
def describe_class(cls):
    description = {"kind": "class", "module": cls.__module__, "members": {}, "private": []}
    description["attributes"] = sorted(assigned_attributes(cls))
    if issubclass(cls, BaseException):
        description["bases"] = [base.__name__ for base in cls.__mro__[1:] if is_public_azureml(base)]
    for name in dir(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if owner is None or not owner.__module__.startswith("azureml"):
            continue
        if not name.startswith("_") or name == "__init__":
            description["members"][name] = describe(inspect.getattr_static(cls, name))
            if "._" in owner.__module__:
                description["private"].append(name)
    return description


def is_public_azureml(cls):
    return not cls.__name__.startswith("_") and hasattr(importlib.import_module("azureml.exceptions"), cls.__name__)


def assigned_attributes(cls):
    """The public attributes that the class's own methods, or its bases', set on self."""
    names = set()
    for base in cls.__mro__:
        if base.__module__.startswith("azureml"):
            for file in source_files(base):
                names |= attributes_by_class(file).get(base.__name__, set())
    return {name for name in names if not name.startswith("_")}


def source_files(cls):
    """Where the class is written, which may be another module than the one that it says it belongs to."""
    functions = filter(inspect.isfunction, map(inspect.unwrap, filter(inspect.isfunction, vars(cls).values())))
    return {sys.modules[cls.__module__].__file__, *(function.__code__.co_filename for function in functions)}


@functools.cache
def attributes_by_class(file):
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {node.name: {child.attr for child in ast.walk(node) if is_set_on_self(child)} for node in classes}


def is_set_on_self(node):
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def parameters(function):
    """The signature as text, without annotations: "(self, path=None, *, overwrite=False)"."""
    bare = [
        parameter.replace(annotation=parameter.empty) for parameter in inspect.signature(function).parameters.values()
    ]
    return without_addresses(str(inspect.Signature(bare)))


def without_addresses(text):
    return re.sub(r"<[\w.]*?(\w+) object at 0x\w+>", r"<\1>", text)


if __name__ == "__main__":
    main()

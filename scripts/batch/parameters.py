"""The parameters that notebooks declare in the cell tagged `parameters`, and values checked against them.

papermill itself takes any name and any type: an unknown name is only warned of, `-p x=007` becomes 7 for text too.
"""

import ast
import difflib
import functools
import importlib
import io
import json
import tokenize
import typing
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from pydantic import TypeAdapter, ValidationError

from batch import UsageError

TYPES_FROM = ("typing", "pydantic", "helpers.parameters")  # what a parameters cell may import from


@dataclass(frozen=True)
class Parameter:
    """One line of a `parameters` cell: `name: annotation = default  # help`.

    type: evaluates the annotation, which only a notebook that is to run may ask for. Raises UsageError.
    """

    name: str
    annotation: str
    type: Callable[[], TypeAdapter]
    default: object
    help: str


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, by name, in its order; empty if no cell is tagged `parameters`.

    Raises UsageError for what is not a notebook, and for a parameters cell that holds anything but constants:
    papermill injects its values after that cell, so what the cell derives from them would keep its old value.
    """
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception as error:  # nbformat has no common class for what it raises on a damaged file
        raise UsageError(f"{path} cannot be read as a notebook: {error!s:.200}") from error
    for cell in cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            return {parameter.name: parameter for parameter in parse_parameters(cell.source, path.name)}
    return {}


def read_all_parameters(chosen: list[Path], folder: Path) -> dict[Path, dict[str, Parameter]]:
    """The parameters of the chosen notebooks and of the others in their folder, the folder's first and in its order.

    Of the others, those that cannot be read are left out. Raises UsageError as read_parameters for the chosen ones.
    """
    found = {}
    for notebook in dict.fromkeys([*sorted(folder.glob("*.ipynb")), *chosen]):
        try:
            found[notebook] = read_parameters(notebook)
        except UsageError:
            if notebook in chosen:
                raise
    return found


def parse_parameters(source: str, notebook: str) -> list[Parameter]:
    """The parameters in a cell's source; `notebook` names it in messages. Raises UsageError as read_parameters."""
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise UsageError(f"{notebook}: the parameters cell is not Python: {error}") from error
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    types = vars(typing).copy()
    parameters = []
    for statement in statements:
        try:
            match statement:
                case ast.ImportFrom(module=module, names=names) if module in TYPES_FROM:
                    types = types | {name.name: getattr(importlib.import_module(module), name.name) for name in names}
                    continue
                case ast.AnnAssign(target=ast.Name(name), annotation=annotation):
                    value, written = ast.literal_eval(statement.value), ast.unparse(annotation)
                case ast.Assign(targets=[ast.Name(name)]):
                    value, written = ast.literal_eval(statement.value), ""
                case _:
                    raise ValueError
        except (ValueError, TypeError, AttributeError):
            raise UsageError(
                f"{notebook}: the parameters cell holds `{ast.unparse(statement)}`, which is neither a constant nor "
                f"an import of types from {' or '.join(TYPES_FROM)}. "
                "Move it to the next cell, where it sees the values that are given."
            ) from None
        if not written:
            written = "Any" if value is None else type(value).__name__
        evaluate = functools.cache(functools.partial(type_adapter, written, types, notebook))
        parameters.append(Parameter(name, written, evaluate, value, comments.get(statement.end_lineno, "")))
    return parameters


def type_adapter(annotation: str, types: dict[str, object], notebook: str) -> TypeAdapter:
    try:
        return TypeAdapter(eval(annotation, types))  # the notebook's own text: it is run anyway
    except Exception as error:  # an annotation is an expression, which may raise anything
        raise UsageError(
            f"{notebook}: the parameters cell has a type that cannot be checked, {annotation!r} ({error}). "
            f"Built-in types and those of {', '.join(TYPES_FROM)} can."
        ) from error


def describe_parameters(parameters: dict[Path, dict[str, Parameter]]) -> list[str]:
    """A line for each parameter that differs in more than the notebook it is in."""
    lines: dict[str, list[str]] = {}
    for notebook, declared in parameters.items():
        for parameter in declared.values():
            line = f"  {parameter.name}: {parameter.annotation} = {parameter.default!r}"
            line += f"  # {parameter.help}" if parameter.help else ""
            lines.setdefault(line, []).append(notebook.stem)
    return [f"{line}  ({', '.join(names)})" for line, names in lines.items()] or ["  no parameters"]


def read_parameters_file(path: Path | None) -> dict[str, object]:
    """The mapping in a YAML file, empty if there is no path. Raises UsageError for any other content."""
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"the parameters file {path} cannot be read: {error}") from error
    if content is None:  # only comments
        return {}
    if not isinstance(content, dict):
        raise UsageError(f"the parameters file {path} must hold a mapping of names to values")
    for name in content:
        if not isinstance(name, str):  # to YAML, `on` and `yes` are true, and 1 is a number
            raise UsageError(f"the parameters file {path} has {name!r} for a name: write names in quotes")
    return content


def assign_values(
    parameters: dict[Path, dict[str, Parameter]],
    from_file: dict[str, object],
    texts: list[tuple[str, str]],
    notebooks: Collection[Path],
) -> dict[Path, dict[str, object]]:
    """The values for each of `notebooks`, of the types it declares; where both set one, the command line's `texts` win.

    `parameters` are those of the whole series. Raises UsageError that lists every name that none of it has, and every
    value of a wrong type; and for a type that cannot be checked, even of a parameter that is not given.
    """
    known = {name for declared in parameters.values() for name in declared}
    unknown = [name for name in dict.fromkeys([*from_file, *dict(texts)]) if name not in known]
    problems = [f"no notebook has a parameter {name!r}.{did_you_mean(name, parameters)}" for name in unknown]
    wrong: dict[str, list[str]] = {}
    values = {}
    for notebook in notebooks:
        values[notebook] = {}
        for name, parameter in parameters[notebook].items():
            parameter.type()
            try:
                if name in dict(texts):
                    values[notebook][name] = read_text(dict(texts)[name], parameter)
                elif name in from_file:
                    values[notebook][name] = read_value(from_file[name], parameter)
            except ValueError as error:
                wrong.setdefault(f"{name} must be {parameter.annotation}: {error}", []).append(notebook.stem)
    problems += [f"{', '.join(names)}: {problem}" for problem, names in wrong.items()]
    if problems:
        raise UsageError("\n".join([*problems, "--help-parameters lists every parameter, its type and its default."]))
    return values


def did_you_mean(name: str, parameters: dict[Path, dict[str, Parameter]]) -> str:
    """The line of each parameter whose name is like this one; empty if there is none."""
    known = {known for declared in parameters.values() for known in declared}
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    alike = {
        path: {name: declared[name] for name in close if name in declared} for path, declared in parameters.items()
    }
    return " Did you mean\n" + "\n".join(describe_parameters(alike)) if close else ""


def all_values(declared: dict[str, Parameter], given: dict[str, object]) -> dict[str, object]:
    """The value of every parameter of a notebook: the given one, or else its default."""
    return {name: parameter.default for name, parameter in declared.items()} | given


def read_value(value: object, parameter: Parameter) -> object:
    """A value of a YAML file as the declared type. Raises ValueError if it is another.

    YAML takes 1e-3 for text, so text is read as on the command line where the type is not met.
    """
    try:
        return plain_json(parameter.type().validate_python(value, strict=True))
    except ValidationError as error:
        if isinstance(value, str):
            return read_text(value, parameter)
        raise ValueError(first_error(error)) from error


def read_text(text: str, parameter: Parameter) -> object:
    """Text of the command line as the declared type. Raises ValueError if it cannot be read as one."""
    if text.lower() in ("none", "null"):
        with suppress(ValidationError):
            return parameter.type().validate_python(None, strict=True)
    try:
        try:
            return plain_json(parameter.type().validate_strings(text))
        except ValidationError:
            if not text.startswith(("[", "{")):
                raise
            return plain_json(parameter.type().validate_python(yaml.safe_load(text), strict=True))
    except ValidationError as error:
        raise ValueError(first_error(error)) from error
    except yaml.YAMLError as error:
        raise ValueError(f"{text!r} is not a list or dict as YAML writes it") from error


def first_error(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = "".join(f"[{key!r}]" for key in problem["loc"] if isinstance(key, int))
    return f"{problem['input']!r}{f' at {place}' if place else ''}: {problem['msg']}"


def plain_json(value: object) -> object:
    """`value`, if JSON keeps it as it is: only such a value reaches the notebook and the manifest unchanged."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        if json.loads(text.encode()) == value:  # an odd byte of a command line is no text, and cannot be encoded
            return value
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{value!r} is not made of text, finite numbers, true, false, null, lists and text-keyed dicts")

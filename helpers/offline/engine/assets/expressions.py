"""Which rows of a table are kept: an expression as JSON, a list of an operator and what it is done to.

    ["|", [">", ["column", "count"], ["value", 1]], ["is_null", ["column", "name"]]]

The rules are those of the library with which SDK v1 reads. What is compared with null is null, which is neither so nor
not so; a column that is not there is one of nulls. Values of different kinds are never equal, and are in this order:
flags, numbers, texts, moments.
"""

import operator
from collections.abc import Callable
from datetime import date
from numbers import Number
from typing import NamedTuple

import pandas as pd

from helpers.offline.engine.workspace.errors import Invalid

_COMPARED: dict[str, Callable] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COUNTED: dict[str, Callable] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_OF_TEXT: dict[str, Callable] = {
    "contains": lambda text, part: part in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "to_upper": str.upper,
    "to_lower": str.lower,
    "length": len,
}


class _Failed(NamedTuple):
    """What an operator gives for values that it does not take."""

    reason: str


def evaluate(frame: pd.DataFrame, expression: list) -> pd.Series:
    """Whether each row is one. Raises Invalid where an operator does not take what a row has."""
    columns = {name: [_plain(value) for value in frame[name].tolist()] for name in _columns(expression, frame)}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    found = [_value(row, expression) for row in rows or [{}] * len(frame)]
    for one in found:
        if isinstance(one, _Failed):
            raise Invalid(f"Error processing data: {one.reason}")
        if not isinstance(one, bool | None):
            raise Invalid(f"Value cast error. Expected 'Boolean', got {one!r}.")
    return pd.Series([one is True for one in found], index=frame.index, dtype=bool)


def _columns(expression: list, frame: pd.DataFrame) -> set:
    """The names of the frame's columns that the expression has in it."""
    verb, *given = expression
    if verb == "column":
        return {given[0]} & set(frame.columns)
    if verb in ("value", "moment"):
        return set()
    return set().union(*(_columns(one, frame) for one in given))


def _plain(value):
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _value(row: dict, expression: list):
    verb, *given = expression
    if verb == "value":
        return given[0]
    if verb == "moment":
        return pd.Timestamp(given[0])
    if verb == "column":
        return row.get(given[0])
    if verb == "&":
        left = _flag(_value(row, given[0]))
        return _flag(_value(row, given[1])) if left is True else left
    if verb == "|":
        return _either(*(_flag(_value(row, one)) for one in given))
    values = [_value(row, one) for one in given]
    if failed := next((value for value in values if isinstance(value, _Failed)), None):
        return failed
    if verb == "is_null":
        return values[0] is None
    if verb in _OF_TEXT:
        return _of_text(verb, *values)
    if any(value is None for value in values):
        return None
    if verb == "~":
        return not values[0] if isinstance(values[0], bool) else _flag(values[0])
    return _compared(verb, *values) if verb in _COMPARED else _counted(verb, *values)


def _flag(value):
    if isinstance(value, bool | _Failed | None):
        return value
    return _Failed(f"{value!r} is neither true nor false.")


def _either(left, right):
    if left is True or right is True:
        return True
    failed = next((side for side in (left, right) if isinstance(side, _Failed)), None)
    return failed or (None if None in (left, right) else False)


def _kind(value) -> int:
    """The place of the value's kind among the kinds."""
    kinds = (bool, Number, str, date)
    return next((place for place, kind in enumerate(kinds) if isinstance(value, kind)), len(kinds))


def _compared(verb: str, one, other):
    if _kind(one) != _kind(other):
        return _COMPARED[verb](_kind(one), _kind(other))
    try:
        return bool(_COMPARED[verb](one, other))
    except (TypeError, ValueError):
        return _Failed(f"{one!r} and {other!r} cannot be compared.")


def _counted(verb: str, one, other):
    try:
        return _COUNTED[verb](one, other)
    except (TypeError, ValueError, ArithmeticError):
        return _Failed(f"{one!r} {verb} {other!r} cannot be computed.")


def _of_text(verb: str, *values):
    wrong = next((value for value in values if not isinstance(value, str)), "")
    return _OF_TEXT[verb](*values) if wrong == "" else _Failed(f"{verb}() is of texts; {wrong!r} is none.")

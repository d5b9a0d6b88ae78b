"""Which rows of a table are kept: an expression as JSON, a list of an operator and what it is done to.

    ["|", [">", ["column", "count"], ["value", 1]], ["is_null", ["column", "name"]]]

To compare null with anything is no.
"""

import operator
from collections.abc import Callable

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


def evaluate(frame: pd.DataFrame, expression: list) -> pd.Series:
    """Whether each row is one. Raises Invalid for a column that is not there, and values that cannot be compared."""
    try:
        found = _value(frame, expression)
        return pd.Series(found, index=frame.index).astype("boolean").fillna(False).astype(bool)
    except (TypeError, ValueError) as error:
        raise Invalid(f"Error processing data: {error}") from error


def _value(frame: pd.DataFrame, expression: list):
    verb, *given = expression
    if verb == "value":
        return given[0]
    if verb == "moment":
        return pd.Timestamp(given[0])
    if verb == "column":
        if given[0] not in frame.columns:
            raise Invalid(f"The column {given[0]!r} is not there. There are: {', '.join(map(str, frame.columns))}.")
        return frame[given[0]]
    values = [_value(frame, one) for one in given]
    if verb == "&":
        return values[0] & values[1]
    if verb == "|":
        return values[0] | values[1]
    if verb == "~":
        return ~values[0]
    if verb == "is_null":
        return values[0].isna()
    if verb in _COUNTED:
        return _COUNTED[verb](*values)
    if verb in _COMPARED:
        return _compared(verb, *values)
    return _texts(values[0], _OF_TEXT[verb], *values[1:])


def _compared(verb: str, one, other):
    """Which are so; nulls are not, and neither is a date beside a text that is none."""
    sides = [side for side in (one, other) if isinstance(side, pd.Series)]
    known = pd.concat([side.notna() for side in sides], axis=1).all(axis=1)
    one, other = (side[known] if isinstance(side, pd.Series) else side for side in (one, other))
    return (_COMPARED[verb](one, other) == True).reindex(known.index, fill_value=False)  # noqa: E712  of each row


def _texts(column: pd.Series, function: Callable, *given) -> pd.Series:
    if column.isna().any():
        raise Invalid(f"Error processing data: the column {column.name!r} has nulls, which are no texts.")
    return column.map(lambda text: function(text, *given))

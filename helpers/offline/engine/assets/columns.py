"""The kinds that a table's columns may have, how one is guessed from texts, and how texts become such values."""

import math
import re
from datetime import datetime

import pandas as pd

from helpers.offline.engine.assets import moments

_WHOLE = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity)|nan"
_LARGEST = 2**63 - 1
_FLAGS = dict.fromkeys(["1", "true", "True", "TRUE", "t", "T", "Yes", "YES", "Y"], True)
_FLAGS |= dict.fromkeys(["0", "false", "False", "FALSE", "f", "F", "No", "NO", "N"], False)


def guess(column: pd.Series) -> tuple[dict, bool]:
    """The kind of a column of texts and None, and whether its dates may be day-month as well as month-day."""
    found = list(column.dropna())
    texts = [text for text in found if isinstance(text, str)]
    if not texts or "" in texts or len(texts) < len(found):
        return {"kind": "text"}, False
    bare = [text.strip() for text in texts]
    # The library takes 01 for a flag here, and later for no value of one.
    if all(text in _FLAGS or (re.fullmatch(_WHOLE, text) and int(text) in (0, 1)) for text in bare):
        return {"kind": "flag"}, False
    if all(re.fullmatch(_WHOLE, text) and -_LARGEST - 1 <= int(text) <= _LARGEST for text in bare):
        return {"kind": "whole"}, False
    if all(re.fullmatch(_NUMBER, text, re.IGNORECASE) for text in bare):
        return {"kind": "float", "decimal_mark": "."}, False
    if dates := moments.formats_of(texts):
        formats, ambiguous = dates
        return {"kind": "date", "formats": formats}, ambiguous
    return {"kind": "text"}, False


def converted(column: pd.Series, kind: dict) -> tuple[pd.Series, pd.Series]:
    """The column as values of the kind, and which of its rows have none, as for nulls and what is none of the kind."""
    values = [None if pd.isna(value) else _value(value, kind) for value in column]
    lacking = pd.Series([value is None for value in values], index=column.index, dtype=bool)
    return pd.Series(values, index=column.index, name=column.name, dtype=_DTYPES[kind["kind"]]), lacking


_DTYPES = {"whole": "Int64", "float": "float64", "flag": "boolean", "date": "datetime64[ns]", "text": object}


def _value(value, kind: dict):
    text = str(value)
    match kind["kind"]:
        case "text":
            return text
        case "whole":
            return _whole(text.strip())
        case "float":
            if kind["decimal_mark"] != ".":
                text = text.replace(kind["decimal_mark"], ".")
            return float(text) if re.fullmatch(_NUMBER, text.strip(), re.IGNORECASE) else None
        case "flag":
            return _FLAGS.get(text.strip())
    return value if isinstance(value, datetime) else moments.moment(text.strip(), kind["formats"])


def _whole(text: str) -> int | None:
    """A whole number of 64 bits: the nearest one to a larger number, and what is before the point of a fraction."""
    if re.fullmatch(_WHOLE, text):
        value = int(text)
    elif re.fullmatch(_NUMBER, text, re.IGNORECASE):
        number = float(text)
        if not math.isfinite(number):
            return 0 if math.isnan(number) else _LARGEST if number > 0 else -_LARGEST - 1
        value = int(number)
    else:
        return None
    return max(-_LARGEST - 1, min(value, _LARGEST))

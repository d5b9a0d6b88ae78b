"""The kinds that a table's columns may have, how one is guessed from texts, and how texts become such values."""

import math
import re
from contextlib import suppress
from datetime import UTC, datetime

import pandas as pd

from helpers.offline.engine.workspace.errors import Invalid

_WHOLE = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity)|nan"
_LARGEST = 2**63 - 1
_FLAGS = dict.fromkeys(["1", "true", "True", "TRUE", "t", "T", "Yes", "YES", "Y"], True)
_FLAGS |= dict.fromkeys(["0", "false", "False", "FALSE", "f", "F", "No", "NO", "N"], False)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f")
_TO_THE_SECOND = [time for time in _TIMES if time != " %H:%M"]  # as the library wants it where the year comes first
_ISO = [f"{day}{time}{zone}" for day in ("%Y-%m-%d", "%Y/%m/%d") for time in _TO_THE_SECOND for zone in ("", "%z")]
_ISO += [one.replace(" ", "T") for one in _ISO if " " in one]
_MONTH_FIRST = [f"%m{mark}%d{mark}%Y{time}" for mark in "/-." for time in _TIMES]
_DAY_FIRST = [f"%d{mark}%m{mark}%Y{time}" for mark in "/-." for time in _TIMES]


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
    if all(re.fullmatch(_WHOLE, text) and abs(int(text)) <= _LARGEST for text in bare):
        return {"kind": "whole"}, False
    if all(re.fullmatch(_NUMBER, text, re.IGNORECASE) for text in bare):
        return {"kind": "float", "decimal_mark": "."}, False
    for formats, others in ((_ISO, ()), (_MONTH_FIRST, _DAY_FIRST), (_DAY_FIRST, ())):
        if all(_moment(text, formats) is not None for text in texts):
            ambiguous = bool(others) and all(_moment(text, others) is not None for text in texts)
            return {"kind": "date", "formats": _used(texts, formats)}, ambiguous
    return {"kind": "text"}, False


def converted(column: pd.Series, kind: dict, on_error: str = "null") -> pd.Series:
    """The column as values of the kind; None, or where `on_error` is "fail" Invalid, for what is none of it."""
    values = [None if pd.isna(value) else _value(value, kind) for value in column]
    if on_error == "fail":
        for value, text in zip(values, column, strict=True):
            if value is None and not pd.isna(text):
                raise Invalid(f"The value {text!r} of the column {column.name!r} is no {kind['kind']}.")
    return pd.Series(values, index=column.index, name=column.name, dtype=_DTYPES[kind["kind"]])


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
    return value if isinstance(value, datetime) else _moment(text, kind["formats"])


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


def _used(texts: list[str], formats: list[str]) -> list[str]:
    """Those of the formats that are needed, in their order, so that later rows are read as these are."""
    return [one for one in formats if any(_moment(text, [one]) is not None for text in texts)]


def _moment(text: str, formats: list[str]) -> datetime | None:
    """A moment in the first format that fits, in UTC where it has a zone; None where none fits."""
    for one in formats:
        with suppress(ValueError):
            moment = datetime.strptime(text, one)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return None

"""Texts as moments: the formats that the SDK's library knows of itself, which of them a column is in, and reading them.

A format is one of strptime(), read as the library does: a year may have fewer digits, and is then one of antiquity; a
moment that pandas cannot hold is a null. So `13/1/20`, which is year first to the library, is null.
"""

import functools
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

Moment = np.datetime64
_NULL = np.datetime64("NaT", "ns")
_LARGEST = 2**63 - 1  # nanoseconds since the epoch
_ZONES = ("", "%z")
_ISO = [
    f"%Y{mark}%m{mark}%d{time}{zone}"
    for mark in "-/"
    for time in ("", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M:%S.%f")
    for zone in _ZONES
]
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTH_FIRST = [f"%m{mark}%d{mark}{year}{time}" for year in ("%y", "%Y") for mark in "-/" for time in _TIMES]
_DAY_FIRST = [f"%d{mark}%m{mark}{year}{time}" for year in ("%y", "%Y") for mark in "-/" for time in _TIMES]
_NAMED = [
    f"%d{mark}%b{mark}{year}{time}"
    for year in ("%y", "%Y")
    for mark in "-/"
    for time in ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f")
]
_KNOWN = [*_ISO, *_MONTH_FIRST, *_DAY_FIRST, *_NAMED]
_OTHER_WAY = dict(zip(_MONTH_FIRST, _DAY_FIRST, strict=True))
_PARTS = {
    "%Y": r"(?P<year>\d{1,4})",
    "%y": r"(?P<short>\d\d)",
    "%m": r"(?P<month>\d{1,2})",
    "%b": r"(?P<name>[a-z]{3})",
    "%d": r"(?P<day>\d{1,2})",
    "%H": r"(?P<hour>\d{1,2})",
    "%I": r"(?P<twelve>\d{1,2})",
    "%M": r"(?P<minute>\d{1,2})",
    "%S": r"(?P<second>\d{1,2})",
    "%f": r"(?P<fraction>\d+)",
    " %p": r"\s*(?P<half>[ap]m)",
    "%p": r"(?P<half>[ap]m)",
    "%z": r"\s*(?P<zone>z|utc|[+-]\d\d:?\d\d)",
    " ": r"\s+",
    "T": "(?-i:T)",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def formats_of(texts: list[str]) -> tuple[list[str], bool] | None:
    """The formats of a column of these texts, and whether day and month may be the other way; None if it has no dates.

    Texts of one shape are in one format; the first one's is tried first.
    """
    shapes: dict[str, list[str]] = {}
    for text in texts:
        shapes.setdefault(_shape(text), []).append(text)
    found, ambiguous = [], False
    for alike in shapes.values():
        fitting = [one for one in _KNOWN if all(moment(text, [one]) is not None for text in alike)]
        if not fitting:
            return None
        found.append(fitting[0])
        ambiguous |= _OTHER_WAY.get(fitting[0]) in fitting
    return list(dict.fromkeys(found)), ambiguous


def _shape(text: str) -> str:
    """What texts have in common that are alike but for numbers and words; a year of two digits is none of four."""
    words = re.sub(r" ?[^\W\d_]+", "a", " ".join(text.split()))
    return re.sub(r"\d+", lambda digits: "0000" if len(digits[0]) > 2 else "0", words)


def moment(text: str, formats: list[str]) -> Moment | None:
    """A text as the moment that it is in the first format that fits, in UTC; None where none fits."""
    for one in formats:
        pattern = _pattern(one)
        with suppress(ValueError):
            if pattern is None:
                return _of(datetime.strptime(text, one))
            if found := pattern.fullmatch(text):
                return _read(found.groupdict())
    return None


@functools.cache
def _pattern(one: str) -> re.Pattern | None:
    """What a format looks like; None for one that is left to strptime()."""
    parts = re.split(r"( %p|%.| |T)", one)
    if any(part.startswith("%") and part not in _PARTS for part in parts):
        return None
    return re.compile(r"\s*" + "".join(_PARTS.get(part) or re.escape(part) for part in parts), re.IGNORECASE | re.ASCII)


def _read(parts: dict[str, str]) -> Moment:
    """The moment of these parts. Raises ValueError where they make none."""
    numbers = {name: int(parts[name]) for name in ("year", "month", "day", "hour", "minute") if parts.get(name)}
    if parts.get("short"):
        numbers["year"] = int(parts["short"]) + (1900 if int(parts["short"]) >= 70 else 2000)
    if parts.get("name"):
        numbers["month"] = _MONTHS.index(parts["name"].lower()) + 1
    if parts.get("twelve"):
        if not 1 <= int(parts["twelve"]) <= 12:
            raise ValueError("the clock has twelve hours")
        numbers["hour"] = int(parts["twelve"]) % 12 + (12 if (parts.get("half") or "").lower() == "pm" else 0)
    seconds = int(parts.get("second") or 0)
    if seconds > 60:  # the last one is a leap second
        raise ValueError("a minute has sixty seconds")
    zone = (parts.get("zone") or "").replace(":", "")
    offset = timedelta()
    if zone[:1] in ("+", "-"):
        offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    start = datetime(**{"year": 1900, "month": 1, "day": 1, **numbers}, tzinfo=timezone(offset))
    return _of(start, seconds, int((parts.get("fraction") or "")[:9].ljust(9, "0")))


def _of(start: datetime, seconds: int = 0, nanoseconds: int = 0) -> Moment:
    """A time without a zone is one in UTC."""
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    since = (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    whole = since * 1000 + seconds * 10**9 + nanoseconds
    return np.datetime64(whole, "ns") if abs(whole) <= _LARGEST else _NULL

"""Tables: what a tabular dataset's definition makes of its files.

A definition is JSON: how the files are read ("format" and what goes with it), the kind of each column ("kinds"), and
"steps", each a list of a verb and what it is done with. The rules (which header, which kind, what is null) are those
that the library has with which SDK v1 reads; the tests hold them to it.
"""

import csv
import io
import random
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from helpers.offline.engine.assets import data
from helpers.offline.engine.assets.columns import converted, guess
from helpers.offline.engine.assets.expressions import evaluate
from helpers.offline.engine.workspace.errors import Invalid, NotAllowed

HEADERS = ("NO_HEADERS", "ONLY_FIRST_FILE_HAS_HEADERS", "COMBINE_ALL_FILES_HEADERS", "ALL_FILES_HAVE_SAME_HEADERS")
PATH = "Path"  # the column that says which file a row is from
EMPTY = "\ue000"  # of no alphabet; stands for a field that is quoted and empty, which is a text, and no null
_SAMPLE = 200  # rows that the kinds of the columns are guessed from


def learn(folder: Path, sources: list[dict], table: dict, must_have_rows: bool) -> tuple[dict, list[str]]:
    """The kind of each column, by its first rows, and the columns whose dates may be day-month as well as month-day.

    Raises NotFound, and Invalid, also where there is no row and there must be.
    """
    frame = _raw(folder, sources, table, _SAMPLE)
    if must_have_rows and not len(frame):
        raise Invalid("The Dataflow produced no records.")
    guesses = {name: guess(frame[name]) for name in frame.columns if name != PATH or not table["include_path"]}
    return (
        {name: kind for name, (kind, _) in guesses.items()},
        [name for name, (_, ambiguous) in guesses.items() if ambiguous],
    )


def read(folder: Path, sources: list[dict], table: dict, on_error: str = "null") -> pd.DataFrame:
    """The rows, one a line. What is not of its column's kind is null, or NotAllowed where `on_error` is not "null".

    Raises NotFound, NotAllowed where no column is left, and Invalid for files that are no such tables and for steps
    that cannot be taken.
    """
    frame = _raw(folder, sources, table)
    raw, lacking = frame.copy(deep=False), {}
    for name, kind in table["kinds"].items():
        if name in frame.columns:
            frame[name], lacking[name] = converted(frame[name], kind)
    for verb, *given in table["steps"]:
        frame = _STEPS[verb](frame, *given)
    if not len(frame):
        return pd.DataFrame()  # where no row is left, no column is told
    if not len(frame.columns):
        raise NotAllowed("The input data contains no columns.")
    lacking = {name: rows[frame.index] for name, rows in lacking.items() if name in frame.columns}
    if on_error != "null":
        _refuse_wrong({name: raw[name][frame.index][rows] for name, rows in lacking.items()})
    if table["format"] == "parquet" and not table["kinds"] and not table["steps"]:
        return frame.reset_index(drop=True)  # as the file has them; the library goes over the others itself
    for name in frame.columns:
        rows = lacking[name] if name in lacking else frame[name].isna()
        if rows.all():
            frame[name] = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return _plain(frame.reset_index(drop=True))


def _refuse_wrong(lacking: dict[str, pd.Series]) -> None:
    """Raise NotAllowed where a column has something, of the rows that have no value of its kind."""
    for name, column in lacking.items():
        for text in column.dropna():
            raise NotAllowed(
                "Encountered ErrorValue in the data. Currently selected 'ErrorTranslationStrategy' is 'Fail'. If you "
                f"want null, use on_error='null': {text!r} in the column {name!r} is not of the column's kind."
            )


def write(frame: pd.DataFrame, path: Path, row_group_size: int | None = None) -> None:
    """Put a table into a Parquet file. Raises ValueError or TypeError, as pandas does, for what Parquet cannot hold."""
    frame.to_parquet(path, row_group_size=row_group_size)


def _raw(folder: Path, sources: list[dict], table: dict, rows: int | None = None) -> pd.DataFrame:
    """The rows as they are in the files, at least `rows` of them; of delimited files texts and None."""
    files = data.resolve(folder, sources)
    if table["format"] == "parquet":
        parts = [_parquet(file.path) for file in files]
    else:
        parts = _delimited([file.path for file in files], table, rows)
    if table["include_path"]:
        for file, part in zip(files, parts, strict=False):
            part.insert(0, PATH, _told(file.source))
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    texts = [name for name in frame.columns if frame[name].dtype.kind == "O"]
    frame[texts] = frame[texts].where(frame[texts].notna(), None)  # also where a file lacks the column
    return frame


def _told(source: dict) -> str:
    return source.get("url") or f"{source['datastore']}/{source['path'].strip('/')}"


def _parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise Invalid(f"{path.name} is no Parquet file: {error}") from error
    for name, kind in frame.dtypes.items():
        if isinstance(kind, pd.CategoricalDtype) or kind.kind == "m" or kind == "float16":
            raise Invalid(
                f"The SDK's library cannot read the column {name!r} of {path.name}: it is of the kind {kind}."
            )
    return frame


def _delimited(paths: list[Path], table: dict, enough: int | None) -> list[pd.DataFrame]:
    """The rows of each file, as texts; those of one file at least, and of the others until there are `enough`."""
    header, parts, names, count = table["header"], [], [], 0
    for path in paths:
        rows = _rows(path, table, enough)
        if rows and (header == "COMBINE_ALL_FILES_HEADERS" or (header != "NO_HEADERS" and not names)):
            names = [name.removeprefix(EMPTY).strip() for name in rows.pop(0)]
        elif header == "ALL_FILES_HAVE_SAME_HEADERS":
            rows = rows[1:]
        width = max(map(len, [names, *rows]))
        padded = [[_value(cell, table) for cell in row] + [None] * (width - len(row)) for row in rows]
        parts.append(pd.DataFrame(padded, columns=_names(names, width), dtype=object))
        count += len(rows)
        if enough is not None and count >= enough:
            break
    return parts


def _value(cell: str, table: dict) -> str | None:
    return "" if cell == EMPTY or (not cell and table["empty_as_string"]) else cell or None


def _rows(path: Path, table: dict, enough: int | None) -> list[list[str]]:
    try:
        text = path.read_bytes().decode(table["encoding"])
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name} is not encoded as {table['encoding']}: {error}. Give its encoding.") from error
    # Whether a quoted field may go on in the next line.
    lines = None if table["multi_line"] else re.split("\r?\n", text)
    rows = []
    try:
        for part in lines or [text]:
            rows += filter(None, _fields(part, table["separator"]))
            if enough is not None and len(rows) > enough:
                break
    except (csv.Error, TypeError) as error:
        raise Invalid(f"{path.name} is not delimited by {table['separator']!r}: {error}") from error
    return rows


def _fields(text: str, separator: str) -> list[list[str]]:
    """The fields of each row of a text; EMPTY for one that is quoted and empty. Raises csv.Error and TypeError."""
    rows = _split_up(text, separator)
    if '""' not in text:
        return rows
    mark = re.escape(separator)
    marked = _split_up(re.sub(rf'(?m)(^|{mark})""(?=\r?$|{mark})', rf"\1{EMPTY}", text), separator)
    alike = rows == [[cell.replace(EMPTY, "") for cell in row] for row in marked]
    return marked if alike else rows  # those two quotes may have been within a field


def _split_up(text: str, separator: str) -> list[list[str]]:
    # A carriage return alone ends no line.
    rows = list(csv.reader(io.StringIO(text, newline="") if "\n" in text else [text], delimiter=separator))
    if "\n" not in text and text.count('"') % 2 and _is_open(text, separator):
        *fields, last = rows[-1]
        rows[-1] = [*fields, *f'"{last}'.split(separator)]
    return rows


def _is_open(line: str, separator: str) -> bool:
    """Whether the last field begins with a quote, and none ends it: the library takes that quote for a part of it."""
    try:
        list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _names(given: list[str], width: int) -> list[str]:
    """The names of so many columns: those given, the others by their place.

    A name that is taken gets the number of such names so far, as often as that is taken, too: a, a_1, a_1_2.
    """
    names, taken = [], 0
    for place in range(width):
        name = (given[place] if place < len(given) else "") or f"Column{place + 1}"
        while name in names:
            taken += 1
            name = f"{name}_{taken}"
        names.append(name)
    return names


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns in NumPy's kinds: whole numbers with nulls among them are floats, flags with nulls are objects."""
    for name, column in frame.items():
        kind, nulls = column.dtype, column.isna().any()
        if isinstance(kind, pd.StringDtype) or (isinstance(kind, pd.BooleanDtype) and nulls):
            frame[name] = column.astype(object).where(column.notna(), None)
        elif isinstance(kind, pd.BooleanDtype):
            frame[name] = column.astype(bool)
        elif kind.kind in "iuf" and hasattr(kind, "numpy_dtype"):
            frame[name] = column.astype("float64" if nulls else kind.numpy_dtype)
    return frame


def _split(frame: pd.DataFrame, share: float, seed: int, first: bool) -> pd.DataFrame:
    chance = random.Random(seed)
    drawn = pd.Series([chance.random() < share for _ in range(len(frame))], index=frame.index, dtype=bool)
    return frame[drawn if first else ~drawn]


_STEPS: dict[str, Callable[..., pd.DataFrame]] = {
    "keep": lambda frame, names: frame[[name for name in frame.columns if name in names]],
    "drop": lambda frame, names: frame[[name for name in frame.columns if name not in names]],
    "skip": lambda frame, count: frame.iloc[count:],
    "take": lambda frame, count: frame.iloc[:count],
    "split": _split,
    "filter": lambda frame, expression: frame[evaluate(frame, expression)],
}

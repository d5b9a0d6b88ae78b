"""Which notebooks are run: those of an ordered folder that names, numbers and ranges mean."""

import math
import re
from pathlib import Path

from batch import UsageError


def select_notebooks(words: list[str], folder: Path, root: Path) -> list[Path]:
    """The notebooks that `words` name, in the order given, each once; all of `folder` if there are no words.

    `folder` is `root` or one of the series in it.

    Raises UsageError for a word that names none, and for two notebooks of the same name (and so, output).
    """
    series = sorted(folder.glob("*.ipynb"))
    found = {word: match_notebooks(word, series) for word in words}
    for word, matches in found.items():
        if not matches:
            known = ", ".join(path.stem for path in series) or "none"
            raise UsageError(f"no notebook {word!r}. {folder} holds: {known}. {hint(word, folder, root)}".rstrip())
    notebooks = list(dict.fromkeys(path for matches in found.values() for path in matches)) if words else series
    if not notebooks:
        raise UsageError(f"there is no notebook in {folder}. {series_there_are(root)}".rstrip())
    names = [path.name for path in notebooks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two notebooks are named {name}, and only one could be kept in the output folder")
    return notebooks


def hint(word: str, folder: Path, root: Path) -> str:
    """What may have been meant by a word that names none of the folder's notebooks, in a sentence; mostly empty."""
    numbers = re.fullmatch(r"(\d+)-(\d+)", word)
    if numbers and int(numbers[1]) > int(numbers[2]):
        return "A range goes from the smaller number to the larger."
    before, _, named = word.rpartition("/")
    if (series := Path(before).name) and match_notebooks(named, sorted((root / series).glob("*.ipynb"))):
        return f"The series {series} has it: give --series {series} {named}."
    other = other_series(word, folder, root)
    if other == root:
        return "It is there without --series."
    if other:
        return f"The series {other.name} has it: give --series {other.name}."
    if numbers and match_notebooks(open_range := f"{numbers[1]}-", sorted(folder.glob("*.ipynb"))):
        return f"{open_range} goes to the last one."
    return ""


def series_there_are(root: Path) -> str:
    """What --series can be, in a sentence; empty where there is no series."""
    names = [path.parent.name for path in sorted(root.glob("[!.]*/*.ipynb"))]
    given = [f"--series {name}" for name in dict.fromkeys(names)]
    return f"Give {' or '.join(given)}, or leave --series out to run those in {root}." if given else ""


def other_series(word: str, folder: Path, root: Path) -> Path | None:
    """The first of the other folders, `root` and those in it, in which a word that `folder` lacks names notebooks."""
    others = [series for series in (root, *sorted(root.glob("*/"))) if series != folder]
    return next((series for series in others if match_notebooks(word, sorted(series.glob("*.ipynb")))), None)


def match_notebooks(word: str, series: list[Path]) -> list[Path]:
    """The notebooks of the ordered `series` that a name, number or range means, or the one at a path.

    A range whose first or last number no notebook has means none: whoever gives it has others in mind.
    """
    if numbers := re.fullmatch(r"(\d+)(-(\d*))?", word):
        first = int(numbers[1])
        last = first if numbers[2] is None else int(numbers[3]) if numbers[3] else math.inf
        known = {notebook_number(path) for path in series}
        if not {first, last} <= known | {math.inf}:
            return []
        return [path for path in series if first <= notebook_number(path) <= last]
    if named := [path for path in series if word in (path.stem, path.name)]:
        return named
    path = Path(word).resolve()
    return [path] if path.suffix == ".ipynb" and path.is_file() else []


def notebook_number(path: Path) -> int:
    """4 for 04_train.ipynb; -1 for a name without a number, which no range includes."""
    digits = re.match(r"\d+", path.name)
    return int(digits[0]) if digits else -1

"""What the checks of version 1's exercises say, in Portuguese: for the notebooks in a folder called pt.

A check puts its sentence together in English. In portuguese.json it is recognised by its words, with `{}` for what is
different each time; those parts go into the Portuguese sentence, the first of them where `{0}` stands.
"""

import functools
import json
import re
from pathlib import Path

SENTENCES = Path(__file__).with_suffix(".json")
MARKS = {"✓ Right": "✓ Certo", "✗ Not yet": "✗ Ainda não"}
FIGURE = re.compile(r"-?\d[\d,]*(\.\d+)?%?")
SWAPPED = str.maketrans(",.", ".,")


def is_wanted() -> bool:
    """Whether the notebook that asks is one of the Portuguese edition: a kernel works in its notebook's folder."""
    return Path.cwd().name == "pt"


def translated(english: str) -> str:
    """The sentence, or part of one, in Portuguese; a figure with its comma and points. What is neither stays."""
    if FIGURE.fullmatch(english):
        return english.translate(SWAPPED)
    for pattern, portuguese in _patterns():
        if found := pattern.fullmatch(english):
            return portuguese.format(*map(translated, found.groups()))
    return english


@functools.cache
def _patterns() -> list[tuple[re.Pattern, str]]:
    """Each sentence's pattern, those with more words of their own first, and its translation."""
    by_lesson = json.loads(SENTENCES.read_text(encoding="utf-8"))
    pairs = [pair for sentences in by_lesson.values() for pair in sentences.items()]
    pairs.sort(key=lambda pair: -len(pair[0].replace("{}", "")))
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.*?)"), re.DOTALL), portuguese)
        for english, portuguese in pairs
    ]

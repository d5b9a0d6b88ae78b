"""Whether an exercise of the workshop is solved: `helpers.check("04.2")`, and in version 2 `helpers.check("v2.04.2")`.

A check looks at the values in the notebook and at what is in the workspace, never at how the code is written. Each
lesson has a module here with a function for each of its exercises: it is given the notebook's variables, returns a
sentence on what is right, and raises NotYet with a sentence on what is missing. Only the public SDK is called.
"""

import html
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from helpers import display
from helpers.azure_problems import explained
from helpers.checks import portuguese
from helpers.checks.looking import NotYet

RIGHT, MISSING = "#0072B2", "#B24D00"  # behind white words; never the only mark


class NoSuchExercise(Exception):
    """There is no exercise of that name; the message says which there are."""


@dataclass(frozen=True)
class Verdict:
    """Whether an exercise is solved, and a sentence on what is right or what is missing."""

    solved: bool
    sentence: str


def check(exercise: str) -> None:
    """Show whether an exercise, such as "04.2", is solved, and what is right or what is missing.

    Raises NoSuchExercise, and AzureProblem where the workspace cannot be asked.
    """
    verdict = examine(exercise, inspect.currentframe().f_back.f_globals)
    word, color = ("✓ Right", RIGHT) if verdict.solved else ("✗ Not yet", MISSING)
    sentence = verdict.sentence
    if portuguese.is_wanted():
        word, sentence = portuguese.MARKS[word], portuguese.translated(sentence)
    mark = f'<span style="background:{color};color:#fff;border-radius:4px;padding:2px 8px">{word} · {exercise}</span>'
    as_html = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(sentence, quote=False))
    display.show({"text/plain": f"{word} · {exercise}: {sentence}", "text/html": f"<p>{mark} {as_html}</p>"})


def examine(exercise: str, variables: Mapping[str, object]) -> Verdict:
    """The verdict on an exercise in a notebook with these variables. Raises as `check`."""
    look = _find(exercise)
    try:
        with explained():
            return Verdict(True, look(variables))
    except NotYet as reason:
        return Verdict(False, str(reason))


def exercises(lesson: str) -> list[str]:
    """The names of a lesson's exercises, such as ["04.1", "04.2"] of "04"; none where there is no such lesson."""
    try:
        module = importlib.import_module(_module(lesson))
    except ModuleNotFoundError:
        return []
    return sorted(f"{lesson}.{name.removeprefix('exercise_')}" for name in vars(module) if name.startswith("exercise_"))


def _module(lesson: str) -> str:
    *series, number = lesson.split(".")
    return ".".join(["helpers.checks", *series, f"lesson_{number}"])


def _find(exercise: str) -> Callable[[Mapping[str, object]], str]:
    named = re.match(r"((?:v2\.)?\d\d)(?:\.|$)", str(exercise))
    if not named:
        raise NoSuchExercise(f'{exercise!r} names no exercise. Name one by its lesson and number, such as "04.2".')
    lesson = named[1]
    known = exercises(lesson)
    if exercise not in known:
        there = f"Lesson {lesson} has {', '.join(known)}." if known else f"There is no lesson {lesson} with exercises."
        raise NoSuchExercise(f"There is no exercise {exercise}. {there}")
    return getattr(importlib.import_module(_module(lesson)), f"exercise_{exercise.removeprefix(f'{lesson}.')}")

"""The queries that the SDK sends: conditions on runs and experiments, in OData's words."""

import operator
import shlex

_NOTHING = object()


def matches(query: str | None, thing: dict) -> bool:
    """Whether a thing is one that the query asks for; its names are compared without regard to case."""
    if not query:
        return True
    lexer = shlex.shlex(query, posix=True, punctuation_chars="()")
    lexer.whitespace_split = True
    words = list(lexer)
    value = _any(words, thing)
    assert not words, f"left of the query {query!r}: {words}"
    return value


def _any(words: list[str], thing: dict) -> bool:
    value = _all(words, thing)
    while words and words[0] == "or":
        words.pop(0)
        value = _all(words, thing) or value
    return value


def _all(words: list[str], thing: dict) -> bool:
    value = _one(words, thing)
    while words and words[0] == "and":
        words.pop(0)
        value = _one(words, thing) and value
    return value


def _one(words: list[str], thing: dict) -> bool:
    first = words.pop(0)
    if first.startswith("("):  # two that stand together are one word
        if first != "(":
            words.insert(0, first[1:])
        value = _any(words, thing)
        last = words.pop(0)
        if last != ")":
            words.insert(0, last.removeprefix(")"))
        return value
    name, comparison, wanted = first, words.pop(0), words.pop(0)
    found = _value(thing, name)
    if found is _NOTHING:
        return False  # so that "x eq null or x ne null" asks for whatever has an x
    if wanted == "null":
        return getattr(operator, comparison)(found, None)
    return found is not None and getattr(operator, comparison)(str(found), wanted)


def _value(thing: dict, name: str):
    first, _, rest = name.partition("/")
    for key, value in thing.items():
        if key.lower() == first.lower():
            return value.get(rest, _NOTHING) if rest else value
    return _NOTHING

"""Tags and properties as they are kept, and the filters of the SDK's lists.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import logging

_logger = logging.getLogger(__name__)


def texts(tags):
    """Tags or properties as the service keeps them: names to texts, or to None for a tag that is a name alone."""
    return {str(name): _text(value) for name, value in tags.items()}


def told_texts(tags):
    """The same of a run and of an experiment, whose client warns of each value that it makes a text."""
    for name, value in tags.items():
        if not isinstance(value, (str, type(None))):
            _logger.warning("Converting non-string tag to string: (%s: %s)", name, value)
    return texts(tags)


def names_of(tags):
    """The names of tags to be removed from a run or an experiment. A single text is refused, as by the SDK's client."""
    if isinstance(tags, str):
        raise ValueError("Refuse str type as a valid iter type.")
    return list(tags)


def has_all(tags, wanted):
    """Whether `tags` (a dict) has what is `wanted`: None for nothing, a name, or a dict of name to value.

    Raises ValueError for a filter of another type.
    """
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in tags
    if isinstance(wanted, dict):
        return all(name in tags and tags[name] == _text(value) for name, value in wanted.items())
    raise ValueError(f"Unknown filter type for tags or properties: {type(wanted)}")


def has_each(tags, wanted):
    """The same for models, whose filters are lists such as ["name", ["other name", "its value"]].

    Raises TypeError for what the SDK cannot put into its request: a tuple, a value that is no text.
    """
    wanted = list(wanted or ())
    for part in (part for item in wanted for part in (item[:2] if isinstance(item, list) else [item])):
        if not isinstance(part, str):
            raise TypeError(f'can only concatenate str (not "{type(part).__name__}") to str')
    return all(has_all(tags, {item[0]: item[1]} if isinstance(item, list) else item) for item in wanted)


def _text(value):
    return value if value is None else str(value)

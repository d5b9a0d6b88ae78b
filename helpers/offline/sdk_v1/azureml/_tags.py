"""Tags and properties as they are kept, and the filters of the SDK's lists.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""


def texts(tags):
    """Tags or properties as the service keeps them: names to texts, or to None for a tag that is a name alone."""
    return {str(name): _text(value) for name, value in tags.items()}


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
    """The same for models, whose filters are lists such as ["name", ["other name", "its value"]]."""
    return all(has_all(tags, {item[0]: item[1]} if isinstance(item, (list, tuple)) else item) for item in wanted or ())


def _text(value):
    return value if value is None else str(value)

"""The tag and property filters of the SDK's lists."""


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
    return "" if value is None else str(value)

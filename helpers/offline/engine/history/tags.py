"""Tags and properties in MLflow's store, which knows tags only and takes fewer names than Azure ML.

A property is a tag below PROPERTY. A name that MLflow refuses, or that begins as those that are not the user's, is
kept quoted, below a prefix of its own. A tag without a value is kept with NOTHING: the store's readers take texts only.
"""

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import Invalid

PROPERTY = "azureml.property."
INTERNAL = ("azureml.", "mlflow.")  # tags that are not the user's
QUOTED = {"": "azureml.quoted.tag.", PROPERTY: "azureml.quoted.property."}  # of tags, and of properties
LONGEST_NAME = 250  # characters, as MLflow counts them
LONGEST_VALUE = 8000
NOTHING = "\N{ZERO WIDTH SPACE}"  # shown as an empty text


def is_mlflow_name(name: str) -> bool:
    """Whether MLflow can keep a metric or tag of this name."""
    pattern = rf"[/\w.\- :]{{1,{LONGEST_NAME}}}"
    return bool(re.fullmatch(pattern, name)) and os.path.normpath(name) == name and name[0] not in "/."


def key(name: str, prefix: str = "") -> str:
    """The tag in the store for the user's tag, or with `prefix=PROPERTY` property, of this name. Raises Invalid."""
    if not isinstance(name, str) or not name:
        raise Invalid(f"{name!r} is no name for a tag or property: give a text.")
    outages.check_text(name)
    as_it_is = is_mlflow_name(prefix + name) and (prefix or not name.startswith(INTERNAL))
    stored = prefix + name if as_it_is else QUOTED[prefix] + _quoted(name)
    if len(stored) > LONGEST_NAME:
        raise Invalid(f"{name!r} is too long a name for a tag or property offline: use fewer or simpler characters.")
    return stored


def stored(tags: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """The user's tags, or with `prefix=PROPERTY` properties, as the store keeps them. Raises Invalid."""
    found = {}
    for name, value in tags.items():
        text = NOTHING if value is None else str(value)
        if len(text) > LONGEST_VALUE:
            raise Invalid(
                f"The value of {name!r} has {len(text)} characters; a tag or property holds up to {LONGEST_VALUE}."
            )
        found[key(name, prefix)] = text
    return found


def told(store: Mapping[str, str], prefix: str = "") -> dict[str, str | None]:
    """The user's tags among those of the store, or with `prefix=PROPERTY` the properties."""
    quoted, found = QUOTED[prefix], {}
    for name, text in store.items():
        value = None if text == NOTHING else text
        if name.startswith(quoted):
            found[unquote(name.removeprefix(quoted).replace(":", "%"))] = value
        elif name.startswith(prefix) if prefix else not name.startswith(INTERNAL):
            found[name.removeprefix(prefix)] = value
    return found


def _quoted(name: str) -> str:
    """The name in characters that MLflow takes in any order; each other one as its bytes in UTF-8."""
    return re.sub(r"[^A-Za-z0-9_. -]", lambda found: "".join(f":{byte:02x}" for byte in found[0].encode()), name)

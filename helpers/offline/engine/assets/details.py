"""What the workspace says of itself: friendly name, description, tags and the datastore that is used by default."""

from collections.abc import Callable
from pathlib import Path

from helpers.offline.engine.assets import data, store

KIND, NAME = "workspace", "offline"


def get(folder: Path) -> store.Asset:
    """The details, whose body has tags, friendly_name, description and default_datastore."""
    return store.add_if(folder, KIND, NAME, lambda there: there or _at_first())


def change(folder: Path, changed: Callable[[dict], dict]) -> None:
    """Have the details as `changed` returns them."""
    store.update(folder, KIND, NAME, get(folder).version, changed)


def _at_first() -> dict:
    return {"tags": {}, "friendly_name": NAME, "description": "", "default_datastore": data.BLOBSTORE}

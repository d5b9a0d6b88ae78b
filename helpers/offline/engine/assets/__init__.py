"""Named and versioned things (the functions below), the files of datasets (data) and registered models (models)."""

from helpers.offline.engine.assets.store import (
    Asset,
    add,
    add_if,
    get,
    get_by_id,
    list_latest,
    remove,
    update,
    versions,
)

__all__ = ["Asset", "add", "add_if", "get", "get_by_id", "list_latest", "remove", "update", "versions"]

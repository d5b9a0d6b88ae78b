"""Who is let in: a file in a service's folder that says whether a key is asked for, and which two keys fit."""

import hmac
import json
import secrets
from pathlib import Path

from helpers.offline.engine.workspace.files import whole

KEYS = ("primary", "secondary")


def new(auth_enabled: bool, primary: str | None = None, secondary: str | None = None) -> dict:
    """What the file of a new service says; keys that are not given are drawn."""
    return {"auth_enabled": auth_enabled, "primary": primary or _new_key(), "secondary": secondary or _new_key()}


def path(place: Path) -> Path:
    """The file, in the service's folder `place`."""
    return place / "access.json"


def read(place: Path) -> dict:
    return json.loads(path(place).read_text())


def write(place: Path, access: dict) -> None:
    """Write the file, for the owner's eyes only; whoever reads meanwhile sees the old one or the new."""
    with whole(path(place)) as partial:
        partial.chmod(0o600)
        partial.write_text(json.dumps(access))


def replace_key(place: Path, which: str, value: str | None = None) -> None:
    """Replace one of KEYS, by a new one where no value is given; the old one ends at once."""
    write(place, read(place) | {which: value or _new_key()})


def is_admitted(place: Path, authorization: str) -> bool:
    """Whether the header has one of the service's keys; the time that this takes tells nothing of them."""
    asked = read(place)
    if not asked["auth_enabled"]:
        return True
    given = authorization.removeprefix("Bearer ").encode(errors="surrogateescape")
    fits = [hmac.compare_digest(given, asked[key].encode()) for key in KEYS]
    return any(fits) and authorization.startswith("Bearer ")


def _new_key() -> str:
    return secrets.token_urlsafe(24)

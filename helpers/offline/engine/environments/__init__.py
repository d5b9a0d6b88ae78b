"""Whether this machine has what a conda specification asks for (the functions below), and building it where it is
wanted (virtual_environments, on the interpreters that there are).
"""

from helpers.offline.engine.environments import curated
from helpers.offline.engine.environments.conda import (
    SERVER,
    asks_for,
    check,
    is_managed_by_user,
    lacking,
    package_name,
    specification,
)

__all__ = ["SERVER", "asks_for", "check", "curated", "is_managed_by_user", "lacking", "package_name", "specification"]

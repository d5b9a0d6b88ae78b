"""Which scoring server answers for a service, and how the next one takes over without a request being lost.

A link in the service's folder leads to the socket of the server that answers. Whoever passes a request on shares a
lock beside that socket for as long; the server is ended once nobody does. The kernel takes the lock away from a
process that ends, however it ends.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.offline.engine import processes
from helpers.offline.engine.processes import detached

SOCKET = "server.sock"  # in the folder of a deployment, and the link to it in the service's
LOCK = "in-use.lock"  # beside the socket


def point(place: Path, deployment: str | None) -> None:
    """Have requests go to the server of this deployment, a folder's name in `place`, from now on; or to none."""
    link = place / SOCKET
    if deployment is None:
        link.unlink(missing_ok=True)
        return
    partial = place / f"{SOCKET}.part"
    partial.unlink(missing_ok=True)
    partial.symlink_to(Path(deployment, SOCKET))
    partial.replace(link)


@contextmanager
def in_use(place: Path) -> Iterator[Path | None]:
    """The socket of the server that answers for the service in `place`, which is kept until the block is left.

    None where there is no server. (A socket's path may have about 100 characters: `place` should be a relative one.)
    """
    with contextlib.ExitStack() as stack:
        yield _share(place, stack)


def wait_until_unused(deployment: Path, patience: float) -> None:
    """Wait until no request is with the server of the folder `deployment`, to which nothing points any more."""
    try:
        descriptor = _open(deployment)
    except FileNotFoundError:  # the service was deleted meanwhile, with its folder
        return
    deadline = time.monotonic() + patience
    try:
        while not detached.take(descriptor) and time.monotonic() < deadline:
            time.sleep(processes.TICK)
    finally:
        os.close(descriptor)


def _share(place: Path, stack: contextlib.ExitStack) -> Path | None:
    link = place / SOCKET
    while True:
        try:
            target = link.readlink()
        except FileNotFoundError:
            return None
        try:
            descriptor = _open(place / target.parent)
        except FileNotFoundError:
            if _leads_to(link, target):
                return None
            continue  # another server has taken over, and that one's folder is deleted
        if detached.take(descriptor, fcntl.LOCK_SH) and _leads_to(link, target):
            stack.callback(os.close, descriptor)
            return place / target
        os.close(descriptor)  # another server has taken over between the two


def _open(deployment: Path) -> int:
    return os.open(deployment / LOCK, os.O_RDWR | os.O_CREAT, 0o600)


def _leads_to(link: Path, target: Path) -> bool:
    try:
        return link.readlink() == target
    except FileNotFoundError:
        return False

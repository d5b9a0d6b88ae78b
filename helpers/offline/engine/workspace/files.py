"""Files that are copied whole or not at all, folders, and the files below one."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.offline.engine.workspace import leftovers, outages
from helpers.offline.engine.workspace.errors import Invalid


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, over what was there; folders above it are made. Nobody ever sees half of it."""
    with whole(target) as partial:
        shutil.copyfile(source, partial)


def write_whole(content: bytes, target: Path) -> None:
    """Write a file, over what was there; folders above it are made. Nobody ever sees half of it."""
    with whole(target) as partial:
        partial.write_bytes(content)


def write_pieces(pieces: list[Path], target: Path) -> None:
    """Write a file that is these others one after the other; folders above it are made. Nobody ever sees half of it."""
    with whole(target) as partial, partial.open("wb") as file:
        for piece in pieces:
            with piece.open("rb") as opened:
                shutil.copyfileobj(opened, file)


def move_whole(source: Path, target: Path) -> None:
    """Have a file at `target`, over what was there: moved, where it is nobody else's, or else copied.

    A file that a link leads to, or that has another name somewhere, may be the user's. Raises OSError.
    """
    if source.resolve() != source or source.stat().st_nlink > 1:
        copy_whole(source, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError:  # another disk
        copy_whole(source, target)
        source.unlink()


def path_of(uri: str) -> Path:
    """The path that a file: URI is of, as `Path.as_uri` makes it."""
    return Path(unquote(urlsplit(uri).path))


def files_below(root: Path) -> list[str]:
    """The regular files below a folder, as sorted posix paths; folders behind links are not entered."""
    return sorted(
        (Path(parent) / name).relative_to(root).as_posix()
        for parent, _, names in os.walk(root)
        for name in names
        if not leftovers.is_partial(name) and (Path(parent) / name).is_file()
    )


def users_files(root: Path, workspace: Path) -> list[Path]:
    """The files below a folder of the user's, sorted; the workspace, which may lie in it, is never among them."""
    found = []
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if Path(parent, name).resolve() != workspace]
        found += [Path(parent, name) for name in names]
    return sorted(found)


def copy_folder(source: Path, target: Path, workspace: Path, *left_out: str) -> None:
    """Copy a folder, and what its links lead to: all but these names, and the workspace, which may lie in it.

    Raises Invalid for what cannot be copied, as a link that leads nowhere, and StoreUnavailable for a full disk.
    """

    def ignored(parent: str, names: list[str]) -> set[str]:
        here = Path(parent)
        entered = [Path(os.path.realpath(folder)) for folder in (here, *here.parents) if folder.is_relative_to(source)]
        found = set()
        for name in names:
            real = os.path.realpath(here / name)
            if name in left_out or leftovers.is_partial(name) or real == str(workspace):
                found.add(name)
            elif any(folder.is_relative_to(real) for folder in entered):  # a copy of it would have them in it again
                raise Invalid(f"{here / name} leads back to a folder above it, and cannot be copied. Take it away.")
        return found

    with outages.writing(target):
        try:
            shutil.copytree(source, target, ignore=ignored)
        except shutil.Error as error:  # which has the words of others alone
            (path, _, why), *_ = error.args[0]
            if outages.tells_of_no_room(why):
                raise OSError(errno.ENOSPC, why) from error
            raise Invalid(f"{path} cannot be copied: {why}. Take it away, if it is not needed.") from error


def left_out(root: Path) -> dict[str, str]:
    """What lies below a folder and is not among files_below(), as posix paths, and what each is."""
    paths = (Path(parent) / name for parent, folders, names in os.walk(root) for name in [*folders, *names])
    return {path.relative_to(root).as_posix(): what for path in paths if (what := _oddity(path))}


def _oddity(path: Path) -> str | None:
    if path.is_file():
        return None
    if path.is_symlink():
        return "a link to a folder" if path.is_dir() else "a link to nothing"
    return None if path.is_dir() else "no plain file"


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """An empty file beside `target`, which takes the target's name at the end.

    Raises StoreUnavailable where the disk is full.
    """
    partial = leftovers.partial_path(target)
    with outages.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with leftovers.making_file(partial):
            try:
                yield partial
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)

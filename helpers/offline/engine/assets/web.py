"""What stands for the web offline: bundled files and tables, at the addresses that are known.

The bundled files are MNIST's, whose content is checked against the sum that is known for it; the tables are made when
they are first asked for (open_data).
"""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from helpers.offline.engine.assets import open_data
from helpers.offline.engine.workspace.errors import Invalid, NotFound
from helpers.offline.engine.workspace.files import copy_whole, whole


def as_https(url: str) -> str:
    """The https:// address of a container's wasbs://container@host/path; any other as it is."""
    found = re.fullmatch(r"wasbs?://([^@/]+)@([^/]+)/(.*)", url)
    return f"https://{found[2]}/{found[1]}/{found[3]}" if found else url


def files_in(url: str) -> list[str]:
    """The addresses of the files in a folder that is known; the address itself otherwise."""
    from helpers import mnist

    folder = f"{url.rstrip('/')}/"
    return [folder + name for name in mnist.FILES] if folder in mnist.MIRRORS else [url]


def file_at(folder: Path, url: str) -> Path:
    """The file that stands for an address, kept in the workspace. Raises NotFound for one that is not known offline."""
    from helpers import mnist

    parts = urlsplit(as_https(url))
    name = PurePosixPath(parts.path).name
    if parts.scheme not in ("http", "https"):
        raise _not_known(url)
    if maker := open_data.MAKERS.get(f"{parts.hostname}{unquote(parts.path)}"):
        return _kept(folder / "web" / parts.hostname / unquote(parts.path).lstrip("/"), maker)
    if parts.hostname in _hosts() and name in mnist.FILES:
        return _kept(folder / "web" / name, lambda partial: _copy_bundled(name, partial))
    raise _not_known(url)


def _kept(path: Path, make) -> Path:
    if not path.exists():
        with whole(path) as partial:
            make(partial)
        path.chmod(0o444)  # it was checked when it was made, and stands for its address from now on
    return path


def _copy_bundled(name: str, partial: Path) -> None:
    from helpers import mnist

    bundled = open_data.BUNDLED / name
    try:
        mnist.verify(bundled)
    except (mnist.IdxError, OSError) as error:
        raise Invalid(
            f"The bundled file {bundled} is missing or not what it should be ({error}). "
            f"Restore it with `git checkout -- data/mnist`."
        ) from error
    copy_whole(bundled, partial)


def _not_known(url: str) -> NotFound:
    from helpers import mnist

    tables = ", ".join(f"https://{address}" for address in open_data.MAKERS)
    return NotFound(
        f"The address {url} is not known offline, and the offline backend opens no connection. Known are the files "
        f"{', '.join(mnist.FILES)} at {', '.join(_hosts())}, and {tables}. Upload other data to a datastore with "
        f"Dataset.File.upload_directory."
    )


def _hosts() -> list[str]:
    """Where MNIST's files are known to stand, in whichever folder."""
    from helpers import mnist

    return sorted({"yann.lecun.com"} | {urlsplit(mirror).hostname for mirror in mnist.MIRRORS})

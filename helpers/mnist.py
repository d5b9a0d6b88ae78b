"""The MNIST files: read, check and fetch them.

Stands on NumPy alone (``fetch`` also needs requests and tqdm), so that this one file can be put beside a
training script. ``load`` and ``read_idx`` run on Python 3.7 as well, for scripts/training/legacy.
"""

import gzip
import hashlib
import re
import struct
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

# Size and MD5 of the uncompressed bytes: they hold however a copy was compressed.
FILES = {
    "train-images-idx3-ubyte.gz": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte.gz": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte.gz": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte.gz": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}

# yann.lecun.com/exdb/mnist, the address known from older texts, no longer serves the files.
MIRRORS = (
    "https://azureopendatastorage.blob.core.windows.net/mnist/",
    "https://azuremlexamples.blob.core.windows.net/datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_SPELLINGS = r"(?P<prefix>[a-z_.-]*)({part})[-_.]{content}[-_.]idx{dimensions}[-_.]ubyte(\.gz)?"
_PARTS = {"train": "train", "t10k": "t10k|test"}
_LISTED = 10  # files that a message lists
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_EXPANSION = 1032  # deflate spends at least two bits on 258 bytes
_CHUNK = 1 << 18
_NETWORK_CHUNK = 1 << 14  # when a connection breaks, the chunk that it was in is lost
_TIMEOUT = (10, 30)  # seconds to connect, and between two chunks


class IdxError(ValueError):
    """A file is not what it should be: not IDX, damaged, truncated, or other bytes than MNIST's."""


class FetchError(RuntimeError):
    """No mirror gave the right file."""


class Mnist(NamedTuple):
    """Images are (n, height, width) and labels (n,), all uint8; 0 is paper and 255 is ink."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


class FileCheck(NamedTuple):
    """One row of ``check``: `bytes` counts the uncompressed ones of a right file, which has no `problem`."""

    name: str
    bytes: int
    md5_ok: bool
    problem: str


def read_idx(path):
    """Read an IDX file, gzipped or plain, into an array of the shape and type that its header tells.

    The array has the machine's byte order and is the only copy of the data that is made.
    Raises IdxError for a file that is not IDX, damaged, too short or too long.
    """
    with _uncompressed(path) as stream:
        magic = stream.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES:
            raise IdxError(f"{path} is not an IDX file: it starts with {magic!r}")
        dtype, ndim = np.dtype(_IDX_TYPES[magic[2]]), magic[3]
        sizes = stream.read(4 * ndim)
        if len(sizes) < 4 * ndim:
            raise IdxError(f"{path} is truncated: it ends within its header")
        shape = struct.unpack(f">{ndim}I", sizes)
        size = dtype.itemsize
        for length in shape:  # in Python's own numbers, which do not overflow
            size *= length

        # Checked before memory is asked for, since a damaged header may tell any shape.
        if size > Path(path).stat().st_size * _MOST_EXPANSION:
            raise IdxError(f"{path} is truncated: its header announces {size:,} bytes, more than it can hold")
        try:
            array = np.empty(shape, dtype)
        except (ValueError, MemoryError) as error:
            raise IdxError(f"{path} has a header that no array fits: {error}") from error

        got = _read_into(stream, array.reshape(-1).view(np.uint8))
        if got < size:
            raise IdxError(f"{path} is truncated: {got:,} of {size:,} bytes of data")
        if stream.read(1):  # also makes gzip compare its checksum
            raise IdxError(f"{path} goes on after the {size:,} bytes of data that its header announces")
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder())


def load(folder):
    """Read the four files from wherever they are below `folder`, gzipped or plain.

    Azure ML mounts a file from the web below folders named after its address, hence the search. Other spellings
    are taken, too: train-images.idx3-ubyte, or emnist-digits-test-images-idx3-ubyte.gz.
    Returns Mnist. Raises FileNotFoundError for a missing file, IdxError for damaged data, for images and
    labels that do not fit together, and where it is not clear which files are meant.
    """
    there = sorted(Path(folder).rglob("*"), key=lambda path: (len(path.parts), path))
    train_images, train_labels, test_images, test_labels = (_find(folder, there, name) for name in FILES)
    train, test = _read_pair(train_images, train_labels), _read_pair(test_images, test_labels)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise IdxError(f"{train_images} and {test_images} hold images of different sizes")
    return Mnist(*train, *test)


def verify(path, name=None):
    """Compare a file, gzipped or plain, with the size and MD5 known for `name` (default: its own name).

    Returns the number of uncompressed bytes. Raises IdxError that tells what differs, OSError if it cannot be
    read.
    """
    size, md5 = FILES[name or Path(path).name]
    digest, got = hashlib.md5(usedforsecurity=False), 0
    with _uncompressed(path) as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
            got += len(chunk)
    if got != size:
        raise IdxError(f"{path} holds {got:,} bytes uncompressed, not {size:,}")
    if digest.hexdigest() != md5:
        raise IdxError(f"{path} has the MD5 {digest.hexdigest()}, not {md5}")
    return got


def check(folder):
    """Check the four files in `folder`: a list of four FileCheck."""
    rows = []
    for name in FILES:
        try:
            rows.append(FileCheck(name, verify(Path(folder) / name), True, ""))
        except FileNotFoundError:
            rows.append(FileCheck(name, 0, False, "missing"))
        except (IdxError, OSError) as error:
            rows.append(FileCheck(name, 0, False, str(error)))
    return rows


def fetch(folder, mirrors=MIRRORS, progress=True):
    """Have the four files, checked, in `folder`; returns their paths.

    A file that is there and right is left alone: if all are, no network is used. Others are downloaded from
    the first mirror that gives the right bytes. A download that breaks off stays as ``<name>.part`` and is
    continued by the next mirror or the next call. A file gets its name, replacing a wrong one, only once its
    bytes are checked.
    Raises FetchError, which tells what went wrong at each mirror.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for row in check(folder):
        if not row.md5_ok:
            _fetch_file(folder / row.name, mirrors, progress)
    return [folder / name for name in FILES]


@contextmanager
def _uncompressed(path):
    """The file's bytes as a stream, gunzipped if it starts as gzip does; damage is raised as IdxError."""
    with Path(path).open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        try:
            yield gzip.GzipFile(fileobj=file) if packed else file
        except (EOFError, zlib.error) as error:
            raise IdxError(f"{path} is damaged: {error}") from error
        except OSError as error:
            if error.errno is not None:  # the disk's; gzip's own errors have no number
                raise
            raise IdxError(f"{path} is damaged: {error}") from error


def _read_into(stream, buffer):
    """Fill `buffer`, a flat uint8 array, as far as the stream goes; returns the number of bytes read."""
    filled = 0
    while filled < len(buffer):
        got = stream.readinto(buffer[filled : filled + _CHUNK])
        if not got:
            break
        filled += got
    return filled


def _find(folder, there, name):
    """The path of one of FILES among the paths `there` below `folder`, the nearest first, however it is spelt."""
    for exact in (name, Path(name).stem):
        for path in there:
            if path.name == exact and path.is_file():  # some unpack each file into a folder of its name
                return path
    part, content, dimensions = re.match(r"(\w+)-(\w+)-idx(\d)", name).groups()
    pattern = _SPELLINGS.format(part=_PARTS[part], content=content, dimensions=dimensions)
    spelt = [(path, re.fullmatch(pattern, path.name, re.IGNORECASE)) for path in there if path.is_file()]
    found = {}  # by what stands before the name: that of another data set, mostly
    for path, match in spelt:
        if match:
            found.setdefault(match["prefix"].lower(), path)
    if len(found) > 1:
        listed = ", ".join(sorted(path.name for path in found.values()))
        raise IdxError(f"{folder} holds files of several data sets: {listed}. Give the folder of one of them.")
    if not found:
        files = [path.relative_to(folder).as_posix() for path, _ in spelt]
        more = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
        raise FileNotFoundError(
            f"no {name} in or below {folder}: give the folder that holds {', '.join(FILES)}, each with or without "
            f"'.gz', with '.idx' or '-idx', and with letters before it or none. Files there: "
            f"{', '.join(files[:_LISTED]) or 'none'}{more}."
        )
    return next(iter(found.values()))


def _read_pair(images_path, labels_path):
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.dtype != np.uint8 or not images.size:
        raise IdxError(f"{images_path} holds {images.dtype} of shape {images.shape}, which are not images")
    if labels.ndim != 1 or labels.dtype != np.uint8:
        raise IdxError(f"{labels_path} holds {labels.dtype} of shape {labels.shape}, which are not labels")
    if len(images) != len(labels):
        raise IdxError(f"{images_path} and {labels_path} differ: images {len(images):,}, labels {len(labels):,}")
    if labels.max() > 9:
        raise IdxError(f"{labels_path} holds the label {labels.max()}: labels are the digits 0 to 9")
    return images, labels


def _fetch_file(path, mirrors, progress):
    import requests

    part = path.with_name(path.name + ".part")
    failures = []
    for mirror in mirrors:
        address = mirror.rstrip("/") + "/" + path.name
        try:
            resumed = _download(address, part, progress)
            try:
                verify(part, path.name)
            except IdxError:
                part.unlink()
                if not resumed:
                    raise
                # What was there before may have come from a mirror that compresses otherwise.
                _download(address, part, progress)
                verify(part, path.name)
        except requests.RequestException as error:
            failures.append(f"{address}: {error}")
        except IdxError as error:
            part.unlink(missing_ok=True)
            failures.append(f"{address}: {error}")
        else:
            part.replace(path)
            return
    reasons = "".join(f"\n  {failure}" for failure in failures)
    raise FetchError(
        f"No mirror gave {path.name}. Check the network and run it again (a broken download is continued), "
        f"or put the file into {path.parent} by hand.{reasons}"
    )


def _download(address, part, progress):
    """Download to `part`, going on from where it ends if the server can; returns whether it went on.

    Raises requests.RequestException; what arrived before stays.
    """
    import requests
    from tqdm.auto import tqdm

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(address, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return True  # nothing is left to get: the check will tell whether it is right
        response.raise_for_status()
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not resumed:
            have = 0
        length = response.headers.get("Content-Length")
        bar = tqdm(
            desc=part.stem,
            initial=have,
            total=have + int(length) if length else None,
            unit="B",
            unit_scale=True,
            disable=not progress,
        )
        with bar, part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(_NETWORK_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    return resumed

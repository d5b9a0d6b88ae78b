"""The IDX reader, and fetching from mirrors that misbehave (all on the loopback)."""

import gzip
import hashlib
import re
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers import mnist

DATA = Path(__file__).parents[2] / "data" / "mnist"
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
NAMES = list(mnist.FILES)


def idx(array):
    """The array as the bytes of an IDX file."""
    code = CODES[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


ARRAYS = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


# --- read_idx


@given(array=ARRAYS, packed=st.booleans())
def test_reads_what_was_written_whatever_shape_and_type(tmp_path_factory, array, packed):
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    read = mnist.read_idx(path)
    assert read.dtype == array.dtype and read.dtype.isnative and read.shape == array.shape
    assert read.tobytes() == array.tobytes()  # NaN included


@given(data=st.binary(max_size=300) | st.binary(max_size=300).map(gzip.compress))
def test_any_bytes_are_an_array_or_an_idx_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("idx") / "bytes"
    path.write_bytes(data)
    try:
        assert isinstance(mnist.read_idx(path), np.ndarray)
    except mnist.IdxError as error:
        assert str(path) in str(error)


@given(cut=st.integers(0, 10**6), packed=st.booleans())
def test_truncated_anywhere_is_an_idx_error(tmp_path_factory, cut, packed):
    whole = idx(np.arange(60, dtype="i4").reshape(3, 20))
    whole = gzip.compress(whole) if packed else whole
    path = tmp_path_factory.mktemp("idx") / "cut.idx"
    path.write_bytes(whole[: cut % len(whole)])
    with pytest.raises(mnist.IdxError, match=re.escape(str(path))):
        mnist.read_idx(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file"),
        (b"<html>404</html>", "not an IDX file"),
        (b"\0\0\x07\1\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\3\0\0", "within its header"),
        (b"\0\0\x08\1\0\0\0\5\1\2\3", "3 of 5 bytes"),
        (b"\0\0\x08\1\0\0\0\2\1\2\3", "goes on"),
        (b"\0\0\x0e\3" + b"\xff" * 12, "more than it can hold"),
        (b"\0\0\x08\xff" + b"\0" * 1020, "no array fits"),
        (b"\x1f\x8b\x08nonsense", "damaged"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "damaged: .*invalid"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path, data, message):
    path = tmp_path / "file.idx"
    path.write_bytes(data)
    with pytest.raises(mnist.IdxError, match=message) as caught:
        mnist.read_idx(path)
    assert str(path) in str(caught.value)


def test_a_flipped_bit_in_gzip_data_is_seen(tmp_path):
    # Stored, not deflated, so that only the checksum at the very end can tell.
    data = bytearray(gzip.compress(idx(np.zeros(1000, "u1")), compresslevel=0))
    data[500] ^= 1
    path = tmp_path / "flipped.gz"
    path.write_bytes(data)
    with pytest.raises(mnist.IdxError, match="damaged"):
        mnist.read_idx(path)


def test_the_array_can_be_written_to(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(idx(np.arange(4, dtype="i2")))
    array = mnist.read_idx(path)
    array += 1
    assert array.tolist() == [1, 2, 3, 4]


# --- load


def write_set(folder, train=6, test=4, side=5, packed=True):
    """Four small files in the shape of MNIST; returns the arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    arrays = []
    for name, count in zip(NAMES, [train, train, test, test], strict=True):
        array = (
            rng.integers(0, 256, (count, side, side), "u1") if "images" in name else rng.integers(0, 10, count, "u1")
        )
        arrays.append(array)
        if packed:
            (folder / name).write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(idx(array))
    return arrays


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("nested", ["", "https/host.example/mnist"])
def test_load_finds_the_files_where_a_mount_puts_them(tmp_path, packed, nested):
    arrays = write_set(tmp_path / nested, packed=packed)
    for loaded, written in zip(mnist.load(tmp_path), arrays, strict=True):
        np.testing.assert_array_equal(loaded, written)


def test_load_takes_the_nearest_of_several(tmp_path):
    arrays = write_set(tmp_path / "z", train=3)
    write_set(tmp_path / "a" / "b", train=8)
    np.testing.assert_array_equal(mnist.load(tmp_path).train_labels, arrays[1])


def test_load_takes_files_from_folders_of_their_own_names(tmp_path):
    arrays = write_set(tmp_path, packed=False)
    for path in list(tmp_path.iterdir()):
        aside = path.rename(tmp_path / "aside")
        path.mkdir()
        aside.rename(path / path.name)
    for loaded, written in zip(mnist.load(tmp_path), arrays, strict=True):
        np.testing.assert_array_equal(loaded, written)


def test_load_tells_of_a_missing_file_whose_folder_is_there(tmp_path):
    for name in NAMES:
        (tmp_path / name).mkdir()
    with pytest.raises(FileNotFoundError, match=r"no train-images-idx3-ubyte.gz in or below .* Files there: none"):
        mnist.load(tmp_path)


def spell(folder, spelling):
    """Rename the four files as `spelling` makes it of "train", "images", 3 and the like."""
    for name in NAMES:
        part, content, dimensions = re.match(r"(\w+)-(\w+)-idx(\d)", name).groups()
        (folder / name).rename(folder / spelling(part, content, dimensions))


@pytest.mark.parametrize(
    "spelling",
    [
        lambda part, content, n: f"{part}-{content}.idx{n}-ubyte.gz",
        lambda part, content, n: f"{part}-{content}.idx{n}-ubyte",  # gzipped under a plain name: the bytes tell
        lambda part, content, n: f"{part}_{content}_idx{n}_ubyte.gz",
        lambda part, content, n: f"emnist-digits-{part.replace('t10k', 'test')}-{content}-idx{n}-ubyte.gz",
        lambda part, content, n: f"MNIST.{part}-{content}-idx{n}-ubyte.GZ",
    ],
)
def test_load_takes_the_files_as_people_have_them(tmp_path, spelling):
    arrays = write_set(tmp_path)
    spell(tmp_path, spelling)
    for loaded, written in zip(mnist.load(tmp_path), arrays, strict=True):
        np.testing.assert_array_equal(loaded, written)


def test_load_takes_the_name_as_it_is_before_another_spelling(tmp_path):
    arrays = write_set(tmp_path / "a" / "b")
    write_set(tmp_path, train=8)
    spell(tmp_path, lambda part, content, n: f"emnist-{part}-{content}-idx{n}-ubyte.gz")
    np.testing.assert_array_equal(mnist.load(tmp_path).train_labels, arrays[1])


def test_load_does_not_choose_between_data_sets(tmp_path):
    for name in ("digits", "letters"):
        write_set(tmp_path)
        spell(tmp_path, lambda part, content, n, name=name: f"emnist-{name}-{part}-{content}-idx{n}-ubyte.gz")
    with pytest.raises(mnist.IdxError, match=r"several data sets: emnist-digits-train-.*, emnist-letters-train-"):
        mnist.load(tmp_path)


def test_load_names_the_missing_file_and_what_is_there(tmp_path):
    write_set(tmp_path / "sub")
    (tmp_path / "sub" / NAMES[2]).rename(tmp_path / "sub" / "t10k-pictures.gz")
    with pytest.raises(FileNotFoundError, match=rf"no {NAMES[2]} in.* Files there: sub/t10k-labels.*sub/t10k-pictures"):
        mnist.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (NAMES[1], np.zeros(5, "u1"), "images 6, labels 5"),
        (NAMES[0], np.zeros((6, 25), "u1"), "not images"),
        (NAMES[0], np.zeros((6, 5, 5), "f4"), "not images"),
        (NAMES[0], np.zeros((0, 5, 5), "u1"), "not images"),
        (NAMES[1], np.zeros((6, 1), "u1"), "not labels"),
        (NAMES[3], np.array([0, 1, 2, 10], "u1"), "label 10"),
        (NAMES[2], np.zeros((4, 6, 6), "u1"), "different sizes"),
    ],
)
def test_load_refuses_what_does_not_fit_together(tmp_path, name, array, message):
    write_set(tmp_path)
    (tmp_path / name).write_bytes(gzip.compress(idx(array)))
    with pytest.raises(mnist.IdxError, match=message):
        mnist.load(tmp_path)


def test_the_bundled_files_are_mnist():
    assert [(row.name, row.bytes, row.md5_ok) for row in mnist.check(DATA)] == [
        (name, size, True) for name, (size, _) in mnist.FILES.items()
    ]
    data = mnist.load(DATA)
    assert data.train_images.shape == (60000, 28, 28) and data.test_images.shape == (10000, 28, 28)
    assert np.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]


# --- check and fetch


@pytest.fixture
def small(monkeypatch):
    """Four small files take MNIST's place; returns their compressed bytes by name."""
    rng = np.random.default_rng(1)
    contents = {}
    for name in NAMES:
        plain = idx(rng.integers(0, 256, 50_000, "u1"))
        contents[name] = gzip.compress(plain, mtime=0)
        monkeypatch.setitem(mnist.FILES, name, (len(plain), hashlib.md5(plain).hexdigest()))
    return contents


class Mirror:
    """A loopback web server. `faults` maps a file name to what the mirror does with it instead of serving it well:
    an HTTP status, bytes to serve instead, "cut" (closes the connection half-way) or "no ranges"."""

    def __init__(self, contents, faults=None):
        self.faults = faults or {}
        self.requests = []  # (file name, Range header)
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                wanted = self.headers.get("Range")
                mirror.requests.append((name, wanted))
                fault = mirror.faults.get(name)
                if isinstance(fault, int):
                    self.send_error(fault)
                    return
                data = fault if isinstance(fault, bytes) else contents[name]
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and fault != "no ranges" else 0
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start : len(data) // 2] if fault == "cut" else data[start:])

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/mnist/"

    def ranges(self, name):
        return [wanted for asked, wanted in self.requests if asked == name]


@pytest.fixture
def mirror():
    """Starts mirrors, and stops them after the test."""
    started = []

    def start(contents, faults=None):
        made = Mirror(contents, faults)
        thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        started.append((made.server, thread))
        return made

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def assert_fetched(folder, contents):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents


def test_fetch_gets_the_four_files_and_then_leaves_them_alone(tmp_path, small, mirror, capsys):
    good = mirror(small)
    folder = tmp_path / "new" / "folder"
    assert mnist.fetch(folder, [good.address]) == [folder / name for name in NAMES]
    assert_fetched(folder, small)
    assert NAMES[0] in capsys.readouterr().err  # the progress bar
    asked = len(good.requests)
    mnist.fetch(folder, [good.address])
    assert len(good.requests) == asked == 4


def test_fetch_without_progress_is_silent(tmp_path, small, mirror, capsys):
    mnist.fetch(tmp_path, [mirror(small).address], progress=False)
    assert capsys.readouterr() == ("", "")


@contextmanager
def no_sockets(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def test_fetch_of_files_that_are_right_uses_no_network(monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in DATA.iterdir()}
    with no_sockets(monkeypatch):
        mnist.fetch(DATA)
    assert {path: path.stat().st_mtime_ns for path in DATA.iterdir()} == before


def test_fetch_replaces_a_wrong_file_and_gets_a_missing_one(tmp_path, small, mirror):
    good = mirror(small)
    mnist.fetch(tmp_path, [good.address], progress=False)
    (tmp_path / NAMES[1]).write_bytes(small[NAMES[1]][:-9])
    (tmp_path / NAMES[3]).unlink()
    good.requests.clear()
    mnist.fetch(tmp_path, [good.address], progress=False)
    assert_fetched(tmp_path, small)
    assert [name for name, _ in good.requests] == [NAMES[1], NAMES[3]]


@pytest.mark.parametrize("fault", [403, 404, 500, b"<html>moved</html>", gzip.compress(b"other bytes", mtime=0)])
def test_fetch_goes_on_to_the_next_mirror(tmp_path, small, mirror, fault):
    bad, good = mirror(small, {NAMES[0]: fault}), mirror(small)
    mnist.fetch(tmp_path, [bad.address, good.address], progress=False)
    assert_fetched(tmp_path, small)
    assert [name for name, _ in good.requests] == [NAMES[0]]


def test_a_cut_download_is_continued_by_the_next_mirror(tmp_path, small, mirror):
    cut, good = mirror(small, {NAMES[0]: "cut"}), mirror(small)
    mnist.fetch(tmp_path, [cut.address, good.address], progress=False)
    assert_fetched(tmp_path, small)
    (wanted,) = good.ranges(NAMES[0])
    start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
    assert len(small[NAMES[0]]) // 4 < start <= len(small[NAMES[0]]) // 2


def test_a_cut_download_is_continued_by_the_next_call(tmp_path, small, mirror):
    only = mirror(small, {NAMES[0]: "cut"})
    with pytest.raises(mnist.FetchError, match="continued"):
        mnist.fetch(tmp_path, [only.address], progress=False)
    (part,) = tmp_path.iterdir()
    assert part.name == NAMES[0] + ".part"
    got = part.stat().st_size
    assert len(small[NAMES[0]]) // 4 < got
    only.faults.clear()
    mnist.fetch(tmp_path, [only.address], progress=False)
    assert_fetched(tmp_path, small)
    assert only.ranges(NAMES[0]) == [None, f"bytes={got}-"]


def test_a_server_that_ignores_ranges_is_taken_from_the_start(tmp_path, small, mirror):
    (tmp_path / f"{NAMES[0]}.part").write_bytes(small[NAMES[0]][:999])
    only = mirror(small, {NAMES[0]: "no ranges"})
    mnist.fetch(tmp_path, [only.address], progress=False)
    assert_fetched(tmp_path, small)
    assert only.ranges(NAMES[0]) == ["bytes=999-"]


@pytest.mark.parametrize("left", [b"of another mirror" * 9, b"too long" * 50_000])
def test_a_part_that_does_not_belong_is_given_up(tmp_path, small, mirror, left):
    (tmp_path / f"{NAMES[0]}.part").write_bytes(left)
    mnist.fetch(tmp_path, [mirror(small).address], progress=False)
    assert_fetched(tmp_path, small)


def test_wrong_bytes_are_not_what_the_next_mirror_continues(tmp_path, small, mirror):
    (tmp_path / f"{NAMES[0]}.part").write_bytes(b"of another mirror")
    bad, good = mirror(small, {NAMES[0]: b"<html>moved for good</html>"}), mirror(small)
    mnist.fetch(tmp_path, [bad.address, good.address], progress=False)
    assert_fetched(tmp_path, small)
    assert good.ranges(NAMES[0]) == [None]


def test_a_complete_part_only_needs_its_name(tmp_path, small, mirror):
    (tmp_path / f"{NAMES[0]}.part").write_bytes(small[NAMES[0]])
    only = mirror(small)
    mnist.fetch(tmp_path, [only.address], progress=False)
    assert_fetched(tmp_path, small)
    assert len(only.ranges(NAMES[0])) == 1


def test_when_all_mirrors_fail_each_is_named_with_its_reason(tmp_path, small, mirror):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: refuses connections
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        gone, wrong = mirror(small, {NAMES[0]: 404}), mirror(small, {NAMES[0]: b"junk"})
        (tmp_path / NAMES[0]).write_bytes(b"what was there")
        with pytest.raises(mnist.FetchError) as caught:
            mnist.fetch(tmp_path, [gone.address, dead, wrong.address], progress=False)
    first, *lines = str(caught.value).splitlines()
    reasons = {gone.address: "404", dead: "refused", wrong.address: "4 bytes"}
    assert NAMES[0] in first
    for line, (address, reason) in zip(lines, reasons.items(), strict=True):
        assert address in line and reason in line
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {NAMES[0]: b"what was there"}


def test_check_tells_what_is_wrong(tmp_path, small):
    (tmp_path / NAMES[0]).write_bytes(small[NAMES[0]])
    (tmp_path / NAMES[1]).write_bytes(small[NAMES[0]])
    (tmp_path / NAMES[2]).write_bytes(small[NAMES[2]][:-20])
    right, other, damaged, missing = mnist.check(tmp_path)
    assert right == (NAMES[0], 50_008, True, "")
    assert not other.md5_ok and "MD5" in other.problem
    assert not damaged.md5_ok and "damaged" in damaged.problem
    assert missing == (NAMES[3], 0, False, "missing")

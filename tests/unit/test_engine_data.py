"""Datastores, web addresses and the files that a dataset stands for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import mnist
from helpers.offline.engine.assets import data, open_data
from helpers.offline.engine.history import artifacts
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, NotFound
from helpers.offline.engine.workspace.names import relative_name, safe_join


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


@pytest.fixture
def stored(opened, tmp_path):
    for name in ("a.txt", "b.csv"):
        (tmp_path / name).write_text(name)
    data.upload(opened, [(tmp_path / "a.txt", "set/a.txt"), (tmp_path / "b.csv", "set/deep/b.csv")])
    return opened


def relatives(opened, path):
    return [file.relative for file in data.resolve(opened, [{"datastore": data.BLOBSTORE, "path": path}])]


@pytest.mark.parametrize("mirror", [*mnist.MIRRORS, "http://yann.lecun.com/exdb/mnist/"])
def test_known_addresses_are_the_bundled_files(opened, mirror):
    name = "t10k-labels-idx1-ubyte.gz"
    (file,) = data.resolve(opened, [{"url": mirror + name}])
    assert file.relative == name
    assert mnist.verify(file.path) == 10_008


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/t10k-labels-idx1-ubyte.gz",
        mnist.MIRRORS[0] + "other.gz",
        "ftp://yann.lecun.com/exdb/mnist/t10k-labels-idx1-ubyte.gz",
    ],
)
def test_other_addresses_are_not_known(opened, url):
    with pytest.raises(NotFound, match="not known offline"):
        data.resolve(opened, [{"url": url}])


def test_a_tampered_bundled_file_is_told(opened, tmp_path, monkeypatch):
    name = "t10k-labels-idx1-ubyte.gz"
    (tmp_path / name).write_bytes((open_data.BUNDLED / name).read_bytes()[:-9])
    monkeypatch.setattr(open_data, "BUNDLED", tmp_path)
    with pytest.raises(Invalid, match="git checkout"):
        data.resolve(opened, [{"url": mnist.MIRRORS[0] + name}])


def test_paths_in_a_datastore(stored):
    assert relatives(stored, "set") == ["a.txt", "deep/b.csv"]
    assert relatives(stored, "/set/") == ["a.txt", "deep/b.csv"]
    assert relatives(stored, "set/a.txt") == ["a.txt"]
    assert relatives(stored, "set/**/*.csv") == ["deep/b.csv"]
    assert relatives(stored, "set/*.txt") == ["a.txt"]
    assert (
        relatives(stored, "set/**.csv") == relatives(stored, "set/d**") == relatives(stored, "set/*/") == ["deep/b.csv"]
    )
    assert relatives(stored, "**/a.txt") == ["set/a.txt"]
    with pytest.raises(NotFound, match="matches no file"):
        relatives(stored, "set/*.png")
    with pytest.raises(Invalid):
        relatives(stored, "../assets.db")
    with pytest.raises(Invalid):
        relatives(stored, "*/../../assets.db")


def test_no_other_character_than_the_star_stands_for_others(stored, tmp_path):
    names = ["a1.csv", "a?.csv", "a[1].csv", "b#.csv", "c*.csv"]
    data.upload(stored, [(tmp_path / "a.txt", f"odd/{name}") for name in names])
    for name in names[:4]:
        assert relatives(stored, f"odd/{name}") == [name]
        assert data.layout_of(stored, [{"datastore": data.BLOBSTORE, "path": f"odd/{name}"}]) == "file"
    assert relatives(stored, "odd/*[1]*") == ["a[1].csv"]
    assert relatives(stored, "**/a?.*") == ["odd/a?.csv"]
    with pytest.raises(NotFound):
        relatives(stored, "odd/b?.csv")
    files = data.resolve(stored, [{"datastore": data.BLOBSTORE, "path": "odd"}])
    assert [file.relative for file in files] == names
    assert [data.resolve(stored, [file.source]) for file in files] == [[file] for file in files]


def test_files_of_several_sources_keep_apart(stored, tmp_path):
    data.upload(stored, [(tmp_path / "b.csv", "other/a.txt")])
    sources = [{"datastore": data.BLOBSTORE, "path": path} for path in ("set/a.txt", "other/a.txt")]
    files = data.resolve(stored, sources)
    assert [file.relative for file in files] == ["workspaceblobstore/set/a.txt", "workspaceblobstore/other/a.txt"]
    assert [file.path.read_text() for file in files] == ["a.txt", "b.csv"]
    assert [data.resolve(stored, [file.source]) for file in files] == [[file] for file in files]


def test_a_mount_leaves_out_the_folders_that_all_files_share(opened, tmp_path):
    files = data.resolve(opened, [{"url": mnist.MIRRORS[0] + name} for name in mnist.FILES])
    assert files[0].relative == "https%3A/%2Fazureopendatastorage.blob.core.windows.net/mnist/" + files[0].path.name
    data.place(files, tmp_path / "mount", "mount")
    data.place(files, tmp_path / "copy", "download")
    assert {path.name for path in (tmp_path / "mount").iterdir()} == set(mnist.FILES)
    assert (tmp_path / "copy" / files[0].relative).is_file()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h.org/a/b.gz", "http%3A/%2Fh.org/a/b.gz"),
        ("https://h.org:8080/a%20b/c d?e=f&g", "https%3A/%2Fh.org%3A8080/a%2520b/c%20d%3Fe%3Df%26g"),
    ],
)
def test_a_web_address_is_escaped_part_by_part(url, path):
    assert data.web_name(url) == path


def test_upload_leaves_alone_what_is_there(stored, tmp_path):
    (tmp_path / "a.txt").write_text("changed")
    target = data.datastore_root(stored) / "set" / "a.txt"
    assert data.upload(stored, [(tmp_path / "a.txt", "set/a.txt")]) == []
    assert target.read_text() == "a.txt"
    assert data.upload(stored, [(tmp_path / "a.txt", "set/a.txt")], overwrite=True) == ["set/a.txt"]
    assert target.read_text() == "changed"


def test_the_files_under_a_prefix_stand_for_themselves(stored, tmp_path):
    (tmp_path / "[a].txt").write_text("in brackets")
    data.upload(stored, [(tmp_path / "[a].txt", "set/[a].txt")])
    first, second = (run_records.create_run(stored, "e") for _ in range(2))
    for run_id in (first, second):
        artifacts.upload_bytes(stored, run_id, "outputs/w [1].txt", run_id.encode())
    kept = {run_id: artifacts.address(run_id, "outputs/w [1].txt") for run_id in (first, second)}
    for store, prefix, expected in [
        (data.BLOBSTORE, "", ["set/[a].txt", "set/a.txt", "set/deep/b.csv"]),
        (data.BLOBSTORE, "set/d", ["set/deep/b.csv"]),
        (data.BLOBSTORE, "no", []),
        (data.ARTIFACTSTORE, "", sorted(kept.values())),
        (data.ARTIFACTSTORE, artifacts.address(first), [kept[first]]),
        (data.ARTIFACTSTORE, artifacts.address(second, "out"), [kept[second]]),
    ]:
        files = data.files_under(stored, store, prefix)
        assert [file.relative for file in files] == expected
        assert [data.resolve(stored, [file.source]) for file in files] == [[file] for file in files]


def test_place(stored, tmp_path):
    files = data.resolve(stored, [{"datastore": data.BLOBSTORE, "path": "set"}])
    mounted, copied = tmp_path / "mount", tmp_path / "copy"
    data.place(files, mounted, "mount")
    data.place(files, copied, "download")
    assert not (mounted / "a.txt").is_symlink() and not (copied / "a.txt").is_symlink()
    assert (mounted / "a.txt").stat().st_mode & 0o222 == 0  # as on Azure, where a mount is read-only
    assert (mounted / "deep" / "b.csv").read_text() == (copied / "deep" / "b.csv").read_text() == "b.csv"
    (copied / "a.txt").write_text("mine")
    with pytest.raises(AlreadyExists):
        data.place(files, copied, "download")
    assert (copied / "a.txt").read_text() == "mine"


def test_place_follows_no_link_out_of_the_target(stored, tmp_path):
    files = data.resolve(stored, [{"datastore": data.BLOBSTORE, "path": "set"}])
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "deep").symlink_to(tmp_path / "outside")
    with pytest.raises(Invalid, match="through a link"):
        data.place(files, tmp_path / "target", "download")
    assert list((tmp_path / "outside").iterdir()) == []


@given(st.text(max_size=40))
def test_no_name_leaves_its_folder(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp()
    try:
        path = safe_join(root, name)
    except Invalid:
        return
    assert path.resolve().is_relative_to(root) and path.resolve() != root


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\0b"])
def test_names_that_are_refused(name):
    with pytest.raises(Invalid):
        relative_name(name)


def test_a_web_file_cannot_be_written_through_its_mount(opened, tmp_path):
    (file,) = data.resolve(opened, [{"url": mnist.MIRRORS[0] + "t10k-labels-idx1-ubyte.gz"}])
    assert not file.path.stat().st_mode & 0o222
    assert file.path != open_data.BUNDLED / file.path.name
    before = hashlib.sha256((open_data.BUNDLED / file.path.name).read_bytes()).hexdigest()
    assert hashlib.sha256(file.path.read_bytes()).hexdigest() == before

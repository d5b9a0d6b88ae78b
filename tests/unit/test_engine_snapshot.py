"""The snapshot of a source directory."""

import os

import pytest

from helpers.offline.engine.history import snapshot
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid, NotFound, TooLarge


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    (path / "package").mkdir(parents=True)
    (path / "train.py").write_text("print(1)")
    (path / "package" / "module.py").write_text("x = 1")
    return path


def names(source):
    return [name for name, _ in snapshot.list_files(source)]


def test_the_same_content_is_the_same_snapshot(source, offline_folder, tmp_path):
    opened = folder.open_folder()
    first = snapshot.take(opened, source)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"x")
    assert snapshot.take(opened, source) == first
    (source / "train.py").write_text("print(2)")
    assert snapshot.take(opened, source) != first
    snapshot.extract(opened, first, tmp_path / "out")
    assert (tmp_path / "out" / "train.py").read_text() == "print(1)"
    assert (tmp_path / "out" / "package" / "module.py").read_text() == "x = 1"


def test_an_executable_file_stays_one(source, offline_folder, tmp_path):
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    opened = folder.open_folder()
    snapshot.extract(opened, snapshot.take(opened, source), tmp_path / "out")
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o100
    assert not (tmp_path / "out" / "train.py").stat().st_mode & 0o100


def test_amlignore_goes_before_gitignore(source):
    (source / "data.csv").write_text("1")
    (source / "notes.txt").write_text("n")
    (source / ".gitignore").write_text("*.csv\n")
    assert "data.csv" not in names(source) and "notes.txt" in names(source)
    (source / ".amlignore").write_text("notes.txt\npackage/\n")
    assert "data.csv" in names(source) and "notes.txt" not in names(source)
    assert "package/module.py" not in names(source)


def test_what_is_ignored_does_not_count(source):
    (source / "many").mkdir()
    for number in range(10):
        (source / "many" / f"{number}.txt").write_text("")
    with pytest.raises(TooLarge, match=r"file limit of 4.*\.amlignore"):
        snapshot.list_files(source, max_files=4)
    (source / ".amlignore").write_text("many/\n")
    assert len(snapshot.list_files(source, max_files=4)) == 3


def test_the_size_limit(source):
    with (source / "big.bin").open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(TooLarge, match="exceeds the limit of 1 MB"):
        snapshot.list_files(source, max_bytes=1 << 20)


def test_the_limits_are_the_services():
    assert (snapshot.MAX_FILES, snapshot.MAX_BYTES) == (2000, 300 * 2**20)


def test_what_a_link_leads_to_is_taken_wherever_it_is(source, offline_folder, tmp_path):
    (source / "inside.py").symlink_to(source / "train.py")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "more.py").write_text("more = 1")
    (source / "outside").symlink_to(tmp_path / "shared")
    (source / "outside.py").symlink_to(tmp_path / "shared" / "more.py")
    opened = folder.open_folder()
    snapshot.extract(opened, snapshot.take(opened, source), tmp_path / "out")
    for name in ("inside.py", "outside.py", "outside/more.py"):
        taken = tmp_path / "out" / name
        assert taken.read_text() == (source / name).read_text() and not taken.is_symlink()


def test_the_workspace_is_in_no_snapshot(source, tmp_path):
    opened = folder.open_folder(source / "world")
    (source / "other").symlink_to(opened)
    taken = snapshot.take(opened, source)
    snapshot.extract(opened, taken, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["package", "train.py"]


def test_links_that_lead_in_circles_are_refused(source):
    (source / "package" / "up").symlink_to(source)
    with pytest.raises(Invalid, match="leads back"):
        snapshot.list_files(source)
    (source / "package" / "up").unlink()
    (source / "package" / "up").symlink_to(source.parent)
    with pytest.raises(Invalid, match="package/up' is a link"):  # and not the source, to which it leads
        snapshot.list_files(source)
    (source / "package" / "up").unlink()
    (source / "other").mkdir()
    (source / "other" / "there").symlink_to(source / "package")
    (source / "package" / "back").symlink_to(source / "other")
    with pytest.raises(Invalid, match="leads back"):
        snapshot.list_files(source)


def make_fifo(source):
    os.mkfifo(source / "pipe")


def make_link_to_nothing(source):
    (source / "link").symlink_to("nowhere")


def make_name_that_is_no_text(source):
    os.close(os.open(os.fsencode(source) + b"/caf\xe9.txt", os.O_CREAT))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_fifo, "pipe' is no file and no folder"),
        (make_link_to_nothing, "link' is a link that leads nowhere"),
        (make_name_that_is_no_text, "not UTF-8"),
    ],
)
def test_what_cannot_be_taken_is_refused_unless_it_is_ignored(source, make, words):
    try:
        make(source)
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(Invalid, match=words):
        snapshot.list_files(source)
    (source / ".amlignore").write_text("pipe\nlink\ncaf*\n")
    assert len(names(source)) == 3


def test_a_pattern_that_cannot_be_read_is_refused(source):
    (source / ".amlignore").write_text("*.csv\n!\n")
    with pytest.raises(Invalid, match=r"\.amlignore has a pattern that cannot be read"):
        snapshot.list_files(source)


def test_a_file_that_cannot_be_read_is_left_out_as_the_sdk_leaves_it(source, monkeypatch, caplog):
    monkeypatch.setattr(snapshot.os, "access", lambda path, mode: path.name != "train.py")
    assert names(source) == ["package/module.py"]
    assert "Cannot access file, so excluded from snapshot" in caplog.text


def test_a_directory_that_is_not_there(offline_folder, tmp_path):
    with pytest.raises(NotFound, match="nowhere"):
        snapshot.take(folder.open_folder(), tmp_path / "nowhere")

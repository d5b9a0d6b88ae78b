"""The snapshot of a source directory."""

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


def test_what_is_ignored_does_not_count(source, monkeypatch):
    monkeypatch.setattr(snapshot, "MAX_FILES", 4)
    (source / "many").mkdir()
    for number in range(10):
        (source / "many" / f"{number}.txt").write_text("")
    with pytest.raises(TooLarge, match=r"file limit of 4.*\.amlignore"):
        snapshot.list_files(source)
    (source / ".amlignore").write_text("many/\n")
    assert len(names(source)) == 3


def test_the_size_limit(source, monkeypatch):
    monkeypatch.setattr(snapshot, "MAX_BYTES", 1 << 20)
    with (source / "big.bin").open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(TooLarge, match="exceeds the limit of 1 MB"):
        snapshot.list_files(source)


def test_the_limits_are_the_services():
    assert (snapshot.MAX_FILES, snapshot.MAX_BYTES) == (2000, 300 * 2**20)


def test_a_link_inside_is_followed_and_one_that_leaves_is_refused(source, tmp_path):
    (source / "inside.py").symlink_to(source / "train.py")
    assert "inside.py" in names(source)
    (tmp_path / "secret").write_text("s")
    (source / "outside").symlink_to(tmp_path / "secret")
    with pytest.raises(Invalid, match="leaves the source directory"):
        snapshot.list_files(source)


def test_a_link_that_leads_in_circles_is_refused(source):
    (source / "package" / "up").symlink_to(source)
    with pytest.raises(Invalid, match="leads back"):
        snapshot.list_files(source)


def test_a_directory_that_is_not_there(offline_folder, tmp_path):
    with pytest.raises(NotFound, match="nowhere"):
        snapshot.take(folder.open_folder(), tmp_path / "nowhere")

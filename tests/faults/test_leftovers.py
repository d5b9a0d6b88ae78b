"""What killed processes leave half done is swept at the next opening; what is owned or being made is not."""

import errno
import fcntl
import os
import signal
import stat
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.offline.engine.assets import data, models
from helpers.offline.engine.workspace import files, folder, leftovers


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


def open_anew(opened):
    """Open the workspace as a new process does."""
    folder._opened.clear()
    folder.open_folder(opened)


def partials(opened):
    return [path for path in opened.rglob("*") if leftovers.is_partial(path.name)]


def half_written(target, then):
    """A process that has written half of a file, and then does something; its id."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        with files.whole(target) as partial:
            partial.write_bytes(b"half")
            os.write(writing, b"!")
            then()
            partial.write_bytes(b"whole")
        os._exit(0)
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    return pid


def test_a_file_is_written_where_only_what_is_open_for_writing_can_be_locked(opened, monkeypatch):
    lock = leftovers.fcntl.flock

    def as_on_nfs(file, kind):
        descriptor = file if isinstance(file, int) else file.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if is_file and kind & fcntl.LOCK_EX and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(descriptor, kind)

    monkeypatch.setattr(leftovers.fcntl, "flock", as_on_nfs)
    files.write_whole(b"whole", opened / "datastores" / "a")
    (left := leftovers.partial_path(opened / "datastores" / "b")).touch()
    open_anew(opened)
    assert not left.exists() and (opened / "datastores" / "a").read_bytes() == b"whole"


def test_half_a_file_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(opened):
    root = data.datastore_root(opened)
    dead = half_written(root / "a" / "dead", lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert os.waitstatus_to_exitcode(os.waitpid(dead, 0)[1]) == -signal.SIGKILL
    living = half_written(root / "a" / "living", signal.pause)
    assert len(partials(opened)) == 2
    open_anew(opened)
    assert [path.read_bytes() for path in partials(opened)] == [b"half"]
    os.kill(living, signal.SIGKILL)
    os.waitpid(living, 0)
    open_anew(opened)
    assert partials(opened) == []


def test_what_is_being_made_while_the_workspace_is_opened_becomes_whole(opened):
    target = data.datastore_root(opened) / "model"
    with files.whole(target) as partial:
        partial.write_bytes(b"whole")
        open_anew(opened)
    assert target.read_bytes() == b"whole"
    with leftovers.making_folder(opened / "models" / "digits" / uuid.uuid4().hex):
        open_anew(opened)
        assert len(list(opened.glob("models/*/*"))) == 1
    open_anew(opened)
    assert list(opened.glob("models/*/*")) == []


def test_several_openings_at_once_sweep_what_nobody_owns_and_nothing_else(opened, tmp_path):
    (tmp_path / "weights").write_text("w")
    kept = models.register(opened, "kept", tmp_path / "weights", stored_as="weights")
    users = data.datastore_root(opened) / ".partial-notes"  # a user's name, not one of ours
    users.write_text("mine")
    for number in range(20):
        for place in (f"models/m{number}/{uuid.uuid4().hex}", f"services/{uuid.uuid4().hex}", f"runs/run-{number}"):
            (opened / place).mkdir(parents=True)
            (opened / place / "weights").write_text("w")
        leftovers.partial_path(opened / "artifacts" / "file").write_text("half")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(leftovers.sweep, [opened] * 4))
    assert list(opened.glob("models/*/*")) == [kept.path] and kept.files == ["weights"]
    assert [*opened.glob("services/*"), *opened.glob("runs/*"), *partials(opened)] == []
    assert users.read_text() == "mine"


def test_nothing_is_swept_where_nothing_tells_what_is_owned(opened):
    lost = opened / "models" / "digits" / uuid.uuid4().hex
    lost.mkdir(parents=True)
    (opened / "mlflow.db").rename(opened / "aside.db")
    leftovers.sweep(opened)
    assert lost.exists()
    (opened / "mlflow.db").write_bytes(b"not a database" * 1000)
    leftovers.sweep(opened)
    assert lost.exists()


def test_an_upload_that_nobody_goes_on_with_is_given_up_after_a_day(opened):
    old, young = opened / "uploads" / "old", opened / "uploads" / "young"
    for upload in (old, young):
        upload.mkdir()
        (upload / "train.py").write_text("")
    before = time.time() - leftovers.UPLOAD_SECONDS - 60
    for path in (old, old / "train.py", young):
        os.utime(path, (before, before))
    open_anew(opened)
    assert not old.exists() and young.exists()

"""The offline workspace's folder, and the assets in it."""

import errno
import multiprocessing
import os
import shutil
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from small_jobs import make_cluster, printed_pid, submit, supervisor_of, wait_for

from helpers.offline.engine import assets, removal
from helpers.offline.engine.history import job_states
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import database, folder
from helpers.offline.engine.workspace.errors import FolderError, FolderUnreadable, NotFound


def test_the_folder_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv(folder.VARIABLE, str(tmp_path / "here"))
    assert folder.offline_folder() == tmp_path / "here"
    monkeypatch.delenv(folder.VARIABLE)
    assert folder.offline_folder() == folder.REPOSITORY / ".offline"


def test_only_its_owner_can_look_into_a_new_one(tmp_path):
    """The environment variables of jobs and services are in it, and people put their tokens there."""
    assert stat.S_IMODE(folder.open_folder(tmp_path / "above" / "world").stat().st_mode) == 0o700


def test_opening_twice_keeps_what_is_there(tmp_path):
    opened = folder.open_folder(tmp_path / "w")
    assets.add(opened, "dataset", "a", {"x": 1})
    assert assets.get(folder.open_folder(tmp_path / "w"), "dataset", "a").body == {"x": 1}


def test_a_folder_deleted_and_opened_again_is_new(tmp_path):
    opened = folder.open_folder(tmp_path / "w")
    assets.add(opened, "dataset", "a", {})
    removal.reset(opened)
    assert not opened.exists()
    assert assets.list_latest(folder.open_folder(tmp_path / "w"), "dataset") == []


def test_what_a_job_made_read_only_is_deleted_and_what_is_anothers_told(tmp_path, monkeypatch):
    opened = folder.open_folder(tmp_path / "w")
    (opened / "runs" / "r" / "code").mkdir(parents=True)
    (opened / "runs" / "r" / "code").chmod(0o555)
    rmtree = shutil.rmtree
    is_ours = False

    def as_a_user(path):  # root, as whom tests may run, may delete everything
        if not is_ours or not (opened / "runs" / "r" / "code").stat().st_mode & stat.S_IWUSR:
            raise PermissionError(13, "Permission denied", str(opened / "runs" / "r" / "code" / "x"))
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", as_a_user)
    with pytest.raises(FolderError, match="code/x cannot be deleted"):
        folder.remove(opened)
    is_ours = True
    (opened / "runs" / "r" / "code").chmod(0o555)
    folder.remove(opened)
    assert not opened.exists()


def test_what_comes_into_a_folder_while_it_is_deleted_is_deleted_or_told(tmp_path, monkeypatch):
    opened = folder.open_folder(tmp_path / "w")
    rmtree, comes = shutil.rmtree, [True, True, True]

    def late(path):
        if comes and comes.pop():
            raise OSError(errno.ENOTEMPTY, "Directory not empty", str(opened / "runs"))
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", late)
    with pytest.raises(FolderError, match=r"runs cannot be deleted \(Directory not empty\)"):
        folder.remove(opened)
    folder.remove(opened)
    assert not opened.exists()


def test_a_folder_with_other_files_is_neither_used_nor_reset(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for refused in (folder.open_folder, removal.reset):
        with pytest.raises(FolderError, match="holds other files"):
            refused(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("change, words", [(1, "newer version"), (-1, "older version")])
def test_a_folder_of_another_version_is_refused(tmp_path, change, words):
    opened = folder.open_folder(tmp_path / "w")
    _set_version(opened, database.VERSION + change)
    with pytest.raises(FolderError, match=words):
        folder.open_folder(tmp_path / "w")


def test_a_folder_of_an_older_version_can_be_reset_with_what_runs_in_it(offline_folder, tmp_path):
    opened = offline_folder
    make_cluster(opened)
    run_id = submit(opened, tmp_path / "s", 'import os, time; print("pid", os.getpid()); time.sleep(600)')
    pid = printed_pid(opened, run_id)
    supervisor = supervisor_of(run_id)
    _set_version(opened, database.VERSION - 1)
    removal.reset(opened)
    assert not opened.exists()
    assert not psutil.pid_exists(pid) and not supervisor.is_running()


def _set_version(opened, version):
    connection = sqlite3.connect(database.database_path(opened))
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()
    folder._opened.clear()  # as in a new process


def test_a_damaged_folder_is_told(tmp_path):
    opened = folder.open_folder(tmp_path / "w")
    folder._opened.clear()
    for file in opened.glob("assets.db*"):
        file.write_bytes(b"not a database" * 100)
    with pytest.raises(FolderError, match="damaged"):
        folder.open_folder(tmp_path / "w")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(FolderError, match="cannot be written"):
        folder.open_folder(tmp_path / "w")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot be written"):
        folder.open_folder(tmp_path / "file" / "below")


def test_versions(tmp_path):
    opened = folder.open_folder(tmp_path / "w")
    first, second = (assets.add(opened, "dataset", "a", {"n": n}) for n in (1, 2))
    assert (first.version, second.version) == (1, 2)
    assert assets.get(opened, "dataset", "a") == second
    assert assets.get(opened, "dataset", "a", 1) == first
    assert assets.get_by_id(opened, "dataset", first.id) == first
    assert [asset.version for asset in assets.versions(opened, "dataset", "a")] == [1, 2]
    assert assets.update(opened, "dataset", "a", 1, lambda body: body | {"m": 0}).body == {"n": 1, "m": 0}
    assets.remove(opened, "dataset", "a")
    with pytest.raises(NotFound, match="'a'"):
        assets.get(opened, "dataset", "a")


def test_what_is_not_there_is_told_with_what_is(tmp_path):
    opened = folder.open_folder(tmp_path / "w")
    assets.add(opened, "environment", "keras-env", {})
    with pytest.raises(NotFound, match="keras-env"):
        assets.get(opened, "environment", "keras")


def _add_twenty(path):
    opened = folder.open_folder(path)
    for _ in range(20):
        assets.add(opened, "dataset", "shared", {})


def test_writers_of_several_processes_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_twenty, args=(tmp_path / "w",)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    versions = assets.versions(folder.open_folder(tmp_path / "w"), "dataset", "shared")
    assert [asset.version for asset in versions] == list(range(1, 61))


def test_several_resets_at_once_leave_nothing_and_all_end_well(offline_folder, tmp_path):
    submit(offline_folder, tmp_path / "s", "import time; time.sleep(600)")
    with ThreadPoolExecutor() as pool:
        list(pool.map(removal.reset, [offline_folder] * 4))
    assert not offline_folder.exists()


def test_a_database_that_was_emptied_is_told_and_not_made_anew(offline_folder):
    for suffix in ("-wal", "-shm"):
        (offline_folder / f"assets.db{suffix}").unlink(missing_ok=True)
    (offline_folder / "assets.db").unlink()
    (offline_folder / "assets.db").touch()
    for _ in range(2):
        with pytest.raises(FolderUnreadable, match=r"assets.db is empty, though there are runs.*make clean"):
            folder.open_folder(offline_folder)
    removal.reset(offline_folder)
    assert not offline_folder.exists()


def test_a_damaged_record_of_a_run_is_told_and_the_others_are_listed(offline_folder, tmp_path):
    run_ids = [submit(offline_folder, tmp_path / "s", "") for _ in range(2)]
    for run_id in run_ids:
        wait_for(offline_folder, run_id, "Completed")
    (job_states.run_folder(offline_folder, run_ids[0]) / "job.json").write_text("")
    assert {record.id for record in run_records.list_runs(offline_folder, "tests")} == set(run_ids)
    with pytest.raises(FolderError, match=r"job\.json is no JSON"):
        job_states.submitted(offline_folder, run_ids[0])

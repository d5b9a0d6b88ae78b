"""A run owns its own folder and nothing else: what is the user's stays where it is, as it is."""

import os
from pathlib import Path

import pytest
from azureml.core import Experiment, Model, Workspace
from azureml.exceptions import WebserviceException
from small_jobs import submit, wait_for, wait_until

from helpers.offline.engine import removal
from helpers.offline.engine.assets import data, models
from helpers.offline.engine.history import artifacts, job_states, logs, run_files
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


@pytest.fixture
def own(tmp_path):
    """A folder of the user's, with two files."""
    place = tmp_path / "own"
    (place / "deep").mkdir(parents=True)
    (place / "thesis.txt").write_text("years of work")
    (place / "deep" / "more.txt").write_text("more")
    return place


def untouched(own):
    return {path.relative_to(own).as_posix(): path.read_text() for path in own.rglob("*") if path.is_file()} == {
        "thesis.txt": "years of work",
        "deep/more.txt": "more",
    }


def test_outputs_that_are_a_link_are_copied(opened, tmp_path, own):
    run_id = submit(opened, tmp_path / "s", f"import os\nos.rmdir('outputs')\nos.symlink({str(own)!r}, 'outputs')\n")
    wait_for(opened, run_id, "Completed")
    assert untouched(own)
    kept = artifacts.root_of(opened, run_id) / "outputs"
    assert (kept / "thesis.txt").read_text() == "years of work"
    assert (kept / "deep" / "more.txt").read_text() == "more"


def test_links_in_outputs_are_copied_or_told(opened, tmp_path, own):
    script = f"""
        import os
        os.symlink({str(own / "thesis.txt")!r}, "outputs/linked.txt")
        os.link({str(own / "thesis.txt")!r}, "outputs/hard.txt")
        os.symlink({str(own / "deep")!r}, "outputs/folder")
        os.symlink("nowhere", "logs/broken")
        os.mkfifo("outputs/pipe")
        open("outputs/made.txt", "w").write("made")
    """
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Completed")
    assert untouched(own)
    files = run_files.files_of(opened, run_id)
    assert [name for name in files if name.startswith(("outputs/", "logs/"))] == [
        "outputs/hard.txt",
        "outputs/linked.txt",
        "outputs/made.txt",
    ]
    for name in ("outputs/hard.txt", "outputs/linked.txt"):
        path = run_files.path_of(opened, run_id, name)
        path.write_text("changed")  # a file of the run's own, which shares nothing with the user's
    assert untouched(own)
    told = logs.log_path(opened, run_id).read_text()
    assert "Not kept: outputs/folder, a link to a folder." in told
    assert "Not kept: logs/broken, a link to nothing." in told
    assert "Not kept: outputs/pipe, no plain file." in told


def test_plain_outputs_are_moved_not_copied(opened, tmp_path):
    script = "import os\nopen('outputs/m', 'w').write('m')\nprint('inode', os.stat('outputs/m').st_ino)"
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Completed")
    inode = run_files.path_of(opened, run_id, "outputs/m").stat().st_ino
    assert f"inode {inode}\n" in logs.log_path(opened, run_id).read_text()


def test_outputs_that_could_not_be_kept_are_not_deleted(opened, tmp_path):
    script = """
        import os, time
        open("outputs/a", "w").write("first")
        open("logs/b", "w").write("second")
        while not os.path.exists("go"):
            time.sleep(0.05)
    """
    run_id = submit(opened, tmp_path / "s", script)
    code = job_states.run_folder(opened, run_id) / "code"
    wait_until(lambda: (code / "logs" / "b").exists())
    kept = artifacts.root_of(opened, run_id)
    (kept / "outputs").write_text("in the way")  # where the run's outputs should go
    (code / "go").touch()
    state = wait_for(opened, run_id, "Failed")
    assert (code / "outputs" / "a").read_text() == "first"
    assert f"What is left of them is in {code}" in state["error"]["message"]
    assert (kept / "logs" / "b").read_text() == "second"  # one that cannot be kept does not keep the others back


@pytest.mark.parametrize("place", ["../../own", "a/../../own", "/../../../own", "/a/../../b", ".", "a\0b"])
def test_a_place_outside_the_run_is_refused_at_submit(opened, tmp_path, own, place):
    data.upload(opened, [(own / "thesis.txt", "d/thesis.txt")])
    given = {"name": "d", "mode": "download", "path_on_compute": place}
    given["sources"] = [{"datastore": data.BLOBSTORE, "path": "d"}]
    with pytest.raises(Invalid, match="path"):
        submit(opened, tmp_path / "s", "print(1)", inputs=[given])
    assert not job_states.unfinished(opened)


WRITES = """
    import glob, os, sys
    (path,) = glob.glob(sys.argv[1] + "/*")
    assert open(path).read() == "years of work", open(path).read()
    try:
        with open(path, "w") as file:
            file.write("garbage")
    except PermissionError:
        print("refused")
    if os.geteuid():
        assert open(path).read() == "years of work"
    os.remove(path)
"""


@pytest.mark.parametrize("mode", ["mount", "download"])
def test_no_job_writes_into_a_dataset(opened, tmp_path, own, mode):
    data.upload(opened, [(own / "thesis.txt", "d/thesis.txt")])
    given = {"name": "d", "mode": mode, "sources": [{"datastore": data.BLOBSTORE, "path": "d"}]}
    for _ in range(2):  # the second run sees what the first was given
        job = {"command": ["python", "script.py", {"input": "d"}], "inputs": [given]}
        run_id = submit(opened, tmp_path / "s", WRITES, **job)
        wait_for(opened, run_id, "Completed")
        assert ("refused" in logs.log_path(opened, run_id).read_text()) == (mode == "mount" and os.geteuid() != 0)
    (file,) = data.resolve(opened, given["sources"])
    assert file.path.read_text() == "years of work"


def test_the_workspace_is_never_part_of_what_is_copied(tmp_path, monkeypatch):
    """A folder of the user's holds it: it is neither a model's, nor a datastore's, nor a run's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(folder.VARIABLE, str(tmp_path / ".offline"))
    workspace = Workspace.from_config()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.txt").write_text("a")
    Model.register(workspace, ".", "everything")
    assert [name.partition("/own/")[2] for name in names(tmp_path / ".offline" / "models")] == ["a.txt"]
    workspace.get_default_datastore().upload(".", "below", show_progress=False)
    uploaded = data.datastore_root(tmp_path / ".offline", "workspaceblobstore") / "below"
    assert names(uploaded) == ["own/a.txt"]
    run = Experiment(workspace, "own").start_logging(snapshot_directory=None)
    run.upload_folder("all", ".")
    assert run.get_file_names() == ["all/own/a.txt"]
    with pytest.raises(WebserviceException, match="keeps its models"):
        Model.register(workspace, ".offline", "itself")
    removal.reset(tmp_path / ".offline")


@pytest.mark.parametrize(
    ("leads_to", "words"),
    [
        ("/no/such/file", "link cannot be copied: .*No such file"),
        ("link", "link cannot be copied: .*Too many levels"),
        ("..", "deep/link leads back to a folder above it"),
        ("../..", "deep/link leads back to a folder above it"),  # and not the folder own, which is no link
    ],
)
def test_a_folder_with_a_link_that_leads_nowhere_or_in_circles_is_refused(opened, own, leads_to, words):
    (own / "deep" / "link").symlink_to(leads_to)
    with pytest.raises(Invalid, match=words):
        models.register(opened, "linked", own, stored_as="own")
    assert models.list_all(opened) == [] and names(opened / "models") == []


def names(root):
    return sorted(path.relative_to(root).as_posix() for path in Path(root).rglob("*") if path.is_file())

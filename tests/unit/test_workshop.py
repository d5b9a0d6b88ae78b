"""A learner's folder and world: made, kept, put aside, brought forward."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import nbformat
import pytest
from classroom import WorkshopError, copies, forward, learners
from small_jobs import make_cluster, submit, supervisor_of, wait_until

import helpers
import workshop
from helpers.offline.engine import assets, jobs, removal
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.workspace import folder as folders

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def ana(tmp_path, monkeypatch):
    """The folder of a learner, below a temporary one; what runs in its world is ended."""
    monkeypatch.setattr(learners, "RUN", tmp_path / "run")
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "elsewhere"))
    folder = learners.folder_of("ana")
    yield folder
    removal.reset(learners.world_of(folder))


def cells(path) -> list[nbformat.NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def program(ana, command: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run scripts/workshop.py for the learner."""
    source = "import sys; from classroom import learners; import workshop; learners.RUN = learners.Path(sys.argv[1]); "
    source += "sys.exit(workshop.main(sys.argv[2:]))"
    words = [sys.executable, "-c", source, str(ana.parent), command, "--name", "ana", *arguments]
    return subprocess.run(words, cwd=learners.ROOT / "scripts", capture_output=True, text=True)


def test_a_learner_gets_lessons_exercises_and_solutions_to_work_in(ana):
    learners.prepare(ana)
    lessons = sorted(path.name for path in learners.LESSONS.glob("*.ipynb"))
    for kind, expected in (("notebooks", lessons), ("exercises", [*lessons, "drills.ipynb"])):
        assert sorted(path.name for path in (ana / kind).glob("*.ipynb")) == expected
    in_version_two = sorted(path.name for path in learners.LESSONS.glob("v2/*.ipynb"))
    for kind in learners.BOOKS:
        assert sorted(path.name for path in (ana / kind / "v2").iterdir()) == in_version_two
    assert "(../../exercises/v2/10_pipeline.ipynb)" in cells(ana / "notebooks" / "v2" / "10_pipeline.ipynb")[-1].source
    assert sorted(path.name for path in (ana / "solutions").glob("*.ipynb")) == [*lessons, "drills.ipynb"]
    lesson = cells(ana / "notebooks" / "04_train.ipynb")
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in lesson)
    assert "(../exercises/04_train.ipynb)" in lesson[-1].source
    assert "(../solutions/04_train.ipynb)" in cells(ana / "exercises" / "04_train.ipynb")[-1].source
    assert (ana / "docs" / "images" / "here-4.svg").is_file()
    assert not (ana / "scripts" / "classroom").exists()


def test_what_a_run_takes_from_the_repository_is_there_to_be_read_alone(ana):
    learners.prepare(ana)
    beside = [path for name in learners.BESIDE for path in (ana / name).rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in beside} == {0o444}
    assert ana / "scripts" / "training" / "network.py" in beside
    assert all(path.stat().st_mode & 0o200 for name in learners.BOOKS for path in (ana / name).rglob("*.ipynb"))


def test_a_learner_has_all_of_it_in_portuguese_too(ana):
    learners.prepare(ana)
    lessons = sorted(path.name for path in learners.LESSONS.glob("*.ipynb"))
    for kind in learners.BOOKS:
        expected = lessons if kind == "notebooks" else [*lessons, "drills.ipynb"]
        assert sorted(path.name for path in (ana / kind / "pt").iterdir()) == expected
    assert "Exercícios:" in (way := cells(ana / "notebooks" / "pt" / "04_train.ipynb")[-1].source)
    assert "(../../exercises/pt/04_train.ipynb)" in way
    assert "Depois de tentar:" in (way := cells(ana / "exercises" / "pt" / "04_train.ipynb")[-1].source)
    assert "(../../solutions/pt/04_train.ipynb)" in way


def assert_every_link_leads_somewhere(folder, but=""):
    paths = [path for kind in learners.BOOKS for path in (folder / kind).rglob("*.ipynb") if path.name != but]
    assert len(paths) > 50
    for path in paths:
        for cell in cells(path):
            targets = LINK.findall(cell.source) if cell.cell_type == "markdown" else []
            for target in targets:
                assert target.startswith("https://") or (path.parent / target).is_file(), f"{path}: {target}"


def test_every_link_of_a_copy_leads_somewhere(ana):
    learners.prepare(ana)
    assert_every_link_leads_somewhere(ana)
    pages = list((ana / "docs").glob("*.md"))
    assert sum("](" in page.read_text() for page in pages) > 5
    for page in pages:
        for target in LINK.findall(page.read_text()):
            there = page.parent / target.partition("#")[0]
            assert target.startswith(("https://", "#")) or there.exists(), f"{page}: {target}"


def test_make_studio_in_a_learners_terminal_shows_the_learners_workspace(tmp_path):
    repository = tmp_path / "a repository"
    repository.mkdir()
    (repository / "Makefile").write_text("PORT :=\nstudio:\n\t@echo shows $(AZUREML_OFFLINE_FOLDER) at $(PORT)\n")
    folder = repository / "workshop" / "run" / "ana"
    learners.prepare(folder)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for given, port in (([], ""), (["PORT=5001"], "5001")):
        ran = subprocess.run(["make", "studio", *given], cwd=folder, env=variables, capture_output=True, text=True)
        assert f"shows {folder / '.offline'} at {port}".strip() in ran.stdout.splitlines(), ran.stderr


def test_a_learner_is_called_what_make_is_told_and_not_as_the_environment_has_it():
    """Where a machine on WSL has its name in NAME."""
    of_another = os.environ | {"NAME": "DESKTOP-7", "SERIES": "x-7", "N": "x-7", "FOLDER": "x-7", "FOR": "x-7"}
    command = ["make", "--dry-run", "workshop", "workshop-reset", "wheelhouse"]
    told = subprocess.check_output(command, cwd=learners.ROOT, env=of_another, text=True)
    assert 'open --series "v1" --name "learner"' in told and "DESKTOP-7" not in told and "x-7" not in told
    told = subprocess.check_output([*command, "NAME=ana", "N=4"], cwd=learners.ROOT, env=of_another, text=True)
    assert 'reset 4 --series "v1" --name "ana"' in told


def test_what_a_learner_has_written_stays_when_the_workshop_is_opened_again(ana):
    learners.prepare(ana)
    (ana / "exercises" / "02_data.ipynb").write_text("mine")
    (ana / "notebooks" / "03_compute.ipynb").unlink()
    learners.prepare(ana)
    assert (ana / "exercises" / "02_data.ipynb").read_text() == "mine"
    assert (ana / "notebooks" / "03_compute.ipynb").is_file()


def test_what_is_put_aside_is_kept_however_often(ana):
    assert learners.put_aside(ana) is None
    for number in (1, 2):
        learners.prepare(ana)
        (ana / "notebooks" / "01_setup.ipynb").write_text(f"mine {number}")
        assert learners.put_aside(ana) == ana / f"before-reset-{number}"
        assert (ana / f"before-reset-{number}" / "notebooks" / "01_setup.ipynb").read_text() == f"mine {number}"
        assert_every_link_leads_somewhere(ana / f"before-reset-{number}", but="01_setup.ipynb")


def test_a_folder_that_is_named_almost_as_what_is_put_aside_is_left_alone(ana):
    for name in ("before-reset-3", "before-reset-7 (mine)", "before-reset-mine", "notebooks"):
        (ana / name).mkdir(parents=True)
    assert learners.put_aside(ana) == ana / "before-reset-4"


def test_a_copy_that_was_broken_off_is_made_again(ana, monkeypatch):
    def broken_tree(source, target, **options):
        target.mkdir(parents=True)
        raise KeyboardInterrupt

    def broken_notebook(notebook, path):
        path.write_text("{")
        raise KeyboardInterrupt

    for module, name, broken in ((shutil, "copytree", broken_tree), (nbformat, "write", broken_notebook)):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(module, name, broken)
            learners.prepare(ana)
    learners.prepare(ana)
    for name in learners.BESIDE:
        assert any((ana / name).iterdir())
    assert all(cells(path) for path in ana.rglob("*.ipynb"))
    assert not list(ana.rglob("*.part"))


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 41, ".."])
def test_a_name_that_would_lead_elsewhere_is_refused(name):
    with pytest.raises(WorkshopError, match="is no name for a learner's folder"):
        learners.folder_of(name)


def test_one_jupyterlab_has_a_folder_and_the_next_learner_is_told_how_to_get_one(ana):
    learners.prepare(ana)
    lock = learners._claim(ana)
    refused = program(ana, "open", "--", "--version")
    assert refused.returncode == 2
    assert "make workshop NAME=somebody" in refused.stderr
    os.close(lock)
    opened = program(ana, "open", "--", "--version")
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout.splitlines()[-1].startswith("4.")
    os.close(learners._claim(ana))  # it has gone with JupyterLab


@pytest.mark.parametrize("series", ["v1", "v2", "pt"])
def test_jupyterlab_opens_at_the_first_lesson_of_the_series(ana, monkeypatch, series):
    became = []
    monkeypatch.setattr(os, "execve", lambda path, command, variables: became.append(command))
    monkeypatch.setattr(os, "chdir", lambda folder: None)
    monkeypatch.setattr(os, "set_inheritable", lambda lock, inheritable: os.close(lock))
    workshop._open(ana, series, ["--no-browser"])
    (url,) = [word.removeprefix("--LabApp.default_url=/lab/tree/") for word in became[0] if "default_url" in word]
    assert url == ("notebooks/01_setup.ipynb" if series == "v1" else f"notebooks/{series}/01_setup.ipynb")
    assert (ana / url).is_file()


def test_two_learners_download_the_model_to_folders_of_their_own(ana):
    for learner in (ana, learners.folder_of("ben")):
        learners.prepare(learner)
        for series in learners.SERIES:
            lesson = learner / "notebooks" / series / "06_download_validate.ipynb"
            (parameters,) = [cell.source for cell in cells(lesson) if copies.tags(cell) == {"parameters"}]
            forward.execute(parameters, lesson.name, variables := {})
            assert (helpers.REPOSITORY / variables["download_folder"]).is_relative_to(learner)


def test_two_learners_have_worlds_of_their_own(ana):
    ben = learners.folder_of("ben")
    worlds = [learners.environment(folder)["AZUREML_OFFLINE_FOLDER"] for folder in (ana, ben)]
    assert worlds == [str(ana / ".offline"), str(ben / ".offline")]


@pytest.mark.parametrize(
    "lesson, told",
    [("", "At the start of which lesson?"), ("12", "There is no lesson 12."), ("x", "There is no lesson x.")],
)
def test_a_lesson_that_does_not_exist_is_told_before_anything_is_reset(ana, capsys, lesson, told):
    learners.prepare(ana)
    assert workshop.main(["reset", lesson, "--name", "ana"]) == 2
    assert f"{told} Give a number from 1 to 9" in capsys.readouterr().err
    assert not list(ana.glob("before-reset-*"))


def test_a_lesson_is_one_of_its_series(ana, capsys):
    assert workshop.main(["reset", "11", "--series", "v2", "--name", "ana"]) == 2
    assert "Give a number from 1 to 10" in capsys.readouterr().err
    assert workshop.main(["reset", "10", "--name", "ana"]) == 2
    told = "There is no lesson 10. The series v2 has it: SERIES=v2. Give a number from 1 to 9"
    assert told in capsys.readouterr().err
    assert workshop.main(["reset", "4", "--series", "v3", "--name", "ana"]) == 2
    assert "There is no series 'v3': SERIES=v2" in capsys.readouterr().err
    assert workshop.main(["open", "--series", "v3", "--name", "ana"]) == 2
    assert "There is no series 'v3': SERIES=v2" in capsys.readouterr().err
    assert not ana.exists()


def test_a_late_learner_of_version_two_has_what_its_lessons_make(ana):
    ran = program(ana, "reset", "4", "--series", "v2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "ana is at the start of lesson 4 in version 2" in ran.stdout
    world = folders.open_folder(learners.world_of(ana))
    assert [cluster["name"] for cluster in clusters.list_all(world)] == ["gpu-cluster"]
    assert [asset.name for asset in assets.list_latest(world, "v2 data")] == ["mnist/1"]  # name and version


def test_a_late_learner_has_what_the_earlier_lessons_make_and_what_ran_is_ended(ana, tmp_path):
    learners.prepare(ana)
    world = folders.open_folder(learners.world_of(ana))
    make_cluster(world, "old")
    run_id = submit(world, tmp_path / "source", "import time; time.sleep(600)", target="old")
    wait_until(lambda: jobs.look(world, run_id)["status"] == "Running")
    ran = program(ana, "reset", "4")  # which has nothing of the old world open
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = ran.stdout
    assert "1 run is still going and will be ended." in told
    assert "ana is at the start of lesson 4" in told
    assert [cluster["name"] for cluster in clusters.list_all(world)] == ["gpu-cluster"]
    assert [asset.name for asset in assets.list_latest(world, "dataset")] == ["mnist-dataset"]
    assert supervisor_of(run_id) is None
    assert (ana / "before-reset-1" / "notebooks").is_dir()
    assert (ana / "notebooks" / "04_train.ipynb").is_file()


def test_a_lesson_in_portuguese_begins_as_the_one_on_version_one_that_it_translates(ana, capsys, monkeypatch):
    ran = []
    monkeypatch.setattr(forward, "run", lambda notebook, parameters: ran.append(notebook))
    assert workshop.main(["reset", "3", "--series", "pt", "--name", "ana"]) == 0
    assert ran == [ana / "notebooks" / "01_setup.ipynb", ana / "notebooks" / "02_data.ipynb"]
    told = capsys.readouterr().out
    assert "ana is at the start of lesson 3 after" in told
    assert told.endswith("otherwise: make workshop NAME=ana SERIES=pt\n")


def test_ctrl_c_ends_it_also_while_a_lesson_watches_its_run(ana, capsys, monkeypatch):
    def watch(notebook, parameters):
        with suppress(KeyboardInterrupt):  # as helpers.watch does
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(forward, "run", watch)
    assert workshop.main(["reset", "3", "--name", "ana"]) == 130
    assert "interrupted. ana is on the way to lesson 3, and a training may still be going." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_a_world_that_cannot_be_reset_is_left_with_all_beside_it(ana, capfd):
    learners.prepare(ana)
    (foreign := learners.world_of(ana)).mkdir()
    (foreign / "thesis.txt").write_text("mine")
    assert workshop.main(["reset", "2", "--name", "ana"]) == 2
    told = capfd.readouterr().err
    assert f"{foreign} holds other files and is no offline workspace" in told
    assert "workshop: The world could not be reset, and nothing else was changed." in told
    assert not list(ana.glob("before-reset-*")) and (foreign / "thesis.txt").exists()
    (foreign / "thesis.txt").unlink()


def test_a_lesson_that_fails_on_the_way_is_told_with_where_to_read_why(ana, capsys, monkeypatch):
    def fail(notebook, parameters):
        print("what it printed")
        raise RuntimeError("no space left")

    monkeypatch.setattr(forward, "run", fail)
    assert workshop.main(["reset", "2", "--name", "ana"]) == 1
    captured = capsys.readouterr()
    assert "failed: RuntimeError: no space left" in captured.out
    assert "01_setup could not be run" in captured.err
    log = (ana / "reset.log").read_text()
    assert "what it printed" in log
    assert "Traceback" in log

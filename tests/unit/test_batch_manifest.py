"""The output folder, its manifest, and what --resume takes for complete."""

import errno
import os
from pathlib import Path

import nbformat
import pytest
from batch import manifest, preparation
from batch.command_line import parse_command_line
from small_notebooks import jupyterlab_opens, run, write_notebook


def test_the_notebooks_own_folder_is_no_output_folder(tmp_path, capsys):
    path = write_notebook(tmp_path, "01_a", "x = 1")
    before = path.read_bytes()
    assert run(tmp_path, "--output", str(path.parent)) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_notebook_that_no_batch_has_written_is_not_overwritten(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    mine = write_notebook(tmp_path, "01_a", "x = 'mine'", series="pt")
    text = mine.read_text()
    assert run(tmp_path, "--output", str(mine.parent)) == 2
    assert f"{mine.parent} holds 01_a.ipynb, which no batch has written" in capsys.readouterr().err
    assert mine.read_text() == text
    assert run(tmp_path) == 0
    assert run(tmp_path) == 0  # over what the first has written
    (tmp_path / "output" / "01_a.ipynb").write_text("")  # as a full disk leaves it
    assert run(tmp_path) == 0


def test_an_output_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "file").write_text("")
    assert run(tmp_path, "--output", str(tmp_path / "file" / "output")) == 2
    assert "the output folder cannot be made" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_locked_is_told(tmp_path, capsys, monkeypatch):
    def refuse(file, kind):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    write_notebook(tmp_path, "01_a", "x = 1")
    monkeypatch.setattr(manifest.fcntl, "flock", refuse)
    assert run(tmp_path) == 2
    assert "the output folder cannot be locked: [Errno" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_written_to_is_told(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "output" / ".lock").mkdir(parents=True)
    assert run(tmp_path) == 2
    assert "the output folder cannot be written to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"notebooks": []}',
        '{"notebooks": {"01_a": 1}}',
        '{"notebooks": {"01_a": {}}}',
        '{"notebooks": {"01_a": {"result": "ok"}}}',
        '{"notebooks": {"01_a": {"result": "ok", "started": 1}}}',
        '{"notebooks": {"01_a": {"result": "ok", "started": "2026-01-01"}}}',
        '{"notebooks": {"01_a": {"result": "ok", "started": "", "seconds": 1, "cells_run": 1, "cells": 1}}}',
        '{"notebooks": {"01_a": {"result": "ok", "started": "", "seconds": 1, "cells": 1, "results": {}}}}',
    ],
)
def test_a_damaged_manifest_is_told_and_kept(tmp_path, capsys, content):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "manifest.json").write_text(content)
    assert run(tmp_path, "--resume") == 2
    assert "is not a manifest of this program" in capsys.readouterr().err
    assert (tmp_path / "output" / "manifest.json").read_text() == content


def test_the_code_hash_sees_names_and_contents_and_no_caches(tmp_path):
    def digest():
        return manifest.hash_folders(tmp_path, ("helpers", "scripts"))

    module = tmp_path / "helpers" / "a.py"
    module.parent.mkdir()
    module.write_text("1")
    first = digest()
    (tmp_path / "helpers" / "__pycache__").mkdir()
    (tmp_path / "helpers" / "__pycache__" / "a.pyc").write_text("x")
    (tmp_path / "helpers" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "helpers" / ".ipynb_checkpoints" / "a.py").write_text("x")
    assert digest() == first
    module.write_text("2")
    changed = digest()
    module.rename(module.with_name("b.py"))
    assert len({first, changed, digest()}) == 3


def test_wherever_the_notebooks_are_the_code_that_counts_is_the_repositorys(tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "REPOSITORY", tmp_path / "repository")
    path = write_notebook(tmp_path / "elsewhere", "01_a", "x = 1")

    def code_hash(content: str) -> str:
        for folder in preparation.CODE_FOLDERS:
            (tmp_path / "repository" / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "repository" / folder / "a.py").write_text(content)
        work = preparation.prepare(parse_command_line(["--notebooks", str(path.parent)], ""))
        work.claim.close()
        return work.inputs[path]["code_sha256"]

    assert code_hash("1") == code_hash("1") != code_hash("2")


def test_a_notebook_is_its_cells_and_their_outputs_and_metadata_do_not_count(tmp_path):
    path = write_notebook(tmp_path, "01_a", "x = 1", parameters="epochs: int = 1")
    seen = [manifest.hash_cells(path)]
    before = path.read_bytes()
    jupyterlab_opens(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2] |= {"execution_count": 3, "outputs": [nbformat.v4.new_output("stream", text="1")], "id": "new"}
    nbformat.write(notebook, path)
    assert path.read_bytes() != before
    assert manifest.hash_cells(path) == seen[0]

    for change in (
        lambda cells: cells[2].update(source="x = 2"),
        lambda cells: cells[0].update(source="# other"),
        lambda cells: cells[1].metadata.pop("tags"),
        lambda cells: cells[0].update(cell_type="raw"),
        lambda cells: cells.pop(0),
    ):
        change(notebook.cells)
        nbformat.write(notebook, path)
        seen.append(manifest.hash_cells(path))
    assert len(set(seen)) == 6


def test_a_notebook_that_was_only_opened_is_still_complete(tmp_path, capsys):
    path = write_notebook(tmp_path, "01_a", "x = 1")
    assert run(tmp_path) == 0
    jupyterlab_opens(path)
    assert run(tmp_path, "--resume") == 0
    assert "nothing has changed since" in capsys.readouterr().out


@pytest.fixture
def three_complete(tmp_path):
    """Three notebooks with the inputs, manifest and outputs of a complete run, without having run them."""
    offline = tmp_path / "offline"
    offline.mkdir()
    paths = [tmp_path / f"0{number}_a.ipynb" for number in (1, 2, 3)]
    inputs = {
        path: {"source_sha256": path.stem, "code_sha256": "c", "parameters": {}, "offline_folder": str(offline)}
        for path in paths
    }
    entries = {
        path.stem: inputs[path] | {"result": "ok", "started": f"2026-11-01T10:00:0{number}"}
        for number, path in enumerate(paths)
    }
    for path in paths:
        (tmp_path / "output").mkdir(exist_ok=True)
        (tmp_path / "output" / path.name).write_text("{}")
    return paths, inputs, entries, tmp_path / "output"


def test_what_is_complete_and_unchanged_is_skipped(three_complete):
    assert manifest.count_complete(*three_complete) == (3, "")


@pytest.mark.parametrize(
    ("changes", "complete", "why"),
    [
        ({"result": "failed"}, 1, "it failed"),
        ({"result": "interrupted"}, 1, "it was interrupted"),
        ({"source_sha256": "other"}, 1, "the notebook has changed"),
        ({"code_sha256": "other"}, 1, "the code in helpers/ or scripts/ has changed"),
        ({"parameters": {"epochs": 2}}, 1, "its parameters have changed"),
        ({"offline_folder": "/elsewhere"}, 1, "the offline workspace is another one"),
        ({"started": "2026-11-01T10:00:09"}, 2, "a notebook before it was run again later"),
    ],
)
def test_what_changed_runs_again_with_all_after_it(three_complete, changes, complete, why):
    paths, inputs, entries, output = three_complete
    entries["02_a"] |= changes
    assert manifest.count_complete(paths, inputs, entries, output) == (complete, why)


def test_everything_runs_again_when_what_it_made_was_removed_and_something_has_to_run(three_complete):
    paths, inputs, entries, output = three_complete
    entries["09_clean_up"] = {"result": "ok", "removes": ["compute"], "started": "2026-11-01T10:00:08"}
    assert manifest.count_complete(paths, inputs, entries, output) == (3, "")
    entries["02_a"] |= {"parameters": {"epochs": 2}}
    assert manifest.count_complete(paths, inputs, entries, output) == (
        0,
        "02_a has to run again (its parameters have changed), and 09_clean_up has removed what it builds on",
    )
    entries["09_clean_up"] |= {"started": "2026-11-01T09:00:00"}
    assert manifest.count_complete(paths, inputs, entries, output) == (1, "its parameters have changed")


def test_what_lost_its_executed_notebook_runs_again(three_complete):
    paths, inputs, entries, output = three_complete
    (output / "03_a.ipynb").unlink()
    assert manifest.count_complete(paths, inputs, entries, output) == (
        2,
        "03_a.ipynb is no longer in the output folder",
    )


def test_everything_runs_again_when_the_offline_workspace_is_gone(three_complete):
    paths, inputs, entries, output = three_complete
    Path(inputs[paths[0]]["offline_folder"]).rmdir()
    assert manifest.count_complete(paths, inputs, entries, output) == (0, "the offline workspace is no longer there")


def test_what_has_never_run_has_to():
    assert manifest.count_complete([Path("01_a.ipynb")], {Path("01_a.ipynb"): {}}, {}, Path()) == (
        0,
        "it has not been run yet",
    )


@pytest.mark.parametrize(("backend", "kept"), [("offline", True), ("azure", False)])
def test_the_offline_folder_counts_for_the_offline_backend_only(tmp_path, monkeypatch, backend, kept):
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "world"))
    path = write_notebook(tmp_path, "01_a")
    inputs = manifest.describe_inputs(path, "", {"backend": backend}, {}, ())
    assert inputs["offline_folder"] == (str(tmp_path / "world") if kept else None)

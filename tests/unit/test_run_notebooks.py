"""The batch runner: what it runs, tells, records and skips."""

import json
import re
import subprocess
import sys

import small_notebooks
from small_notebooks import PARAMETERS, executed, manifest, record, run, write_notebook


def test_a_batch_runs_tells_and_records(tmp_path, capsys, monkeypatch):
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(
        json.dumps({"argv": ["/nowhere/python", "{connection_file}"], "display_name": "other", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    odd = "007 \"quoted\" 'single' \\n {braces} $HOME é\n#"
    write_notebook(
        tmp_path,
        "01_a",
        "import os, sys",
        record("where", "[os.getcwd(), sys.executable]"),
        record("given", "[name, epochs, layers, tags]"),
        parameters=PARAMETERS,
    )
    write_notebook(tmp_path, "02_b", "x = 1", record("test_accuracy", "0.9786"))
    arguments = ["-p", f"name={odd}", "-p", "epochs=007", "-p", "layers=[50]", "-p", "tags={a: 'b'}"]
    assert run(tmp_path, *arguments, "--html", str(tmp_path / "report.html")) == 0

    entries = manifest(tmp_path)
    assert entries["01_a"]["results"] == {
        "where": [str(tmp_path / "notebooks"), sys.executable],
        "given": [odd, 7, [50], {"a": "b"}],
    }
    assert entries["01_a"]["parameters"] == {"name": odd, "epochs": 7, "layers": [50], "tags": {"a": "b"}}
    assert entries["02_b"]["parameters"] == {}
    assert entries["02_b"]["result"] == "ok"
    assert (entries["02_b"]["cells_run"], entries["02_b"]["cells"]) == (2, 2)
    assert entries["02_b"]["seconds"] > 0
    assert entries["02_b"]["versions"]["python"].startswith("3.")
    assert entries["02_b"]["versions"]["papermill"]
    assert "injected-parameters" not in [tag for cell in executed(tmp_path, "02_b").cells for tag in cell.metadata.tags]

    told = capsys.readouterr()
    lines = [line.split() for line in told.out.splitlines()]
    assert ["notebook", "cells", "seconds", "result"] in lines
    assert [[line[0], line[1], line[3]] for line in lines if line[1:2] in (["5/5"], ["2/2"])] == [
        ["01_a", "5/5", "ok"],
        ["02_b", "2/2", "ok"],
    ]
    assert "  test_accuracy = 0.9786" in told.out
    assert told.out.rstrip().endswith(f"Executed notebooks: {tmp_path / 'output'}")
    assert re.fullmatch(r"\[1/2\] 01_a … ok after \d+\.\d s\n\[2/2\] 02_b … ok after \d+\.\d s\n", told.err)
    assert "All 2 notebooks ran to the end: " in told.out
    assert " s, 3 recorded results. The pictures are in the executed notebooks" in told.out
    page = (tmp_path / "report.html").read_text()
    assert re.search(r"<p>All 2 notebooks ran to the end: \d+ s, 3 recorded results\.</p>", page)


def test_resume_skips_what_is_unchanged_and_runs_what_follows_a_change(tmp_path, capsys):
    for name in ("01_a", "02_b", "03_c"):
        write_notebook(tmp_path, name, record("name", repr(name)))
    assert run(tmp_path) == 0
    first = manifest(tmp_path)

    assert run(tmp_path, "--resume") == 0
    assert manifest(tmp_path) == first
    told = capsys.readouterr().out
    assert told.count("ok (earlier run)") == 3
    assert "All 3 notebooks ran to the end in an earlier run, and nothing has changed since." in told

    write_notebook(tmp_path, "02_b", record("name", "'changed'"))
    assert run(tmp_path, "--resume") == 0
    second = manifest(tmp_path)
    assert second["01_a"] == first["01_a"]
    assert second["02_b"]["results"] == {"name": "changed"}
    assert second["03_c"]["started"] > first["03_c"]["started"]
    table = capsys.readouterr().out
    assert "--resume: 1 of 3 are complete. 02_b and what follows it run: the notebook has changed." in table
    assert table.count("ok (earlier run)") == 1
    assert '  name = "01_a"' in table


def test_an_expected_exception_is_no_failure(tmp_path):
    write_notebook(tmp_path, "01_a", "1 / 0", "x = 1", tags={0: "raises-exception"})
    assert run(tmp_path) == 0
    assert (manifest(tmp_path)["01_a"]["cells_run"], manifest(tmp_path)["01_a"]["cells"]) == (2, 2)
    assert "encountered an exception" not in str(executed(tmp_path, "01_a"))


def test_braces_in_a_path_are_just_braces(tmp_path):
    project = tmp_path / "{x}"
    project.mkdir()
    write_notebook(project, "01_{epochs}", "x = 1")
    assert run(project) == 0
    assert (project / "output" / "01_{epochs}.ipynb").is_file()


def test_the_runner_itself_imports_no_sdk_no_framework_and_no_cloud(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run_notebooks; code = run_notebooks.main(sys.argv[2:]); "
        "others = {'azureml', 'tensorflow', 'keras', 'mlflow', 'azure.core', 'aiohttp', 'pyarrow'}; "
        "print(code, sorted(others & set(sys.modules)))"
    )
    arguments = [str(small_notebooks.SCRIPTS), "--notebooks", str(tmp_path / "notebooks")]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_what_a_kernel_says_of_itself_is_kept_out_of_the_report(tmp_path, capfd):
    said = "from traitlets.config import Application\n"
    said += "Application.instance().log.error('KeyboardInterrupt caught in kernel.')"
    write_notebook(tmp_path, "01_a", said)
    assert run(tmp_path) == 0
    assert "KeyboardInterrupt" not in "".join(capfd.readouterr())

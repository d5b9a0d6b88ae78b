"""The command line of `make studio`, and the address of its page; tests/unit/test_sdk_mlflow.py looks at the page."""

import re
import subprocess
import sys
from pathlib import Path

import doctor
import pytest
import studio as command
from azureml.core import Experiment, Workspace

from helpers.offline.arm import runs
from helpers.offline.engine.history import studio
from helpers.offline.engine.jobs import run_records

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("port", ["abc", "", "-1", "0", "70000", "5000.0"])
def test_what_is_no_port_is_refused_in_a_sentence(monkeypatch, capsys, port):
    monkeypatch.setattr(sys, "argv", ["studio.py", port])
    assert command.main() == 1
    assert capsys.readouterr().err == f"{port!r} is no port: give a number from 1 to 65535.\n"


def test_a_workspace_that_cannot_be_opened_is_told_in_a_sentence(monkeypatch, capsys, tmp_path):
    (tmp_path / "thesis.txt").touch()
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path))
    monkeypatch.setattr(command, "is_taken", lambda port: False)
    monkeypatch.setattr(sys, "argv", ["studio.py"])
    assert command.main() == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path} holds other files and is no offline workspace.")


@pytest.mark.parametrize(("taken", "another"), [("5000", "5001"), ("5001", "5002"), ("65535", "1024"), ("80", "1024")])
def test_whoever_finds_the_port_taken_is_told_a_command_that_gives_another(monkeypatch, capsys, taken, another):
    monkeypatch.setattr(command, "is_taken", lambda port: True)
    monkeypatch.setattr(sys, "argv", ["studio.py", taken])
    assert command.main() == 1
    said = re.search(r"make studio PORT=\d+$", capsys.readouterr().err.strip())
    assert said and said[0].endswith(f"={another}")
    ran = subprocess.run(["make", "-n", *said[0].split()[1:]], cwd=ROOT, capture_output=True, text=True)
    assert f"scripts/studio.py {another}\n" in ran.stdout, ran.stderr


def test_it_serves_where_the_doctor_looks(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "is_taken", lambda port: asked.append(port) or True)
    monkeypatch.setattr(sys, "argv", ["studio.py"])
    assert command.main() == 1 and asked == [studio.PORT]
    assert studio.PORT in doctor.PORTS


def test_both_sdks_link_to_its_page(monkeypatch, offline_folder, tmp_path):
    monkeypatch.chdir(tmp_path)  # start_logging() makes a folder outputs
    experiment = Experiment(Workspace.from_config(), "linked")
    run = experiment.start_logging(snapshot_directory=None)
    monkeypatch.setattr(studio, "ADDRESS", "http://elsewhere/#")
    page = f"http://elsewhere/#/experiments/{experiment.id}"
    assert experiment.get_portal_url() == f"{page}/runs?workflowType=machine_learning"
    assert run.get_portal_url() == f"{page}/runs/{run.id}"
    record = run_records.get_run(offline_folder, run.id)
    assert runs.page_of(record) == f"{page}/runs/{run.id}?workspace=offline"


def test_it_tells_where_the_runs_of_each_experiment_are(offline_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # start_logging() makes a folder outputs
    workspace = Workspace.from_config()
    ids = {name: Experiment(workspace, name).id for name in ("with-runs", "without", "archived")}
    for name in ("with-runs", "archived"):
        Experiment(workspace, name).start_logging(snapshot_directory=None).complete()
    Experiment(workspace, "archived").archive()
    *lines, last = command.pages(offline_folder, "http://127.0.0.1:5001")
    page = f"http://127.0.0.1:5001/#/experiments/{ids['with-runs']}/runs?workflowType=machine_learning"
    assert lines == [f"  with-runs: {page}"]
    assert "Model training" in last

"""Watching a run, and finding the one that counts."""

import itertools
from enum import Enum
from types import SimpleNamespace

import pytest

from helpers import looks, results, runs, workspace_v2
from helpers.workspace import NotMadeYet

LOG = "user_logs/std_log.txt"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"


def test_how_long_a_run_took():
    class Ended:
        def get_details(self):
            return {"startTimeUtc": "2026-11-25T09:59:59.500000Z", "endTimeUtc": "2026-11-25T10:01:00.250000Z"}

    assert runs.seconds(Ended()) == 60.75


class ScriptedRun:
    """A run that goes one step further at each look: each step is (status, log, metrics)."""

    id, experiment = "the-run", SimpleNamespace(name="digits")

    def __init__(self, *steps, number=1):
        self.steps, self.number, self.step = steps, number, -1

    @property
    def now(self):
        return self.steps[max(self.step, 0)]

    def get_status(self):
        return self.now[0]

    def get_details_with_logs(self):
        self.step = min(self.step + 1, len(self.steps) - 1)
        name = BUILD_LOG if self.now[0] == "Preparing" else LOG
        return {"status": self.now[0], "logFiles": {name: self.now[1]} if self.now[1] else {}}

    def get_metrics(self):
        return self.now[2]


class Experiment:
    name = "digits"

    def __init__(self, *found):
        self.found = found

    def get_runs(self):
        return iter(self.found)


TRAINING = (
    ("Preparing", "", {}),
    ("Queued", "", {}),
    ("Running", "start\n", {}),
    ("Running", "start\nEpoch 1\n", {"Accuracy": 0.9, "Loss": 0.3}),
    ("Running", "start\nEpoch 1\n", {"Accuracy": 0.9, "Loss": 0.3}),
    ("Running", "start\nEpoch 1\nEpoch 2\n", {"Accuracy": [0.9, 0.95], "Loss": [0.3, 0.2]}),
    ("Completed", "start\nEpoch 1\nEpoch 2\nend\n", {"Accuracy": [0.9, 0.95], "Loss": [0.3, 0.2]}),
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Between two looks no time passes; how long was asked for is kept."""
    asked = []
    monkeypatch.setattr(looks.time, "sleep", asked.append)
    return asked


def test_on_a_terminal_each_status_and_line_is_printed_once(capsys):
    runs.watch(ScriptedRun(*TRAINING))
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if not line.startswith("[")] == ["start", "Epoch 1", "Epoch 2", "end"]
    statuses = [line.split("] ")[1] for line in printed.splitlines() if line.startswith("[")]
    assert statuses == ["Preparing", "Queued", "Running", "Completed"]


def test_in_a_notebook_one_block_and_one_curve_are_replaced(monkeypatch):
    shown = []

    def show(data, handle=None):
        shown.append((data, handle))
        return handle or f"handle {len(shown)}"

    clock = itertools.count(step=10)
    monkeypatch.setattr(looks.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(runs.display, "show", show)
    monkeypatch.setattr(runs.display, "in_notebook", lambda: True)
    runs.watch(ScriptedRun(*TRAINING))
    curves = [each for each in shown if each[0]["text/plain"].startswith("[picture: ")]
    blocks = [each for each in shown if each not in curves]
    assert [handle for _, handle in blocks] == [None] + ["handle 1"] * 5  # the unchanged look shows nothing
    assert len(curves) == 2  # one for each change of the metrics
    assert curves[0][1] is None
    assert curves[1][1] is not None
    which = {"run_id": "the-run", "experiment": "digits"}
    assert [data.get(results.RUN_MIME_TYPE) for data, _ in blocks] == [which] * 5 + [None]  # until it has ended
    last = blocks[-1][0]
    assert last["text/plain"].splitlines() == [
        "Preparing → Queued → Running → Finalizing → Completed",
        "start",
        "Epoch 1",
        "Epoch 2",
        "end",
    ]
    assert '<pre style="word-break:normal;overflow-wrap:anywhere">start' in last["text/html"]


def test_the_curve_is_drawn_seldom_but_at_the_end(monkeypatch):
    pictures = []

    def show(data, handle=None):
        if data["text/plain"].startswith("[picture: "):
            pictures.append(data["text/plain"])

    monkeypatch.setattr(runs.display, "show", show)
    monkeypatch.setattr(runs.display, "in_notebook", lambda: True)
    monkeypatch.setattr(looks.time, "monotonic", itertools.count(step=runs.REDRAW / 4).__next__)
    epochs = [("Running", "", {"Accuracy": [0.9] * epoch}) for epoch in range(1, 9)]
    runs.watch(ScriptedRun(*epochs, ("Completed", "", {"Accuracy": [0.9] * 9})))
    assert ["1 epoch" in pictures[0], "5 epochs" in pictures[1], "9 epochs" in pictures[2]] == [True] * 3
    assert len(pictures) == 3


def test_what_a_run_prints_is_escaped_and_cut_to_its_last_lines(monkeypatch):
    blocks = []
    monkeypatch.setattr(runs.display, "show", lambda data, handle=None: blocks.append(data))
    monkeypatch.setattr(runs.display, "in_notebook", lambda: True)
    log = "\n".join(f"<b>{number}</b>" for number in range(100))
    runs.watch(ScriptedRun(("Failed", log, {})))
    (block,) = blocks
    assert block["text/plain"].startswith("Failed\n")
    assert block["text/html"].count("&lt;b&gt;") == runs.LINES_SHOWN
    assert "99" in block["text/html"]
    assert "<b>9" not in block["text/html"]


def test_an_interruption_leaves_the_run_alone_and_says_so(monkeypatch, capsys, no_waiting):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(looks.time, "sleep", interrupt)
    run = ScriptedRun(*TRAINING)  # has no cancel()
    runs.watch(run)
    assert "The run goes on" in capsys.readouterr().out
    assert run.get_status() == "Preparing"


def test_it_looks_less_often_after_two_minutes(monkeypatch, no_waiting):
    clock = iter([0, 1, 119, 121, 500, 501, 502, 503])
    monkeypatch.setattr(looks.time, "monotonic", lambda: next(clock))
    runs.watch(ScriptedRun(*TRAINING))
    assert no_waiting == [1, 1, 5, 5, 5, 5]


def test_before_the_script_starts_the_newest_other_log_is_shown():
    logs = {BUILD_LOG: "building", "azureml-logs/10_first.txt": "first"}
    assert runs._log(logs) == (BUILD_LOG, ["building"])
    assert runs._log(logs | {LOG: "training"}) == (LOG, ["training"])
    assert runs._log({}) == (None, [])


def test_of_the_scripts_log_every_line_is_printed_after_a_longer_one_of_the_image(capsys):
    runs.watch(
        ScriptedRun(
            ("Preparing", "layer 1\nlayer 2\n", {}), ("Running", "start\n", {}), ("Completed", "start\nend\n", {})
        )
    )
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if not line.startswith("[")] == ["layer 1", "layer 2", "start", "end"]


def test_the_newest_completed_run_is_found():
    failed, good, older = (ScriptedRun((status, "", {})) for status in ("Failed", "Completed", "Completed"))
    assert runs.finished_run(Experiment(failed, good, older)) is good


def test_a_run_that_is_still_going_is_waited_for(capsys):
    going = ScriptedRun(*TRAINING, number=7)
    assert runs.finished_run(Experiment(going, ScriptedRun(("Completed", "", {})))) is going
    assert "Run 7 is still going" in capsys.readouterr().out


def test_when_watching_is_interrupted_no_older_run_takes_its_place(monkeypatch):
    monkeypatch.setattr(runs, "watch", lambda run: print("Stopped watching."))
    going, older = ScriptedRun(("Running", "", {})), ScriptedRun(("Completed", "", {}))
    with pytest.raises(KeyboardInterrupt):
        runs.finished_run(Experiment(going, older))


def test_a_run_that_fails_while_it_is_waited_for_is_passed_over():
    going, older = ScriptedRun(("Running", "", {}), ("Failed", "", {})), ScriptedRun(("Completed", "", {}))
    assert runs.finished_run(Experiment(going, older)) is older


def test_without_a_completed_run_the_notebook_that_makes_one_is_named():
    with pytest.raises(NotMadeYet, match=r"'digits' has no completed run. Run 04_train.ipynb first"):
        runs.finished_run(Experiment(ScriptedRun(("Failed", "", {}))))


def test_a_job_that_is_waited_for_is_told_in_azure_mls_word(capsys):
    status = Enum("JobStatus", {"RUNNING": "Running"}, type=str)  # as the client has it of a job that has not ended
    going = SimpleNamespace(name="a-job", display_name="Digits", experiment_name="digits", status=status.RUNNING)
    done = SimpleNamespace(name="a-job", status="Completed")
    jobs = SimpleNamespace(list=lambda: [going], get=lambda name: done)
    assert workspace_v2.finished_job(SimpleNamespace(jobs=jobs), "digits") is done
    assert capsys.readouterr().out == "The job Digits is Running; waiting for it.\n"

"""Watching a sweep, and its trials as pictures need them."""

import json
from types import SimpleNamespace

import pytest

from helpers import looks, results, runs, sweeps


class ScriptedSweep:
    """A sweep that goes one step further at each look: each step is (status, children, error)."""

    type, id = "hyperdrive", "the-sweep"

    def __init__(self, *steps):
        self.steps, self.step = steps, -1
        self.experiment = SimpleNamespace(workspace=None, name="tune")

    def get_status(self):
        self.step = min(self.step + 1, len(self.steps) - 1)
        return self.steps[self.step][0]

    def get_children_sorted_by_primary_metric(self):
        return self.steps[self.step][1]

    def get_details(self):
        return {"error": {"error": {"code": "UserError", "message": self.steps[self.step][2]}}}


def child(run_id, status, best=None, **parameters):
    text = json.dumps({f"--{name}": value for name, value in parameters.items()}) if parameters else None
    return {"run_id": run_id, "status": status, "best_primary_metric": best, "hyperparameters": text}


STEPS = (
    ("Running", [], None),
    ("Running", [child("a", "Queued", rate=0.00123456), child("b", "Running")], None),
    ("Running", [child("a", "Running", 0.9, rate=0.00123456), child("b", "Canceled", rate=1)], None),
    ("Running", [child("a", "Running", 0.9, rate=0.00123456), child("b", "Canceled", rate=1)], None),
    ("Completed", [child("a", "Completed", 0.95, rate=0.00123456), child("b", "Canceled", rate=1)], None),
)


@pytest.fixture(autouse=True)
def same_sweep(monkeypatch):
    """The sweep is read anew as the same object, and between two looks no time passes."""
    monkeypatch.setattr(sweeps, "_read_anew", lambda sweep: sweep)
    monkeypatch.setattr(looks.time, "sleep", lambda seconds: None)


def test_on_a_terminal_each_trial_is_told_when_it_has_ended(capsys):
    runs.watch(ScriptedSweep(*STEPS))
    lines = [line if not line.startswith("[") else line.split("] ")[1] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Running",
        "status Canceled, rate 1",
        "status Completed, best 0.9500, rate 0.00123",
        "Completed",
    ]


def test_a_failed_sweep_tells_why(capsys):
    runs.watch(ScriptedSweep(STEPS[0], ("Failed", [child("a", "Failed")], "No trial logged the primary metric")))
    assert capsys.readouterr().out.splitlines()[-1] == "No trial logged the primary metric"


def test_in_a_notebook_one_table_is_replaced_and_texts_are_escaped(monkeypatch):
    shown = []

    def show(data, handle=None):
        shown.append((data, handle))
        return "handle"

    monkeypatch.setattr(sweeps.display, "show", show)
    monkeypatch.setattr(sweeps.display, "in_notebook", lambda: True)
    evil = ("Failed", [child("a", "Failed", kind="<script>")], "<script>")
    runs.watch(ScriptedSweep(*STEPS[:-1], evil))
    assert [handle for _, handle in shown] == [None, "handle", "handle", "handle"]  # the unchanged look shows nothing
    which = {"run_id": "the-sweep", "experiment": "tune"}
    assert [data.get(results.RUN_MIME_TYPE) for data, _ in shown] == [which] * 3 + [None]  # until it has ended
    assert "<td>0.9000</td><td>0.00123</td>" in shown[2][0]["text/html"]
    assert shown[2][0]["text/plain"].splitlines()[0] == "Running · 2 trials: 1 Canceled, 1 Running"
    assert "<script>" not in shown[3][0]["text/html"] and "&lt;script&gt;" in shown[3][0]["text/html"]


def test_the_end_of_the_watching_is_not_the_end_of_the_sweep(monkeypatch, capsys):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(looks.time, "sleep", interrupt)
    runs.watch(ScriptedSweep(*STEPS))
    assert "The run goes on" in capsys.readouterr().out


def test_trials_are_numbered_as_they_were_submitted():
    def run(run_id, status):
        return SimpleNamespace(id=run_id, get_status=lambda: status)

    sweep = SimpleNamespace(
        get_children=lambda: iter([run("c", "Running"), run("b", "Canceled"), run("a", "Completed")]),
        get_hyperparameters=lambda: {"a": '{"--rate": 1}', "b": '{"--rate": 2}'},
        get_metrics=lambda: {"a": {"Accuracy": [0.5, 0.6]}, "b": {"Accuracy": 0.4, "Loss": 1.0}},
    )
    assert sweeps.trials(sweep, "Accuracy") == [
        sweeps.Trial(1, "a", "Completed", {"--rate": 1}, [0.5, 0.6]),
        sweeps.Trial(2, "b", "Canceled", {"--rate": 2}, [0.4]),
        sweeps.Trial(3, "c", "Running", {}, []),
    ]
    assert [trial.stopped for trial in sweeps.trials(sweep, "Accuracy")] == [False, True, False]


def test_rank_correlations_see_order_alone_and_leave_out_what_says_nothing():
    columns = {
        "rising": [1, 2, 100, 0, 7],
        "falling": [9, 8, 7, 1, 7],
        "constant": [5, 5, 5, 5, 5],
        "accuracy": [0.1, 0.2, 0.9, None, float("nan")],
    }
    assert sweeps.rank_correlations(columns) == pytest.approx({"rising": 1, "falling": -1})
    assert sweeps.rank_correlations({"width": [1, 2], "accuracy": [0.9, 0.9]}) == {}
    assert sweeps.rank_correlations({"width": [], "accuracy": []}) == {}

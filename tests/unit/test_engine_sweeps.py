"""Sweeps of the engine: real trials on a cluster, what becomes of them, and what is refused."""

import json
import math
import re

import pytest
from small_history import mlflow_client
from small_jobs import LOG, job_of, make_cluster, submit_sweep, wait_for, wait_until

from helpers.offline.engine import jobs, processes, removal
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import job_states, logs, metrics
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.sweeps import controller
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid, NotFound

# Logs its first argument's value, or a list of values, as the primary metric.
LOGGER = (
    LOG
    + """
import sys
for value in json.loads(sys.argv[2]):
    log("Accuracy", value)
"""
)


@pytest.fixture
def opened(offline_folder):
    opened = folder.open_folder()
    make_cluster(opened, max_nodes=2)
    return opened


def trials_of(opened, run_id):
    """The sweep's trials, the first submitted first."""
    return [*run_records.list_runs(opened, "tests", parent_id=run_id)][::-1]


def log_of(opened, run_id):
    return logs.log_path(opened, run_id).read_text()


def test_a_line_has_its_hyperparameters_where_it_names_them(opened, tmp_path):
    job = job_of(tmp_path / "source", LOGGER) | {"target": "cpu"}
    job["shell"] = "python script.py values ${search:values} && echo ${search:word}"
    del job["command"]
    values = {"values": ["choice", [["[0.25]"]]], "word": ["choice", [["two words"]]]}
    run_id = submit_sweep(opened, tmp_path / "source", "", values, job=job)
    wait_for(opened, run_id, "Completed")
    (trial,) = trials_of(opened, run_id)
    assert metrics.values(opened, trial.id, "Accuracy") == [0.25]
    assert log_of(opened, trial.id) == "two words\n"


def test_a_whole_sweep_never_has_more_trials_at_once_than_the_cluster_has_nodes(opened, tmp_path):
    script = (
        LOGGER
        + """
print("threads", *(os.environ[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")), os.environ["MINE"])
with open(sys.argv[4], "a") as spans:
    spans.write("1 "); spans.flush(); time.sleep(0.7); spans.write("-1 ")
"""
    )
    space = {"accuracy": ["choice", [["[0.5, 0.9, 0.7]", "[0.6]", "[NaN, 0.8]", "[NaN]"]]]}
    space["--spans"] = ["choice", [[str(tmp_path / "spans")]]]
    source = tmp_path / "s"
    run_id = submit_sweep(opened, source, script, space, max_concurrent_runs=4, environment={"MINE": "8"})
    (source / "script.py").write_text("changed after the submission")
    wait_for(opened, run_id, "Completed")

    steps = [int(step) for step in (tmp_path / "spans").read_text().split()]
    running = [sum(steps[: place + 1]) for place in range(len(steps))]
    assert len(steps) == 8 and max(running) == 2
    trials = trials_of(opened, run_id)
    assert [json.loads(trial.tags["hyperparameters"])["accuracy"] for trial in trials] == space["accuracy"][1][0]
    assert {trial.status for trial in trials} == {"Completed"}
    sweep = run_records.get_run(opened, run_id)
    assert {f"_aml_system_{trial.id}": trial.tags["hyperparameters"] for trial in trials} == sweep.tags
    assert sweep.properties["best_child_run_id"] == trials[0].id and sweep.properties["score"] == "0.9"
    assert mlflow_client(opened).get_run(run_id).info.status == "FINISHED"
    share = str(max(1, processes.cores() // 2))
    for trial in trials:
        assert f"threads {share} {share} 8" in logs.log_path(opened, trial.id).read_text()
    told = log_of(opened, run_id)
    assert told.count("as NaN, which is never the best") == 2
    assert "Trial 0 (" in told and "best Accuracy 0.9" in told
    assert told.index("Trial 2 (") > told.index(" ended: ")  # it is not even submitted while there is no node for it


def test_a_trial_that_the_policy_stops_is_canceled_with_the_reason(opened, tmp_path):
    script = LOGGER + "if '0.2' in sys.argv[2]: time.sleep(600)\n"
    space = {"accuracy": ["choice", [["[0.7, 0.9]", "[0.6, 0.2]"]]]}
    policy = {"name": "Bandit", "properties": {"evaluation_interval": 2, "delay_evaluation": 0, "slack_factor": 0.1}}
    # One after the other: who reports before the best has, is not behind it yet.
    run_id = submit_sweep(opened, tmp_path / "s", script, space, policy, max_concurrent_runs=1)
    wait_for(opened, run_id, "Completed")
    good, bad = trials_of(opened, run_id)
    assert (good.status, bad.status) == ("Completed", "Canceled")
    reason = "Bandit policy at interval 2: its best so far, 0.6, is not within slack_factor 0.1 of the best, 0.9"
    assert bad.tags["early_termination"] == reason
    assert "early_termination" not in good.tags
    assert reason in log_of(opened, run_id)
    assert reason in logs.log_path(opened, bad.id).read_text()


def test_the_policy_compares_with_the_trials_of_an_earlier_sweep(opened, monkeypatch):
    canceled = []
    monkeypatch.setattr(controller.jobs, "cancel", lambda folder, run_id: canceled.append(run_id))
    monkeypatch.setattr(controller.leading, "log", lambda *line: None)
    policy = {"name": "Bandit", "properties": {"evaluation_interval": 1, "delay_evaluation": 0, "slack_factor": 0.1}}
    sweep = {"policy": policy, "goal": "maximize"}
    for earlier in ({}, {"of an earlier sweep": [0.9]}):
        controller.judge(opened, "sweep", sweep, [controller.Trial(0, "trial", {}, "Running", [0.5])], earlier)
    assert canceled == ["trial"]


def test_a_metric_that_is_never_logged_fails_the_sweep_which_lists_those_that_are(opened, tmp_path):
    script = LOG + 'log("Loss", 0.5)\nlog("accuracy", 0.9)\n'
    space = {"x": ["choice", [[1, 2, 3, 4]]]}
    run_id = submit_sweep(opened, tmp_path / "s", script, space, max_total_runs=2, max_concurrent_runs=1)
    error = wait_for(opened, run_id, "Failed")["error"]["message"]
    assert "No trial logged the primary metric 'Accuracy'" in error and "'Loss', 'accuracy'" in error
    told = log_of(opened, run_id)
    assert error in told
    assert told.index("Trial 1 (") > told.index(" ended: ")  # max_concurrent_runs
    assert [json.loads(trial.tags["hyperparameters"]) for trial in trials_of(opened, run_id)] == [{"x": 1}, {"x": 2}]
    assert run_records.get_run(opened, run_id).properties["best_metric_status"] == "Failed"


def test_a_sweep_of_failures_tells_the_first_ones_error(opened, tmp_path):
    space = {"x": ["choice", [[1]]]}
    run_id = submit_sweep(opened, tmp_path / "s", "raise ValueError('no such data')", space)
    assert "The only trial failed: " in (error := wait_for(opened, run_id, "Failed")["error"]["message"])
    assert "ValueError: no such data" in error


def test_a_cancel_ends_the_sweep_and_its_trials(opened, tmp_path):
    script = LOGGER + 'print("started")\ntime.sleep(600)\n'
    run_id = submit_sweep(opened, tmp_path / "s", script, {"x": ["choice", [["[0.1]", "[0.2]", "[0.3]"]]]})
    wait_until(
        lambda: len(started := trials_of(opened, run_id)) == 2 and all(_has_started(opened, one) for one in started)
    )
    jobs.cancel(opened, run_id)
    assert run_records.get_run(opened, run_id).status == "CancelRequested"
    wait_for(opened, run_id, "Canceled")
    trials = trials_of(opened, run_id)
    assert [trial.status for trial in trials] == ["Canceled", "Canceled"]
    assert clusters.state(opened, "cpu")["running"] == 0
    assert run_records.get_run(opened, run_id).properties["score"] == "0.2"  # what was logged is kept


def _has_started(opened, trial):
    log = logs.log_path(opened, trial.id)
    return log.exists() and "started" in log.read_text()


def test_a_sweep_that_takes_too_long_is_canceled_and_says_so(opened, tmp_path):
    space = {"x": ["choice", [["[0.1]"]]]}
    run_id = submit_sweep(opened, tmp_path / "s", LOGGER + "time.sleep(600)", space, max_duration_minutes=0.03)
    state = wait_for(opened, run_id, "Canceled")
    assert "longer than max_duration_minutes, which is 0.03" in state["error"]["message"]
    assert [trial.status for trial in trials_of(opened, run_id)] == ["Canceled"]


def test_the_end_of_the_cluster_is_the_end_of_the_sweep(opened, tmp_path):
    run_id = submit_sweep(opened, tmp_path / "s", "import time; time.sleep(600)", {"x": ["choice", [[1, 2, 3]]]})
    wait_for(opened, run_id, "Running")
    removal.delete_cluster(opened, "cpu")
    wait_for(opened, run_id, "Canceled")
    assert not job_states.unfinished(opened)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"max_total_runs": 0}, "max_total_runs is 0"),
        ({"max_total_runs": 1001}, "from 1 to 1000"),
        ({"max_concurrent_runs": 101}, "from 1 to 100"),
        ({"max_concurrent_runs": 1.5}, "max_concurrent_runs is 1.5"),
        ({"max_duration_minutes": 0}, "max_duration_minutes is 0"),
        ({"metric": ""}, "primary metric's name"),
        ({"sampling": {"name": "RANDOM", "parameter_space": {"x": ["choice", [[{1}]]]}}}, "cannot be written down"),
        (
            {
                "sampling": {"name": "BayesianOptimization", "parameter_space": {"x": ["uniform", [0, 1]]}},
                "policy": {"name": "MedianStopping", "properties": {}},
            },
            "Bayesian sampling does not support early termination policies",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_and_leaves_no_run(opened, tmp_path, changes, told):
    with pytest.raises(Invalid, match=told):
        submit_sweep(opened, tmp_path / "s", "", {"x": ["choice", [[1]]]}, **changes)
    assert not job_states.unfinished(opened)


def test_a_sweep_on_a_cluster_that_is_not_there_is_refused(opened, tmp_path):
    removal.delete_cluster(opened, "cpu")
    with pytest.raises(NotFound):
        submit_sweep(opened, tmp_path / "s", "", {"x": ["choice", [[1]]]})


def of_list(name, values):
    return {"kind": "table", "type": "list", "name": name, "value": values, "time": 1.0}


@pytest.mark.parametrize("name", ["Accuracy", "Accuracy (%)"])
@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ([0.5, math.nan, 0.7], [0.5, math.nan, 0.7]),
        ([2**60, 2**61], [2**60, 2**61]),
        ([of_list("", [0.5, "two", 0.7]), of_list("", [0.9])], [0.5, 0.7, 0.9]),
        ([of_list("", [0.5]), 2**60], [0.5, float(2**60)]),
        ([{"kind": "table", "type": "text", "value": "0.9"}], []),
        ([{"kind": "table", "type": "row", "value": {"x": 1}}], []),
    ],
)
def test_metric_values_are_the_numbers_that_metrics_has_under_the_name(opened, name, logged, expected):
    run_id = run_records.create_run(opened, "tests")
    events = [
        one if isinstance(one, dict) else {"kind": "metric", "value": one, "step": None, "time": 1.0} for one in logged
    ]
    others = [{"kind": "metric", "name": "Loss", "value": 0.3, "step": None, "time": 1.0}, of_list("Losses", [1])]
    run_records.log_metrics(opened, run_id, [event | {"name": name} for event in events] + others)
    assert str(metrics.values(opened, run_id, name)) == str(expected)
    everything = metrics.read(opened, run_id)
    assert set(everything) == {name, "Loss", "Losses"}
    assert str(metrics.read(opened, run_id, name)) == str({name: everything[name]})
    assert metrics.values(opened, run_id, "other") == [] and metrics.read(opened, run_id, "other") == {}


def test_the_best_of_what_is_logged_as_a_list(opened, tmp_path):
    event = """{"kind": "table", "type": "list", "name": "Accuracy", "value": json.loads(sys.argv[2]), "time": 1.0}"""
    script = LOG + f'import sys\nos.write(_events, (json.dumps({event}) + "\\n").encode())\n'
    run_id = submit_sweep(opened, tmp_path / "s", script, {"x": ["choice", [["[0.5, 0.9]", "[0.7]"]]]})
    wait_for(opened, run_id, "Completed")
    properties = run_records.get_run(opened, run_id).properties
    assert (properties["best_child_run_id"], properties["score"]) == (f"{run_id}_0", "0.9")


@pytest.mark.parametrize(
    ("logged", "ended", "told"),
    [
        ({"type": "text", "value": "0.9"}, {"Completed": None}, "'Accuracy' is no number, but '0.9'. Log a number"),
        ({"type": "row", "value": {"x": 1}}, {"Completed": None}, "is no number, but {'x': 1}"),
        (None, {"Canceled": None}, r"No trial came to its end \(1 Canceled\), and none logged .*'Accuracy' before\.$"),
        (None, {"Canceled": None, "Failed": "No such data."}, r"\(1 Canceled, 1 Failed\).* error: No such data\.$"),
        (None, {"Canceled": None, "Completed": None}, "'Accuracy'. Metrics that they logged: none. .* to the letter"),
    ],
)
def test_why_no_trial_has_a_number_as_the_primary_metric(opened, monkeypatch, logged, ended, told):
    errors = {run_records.create_run(opened, "tests"): text and {"message": text} for text in ended.values()}
    for run_id in errors if logged else ():
        run_records.log_metrics(opened, run_id, [logged | {"kind": "table", "name": "Accuracy"}])
    monkeypatch.setattr(
        controller.job_states, "get", lambda folder, run_id: {"error": errors[run_id], "status": "Failed"}
    )
    trials = [controller.Trial(0, run_id, {}, status) for run_id, status in zip(errors, ended, strict=True)]
    status, error = controller.ending(opened, {"metric": "Accuracy", "goal": "maximize"}, trials)
    assert status == "Failed" and re.search(told, error["message"]), error

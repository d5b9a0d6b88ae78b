"""Sweeps as a driver sees them: HyperDriveConfig, HyperDriveRun, and what a submission is refused for."""

import io
import json
import math
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from azureml.core import Environment, Experiment, Run, ScriptRunConfig
from azureml.core.script_run import ScriptRun
from azureml.exceptions import ActivityFailedException, ComputeTargetException, TrainingException
from azureml.train.hyperdrive import (
    BanditPolicy,
    BayesianParameterSampling,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveRun,
    MedianStoppingPolicy,
    PrimaryMetricGoal,
    RandomParameterSampling,
    TruncationSelectionPolicy,
    choice,
    uniform,
)
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException, HyperDriveNotImplementedException
from azureml.widgets import RunDetails, _block
from sdk_world import source
from small_jobs import make_cluster

SCRIPT = """
import argparse
from pathlib import Path
from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int)
parser.add_argument("--rate")
parser.add_argument("--resume-from", type=Path)
args = parser.parse_args()
run = Run.get_context()
print("rate", args.rate)
if args.resume_from:
    print("goes on from", (args.resume_from / "rate.txt").read_text())
Path("outputs").mkdir(exist_ok=True)
Path("outputs/rate.txt").write_text(args.rate)
if args.rate == "fail":
    raise ValueError("no such rate")
for step in range(args.steps):
    run.log("Loss", float(args.rate) / (step + 1))
"""
RATES = ["0.4", "0.3", "nan", "fail"]


def config_of(folder, sampling=None, target="cpu", **changes):
    run_config = ScriptRunConfig(**source(folder, SCRIPT), arguments=["--steps", 2], compute_target=target)
    given = {
        "hyperparameter_sampling": sampling or GridParameterSampling({"--rate": choice(RATES)}),
        "primary_metric_name": "Loss",
        "primary_metric_goal": PrimaryMetricGoal.MINIMIZE,
        "max_total_runs": 10,
        "max_concurrent_runs": 2,
        "run_config": run_config,
    }
    return HyperDriveConfig(**given | changes)


@pytest.fixture(scope="module")
def experiment(workspace):
    make_cluster(workspace._folder)
    return Experiment(workspace, "sweeps")


@pytest.fixture(scope="module")
def sweep(experiment, tmp_path_factory):
    config = config_of(tmp_path_factory.mktemp("sweep"), policy=BanditPolicy(slack_factor=5.0, delay_evaluation=5))
    run = experiment.submit(config, tags={"purpose": "test"})
    assert run.get_status() in ("NotStarted", "Running") and type(run) is HyperDriveRun
    run.wait_for_completion()
    return run


def by_rate(sweep):
    return {json.loads(text)["--rate"]: run_id for run_id, text in sweep.get_hyperparameters().items()}


def test_its_children_are_script_runs_with_the_hyperparameters_as_arguments(sweep):
    children = list(sweep.get_children())
    assert [type(child) for child in children] == [ScriptRun] * 4
    assert {child.parent.id for child in children} == {sweep.id}
    ids = by_rate(sweep)
    assert sorted(ids) == sorted(RATES)
    child = Run.get(sweep.experiment.workspace, ids["0.3"])
    definition = child.get_details()["runDefinition"]
    assert definition["arguments"] == ["--steps", "2", "--rate", "0.3"]
    assert child.get_metrics() == {"Loss": [0.3, 0.15]}
    assert sweep.get_metrics()[child.id] == {"Loss": [0.3, 0.15]}
    assert set(sweep.get_metrics()) == set(ids.values())


def test_the_best_first_and_without_a_number_last(sweep):
    ids = by_rate(sweep)
    ranked = sweep.get_children_sorted_by_primary_metric()
    assert [child["run_id"] for child in ranked[:2]] == [ids["0.3"], ids["0.4"]]
    assert {child["run_id"] for child in ranked[2:]} == {ids["nan"], ids["fail"]}
    assert ranked[0] == {
        "run_id": ids["0.3"],
        "hyperparameters": '{"--rate": "0.3"}',
        "best_primary_metric": 0.15,
        "status": "Completed",
    }
    statuses = {child["run_id"]: child["status"] for child in ranked}
    assert statuses[ids["fail"]] == "Failed"
    worst_first = sweep.get_children_sorted_by_primary_metric(reverse=True, discard_no_metric=True)
    assert worst_first == ranked[1::-1]
    assert sweep.get_children_sorted_by_primary_metric(top=1) == ranked[:1]
    with pytest.raises(AssertionError, match="top should be 0 or a positive integer"):
        sweep.get_children_sorted_by_primary_metric(top=-1)


def test_the_best_run(sweep):
    best = sweep.get_best_run_by_primary_metric()
    assert best.id == by_rate(sweep)["0.3"]
    assert math.isclose(min(best.get_metrics()["Loss"]), 0.15)
    assert sweep.get_properties()["best_child_run_id"] == best.id


def test_it_comes_back_as_a_sweep_with_its_configuration(sweep, experiment):
    for found in (Run.get(experiment.workspace, sweep.id), next(experiment.get_runs(type="hyperdrive"))):
        assert type(found) is HyperDriveRun and found.id == sweep.id
        config = found.hyperdrive_config
        for name in ("_generator_config", "_policy_config", "_primary_metric_config", "_max_total_runs"):
            assert getattr(config, name) == getattr(sweep.hyperdrive_config, name)
        assert config.source_directory is None
    assert sweep.tags["purpose"] == "test"


def test_another_process_gets_it_back_without_importing_hyperdrive(sweep):
    code = (
        "from azureml.core import Run, Workspace\n"
        f"run = Run.get(Workspace.from_config(), {sweep.id!r})\n"
        "print(type(run).__name__, run.get_best_run_by_primary_metric().id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"], capture_output=True
    )
    assert done.stdout.decode().split() == ["HyperDriveRun", by_rate(sweep)["0.3"]], done.stderr.decode()


def test_another_sweep_goes_on_from_it(sweep, experiment, tmp_path):
    workspace, old = experiment.workspace, by_rate(sweep)["0.4"]
    again = config_of(
        tmp_path / "again",
        GridParameterSampling({"--rate": choice(["0.9"])}),
        resume_from=sweep,
        resume_child_runs=[Run.get(workspace, old)],
    )
    run = experiment.submit(again)
    run.wait_for_completion()
    resumed, drawn = [Run.get(workspace, f"{run.id}_{number}") for number in range(2)]
    assert run.get_hyperparameters() == {resumed.id: '{"--rate": "0.4"}', drawn.id: '{"--rate": "0.9"}'}
    definition = resumed.get_details()["runDefinition"]
    assert definition["arguments"][-2:] == ["--resume-from", "$AZUREML_DATAREFERENCE_MODEL_LOCATION"]
    resumed.download_file("user_logs/std_log.txt", str(tmp_path / "log.txt"))
    assert "goes on from 0.4" in (tmp_path / "log.txt").read_text()
    assert run.get_best_run_by_primary_metric().id == by_rate(sweep)["0.3"]
    assert run.get_best_run_by_primary_metric(include_resume_from_runs=False).id == resumed.id
    found = Run.get(workspace, run.id).hyperdrive_config
    assert (found._resume_from, found._resume_child_runs) == ([sweep.id], [old])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (lambda sweep, trial: {"resume_from": [sweep] * 6}, "the number of parent runs to not exceed than 5"),
        (lambda sweep, trial: {"resume_from": [sweep] * 2}, "resume_from cannot contain duplicate runs"),
        (lambda sweep, trial: {"resume_from": trial}, "Parent run expects to be HyperDriveRun objects"),
        (
            lambda sweep, trial: {"resume_from": sweep, "primary_metric_name": "Gain"},
            "primary_metric_name should be the",
        ),
        (
            lambda sweep, trial: {"resume_from": sweep, "primary_metric_goal": PrimaryMetricGoal.MAXIMIZE},
            "primary_metric_goal should be the same for all runs. Current run's goal is maximize, while a run with min",
        ),
        (lambda sweep, trial: {"resume_from": sweep, "max_total_runs": 991}, "should not be greater than 1000"),
        (lambda sweep, trial: {"resume_child_runs": [trial] * 2}, "resume_child_runs cannot contain duplicate runs"),
        (lambda sweep, trial: {"resume_child_runs": sweep}, "should have a parent run"),
        (lambda sweep, trial: {"resume_child_runs": [trial], "max_total_runs": 0}, "to not exceed max_total_runs"),
        (
            lambda sweep, trial: {
                "resume_from": sweep,
                "hyperparameter_sampling": BayesianParameterSampling({"--rate": uniform(0, 1)}),
            },
            "parameter_space for Bayesian sampling should be the same for all runs",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:For best results", "ignore:Validating data")
def test_what_a_sweep_cannot_go_on_from(sweep, tmp_path, changes, told):
    with pytest.raises(HyperDriveConfigException) as error:
        config_of(tmp_path / "source", **changes(sweep, next(sweep.get_children())))
    assert told in error.value.message


def test_its_details_and_its_log(sweep):
    details = sweep.get_details()
    assert details["status"] == "Completed" and details["target"] == "cpu"
    assert [*details["logFiles"]] == ["azureml-logs/hyperdrive.txt"]
    printed = io.StringIO()
    with redirect_stdout(printed):
        sweep.wait_for_completion(show_output=True)
    assert "Streaming azureml-logs/hyperdrive.txt" in printed.getvalue()
    assert 'is submitted with {"--rate": "0.4"}' in printed.getvalue()


@pytest.mark.parametrize("call", ["fail", "get_diagnostics"])
def test_what_a_sweep_does_not_have(sweep, call):
    with pytest.raises(HyperDriveNotImplementedException, match="is not implemented for HyperDrive run"):
        getattr(sweep, call)()


def test_the_widget_shows_the_trials(sweep):
    data = RunDetails(sweep).get_widget_data()
    assert [child["status"] for child in data["child_runs"]].count("Completed") == 3
    assert data["child_runs"][0]["best_metric"] == 0.15
    html = _block.html(data)
    for part in ("✓ Completed", "✗ Failed", ">rate<", "0.15", 'alt="Loss: from 0.3 to 0.15"', "Trial 0"):
        assert part in html
    printed = io.StringIO()
    with redirect_stdout(printed):
        _block.Lines().render(data)
    assert "3 Completed, 1 Failed" in printed.getvalue() and "best Loss 0.15" in printed.getvalue()


def test_a_sweep_that_never_sees_its_metric_fails_and_can_be_canceled_no_more(experiment, tmp_path):
    sampling = RandomParameterSampling({"rate": choice(0.5)})
    run = experiment.submit(config_of(tmp_path, sampling, primary_metric_name="loss"))
    with pytest.raises(ActivityFailedException, match=r"No trial logged the primary metric 'loss'.*'Loss'"):
        run.wait_for_completion()
    assert run.get_best_run_by_primary_metric() is None
    assert run.cancel() is True and run.get_status() == "Failed"


@pytest.mark.filterwarnings("ignore:For best results with Bayesian")
@pytest.mark.parametrize(
    "changes, told",
    [
        ({"sampling": RandomParameterSampling({})}, "parameter space is empty"),
        ({"sampling": RandomParameterSampling(None)}, "parameter space is empty"),
        ({"sampling": RandomParameterSampling({"--rate": ["gamma", [1, 2]]})}, "unknown expression"),
        (
            {
                "sampling": BayesianParameterSampling({"--rate": uniform(0, 1)}),
                "policy": MedianStoppingPolicy(delay_evaluation=5),
            },
            "Bayesian sampling does not support early termination policies",
        ),
        ({"policy": TruncationSelectionPolicy(10, evaluation_interval=0)}, "evaluation_interval is 0"),
        ({"policy": BanditPolicy(slack_factor=0)}, "slack_amount is None"),
        ({"max_total_runs": 0}, "max_total_runs is 0"),
        ({"max_concurrent_runs": 101}, "max_concurrent_runs is 101"),
        ({"max_duration_minutes": -1}, "max_duration_minutes is -1"),
    ],
)
def test_what_the_service_refuses(experiment, tmp_path, changes, told):
    before = len(list(experiment.get_runs()))
    with pytest.raises(TrainingException, match=r"Exception occurred while creating the HyperDrive run: \[.*" + told):
        experiment.submit(config_of(tmp_path, **changes))
    assert len(list(experiment.get_runs())) == before


@pytest.mark.parametrize("target", ["local", "no-such-cluster"])
def test_a_sweep_needs_a_cluster(experiment, tmp_path, target):
    with pytest.raises(ComputeTargetException):
        experiment.submit(config_of(tmp_path, target=target))


def test_a_command_is_not_supported(experiment, tmp_path):
    command = ScriptRunConfig(str(tmp_path), command="python train.py", compute_target="cpu")
    command.run_config.environment = Environment("plain")
    with pytest.raises(NotImplementedError, match="A command in a HyperDriveConfig"):
        experiment.submit(config_of(tmp_path, run_config=command))

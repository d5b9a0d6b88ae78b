"""Sweep jobs of SDK v2, offline: from YAML and from Python, their trials and the best of them, and what is refused."""

import contextlib
import io
import json
import re
import time
from pathlib import Path

import isodate
import pytest
from azure.ai.ml import load_job
from azure.ai.ml.exceptions import JobException
from azure.ai.ml.sweep import (
    BanditPolicy,
    BayesianSamplingAlgorithm,
    Choice,
    GridSamplingAlgorithm,
    LogNormal,
    LogUniform,
    MedianStoppingPolicy,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    RandomSamplingAlgorithm,
    SweepJobLimits,
    TruncationSelectionPolicy,
    Uniform,
)
from azure.core.exceptions import HttpResponseError
from marshmallow import ValidationError
from small_v2 import make_cluster, make_environment, script_job, wait_for

from helpers.offline.arm import sweep_jobs, sweep_steps
from helpers.offline.engine.sweeps import sampling, submission

PAGE = r"docs/offline-coverage-v2\.md"
SCRIPT = """
    import pathlib, sys
    import mlflow
    rate = float(sys.argv[1])
    for step in range(3):
        mlflow.log_metric("Accuracy", rate * (step + 1), step=step)
    pathlib.Path(sys.argv[2], "rate.txt").write_text(sys.argv[1])
    pathlib.Path("outputs/model.txt").write_text(sys.argv[1])
    print("tried", *sys.argv[3:])
"""
YAML = """
type: sweep
experiment_name: rates
display_name: two rates
trial:
  code: source
  command: python script.py ${{search_space.rate}} ${{outputs.kept}} ${{inputs.word}}
  environment: azureml:small@latest
compute: azureml:cpu
inputs:
  word: here
outputs:
  kept:
    type: uri_folder
sampling_algorithm: grid
search_space:
  rate:
    type: choice
    values: [0.3, 0.1]
objective:
  goal: maximize
  primary_metric: Accuracy
limits:
  max_total_trials: 10
  max_concurrent_trials: 2
  timeout: 600
  trial_timeout: 300
"""


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client)
    make_environment(ml_client, packages=["mlflow"])


@pytest.fixture(scope="module")
def streamed(ml_client):
    """A sweep of two trials that was described in YAML, and has ended; and what jobs.stream printed of it."""
    script_job(SCRIPT)  # writes the script
    Path("sweep.yml").write_text(YAML, encoding="utf-8")
    submitted = ml_client.jobs.create_or_update(load_job("sweep.yml"))
    assert submitted.type == "sweep" and submitted.status == "NotStarted"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        ml_client.jobs.stream(submitted.name)
    return wait_for(ml_client, submitted.name, "Completed"), printed.getvalue()


@pytest.fixture
def sweep(streamed):
    return streamed[0]


def sweep_of(script="print('runs')", space=None, limits=None, line="python script.py ${{inputs.rate}}", **details):
    """A sweep of a script in Python's words; its limits are SweepJobLimits's."""
    job = script_job(script, line, inputs={"rate": 0.1})
    asked = {"sampling_algorithm": "grid", "primary_metric": "Accuracy", "goal": "maximize", "compute": "cpu"}
    swept = job(rate=Choice([0.5]) if space is None else space).sweep(**asked | details)
    swept.limits = SweepJobLimits(**{"max_total_trials": 4, "max_concurrent_trials": 2} | (limits or {}))
    return swept


def test_a_sweep_in_yaml_is_told_as_it_was_asked_for(ml_client, sweep):
    assert (sweep.display_name, sweep.experiment_name, sweep.compute) == ("two rates", "rates", "cpu")
    assert sweep.search_space["rate"].values == [0.3, 0.1]
    assert (sweep.limits.max_total_trials, sweep.limits.trial_timeout) == (10, 300)
    assert sweep.trial.command.startswith("python script.py ${{search_space.rate}}")
    assert sweep.sampling_algorithm.type == "grid" and sweep.objective.primary_metric == "Accuracy"


def test_trials_are_the_sweeps_children_and_the_best_is_named(ml_client, sweep):
    children = {child.name: child for child in ml_client.jobs.list(parent_job_name=sweep.name)}
    assert set(children) == {f"{sweep.name}_{number}" for number in range(2)}
    assert {child.status for child in children.values()} == {"Completed"}
    tried = [json.loads(children[name].tags["hyperparameters"])["rate"] for name in sorted(children)]
    assert tried == [0.3, 0.1]
    assert sweep.properties["best_child_run_id"] == f"{sweep.name}_0"
    assert float(sweep.properties["score"]) == pytest.approx(0.9)
    best = ml_client.jobs.get(f"{sweep.name}_0")
    assert best.command == "python script.py 0.3 ${{outputs.kept}} ${{inputs.word}}" and best.compute == "cpu"
    assert best.outputs["kept"].path.endswith(f"/paths/azureml/{sweep.name}_0/kept/")
    assert [job.name for job in ml_client.jobs.list()] == [sweep.name]  # its trials are below it


def test_stream_tells_the_trials(streamed):
    sweep, told = streamed
    assert f'Trial 0 ({sweep.name}_0) is submitted with {{"rate": 0.3}}' in told
    assert "The sweep ended: Completed" in told and "Execution Summary" in told


def test_download_brings_the_best_trials_files(ml_client, sweep, tmp_path):
    ml_client.jobs.download(sweep.name, download_path=tmp_path, all=True)
    assert (tmp_path / "artifacts/outputs/model.txt").read_text() == "0.3"
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == "tried here\n"
    assert (tmp_path / "named-outputs/kept/rate.txt").read_text() == "0.3"
    assert "best Accuracy 0.9" in (tmp_path / "hd-artifacts/azureml-logs/hyperdrive.txt").read_text()


def test_a_sweep_is_canceled_with_its_trials(ml_client):
    swept = sweep_of("import time; print('up', flush=True); time.sleep(600)")
    name = ml_client.jobs.create_or_update(swept).name
    deadline = time.monotonic() + 120
    while not [child for child in ml_client.jobs.list(parent_job_name=name) if child.status == "Running"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ml_client.jobs.begin_cancel(name).result()
    assert ml_client.jobs.get(name).status == "Canceled"
    assert [child.status for child in ml_client.jobs.list(parent_job_name=name)] == ["Canceled"]


def test_a_sweep_needs_no_cluster(ml_client):
    logs = "import sys, mlflow; mlflow.log_metric('Accuracy', float(sys.argv[1]))"
    name = ml_client.jobs.create_or_update(sweep_of(logs, Choice([0.1, 0.2]), compute="serverless")).name
    best = wait_for(ml_client, name, "Completed").properties["best_child_run_id"]
    assert {child.name for child in ml_client.jobs.list(parent_job_name=name)} == {f"{name}_0", f"{name}_1"}
    assert ml_client.jobs.get(best).status == "Completed"


def test_a_metric_that_is_never_logged_fails_the_sweep(ml_client):
    name = ml_client.jobs.create_or_update(sweep_of("print('logs nothing')")).name
    wait_for(ml_client, name, "Failed")
    with pytest.raises(JobException, match=r"No trial logged the primary metric 'Accuracy'.*: none.*to the letter"):
        ml_client.jobs.stream(name)
    assert "best_child_run_id" not in ml_client.jobs.get(name).properties


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"compute": "no-such"}, "Unknown compute target 'no-such'"),
        ({"space": Choice([])}, "'rate': choice takes a list of one value at least"),
        ({"space": Choice([{"deeper": Uniform(0, 1)}])}, f"choice among search spaces, as that of 'rate'.*{PAGE}"),
        ({"space": Uniform(0, 1)}, "GRID sampling supports choice only"),
        ({"space": Randint(0), "sampling_algorithm": "random"}, "randint takes a whole number above 0"),
        ({"early_termination_policy": BanditPolicy()}, "one of slack_factor and slack_amount"),
        ({"early_termination_policy": BanditPolicy(slack_factor=1, slack_amount=1)}, "one of slack_factor"),
        ({"early_termination_policy": TruncationSelectionPolicy()}, "truncation_percentage is 0"),
        (
            {"early_termination_policy": MedianStoppingPolicy(), "sampling_algorithm": "bayesian"},
            "Bayesian sampling does not support early termination policies",
        ),
        ({"limits": {"max_total_trials": 0}}, "max_total_trials is 0; give a whole number from 1 to 1000"),
        ({"limits": {"max_concurrent_trials": 101}}, "max_concurrent_trials is 101; give a whole number from 1 to 100"),
        ({"goal": "maximise"}, "goal of a sweep is 'maximise'; give maximize or minimize"),
        ({"primary_metric": ""}, "objective of a sweep has a primary metric"),
    ],
)
def test_what_the_service_refuses_leaves_no_sweep(ml_client, details, message):
    before = [job.name for job in ml_client.jobs.list()]
    with pytest.raises(HttpResponseError, match=message):
        ml_client.jobs.create_or_update(sweep_of(**details))
    assert [job.name for job in ml_client.jobs.list()] == before


def test_an_empty_search_space_is_refused(ml_client):
    swept = sweep_of(line="python script.py 1")
    swept.search_space = {}
    with pytest.raises(HttpResponseError, match=r"search space is empty.*Choice"):
        ml_client.jobs.create_or_update(swept)


def test_a_command_that_names_another_parameter_is_refused(ml_client):
    script_job("print('runs')")
    Path("other.yml").write_text(YAML.replace("search_space.rate", "search_space.speed"), encoding="utf-8")
    with pytest.raises(HttpResponseError, match=re.escape("search_space.speed}}, and the search space has: rate")):
        ml_client.jobs.create_or_update(load_job("other.yml"))


@pytest.mark.parametrize(
    ("line", "message"),
    [("goal: maximize", "minimize"), ("type: choice", "type"), ("primary_metric: Accuracy", "primary_metric")],
)
def test_wrong_yaml_is_the_clients_to_refuse(line, message):
    Path("wrong.yml").write_text(YAML.replace(line, line.split(":")[0] + ": [up]"), encoding="utf-8")
    with pytest.raises(Exception, match=message) as refused:
        load_job("wrong.yml")
    assert isinstance(refused.value, ValidationError) or "ValidationError" in str(refused.value)


SPACE = {
    "choice": Choice(["a", 1, 2.5]),
    "uniform": Uniform(1, 2),
    "loguniform": LogUniform(-6, -1),
    "quniform": QUniform(1, 9, 2),
    "qloguniform": QLogUniform(1, 2, 1),
    "normal": Normal(0, 1),
    "lognormal": LogNormal(0, 1),
    "qnormal": QNormal(0, 5, 2),
    "qlognormal": QLogNormal(1, 1, 2),
    "randint": Randint(5),
}


def asked_for(**details):
    """What the client sends of a sweep of all the expressions that it knows."""
    swept = sweep_of(**details)._to_job()
    swept.search_space = SPACE
    return swept._to_rest_object().as_dict()["properties"]


@pytest.mark.parametrize("goal", ["Maximize", "maximize", "MAXIMIZE"])
def test_a_goal_is_read_in_any_case(goal):
    asked = asked_for()
    asked["objective"]["goal"] = goal
    assert sweep_jobs.sweep_of(asked)["goal"] == "maximize"


@pytest.mark.parametrize("rule", ["random", "sobol"])
def test_every_expression_of_the_client_is_drawn_from(rule):
    asked = asked_for(sampling_algorithm=RandomSamplingAlgorithm(rule=rule, seed=7))
    swept = sweep_jobs.sweep_of(asked)
    submission.check(swept)
    sampler = sampling.Sampler(swept["sampling"], swept["goal"])
    drawn = [sampler.draw() for _ in range(20)]
    assert {*drawn[0]} == {*SPACE} and all(1 <= one["uniform"] <= 2 and one["qnormal"] % 2 == 0 for one in drawn)
    again = sampling.Sampler(swept["sampling"], swept["goal"])
    assert again.draw() == drawn[0]
    other = sampling.Sampler(swept["sampling"] | {"seed": 8}, swept["goal"])
    assert other.draw() != drawn[0]


@pytest.mark.parametrize(
    ("policy", "engine"),
    [
        (None, {"name": "Default"}),
        (
            BanditPolicy(slack_amount=0.2, evaluation_interval=2, delay_evaluation=3),
            {
                "name": "Bandit",
                "properties": {"slack_amount": 0.2, "evaluation_interval": 2, "delay_evaluation": 3},
            },
        ),
        (
            MedianStoppingPolicy(delay_evaluation=2),
            {"name": "MedianStopping", "properties": {"evaluation_interval": 1, "delay_evaluation": 2}},
        ),
        (
            TruncationSelectionPolicy(truncation_percentage=20),
            {
                "name": "TruncationSelection",
                "properties": {"truncation_percentage": 20, "evaluation_interval": 1, "delay_evaluation": 0},
            },
        ),
    ],
)
def test_policies_are_the_engines(policy, engine):
    assert sweep_jobs.sweep_of(asked_for(early_termination_policy=policy))["policy"] == engine


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (RandomSamplingAlgorithm(), "RANDOM"),
        (GridSamplingAlgorithm(), "GRID"),
        (BayesianSamplingAlgorithm(), "BayesianOptimization"),
    ],
)
def test_sampling_algorithms_are_the_engines(algorithm, name):
    assert sweep_jobs.sweep_of(asked_for(sampling_algorithm=algorithm))["sampling"]["name"] == name


def test_what_is_not_limited_has_the_services_limits():
    swept = sweep_jobs.sweep_of(asked_for(limits={"max_total_trials": None, "max_concurrent_trials": None}))
    assert (swept["max_total_runs"], swept["max_concurrent_runs"]) == (1000, 100)
    assert swept["max_duration_minutes"] == 60 * 24 * 60


@pytest.mark.parametrize(
    "details",
    [
        {"sampling_algorithm": RandomSamplingAlgorithm(rule="sobol", seed=7, logbase=2)},
        {"sampling_algorithm": "grid", "goal": "minimize"},
        {"early_termination_policy": BanditPolicy(slack_factor=0.2, evaluation_interval=2, delay_evaluation=3)},
        {"early_termination_policy": MedianStoppingPolicy(delay_evaluation=2)},
        {"early_termination_policy": TruncationSelectionPolicy(truncation_percentage=20)},
        {"limits": {"max_total_trials": 7, "max_concurrent_trials": 3, "timeout": 500, "trial_timeout": 20}},
    ],
)
def test_a_step_of_a_pipeline_sweeps_as_a_job_does(details):
    step = sweep_of(**details)
    step.search_space = SPACE
    node = step._to_rest_object()  # what the client sends of it, but for its component
    trial = {"command": "python script.py ${{inputs.normal}} ${{ inputs.uniform }} ${{inputs.normality}}"}
    asked = sweep_steps.asked_of(node, trial)
    assert sweep_jobs.sweep_of(asked) == sweep_jobs.sweep_of(asked_for(**details))
    assert sweep_jobs.of_trial(asked, {"normal": 1, "uniform": 2})["command"] == (
        "python script.py 1 2 ${{inputs.normality}}"
    )
    timeouts = [sweep_jobs.of_trial(one)["limits"]["timeout"] for one in (asked, asked_for(**details))]
    assert len({one and isodate.parse_duration(one) for one in timeouts}) == 1

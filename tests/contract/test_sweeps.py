"""Search spaces, samplings, policies and configurations of sweeps are alike, and so is what is refused."""

import pytest

RANGES = ["uniform", "loguniform", "quniform", "qloguniform"]
BELLS = ["normal", "lognormal", "qnormal", "qlognormal"]
KINDS = RANGES + BELLS


def arguments_of(kind, first, second, q=2):
    return [first, second, q] if kind.startswith("q") else [first, second]


@pytest.mark.parametrize(
    "name, arguments",
    [
        *[(kind, arguments_of(kind, 1, 2.5)) for kind in KINDS],
        *[(kind, arguments_of(kind, 1, 2, 3.0)) for kind in KINDS],
        ("loguniform", [1, 1]),
        ("normal", [0, 0]),
        ("randint", [3]),
        ("choice", [1, "a", 2.5]),
        ("choice", [[1, 2]]),
        ("choice", [{"range": 3}]),
    ],
)
def test_an_expression(both, name, arguments):
    both.same("sweep_expression", name, arguments)


@pytest.mark.parametrize(
    "name, arguments",
    [
        *[(kind, arguments_of(kind, "low", 2)) for kind in KINDS],
        *[(kind, arguments_of(kind, 1, None)) for kind in KINDS],
        *[(kind, arguments_of(kind, 2, 1)) for kind in RANGES],
        *[(kind, arguments_of(kind, 1, -1)) for kind in BELLS],
        *[(kind, [1, 2, 0.5]) for kind in KINDS if kind.startswith("q")],
        ("uniform", [1, 1]),
        ("randint", [0]),
        ("randint", [2.0]),
        ("choice", []),
        ("choice", [[]]),
        ("choice", [{"range": 0}]),
        ("choice", [[1], 2]),
        ("choice", [1, {"range": 2}]),
    ],
)
def test_an_expression_that_is_refused(both, name, arguments):
    error = both.same_error("sweep_expression", name, arguments)
    assert error["error"] == "HyperDriveConfigException"


SPACE = {"x": ["choice", [[1, 2]]]}


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("RandomParameterSampling", {"parameter_space": SPACE | {"y": ["uniform", [0, 1]]}}),
        ("RandomParameterSampling", {"parameter_space": {}}),
        ("RandomParameterSampling", {"parameter_space": None}),
        ("RandomParameterSampling", {"parameter_space": {"x": ["no such", [1]]}}),
        ("GridParameterSampling", {"parameter_space": SPACE}),
        ("BayesianParameterSampling", {"parameter_space": SPACE | {"y": ["quniform", [1, 9, 2]]}}),
        ("BayesianParameterSampling", {"parameter_space": {}}),
        ("BanditPolicy", {"slack_factor": 0.1}),
        ("BanditPolicy", {"slack_amount": 0.2, "evaluation_interval": 2, "delay_evaluation": 5}),
        ("BanditPolicy", {"slack_factor": 0}),
        ("MedianStoppingPolicy", {}),
        ("MedianStoppingPolicy", {"evaluation_interval": 3, "delay_evaluation": 5}),
        ("TruncationSelectionPolicy", {"truncation_percentage": 20}),
        ("NoTerminationPolicy", {}),
    ],
)
def test_a_sampling_or_policy(both, name, arguments):
    both.same("sweep_part", name, arguments)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("GridParameterSampling", {"parameter_space": {"x": ["uniform", [0, 1]]}}),
        ("GridParameterSampling", {"parameter_space": {"x": ["no such", [1]]}}),
        ("BayesianParameterSampling", {"parameter_space": None}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["loguniform", [0, 1]]}}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["choice", [[True]]]}}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["choice", [["a", 1]]]}}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["choice", [[]]]}}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["quniform", [0.5, 1, 1]]}}),
        ("BayesianParameterSampling", {"parameter_space": {"x": ["quniform", [0, 1000000, 1]]}}),
        ("BanditPolicy", {}),
        ("BanditPolicy", {"slack_factor": 0.1, "slack_amount": 0.1}),
        ("BanditPolicy", {"slack_factor": 0.1, "evaluation_interval": 1.5}),
        ("BanditPolicy", {"slack_factor": 0.1, "delay_evaluation": "5"}),
        ("MedianStoppingPolicy", {"evaluation_interval": None}),
        ("MedianStoppingPolicy", {"delay_evaluation": 0.5}),
        ("TruncationSelectionPolicy", {"truncation_percentage": 0}),
        ("TruncationSelectionPolicy", {"truncation_percentage": 100}),
        ("TruncationSelectionPolicy", {"truncation_percentage": 10.5}),
    ],
)
def test_a_sampling_or_policy_that_is_refused(both, name, arguments):
    error = both.same_error("sweep_part", name, arguments)
    assert error["error"] == "HyperDriveConfigException"


@pytest.mark.parametrize(
    "changes, sampling, policy",
    [
        ({}, "RandomParameterSampling", None),
        ({"max_concurrent_runs": 4, "max_duration_minutes": 30}, "GridParameterSampling", "MedianStoppingPolicy"),
        ({"max_duration_minutes": 20000}, "RandomParameterSampling", "NoTerminationPolicy"),
        ({"max_total_runs": 10, "max_concurrent_runs": 2}, "BayesianParameterSampling", None),
        ({"max_total_runs": 40, "max_concurrent_runs": 30}, "BayesianParameterSampling", None),
        ({"max_total_runs": 40, "max_concurrent_runs": 2}, "BayesianParameterSampling", "MedianStoppingPolicy"),
        ({"max_total_runs": -1}, "RandomParameterSampling", None),  # the service's to refuse
    ],
)
def test_a_configuration(both, changes, sampling, policy):
    both.same("sweep_config", changes, sampling, policy)


@pytest.mark.parametrize(
    "changes, sampling",
    [
        ({"run_config": None}, "RandomParameterSampling"),
        ({"run_config": "a.py"}, "RandomParameterSampling"),
        ({}, None),
        ({"primary_metric_goal": "maximize"}, "RandomParameterSampling"),
        ({"max_total_runs": None}, "BayesianParameterSampling"),
    ],
)
def test_a_configuration_that_is_refused(both, changes, sampling):
    both.same_error("sweep_config", changes, sampling)


def test_the_goal_from_text(both):
    assert both.same("sweep_goal", "maximize") == {"value": "MAXIMIZE"}
    assert both.same("sweep_goal", "Minimize") == {"value": "MINIMIZE"}
    both.same_error("sweep_goal", "most")


def test_the_error_class(both):
    mocked = both.mocked.call("sweep_error_code", "BanditPolicy", {})
    assert mocked == both.same("sweep_error_code", "BanditPolicy", {})
    assert mocked["value"][0] == "ArgumentInvalid"

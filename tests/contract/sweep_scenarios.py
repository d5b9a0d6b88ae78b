"""What is asked of both SDKs on sweeps; see scenarios.py."""

import warnings

import azureml.train.hyperdrive
import azureml.train.hyperdrive.exceptions
from azureml.core import ScriptRunConfig


def sweep_expression(name, arguments):
    """What a function that describes a hyperparameter's values gives; {"range": n} stands for range(n)."""
    given = [range(item["range"]) if isinstance(item, dict) else item for item in arguments]
    return getattr(azureml.train.hyperdrive, name)(*given)


def sweep_part(name, arguments):
    """What a sampling or a policy of these arguments says of itself."""
    part = getattr(azureml.train.hyperdrive, name)(**arguments)
    told = ("slack_factor", "evaluation_interval", "delay_evaluation", "truncation_percentage")
    return part.to_json(), {key: getattr(part, key) for key in told if hasattr(part, key)}


def sweep_config(changes, sampling="RandomParameterSampling", policy=None):
    """What a HyperDriveConfig keeps of its arguments, and how many warnings it gives."""
    hyperdrive = azureml.train.hyperdrive
    given = {
        "hyperparameter_sampling": sampling and getattr(hyperdrive, sampling)({"x": ["choice", [[1, 2]]]}),
        "primary_metric_name": "Accuracy",
        "primary_metric_goal": hyperdrive.PrimaryMetricGoal.MAXIMIZE,
        "max_total_runs": 40,
        "run_config": ScriptRunConfig("source", script="a.py"),
        "policy": policy and getattr(hyperdrive, policy)(),
    }
    with warnings.catch_warnings(record=True) as given_warnings:
        warnings.simplefilter("always")
        config = hyperdrive.HyperDriveConfig(**given | changes)
    kept = ("_generator_config", "_policy_config", "_primary_metric_config", "_max_total_runs", "_max_concurrent_runs")
    told = {name: getattr(config, name) for name in (*kept, "_max_duration_minutes", "source_directory", "estimator")}
    return told, [str(warning.message).split()[:4] for warning in given_warnings]


def sweep_goal(text):
    return azureml.train.hyperdrive.PrimaryMetricGoal.from_str(text).value


def sweep_error_code(name, arguments):
    try:
        sweep_part(name, arguments)
    except azureml.train.hyperdrive.exceptions.HyperDriveConfigException as error:
        return error.error_code, [base.__name__ for base in type(error).__mro__]

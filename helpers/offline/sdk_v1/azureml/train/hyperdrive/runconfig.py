"""What Experiment.submit() is given for a sweep."""

import json
import warnings
from enum import Enum

from azureml._strict import module_getattr, refuse, unsupported
from azureml.core.script_run_config import ScriptRunConfig
from azureml.train.hyperdrive import _warm_start
from azureml.train.hyperdrive._checks import check_type, expects
from azureml.train.hyperdrive.exceptions import HyperDriveRehydrateException
from azureml.train.hyperdrive.policy import NoTerminationPolicy, _policy_from_dict
from azureml.train.hyperdrive.sampling import BayesianParameterSampling, _sampling_from_dict

__getattr__ = module_getattr(__name__)

MAX_DURATION_MINUTES = 10080
MAX_PARENT_RUNS = _warm_start.MAX_PARENT_RUNS
RESUME_FROM_TOTAL_RUNS = _warm_start.RESUME_FROM_TOTAL_RUNS
RECOMMENDED_MIN_RUNS_PER_PARAMETER_BAYESIAN = 20
RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN = 20


class PrimaryMetricGoal(Enum):
    """Whether more of the primary metric is better, or less."""

    MAXIMIZE = "MAXIMIZE"
    MINIMIZE = "MINIMIZE"

    @staticmethod
    def from_str(goal):
        """The goal of this name, in whatever case. Raises HyperDriveConfigException."""
        names = PrimaryMetricGoal.__members__
        expects("The primary metric goal", "either 'maximize' or 'minimize'.", goal.upper() in names)
        return names[goal.upper()]


class HyperDriveConfig:
    """A script to try with many hyperparameters, and how.

    A trial gets its hyperparameters as further arguments of the script, "--name value". Raises
    HyperDriveConfigException for what the real SDK refuses here; Experiment.submit() refuses what the service would.

    max_total_runs: the most trials, 1 to 1000. max_concurrent_runs: the most at once; by default all, and never more
    than the cluster has nodes. max_duration_minutes: after this time the sweep is canceled. policy: by default
    NoTerminationPolicy. run_config: the ScriptRunConfig. resume_from: up to five earlier sweeps, with whose trials the
    policy compares, and which Bayesian sampling knows. resume_child_runs: trials of earlier sweeps, which come first
    and have the same hyperparameters again; the script gets what they had written to outputs/ as --resume-from.
    """

    def __init__(
        self,
        hyperparameter_sampling,
        primary_metric_name,
        primary_metric_goal,
        max_total_runs,
        max_concurrent_runs=None,
        max_duration_minutes=MAX_DURATION_MINUTES,
        policy=None,
        estimator=None,
        run_config=None,
        resume_from=None,
        resume_child_runs=None,
        pipeline=None,
        debug_flag=None,
        custom_run_id=None,
    ):
        refuse(
            "HyperDriveConfig()",
            estimator=estimator,
            pipeline=pipeline,
            debug_flag=debug_flag,
            custom_run_id=custom_run_id,
        )
        condition = "at least one of estimator, run_config, pipeline to be set"
        expects("HyperDriveConfig", condition, run_config is not None)
        check_type("run_config", run_config, ScriptRunConfig)
        expects("HyperDriveConfig", "hyperparameter_sampling to be set", hyperparameter_sampling is not None)
        self._run_config = run_config
        self._policy_config = (policy or NoTerminationPolicy()).to_json()
        self._generator_config = hyperparameter_sampling.to_json()
        self._primary_metric_config = {"name": primary_metric_name, "goal": primary_metric_goal.name.lower()}
        self._max_total_runs = max_total_runs
        self._max_concurrent_runs = max_concurrent_runs or max_total_runs
        self._max_duration_minutes = max_duration_minutes
        self._is_read_back = False
        if max_duration_minutes > MAX_DURATION_MINUTES:
            warnings.warn(
                "The experiment maximum duration provided exceeds the service limit of "
                f"{MAX_DURATION_MINUTES} minutes. The maximum duration will be overridden with it.",
                stacklevel=2,
            )
        if isinstance(hyperparameter_sampling, BayesianParameterSampling):
            self._warn_bayesian(len(hyperparameter_sampling._parameter_space))
        self._resume_from = None if resume_from is None else _warm_start.sweeps(self, resume_from)
        self._resume_child_runs = None if resume_child_runs is None else _warm_start.trials(self, resume_child_runs)

    @property
    def run_config(self):
        """The ScriptRunConfig that is tried."""
        return self._run_config

    @property
    def estimator(self):
        """None: estimators are not supported offline."""

    @property
    def pipeline(self):
        """None: pipelines are not supported offline."""

    @property
    def source_directory(self):
        """The folder of the script; None where the configuration was read back from a run."""
        return None if self._is_read_back else self._run_config.source_directory

    def _warn_bayesian(self, parameters):
        recommended = RECOMMENDED_MIN_RUNS_PER_PARAMETER_BAYESIAN * parameters
        if self._max_total_runs < recommended:
            warnings.warn(
                "For best results with Bayesian Sampling we recommend using a maximum number of runs greater than or "
                f"equal to {RECOMMENDED_MIN_RUNS_PER_PARAMETER_BAYESIAN} times the number of hyperparameters being "
                f"tuned. Recommended value: {recommended}.",
                stacklevel=3,
            )
        if self._max_concurrent_runs > RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN:
            warnings.warn(
                f"We recommend using {RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN} max concurrent runs or fewer when "
                "using Bayesian sampling since a higher number might not provide the best result.",
                stacklevel=3,
            )

    def _to_tags(self):
        """The tags of the run from which _from_run() reads the configuration back, as the service writes them."""
        return {
            "_aml_system_generator_config": json.dumps(self._generator_config),
            "_aml_system_policy_config": json.dumps(self._policy_config),
            "_aml_system_primary_metric_config": json.dumps(self._primary_metric_config),
            "_aml_system_max_total_jobs": str(self._max_total_runs),
            "_aml_system_max_concurrent_jobs": str(self._max_concurrent_runs),
            "_aml_system_max_duration_minutes": str(self._max_duration_minutes),
        }

    def _to_properties(self):
        """The properties of the run that tell what it goes on from."""
        given = {"resume_from": self._resume_from, "resume_child_runs": self._resume_child_runs}
        return {name: json.dumps(runs) for name, runs in given.items() if runs}

    @classmethod
    def _from_run(cls, tags, properties):
        """The configuration that a run with these tags and properties was submitted with."""
        try:
            metric = json.loads(tags["_aml_system_primary_metric_config"])
            with warnings.catch_warnings(action="ignore"):  # they were given at the submission
                config = cls(
                    _sampling_from_dict(json.loads(tags["_aml_system_generator_config"])),
                    metric["name"],
                    PrimaryMetricGoal.from_str(metric["goal"]),
                    int(tags["_aml_system_max_total_jobs"]),
                    int(tags["_aml_system_max_concurrent_jobs"]),
                    float(tags["_aml_system_max_duration_minutes"]),
                    _policy_from_dict(json.loads(tags["_aml_system_policy_config"])),
                    run_config=ScriptRunConfig("."),
                )
        except KeyError as missing:
            raise HyperDriveRehydrateException(f"Could not find {missing} in the run's tags") from missing
        config._resume_from, config._resume_child_runs = (
            json.loads(properties.get(name, "null")) for name in ("resume_from", "resume_child_runs")
        )
        config._is_read_back = True
        return config


class HyperDriveRunConfig(HyperDriveConfig):
    """Not supported offline (and deprecated): use HyperDriveConfig."""

    def __new__(
        cls,
        estimator,
        hyperparameter_sampling,
        primary_metric_name,
        primary_metric_goal,
        max_total_runs,
        max_concurrent_runs=None,
        max_duration_minutes=MAX_DURATION_MINUTES,
        policy=None,
    ):
        unsupported("HyperDriveRunConfig()")

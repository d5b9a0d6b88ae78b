"""From a HyperDriveConfig to a sweep of the engine."""

from azureml import _engine
from azureml._strict import unsupported
from azureml._submit import job_of, with_environment
from azureml.core.compute import ComputeTarget
from azureml.core.script_run import ScriptRun
from azureml.exceptions import SnapshotException, TrainingException
from azureml.train.hyperdrive.run import HyperDriveRun
from azureml.train.hyperdrive.runconfig import MAX_DURATION_MINUTES


def submit(experiment, config, tags, parent_id):
    """Start the sweep and return its HyperDriveRun at once.

    Raises ComputeTargetException where there is no such cluster, TrainingException for what the service would refuse,
    and whatever submit() of the configuration's ScriptRunConfig raises.
    """
    job = job_of(experiment, config.run_config)
    if "shell" in job:
        unsupported("A command in a HyperDriveConfig (script and arguments instead)")
    ComputeTarget(workspace=experiment.workspace, name=job["target"])  # a sweep needs a cluster: "local" is none
    sweep = {
        "sampling": config._generator_config,
        "policy": config._policy_config,
        "metric": config._primary_metric_config["name"],
        "goal": config._primary_metric_config["goal"],
        "max_total_runs": config._max_total_runs,
        "max_concurrent_runs": config._max_concurrent_runs,
        "trial_run_type": ScriptRun.RUN_TYPE,
        "resume_from": config._resume_from,
        "resumed": config._resume_child_runs,
        "max_duration_minutes": min(config._max_duration_minutes, MAX_DURATION_MINUTES),
    }
    job = with_environment(experiment.workspace, job)
    with _engine.translated(TooLarge=SnapshotException, EngineError=_refused):
        run_id = _engine.sweeps.submit(
            experiment._folder,
            experiment.name,
            sweep,
            job,
            tags={**tags, **config._to_tags()},
            properties=config._to_properties(),
            run_type=HyperDriveRun.RUN_TYPE,
            parent_id=parent_id,
        )
    return HyperDriveRun(experiment, run_id, config)


def _refused(message):
    return TrainingException(f"Exception occurred while creating the HyperDrive run: [{message}]")

"""The run of a sweep."""

import math

from azureml._strict import module_getattr
from azureml.core.run import Run
from azureml.train.hyperdrive._checks import check_type
from azureml.train.hyperdrive.exceptions import HyperDriveNotImplementedException
from azureml.train.hyperdrive.runconfig import HyperDriveConfig

__getattr__ = module_getattr(__name__)

_PREFIX = "_aml_system_"


class HyperDriveRun(Run):
    """A sweep that was submitted with a HyperDriveConfig. Its trials are its children."""

    RUN_TYPE = "hyperdrive"
    HYPER_DRIVE_RUN_USER_AGENT = "sdk_run_hyper_drive"

    def __init__(self, experiment, run_id, hyperdrive_config=None, **kwargs):
        check_type("run_id", run_id, str)
        super().__init__(experiment, run_id, **kwargs)
        self._hyperdrive_config = hyperdrive_config or HyperDriveConfig._from_run(self.tags, self.properties)

    @property
    def hyperdrive_config(self):
        """The HyperDriveConfig that was submitted."""
        return self._hyperdrive_config

    def cancel(self):
        """End the sweep and all its trials. True: the request was taken."""
        super().cancel()
        return True

    def get_best_run_by_primary_metric(self, include_failed=True, include_canceled=True, include_resume_from_runs=True):
        """The trial with the best value of the primary metric, at whatever time it logged it; None without any.

        include_failed, include_canceled: whether a trial that failed or was stopped may be the best.
        include_resume_from_runs: whether one of the sweeps of resume_from may be.
        """
        runs = [self]
        if include_resume_from_runs:
            runs += [Run.get(self.experiment.workspace, id) for id in self.hyperdrive_config._resume_from or ()]
        found = list(filter(None, [run._best(include_failed, include_canceled) for run in runs]))
        goal = self.hyperdrive_config._primary_metric_config["goal"]
        best = (max if goal == "maximize" else min)(found, key=lambda one: one[0], default=None)
        return best and best[1]

    def _best(self, include_failed, include_canceled):
        """The best value of the primary metric and the trial that logged it; None without any."""
        left_out = {"Failed": not include_failed, "Canceled": not include_canceled}
        for child in self.get_children_sorted_by_primary_metric(discard_no_metric=True):
            if not left_out.get(child["status"]):
                return child["best_primary_metric"], Run(self.experiment, child["run_id"])
        return None

    def get_children_sorted_by_primary_metric(self, top=0, reverse=False, discard_no_metric=False):
        """The trials, the best first: dicts of run_id, hyperparameters (as JSON), best_primary_metric and status.

        top: how many, 0 for all. reverse: the worst first. Trials without a value come last, or with
        discard_no_metric not at all; offline NaN is no value.
        """
        assert isinstance(top, int) and top >= 0, "Value of parameter top should be 0 or a positive integer"
        assert isinstance(reverse, bool), "Type of parameter reverse should be bool"
        assert isinstance(discard_no_metric, bool), "Type of parameter discard_no_metric should be bool"
        ranked = [child for child, _ in self._ranked(reverse)]
        if discard_no_metric:
            ranked = [child for child in ranked if child["best_primary_metric"] is not None]
        return ranked[:top] if top else ranked

    def _ranked(self, reverse=False):
        """Pairs of a trial, as get_children_sorted_by_primary_metric has it, and what it logged as the primary metric.

        Those without a value come last.
        """
        name, goal = (self.hyperdrive_config._primary_metric_config[key] for key in ("name", "goal"))
        hyperparameters = self.get_hyperparameters()
        measured, others = [], []
        for run in self.get_children():
            values = run.get_metrics(name).get(name, [])
            child = {
                "run_id": run.id,
                "hyperparameters": hyperparameters.get(run.id),
                "best_primary_metric": _best(goal, values),
                "status": run.status,
            }
            (others if child["best_primary_metric"] is None else measured).append((child, values))
        measured.sort(key=lambda pair: pair[0]["best_primary_metric"], reverse=(goal == "maximize") != reverse)
        return measured + others

    def get_hyperparameters(self):
        """The trials' hyperparameters, as JSON, by the trial's run id."""
        of_trial = f"{_PREFIX}{self.id}_"  # a trial's id is the sweep's and a number
        return {name[len(_PREFIX) :]: value for name, value in self.get_tags().items() if name.startswith(of_trial)}

    def get_metrics(self):
        """The trials' metrics, by the trial's run id."""
        return {child.id: child.get_metrics() for child in self.get_children()}

    def get_diagnostics(self):
        """Not for a sweep. Raises HyperDriveNotImplementedException."""
        raise HyperDriveNotImplementedException("Get diagnostics is not implemented for HyperDrive run")

    def fail(self):
        """Not for a sweep: cancel() ends it. Raises HyperDriveNotImplementedException."""
        raise HyperDriveNotImplementedException("Fail is not implemented for HyperDrive run")


def _best(goal, values):
    """The best of what was logged under a name, a number or a list; None where there is no number."""
    values = values if isinstance(values, list) else [values]
    numbers = [value for value in values if isinstance(value, (int, float)) and not math.isnan(value)]
    return (max if goal == "maximize" else min)(numbers, default=None)


Run.add_type_provider(
    HyperDriveRun.RUN_TYPE, lambda experiment, record, **kwargs: HyperDriveRun(experiment, record.id, _run_dto=record)
)

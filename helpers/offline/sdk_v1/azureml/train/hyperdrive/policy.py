"""When a trial that does badly is stopped early.

Each time the script logs the primary metric counts as one interval. A policy is applied at each multiple of
evaluation_interval that is not below delay_evaluation. Offline this is done by
helpers/offline/engine/sweeps/policies.py.
"""

from azureml._strict import module_getattr
from azureml.train.hyperdrive._checks import check_type, expects
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

__getattr__ = module_getattr(__name__)


class EarlyTerminationPolicy:
    """Base of the policies."""

    def __init__(self, name, properties=None):
        self._name = name
        self._properties = properties

    def to_json(self):
        """The policy as a dict: name and, where it has some, properties."""
        definition = {"name": self._name}
        if self._properties is not None:
            definition["properties"] = self._properties
        return definition

    def __eq__(self, other):
        return self.__dict__ == other.__dict__


class _IntervalPolicy(EarlyTerminationPolicy):
    """A policy that is applied at intervals, from one of them on."""

    @property
    def evaluation_interval(self):
        """How often the policy is applied."""
        return self._properties["evaluation_interval"]

    @property
    def delay_evaluation(self):
        """From which interval on the policy is applied."""
        return self._properties["delay_evaluation"]


class BanditPolicy(_IntervalPolicy):
    """Stops what does not come up to the best trial, within a slack: a ratio (slack_factor) or an amount.

    Raises HyperDriveConfigException unless exactly one of the two is given.
    """

    POLICY_NAME = "Bandit"

    def __init__(self, evaluation_interval=1, slack_factor=None, slack_amount=None, delay_evaluation=0):
        neither = slack_factor is None and slack_amount is None
        condition = "exactly one of slack factor or slack amount to be set."
        expects("Bandit termination policy", condition, not neither and not (slack_factor and slack_amount))
        slack = {"slack_factor": slack_factor} if slack_factor else {"slack_amount": slack_amount}
        super().__init__(self.POLICY_NAME, {**_intervals(evaluation_interval, delay_evaluation), **slack})
        self._slack_factor = slack_factor

    @property
    def slack_factor(self):
        """The slack as a ratio, or None."""
        return self._slack_factor


class MedianStoppingPolicy(_IntervalPolicy):
    """Stops a trial whose best value is worse than the median of all trials' running averages."""

    POLICY_NAME = "MedianStopping"

    def __init__(self, evaluation_interval=1, delay_evaluation=0):
        super().__init__(self.POLICY_NAME, _intervals(evaluation_interval, delay_evaluation))


class TruncationSelectionPolicy(_IntervalPolicy):
    """Stops the truncation_percentage lowest trials at each interval at which it is applied.

    Raises HyperDriveConfigException unless truncation_percentage is a whole number from 1 to 99.
    """

    POLICY_NAME = "TruncationSelection"

    def __init__(self, truncation_percentage, evaluation_interval=1, delay_evaluation=0):
        check_type("truncation_percentage", truncation_percentage, int)
        expects("truncation_percentage", "value to be between 1 and 99.", 1 <= truncation_percentage <= 99)
        properties = _intervals(evaluation_interval, delay_evaluation)
        properties.update(truncation_percentage=truncation_percentage, exclude_finished_jobs=False)
        super().__init__(self.POLICY_NAME, properties)

    @property
    def truncation_percentage(self):
        """Of 100 trials, how many are stopped."""
        return self._properties["truncation_percentage"]


class NoTerminationPolicy(EarlyTerminationPolicy):
    """Stops no trial."""

    POLICY_NAME = "Default"

    def __init__(self):
        super().__init__(self.POLICY_NAME)


def _intervals(evaluation_interval, delay_evaluation):
    check_type("evaluation_interval", evaluation_interval, int)
    check_type("delay_evaluation", delay_evaluation, int)
    return {"evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation}


def _policy_from_dict(definition):
    """The policy that to_json() gave."""
    properties = dict(definition.get("properties", {}))
    properties.pop("exclude_finished_jobs", None)
    for cls in (BanditPolicy, MedianStoppingPolicy, TruncationSelectionPolicy, NoTerminationPolicy):
        if definition["name"] == cls.POLICY_NAME:
            return cls(**properties)
    raise HyperDriveConfigException("Unknown policy {}.".format(definition["name"]))

"""How hyperparameters are drawn from a search space."""

from azureml._strict import module_getattr, refuse
from azureml.train.hyperdrive._checks import expects
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

__getattr__ = module_getattr(__name__)


class HyperParameterSampling:
    """Base of the samplings: a search space {parameter's name: expression}, and how to draw from it.

    Raises HyperDriveConfigException for an expression that the sampling does not support.
    """

    def __init__(
        self,
        sampling_method_name,
        parameter_space,
        properties=None,
        supported_distributions=None,
        distributions_validators=None,
    ):
        self._sampling_method_name = sampling_method_name
        self._parameter_space = parameter_space
        self._properties = properties
        self._supported_distributions = supported_distributions
        self._distributions_validators = distributions_validators
        if supported_distributions:
            self._check_space()

    def to_json(self):
        """The sampling as a dict: name and parameter_space."""
        definition = {"name": self._sampling_method_name, "parameter_space": self._parameter_space}
        if self._properties:
            definition["properties"] = self._properties
        return definition

    def __eq__(self, other):
        return self.__dict__ == other.__dict__

    def _check_space(self):
        supported = ", ".join(sorted(self._supported_distributions))
        for expression in self._parameter_space.values():
            if isinstance(expression, list):
                only = f"only the following distributions: [{supported}]"
                expects("This sampling method", only, expression[0] in self._supported_distributions)
            validator = (self._distributions_validators or {}).get(expression[0])
            problem = validator and validator(expression[1])
            if problem:
                raise HyperDriveConfigException(f"Failed to validate a parameter distribution due to {problem}")


class RandomParameterSampling(HyperParameterSampling):
    """Draws each parameter by chance.

    Offline the same parameter_space draws the same values each time, and a finite one repeats none.
    """

    SAMPLING_NAME = "RANDOM"

    def __init__(self, parameter_space, properties=None):
        refuse("RandomParameterSampling()", properties=properties)
        super().__init__(self.SAMPLING_NAME, parameter_space)


class GridParameterSampling(HyperParameterSampling):
    """Takes every combination, the last parameter changing fastest; for choice() only."""

    SAMPLING_NAME = "GRID"

    def __init__(self, parameter_space, properties=None):
        refuse("GridParameterSampling()", properties=properties)
        super().__init__(self.SAMPLING_NAME, parameter_space, supported_distributions={"choice"})


class BayesianParameterSampling(HyperParameterSampling):
    """Draws where earlier trials did well; for choice(), uniform() and quniform(), and without a policy.

    Offline this is Optuna's Tree-structured Parzen Estimator.
    """

    SAMPLING_NAME = "BayesianOptimization"

    def __init__(self, parameter_space, properties=None):
        refuse("BayesianParameterSampling()", properties=properties)
        expects("BayesianParameterSampling", "parameter_space to not be None or empty.", parameter_space is not None)
        super().__init__(
            self.SAMPLING_NAME,
            parameter_space,
            supported_distributions={"choice", "quniform", "uniform"},
            distributions_validators={"choice": _choice_problem, "quniform": _quniform_problem},
        )


def _choice_problem(arguments):
    kinds = {type(value) for value in arguments[0]}
    if not kinds:
        return "At least one 'choice' value is required."
    if not kinds <= {int, str, float}:
        return "'choice' values should be 'int', 'string' or 'float'."
    if str in kinds and len(kinds) > 1:
        return "Either all or none of the 'choice' values should be 'str' type."
    return None


def _quniform_problem(arguments):
    if any(type(value) is not int for value in arguments):
        return "Expected quniform arguments to be int."
    low, high, q = arguments
    if (high - low) / q > 100000:
        return "Too many discrete points for quniform distribution. Use larger q or uniform instead."
    return None


def _sampling_from_dict(definition):
    """The sampling that to_json() gave."""
    for cls in (RandomParameterSampling, GridParameterSampling, BayesianParameterSampling):
        if definition["name"] == cls.SAMPLING_NAME:
            return cls(definition["parameter_space"])
    raise HyperDriveConfigException("Failed to rehydrate run due to unknown sampling method.")

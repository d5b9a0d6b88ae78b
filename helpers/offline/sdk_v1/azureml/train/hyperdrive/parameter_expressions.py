"""What a hyperparameter may be: each function describes values to draw from.

Offline, how they are drawn is in helpers/offline/engine/sweeps/sampling.py.
"""

from azureml._strict import module_getattr
from azureml.train.hyperdrive._checks import expects
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

__getattr__ = module_getattr(__name__)

_OPTIONS = "non-empty single list, non-empty single range() or a positive number of arbitrary comma separated inputs."


def choice(*options):
    """One of the options, which are given one by one, or as one list or range()."""
    if not options:
        raise HyperDriveConfigException("Please specify an input for choice.")
    if any(isinstance(option, (list, range)) for option in options):
        expects("choice", _OPTIONS, len(options) == 1 and options[0])
        return ["choice", [list(options[0])]]
    return ["choice", [list(options)]]


def randint(upper):
    """A whole number from 0 to below `upper`."""
    expects("randint", "a positive number as input", isinstance(upper, int) and upper > 0)
    return ["randint", [upper]]


def uniform(min_value, max_value):
    """A number from min_value to max_value."""
    _check_range("uniform", min_value, max_value)
    return ["uniform", [min_value, max_value]]


def quniform(min_value, max_value, q):
    """round(uniform(min_value, max_value) / q) * q."""
    _check_range("quniform", min_value, max_value, q)
    return ["quniform", [min_value, max_value, q]]


def loguniform(min_value, max_value):
    """exp(uniform(min_value, max_value)): from exp(min_value) to exp(max_value), each order of magnitude alike."""
    _check_range("loguniform", min_value, max_value)
    return ["loguniform", [min_value, max_value]]


def qloguniform(min_value, max_value, q):
    """round(exp(uniform(min_value, max_value)) / q) * q."""
    _check_range("qloguniform", min_value, max_value, q)
    return ["qloguniform", [min_value, max_value, q]]


def normal(mu, sigma):
    """A number that is normally distributed with mean mu and standard deviation sigma."""
    _check_bell("normal", mu, sigma)
    return ["normal", [mu, sigma]]


def qnormal(mu, sigma, q):
    """round(normal(mu, sigma) / q) * q."""
    _check_bell("qnormal", mu, sigma, q)
    return ["qnormal", [mu, sigma, q]]


def lognormal(mu, sigma):
    """exp(normal(mu, sigma))."""
    _check_bell("lognormal", mu, sigma)
    return ["lognormal", [mu, sigma]]


def qlognormal(mu, sigma, q):
    """round(exp(normal(mu, sigma)) / q) * q."""
    _check_bell("qlognormal", mu, sigma, q)
    return ["qlognormal", [mu, sigma, q]]


def _check_range(kind, min_value, max_value, q=1):
    expects(kind, "min_value to be a float", isinstance(min_value, (int, float)))
    expects(kind, "max_value to be a float", isinstance(max_value, (int, float)))
    _check_q(kind, q)
    if "log" in kind:
        expects(kind, "min_value <= max_value", min_value <= max_value)
    else:
        expects(kind, "min_value < max_value", min_value < max_value)


def _check_bell(kind, mu, sigma, q=1):
    expects(kind, "mu to be a float", isinstance(mu, (int, float)))
    expects(kind, "sigma to be a float", isinstance(sigma, (int, float)))
    _check_q(kind, q)
    expects(kind, "sigma to be non negative", sigma >= 0)


def _check_q(kind, q):
    expects(kind, "q to be an int", isinstance(q, int) or (isinstance(q, float) and q.is_integer()))

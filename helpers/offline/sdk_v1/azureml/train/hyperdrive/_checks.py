"""Checks of arguments, in the words of the real SDK."""

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException


def expects(thing, condition, met):
    """Raise HyperDriveConfigException unless `met`."""
    if not met:
        raise HyperDriveConfigException(f"{thing} expects {condition}")


def check_type(name, value, expected):
    """Raise HyperDriveConfigException unless `value` is an instance of the class `expected`."""
    if not isinstance(value, expected):
        raise HyperDriveConfigException(
            f"Expected type {expected.__name__} for {name} but got {type(value).__name__}: {value!r}"
        )

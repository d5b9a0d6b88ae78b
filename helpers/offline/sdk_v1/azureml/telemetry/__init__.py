"""What the SDK tells Microsoft of its use: nothing from here."""

import logging

from azureml._strict import module_getattr, refuse

__getattr__ = module_getattr(__name__)


def set_diagnostics_collection(send_diagnostics=True, verbosity=logging.INFO, reason="", path=None):
    """Say what the SDK says. Nothing is collected, nothing is sent, and no file is written."""
    refuse("set_diagnostics_collection()", path=path)
    if send_diagnostics:
        print(f"Turning diagnostics collection on. {reason}")

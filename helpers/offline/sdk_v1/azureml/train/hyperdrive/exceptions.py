"""What hyperparameter tuning refuses."""

from azureml._strict import module_getattr
from azureml.exceptions import AzureMLException

__getattr__ = module_getattr(__name__)


class HyperDriveException(AzureMLException):
    """Base of the errors of hyperparameter tuning."""

    _error_code = "UserError"

    def __init__(self, exception_message, **kwargs):
        super().__init__(exception_message, **kwargs)

    @property
    def error_code(self):
        """The code of the error."""
        return "ArgumentInvalid"


class HyperDriveServiceException(HyperDriveException):
    """The service failed."""


class HyperDriveConfigException(HyperDriveException):
    """A configuration contradicts itself or is incomplete."""


class HyperDriveScenarioNotSupportedException(HyperDriveConfigException):
    """A configuration that tuning does not support."""


class HyperDriveNotImplementedException(HyperDriveScenarioNotSupportedException):
    """A call that a HyperDriveRun does not have."""


class HyperDriveRehydrateException(HyperDriveException):
    """A run's record does not tell its configuration."""

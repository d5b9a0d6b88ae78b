"""The errors of datasets."""

from azureml._strict import module_getattr
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)


class DatasetValidationError(UserErrorException):
    """The data is not what the dataset needs."""

    def __init__(self, message, exception=None):
        super().__init__(message)
        self.inner_exception = exception


class DatasetExecutionError(UserErrorException):
    """The data could not be read."""

    def __init__(self, message, exception):
        super().__init__(message)
        self.inner_exception = exception

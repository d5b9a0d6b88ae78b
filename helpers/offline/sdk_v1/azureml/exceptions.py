"""The SDK's exception classes.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import json
import sys
import traceback

from azureml._strict import module_getattr, refuse_unknown

__getattr__ = module_getattr(__name__)

__version__ = "1.61.0"


class AzureMLException(Exception):
    """Base of the SDK's errors. `message` is the sentence; str() adds what the service would answer."""

    def __init__(
        self,
        exception_message,
        inner_exception=None,
        target=None,
        details=None,
        message_format=None,
        message_parameters=None,
        reference_code=None,
        **kwargs,
    ):
        refuse_unknown(type(self).__name__, kwargs)
        super().__init__(exception_message)
        self._exception_message = exception_message
        self._inner_exception = inner_exception
        self._exc_info = sys.exc_info()
        self._response = {
            "target": target,
            "details": details,
            "message_format": message_format,
            "message_parameters": None if message_parameters is None else json.dumps(message_parameters),
            "reference_code": reference_code,
        }

    def __repr__(self):
        return self._text(hidden=())

    def __str__(self):
        return self._text(hidden=("message_format", "message_parameters"))

    @property
    def message(self):
        """The error in a sentence."""
        return self._exception_message

    @message.setter
    def message(self, value):
        self._exception_message = value

    @property
    def inner_exception(self):
        """The exception that led to this one, or None."""
        return self._inner_exception

    @inner_exception.setter
    def inner_exception(self, value):
        self._inner_exception = value

    def print_stacktrace(self):
        """Print the traceback of the exception that was being handled when this one was made."""
        traceback.print_exception(*self._exc_info)

    def _text(self, hidden):
        error = self._codes()
        error["message"] = self._exception_message
        error.update((key, value) for key, value in self._response.items() if value is not None and key not in hidden)
        response = json.dumps({"error": error}, indent=4)
        return (
            f"{type(self).__name__}:\n\tMessage: {self.message}\n"
            f"\tInnerException {self.inner_exception}\n\tErrorResponse \n{response}"
        )

    def _codes(self):
        # The general code outside, the special one in it: {"code": "UserError", "inner_error": {"code": …}}.
        codes = {}
        for cls in type(self).__mro__:
            code = vars(cls).get("_error_code")
            if code:
                codes = {"code": code, "inner_error": codes} if codes else {"code": code}
        return codes


class AzureMLAggregatedException(AzureMLException):
    """Several errors in one."""

    def __init__(self, exceptions_list, **kwargs):
        super().__init__("\n".join(exceptions_list), **kwargs)


class _MessageException(AzureMLException):
    def __init__(self, exception_message, **kwargs):
        super().__init__(exception_message, **kwargs)


class _LoggedException(AzureMLException):
    def __init__(self, exception_message, logger=None, **kwargs):
        super().__init__(exception_message, **kwargs)
        if logger:
            logger.error(exception_message)


class TrainingException(_MessageException):
    """Training failed."""


class ExperimentExecutionException(_MessageException):
    """A run could not be submitted."""


class ProjectSystemException(_MessageException):
    """A source directory could not be used."""


class SnapshotException(_MessageException):
    """A snapshot of the source directory could not be made, e.g. since it is too large."""


class RunEnvironmentException(AzureMLException):
    """There is no submitted run to load."""

    def __init__(self, **kwargs):
        super().__init__(
            "Could not load a submitted run, if outside of an execution context, "
            "use experiment.start_logging to initialize an azureml.core.Run.",
            **kwargs,
        )


class WorkspaceException(AzureMLException):
    """A workspace was not found or could not be used."""

    def __init__(self, exception_message, found_multiple=False, **kwargs):
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WorkspacePrivateEndpointException(AzureMLException):
    """A private endpoint of a workspace could not be used."""

    def __init__(self, exception_message, found_multiple=False, **kwargs):
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class ComputeTargetException(_MessageException):
    """A compute target was not found, or an operation on it was refused."""


class UserErrorException(_MessageException):
    """The call was wrong: an argument, a name, a file."""

    _error_code = "UserError"


class AuthenticationException(UserErrorException):
    """The credential was refused or is missing."""

    _error_code = "Authentication"


class RunConfigurationException(_MessageException):
    """A run configuration contradicts itself or cannot be read."""


class WebserviceException(AzureMLException):
    """A web service was not found, or an operation on it was refused."""

    def __init__(self, exception_message, status_code=None, logger=None, **kwargs):
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code
        if logger:
            logger.error(exception_message)


class ModelNotFoundException(_LoggedException):
    """No registered model has that name, version or id."""


class ModelPathNotFoundException(_LoggedException):
    """The path that was to be registered as a model does not exist."""


class DiscoveryUrlNotFoundException(AzureMLException):
    """The service's address is not in the environment."""

    def __init__(self, discovery_key, **kwargs):
        super().__init__(f"Could not load discovery key {discovery_key}, from environment variables.", **kwargs)


class ActivityFailedException(AzureMLException):
    """A run that was waited for failed or was canceled."""

    def __init__(self, error_details, **kwargs):
        super().__init__(f"Activity Failed:\n{error_details}", **kwargs)


class DatasetTimestampMissingError(AzureMLException):
    """A dataset lacks the timestamp column that was asked for."""

    def __init__(self, error_details, **kwargs):
        super().__init__(f"Activity Failed:\n{error_details}", **kwargs)


class ParallelRunException(AzureMLException):
    """A parallel run step failed."""

    def __init__(self, exception_message, code=None, delay_seconds=0, **kwargs):
        super().__init__(exception_message, **kwargs)
        self.code = code
        self.delay_seconds = delay_seconds


class ServiceException(Exception):
    """The service refused a request.

    error_response_exception: has `message`, and `response` with `status_code` and `headers`.
    """

    def __init__(self, error_response_exception, **kwargs):
        refuse_unknown("ServiceException", kwargs)
        super().__init__(error_response_exception.message)
        vars(self).update(vars(error_response_exception))
        self.status_code = error_response_exception.response.status_code
        self.details = []
        self.inner_exception = error_response_exception

    def __repr__(self):
        return (
            f"ServiceException:\n\tCode: {self.status_code}\n\tMessage: {self.message}\n\tDetails:\n\n"
            f"\tHeaders: {json.dumps(dict(self.response.headers))}\n\tInnerException: {self.inner_exception}"
        )

    __str__ = __repr__

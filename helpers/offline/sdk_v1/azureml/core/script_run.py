"""The run of a submitted script."""

from azureml import _engine
from azureml._run_wait import wait
from azureml._strict import module_getattr, unsupported
from azureml.core._run_records import error_of, service_exception
from azureml.core.run import Run

__getattr__ = module_getattr(__name__)


class ScriptRun(Run):
    """A run that was submitted with a ScriptRunConfig."""

    RUN_TYPE = "azureml.scriptrun"

    def __init__(self, experiment, run_id, directory=None, _run_config=None, **kwargs):
        super().__init__(experiment, run_id, **kwargs)

    def complete(self, _set_status=True):
        """Not supported offline: the end of the script is the end of its run."""
        unsupported("complete() of a submitted run")

    def fail(self, error_details=None, error_code=None, _set_status=True):
        """End the run's processes, as cancel() does, and have it failed. error_details: a text or an exception."""
        error = {"message": "The run was marked as failed."} | error_of(error_details, error_code)
        if _set_status:
            with _engine.translated(NotFound=service_exception):
                _engine.jobs.fail(self._folder, self._run_id, error)
            wait(self, raise_on_error=False)


Run.add_type_provider(
    ScriptRun.RUN_TYPE, lambda experiment, record, **kwargs: ScriptRun(experiment, record.id, _run_dto=record)
)

"""The run of a submitted script."""

from azureml._strict import module_getattr, unsupported
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
        """Not supported offline: cancel() ends the run; whether it failed is for its script to say."""
        unsupported("fail() of a submitted run")


Run.add_type_provider(
    ScriptRun.RUN_TYPE, lambda experiment, record, **kwargs: ScriptRun(experiment, record.id, _run_dto=record)
)

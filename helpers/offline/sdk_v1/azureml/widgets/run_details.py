"""RunDetails: a block in a notebook, or lines on a terminal, that follow a run until it has ended."""

import sys
import time

from azureml import _run_wait
from azureml._strict import module_getattr, refuse
from azureml.widgets import _block, _state

__getattr__ = module_getattr(__name__)

_INTERVAL = 1.0  # seconds between two looks at the run
_PATIENCE = 10  # looks in a row that may fail before the thread gives up


class RunDetails:
    """Shows how a run comes along: its status, stages, metrics and the end of its log."""

    def __init__(self, run_instance):
        self._run = run_instance

    def show(self, render_lib=None, widget_settings=None):
        """Show the run and return at once; a thread brings what is shown up to date until the run has ended.

        render_lib: a function that is given the block's HTML each time it changes, in place of the notebook. Without a
        notebook and a render_lib, what changes is printed as lines.
        """
        refuse("RunDetails.show()", widget_settings=widget_settings)
        render = _renderer(render_lib)
        state = _look(self._run)
        render(state)
        if not state["final"]:
            _run_wait.follow(self._run, _follow, self._run, render)

    def get_widget_data(self, widget_settings=None):
        """What is shown, as a dict: status, stages, run_metrics, run_logs, run_properties, error and links."""
        refuse("RunDetails.get_widget_data()", widget_settings=widget_settings)
        return _state.read(self._run)


def _follow(run, render):
    failures = 0
    while failures < _PATIENCE:
        time.sleep(_INTERVAL)
        state = _look(run)
        render(state)
        if state["final"]:
            return
        failures = failures + 1 if "status" not in state else 0


def _look(run):
    """What is to be shown now. An error is shown too, and not raised: the next look may succeed."""
    try:
        return _state.read(run)
    except Exception as error:
        return {"run_id": run.id, "final": False, "error": f"{type(error).__name__}: {error}"}


def _renderer(render_lib):
    if render_lib is not None:
        return lambda state: render_lib(_block.html(state))
    if _in_notebook():
        return _notebook_renderer()
    return _block.Lines().render


def _in_notebook():
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _notebook_renderer():
    from IPython.display import display

    shown = []

    def render(state):
        block = {"text/html": _block.html(state), "text/plain": _block.text(state)}
        if shown:
            shown[0].update(block, raw=True)
        else:
            shown.append(display(block, raw=True, display_id=True))

    return render

"""The files of a run, for whoever reads them: outputs/, logs/ and what was uploaded, a job's as they come.

Models that a script has logged with MLflow are among them, each as a folder of its name, wherever MLflow keeps it.
"""

from pathlib import Path

from helpers.offline.engine.history import artifacts, mlflow_store, spool
from helpers.offline.engine.workspace.errors import NotFound
from helpers.offline.engine.workspace.files import files_below
from helpers.offline.engine.workspace.names import relative_name, safe_join


def files_of(folder: Path, run_id: str) -> list[str]:
    """The names of the run's files, as sorted posix paths."""
    spool.carry_for_reader(folder, run_id)
    logged = mlflow_store.logged_models(folder, run_id)
    own = files_below(artifacts.root_of(folder, run_id))
    return sorted({*own, *(f"{name}/{file}" for name, model in logged.items() for file in files_below(model))})


def path_of(folder: Path, run_id: str, name: str) -> Path:
    """Where a file of the run lies. Raises NotFound and Invalid."""
    path = file_or_folder(folder, run_id, name)
    if not path.is_file():
        raise NotFound(
            f"The run {run_id} has no file {name!r}. It has: {', '.join(files_of(folder, run_id)) or 'none'}."
        )
    return path


def file_or_folder(folder: Path, run_id: str, name: str) -> Path:
    """Where a file or folder of the run lies, or would lie. Raises NotFound for an unknown run, and Invalid."""
    spool.carry_for_reader(folder, run_id)
    path = safe_join(artifacts.root_of(folder, run_id), name)
    model, _, rest = relative_name(name).partition("/")
    if not path.exists() and (place := mlflow_store.logged_models(folder, run_id).get(model)):
        return safe_join(place, rest) if rest else place
    return path

"""The files of a run: outputs/, logs/ and what was uploaded, in the folder where MLflow keeps its artifacts.

Models that a script has logged with MLflow are among them, each as a folder of its name, wherever MLflow keeps it.
"""

from pathlib import Path

from helpers.offline.engine import database, mlflow_store
from helpers.offline.engine.errors import AlreadyExists, NotFound
from helpers.offline.engine.files import copy_whole, files_below, write_whole
from helpers.offline.engine.names import relative_name, safe_join


def root_of(folder: Path, run_id: str) -> Path:
    """The run's artifact folder, absolute; it may not exist yet. Raises NotFound for an unknown run."""
    if not database.rows(folder, "SELECT 1 FROM runs WHERE run_id=?", (run_id,)):
        mlflow_store.run(folder, run_id)  # one that MLflow made itself, and that was not listed yet
    return folder / "artifacts" / run_id / "artifacts"


def files_of(folder: Path, run_id: str) -> list[str]:
    """The names of the run's files, as sorted posix paths."""
    _carry(folder, run_id)
    logged = mlflow_store.logged_models(folder, run_id)
    own = files_below(root_of(folder, run_id))
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
    _carry(folder, run_id)
    path = safe_join(root_of(folder, run_id), name)
    model, _, rest = relative_name(name).partition("/")
    if not path.exists() and (place := mlflow_store.logged_models(folder, run_id).get(model)):
        return safe_join(place, rest) if rest else place
    return path


def upload(folder: Path, run_id: str, name: str, source: Path, overwrite: bool = False) -> None:
    """Copy `source` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    copy_whole(source, _target(folder, run_id, name, overwrite))


def upload_bytes(folder: Path, run_id: str, name: str, content: bytes, overwrite: bool = False) -> None:
    """Write `content` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    write_whole(content, _target(folder, run_id, name, overwrite))


def _carry(folder: Path, run_id: str) -> None:
    """A job's files that wait to be carried are the run's, too."""
    from helpers.offline.engine import spool

    spool.carry_for_reader(folder, run_id)


def _target(folder: Path, run_id: str, name: str, overwrite: bool) -> Path:
    target = safe_join(root_of(folder, run_id), relative_name(name))
    if target.exists() and not overwrite:
        raise AlreadyExists(f"The run {run_id} has a file {name!r} already.")
    return target

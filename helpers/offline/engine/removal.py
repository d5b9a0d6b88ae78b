"""Removing what others run on: a cluster, or the whole workspace. What runs there is ended first."""

from pathlib import Path

import psutil

from helpers.offline.engine import jobs, processes, services
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import job_states
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace import database
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import FolderError, FolderUnreadable, WouldNotEnd


def delete_cluster(folder: Path, name: str) -> None:
    """Cancel what runs on a cluster or waits for it, and remove it. Raises NotFound."""
    clusters.get(folder, name)  # jobs run on what is no cluster, too
    jobs.cancel_all(folder, name)
    clusters.delete(folder, name)
    jobs.cancel_all(folder, name)  # what was submitted meanwhile


def reset(folder: Path) -> None:
    """End what still runs in the workspace and delete its folder, and nothing else. Raises FolderError.

    Where the folder cannot be read any more, or one of its processes hangs, they are found by what they were started
    with, and killed.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.exists():
        return
    folders.refuse_foreign(folder)
    if database.database_path(folder).exists():
        try:
            end_all(folders.open_folder(folder))
        except (FolderUnreadable, WouldNotEnd):
            processes.end_where(lambda process: _is_of(folder, process))
        except FolderError:
            if database.database_path(folder).exists():  # otherwise another reset is at it
                raise
    folders.remove(folder)


def _is_of(folder: Path, process: psutil.Process) -> bool:
    """Whether a process is a supervisor of the workspace, or what one has started."""
    if detached.is_one(process):
        return str(folder) in process.cmdline()
    environment = process.environ()
    in_folder = environment.get(folders.VARIABLE) == str(folder)
    return in_folder and not {job_states.RUN_ID_VARIABLE, services.ID_VARIABLE}.isdisjoint(environment)


def end_all(folder: Path) -> None:
    """End every service and job of the workspace. Raises WouldNotEnd where one does not."""
    services.end_all(folder)
    jobs.end_all(folder)

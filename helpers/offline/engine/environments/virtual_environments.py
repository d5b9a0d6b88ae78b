"""Builds the environment that a job asks for, as a virtual environment, once for each content.

It lies in `environments/<hash>` of the offline workspace, where it is built as well: a virtual environment cannot be
moved. The log of the build is put into it last, and tells that it is whole.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine import processes
from helpers.offline.engine.environments import conda, interpreters
from helpers.offline.engine.history import job_states, logs
from helpers.offline.engine.processes import detached, run_python
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import BuildFailed, NotFound, StoreUnavailable

VARIABLE = "AZUREML_OFFLINE_BUILD"  # the job's environment variable that asks for an environment of its own
BUILD_LOG = "build_log.txt"
REQUIREMENTS = "requirements.txt"
LINES_TOLD = 12  # of the output of a step that fails


@dataclass(frozen=True)
class Caller:
    """The run or service that an environment is for.

    Its `log` gets the build's output as it comes. `look` is called a few times a second; what it raises ends the build.
    `look_at(folder, run_id)` brings another run, which holds the environment and was lost, to its end.
    """

    folder: Path
    run_id: str
    log: Path
    look: Callable[[], None]
    look_at: Callable[[Path, str], object]


def prepare(caller: Caller, job: dict) -> Path:
    """The interpreter that the job's environment stands for: this one, once it is checked, or one that is built.

    Raises what interpreter_for() does; NotFound also tells what is not installed here.
    """
    environment = job["environment"]
    if is_wanted(job):
        return interpreter_for(caller, environment)
    lines, missing = conda.check(environment)
    logs.append(caller.log, *lines)
    if missing:
        raise NotFound(" ".join(missing))
    return run_python.own()


def is_wanted(job: dict) -> bool:
    """Whether the job is to run in an environment that is built for it, and not on the interpreter that runs this."""
    asked = str((job["environment_variables"] or {}).get(VARIABLE, "0")) not in ("", "0")
    return asked and bool(job["environment"]) and not conda.is_managed_by_user(job["environment"])


def interpreter_for(caller: Caller, environment: dict) -> Path:
    """The interpreter of an environment that has what the specification asks for, built if it is not there yet.

    Raises Invalid for a specification that cannot be read, NotFound where this machine has no such Python, and
    StoreUnavailable for a full disk, or else BuildFailed, with the last lines of what failed.
    """
    wanted = conda.specification(environment)
    logs.append(caller.log, *wanted.notes)
    base = interpreters.find(wanted.python)
    place = caller.folder / "environments" / _key(base, wanted.requirements)
    place.mkdir(parents=True, exist_ok=True)
    with _lock(place, caller) as lock:
        if _is_whole(place):
            before = (place / BUILD_LOG).read_text()
            logs.append(caller.log, "The environment was built before. The log of its build:", before)
        else:
            _build(place, base, wanted.requirements, caller, lock)
    return _python(place)


def _build(place: Path, base: interpreters.Interpreter, requirements: list[str], caller: Caller, lock: int) -> None:
    log, start = caller.log, caller.log.stat().st_size
    marks = {job_states.RUN_ID_VARIABLE: caller.run_id, folders.VARIABLE: str(caller.folder)}

    def step(*command: str | Path) -> None:
        with log.open("ab") as output:
            exit_code = processes.run(
                list(map(str, command)),
                caller.look,
                cwd=place,
                env={**os.environ, **marks},  # ends with the run, whoever ends that
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[lock],  # while it writes here nobody else does, even if the supervisor is killed
            )
        if exit_code:
            raise _failed(place, f"`python -m {command[2]}` failed.", _read(log, start))

    _clear(place)
    logs.append(log, f"Python {base.version}, from {base.path}")
    try:
        step(base.path, "-m", "venv", place)
        if requirements:
            (place / REQUIREMENTS).write_text("\n".join([*requirements, ""]), encoding="utf-8")
            install = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off")
            step(_python(place), *install, "--requirement", REQUIREMENTS)
    except BaseException:
        _clear(place)
        raise
    part = place / f"{BUILD_LOG}.part"
    part.write_text(_read(log, start), encoding="utf-8")
    part.replace(place / BUILD_LOG)


def _failed(place: Path, what: str, output: str) -> StoreUnavailable | BuildFailed:
    """The error of a build in which a step has failed: that, and the last lines of the output until then."""
    told = "\n".join([what, *[line for line in output.splitlines() if line.strip()][-LINES_TOLD:]])
    if outages.tells_of_no_room(output):
        full = f"The disk that holds {place} or the temporary folder {tempfile.gettempdir()} is full."
        return StoreUnavailable(f"{full} Make room, and try again.\n{told}")
    return BuildFailed(told)


@contextlib.contextmanager
def _lock(place: Path, caller: Caller) -> Iterator[int]:
    """Hold the environment's lock, whose file names the run that builds it; a dead one is brought to its end."""
    descriptor = os.open(place / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not detached.take(descriptor):
            if not told:
                logs.append(caller.log, "Another run builds this environment; this one waits for it.")
                told = True
            caller.look_at(caller.folder, os.pread(descriptor, 100, 0).decode())
            caller.look()
            time.sleep(processes.LOOK)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, caller.run_id.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _key(base: interpreters.Interpreter, requirements: list[str]) -> str:
    """The hash of what the environment's content follows from."""
    content = json.dumps([base.version, str(base.path), requirements])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _is_whole(place: Path) -> bool:
    return (place / BUILD_LOG).exists() and _python(place).exists()


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _clear(place: Path) -> None:
    """Remove what a build left that did not come to its end."""
    for entry in place.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != ".lock":
            entry.unlink()


def _read(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")

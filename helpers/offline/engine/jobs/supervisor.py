"""The process that sees one job through: `python -m helpers.offline.engine.jobs.supervisor FOLDER RUN_ID LOCK`.

It is detached from whoever submitted the job, and holds the run's lock (an inherited descriptor) while it lives.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from helpers.offline.engine import environments, processes
from helpers.offline.engine.assets import data
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.environments import virtual_environments
from helpers.offline.engine.history import job_states, logs, snapshot, spool
from helpers.offline.engine.history.runs import PARENT
from helpers.offline.engine.jobs import finish, preemption, ranks, submission
from helpers.offline.engine.jobs import outputs as made
from helpers.offline.engine.processes import detached, in_run, machine, run_python
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace import outages, telemetry
from helpers.offline.engine.workspace.errors import EngineError, FolderError, StoreUnavailable
from helpers.offline.engine.workspace.names import safe_join

# What azureml-core prints in place of logging where it finds no run.
PRINTED = re.compile(rb"Attempted to log \w+ metric ")


def main(folder: Path, run_id: str) -> None:
    """See the job through to its end, whatever happens; a store that is locked or full is waited for."""
    processes.adopt_orphans()
    with outages.patience():
        status, error, exit_code = see_through(folder, run_id)
        processes.end_children(spared=detached.is_one)  # a job that this one has submitted goes on
        finish.end(folder, run_id, status, error, exit_code)
    finish.record_in_time(folder, run_id)


def see_through(folder: Path, run_id: str) -> tuple[str, dict | None, int | None]:
    """Have the script run; how that ended: the status, the error to tell, the exit code."""
    exit_code, carrier = None, None
    try:
        job = job_states.submitted(folder, run_id)
        python = prepare(folder, run_id, job)
        wait_for_node(folder, run_id, job)
        carrier = Carrier(folder, run_id)
        rank, exit_code = run_script(folder, run_id, job, python)
        status, error = ending(folder, run_id, job, rank, exit_code)
    except Exception as failure:
        status, error = finish.outcome_of(folder, run_id, failure)
    finally:
        if carrier:
            carrier.stop()
    return status, error, exit_code


def prepare(folder: Path, run_id: str, job: dict) -> Path:
    """The interpreter that the job's `python` stands for; where its environment cannot be had, the run fails.

    The environment is checked, or built where the job asks for that, as the service would build its image.
    """
    job_states.advance(folder, run_id, "Preparing")
    log = logs.build_log_path(folder, run_id)
    environment = job["environment"]
    try:
        caller = virtual_environments.Caller(
            folder, run_id, log, look=lambda: finish.stop_if_canceled(folder, run_id), look_at=submission.look
        )
        python = virtual_environments.prepare(caller, job)
        delay(folder, run_id)
    except FolderError:
        raise
    except EngineError as refused:
        name = environment.get("name")
        message = f"Image build failed. The environment {name!r} cannot be had on this machine: {refused}"
        logs.append(log, message)
        raise finish.Stopped("Failed", {"code": "UserError", "message": message}) from refused
    return python


def wait_for_node(folder: Path, run_id: str, job: dict) -> None:
    """Queue until the cluster has all the nodes that this run needs."""
    job_states.advance(folder, run_id, "Queued")
    delay(folder, run_id)
    if not clusters.is_one(job["target"]):
        return
    looks = 0
    while clusters.take_nodes(folder, job["target"], run_id, ranks.node_count(job)) is None:
        finish.stop_if_canceled(folder, run_id)
        looks += 1
        if looks % 10 == 0:
            end_dead_runs(folder, job["target"], run_id)
        time.sleep(processes.LOOK)
    finish.stop_if_canceled(folder, run_id)


def end_dead_runs(folder: Path, target: str, run_id: str) -> None:
    """Free the nodes of runs whose supervisor died."""
    for other in job_states.unfinished(folder, target):
        if other["run_id"] != run_id:
            submission.look(folder, other["run_id"])


def run_script(folder: Path, run_id: str, job: dict, python: Path) -> tuple[int, int]:
    """Run the script, in one process or several, until it ends, is canceled or its time is over.

    Returns the exit code, and the rank of the process whose it is: the first that failed, after which all end.
    """
    code = job_states.run_folder(folder, run_id) / finish.CODE
    snapshot.extract(folder, job["snapshot_id"], code)
    for part in finish.UPLOADED:
        (code / part).mkdir(exist_ok=True)
    inputs = place_inputs(folder, run_id, job)
    outputs = made.place(folder, run_id, job)
    spool.spool_folder(folder, run_id).joinpath("files").mkdir(parents=True, exist_ok=True)
    logs.log_path(folder, run_id).parent.mkdir(parents=True, exist_ok=True)
    own = own_variables(folder, run_id, job, inputs, outputs)
    program = make_python(folder, run_id, job, python, own)
    environment = machine.script_variables(job["environment_variables"], own, [program.parent, python.parent])
    look = limits(folder, run_id, job)
    with ExitStack() as open_logs:
        settings = [
            {
                "cwd": code,
                "env": environment | {in_run.ERROR: str(error_path(folder, run_id, rank))} | variables,
                "stdout": open_logs.enter_context(logs.log_path(folder, run_id, rank).open("ab")),
                "stderr": subprocess.STDOUT,
            }
            for rank, variables in enumerate(ranks.variables(job))
        ]
        job_states.advance(folder, run_id, "Running")  # from now on there is a log to follow
        spool.append(folder, run_id, {"kind": "status", "value": "Running"})
        try:
            return processes.run_together(command_of(job, inputs, outputs, program), look, settings)
        except OSError as error:
            message = f"Execution failed. The program could not be started: {error}"
            raise finish.Stopped("Failed", {"code": "UserError", "message": message}) from error


def make_python(folder: Path, run_id: str, job: dict, python: Path, own: dict[str, str]) -> Path:
    """The job's own Python, over the interpreter `python`: see run_python."""
    error = error_path(folder, run_id, 0)
    error.parent.mkdir()
    return run_python.make(
        job_states.run_folder(folder, run_id) / "python",
        python,
        own | {in_run.ERROR: str(error)},
        path=job.get("python_path") or [],
        first=job.get("python_imports") or [],
        missing=environments.lacking(job["environment"]),
    )


def limits(folder: Path, run_id: str, job: dict) -> Callable[[], None]:
    """What is called while the script runs, which begins now: it raises Stopped where the script is to end early."""
    limit = job["max_run_duration_seconds"]
    deadline = time.monotonic() + limit if limit else float("inf")
    outputs = job_states.run_folder(folder, run_id) / finish.CODE / "outputs"
    preempted = preemption.Preemption(folder, job["target"], outputs)

    def look() -> None:
        finish.stop_if_canceled(folder, run_id)
        if time.monotonic() > deadline:
            message = f"The run was canceled: it took longer than its time limit, which is {limit} s."
            raise finish.Stopped("Canceled", {"code": "JobExceededMaxRunDuration", "message": message})
        if preempted.is_due():
            raise finish.Stopped("Canceled", {"code": "NodePreempted", "message": preemption.MESSAGE})

    return look


def place_inputs(folder: Path, run_id: str, job: dict) -> dict[str, str]:
    """Lay out the job's datasets; what stands for each in the command line and in the environment."""
    placed = {}
    for given in job["inputs"]:
        if given["mode"] == "direct":
            placed[given["name"]] = given["dataset_id"]
            continue
        target = safe_join(job_states.run_folder(folder, run_id), submission.place_of_input(given))
        target.mkdir(parents=True, exist_ok=True)  # one without files, too
        as_is = given.get("as_is")  # "file", where the file's own path stands for it, or "folder"
        files = data.place(
            data.resolve(folder, given["sources"]), target, given["mode"], overwrite=True, as_is=bool(as_is)
        )
        placed[given["name"]] = str(files[0] if as_is == "file" else target)
    return placed


def command_of(job: dict, inputs: dict[str, str], outputs: dict[str, str], python: Path) -> list[str]:
    """The program and its arguments; the word `python` stands for the interpreter `python`."""
    if "shell" in job:
        paths = {f"input:{name}": path for name, path in inputs.items()}
        paths |= {f"output:{name}": path for name, path in outputs.items()}
        command = job["shell"]
        for name, path in paths.items():
            command = _with_path(command, f"${{{name}}}", path)
        return [shutil.which("bash") or "/bin/sh", "-c", command]
    paths = {("input", name): path for name, path in inputs.items()}
    paths |= {("output", name): path for name, path in outputs.items()}
    words = [paths[next(iter(word.items()))] if isinstance(word, dict) else str(word) for word in job["command"]]
    return [str(python), *words[1:]] if words[0] == "python" else words


def _with_path(command: str, placeholder: str, path: str) -> str:
    """The shell's command with a path as one word in the place of a placeholder, which may stand in quotes."""
    quoted = {"": shlex.quote(path), "'": path.replace("'", r"'\''"), '"': re.sub(r'([\\"$`])', r"\\\1", path)}
    text, *rest = command.split(placeholder)
    for part in rest:
        text += quoted[_open_quote(text)] + part
    return text


def _open_quote(text: str) -> str:
    """The quotation mark of a shell's that is open at the end of the text, or nothing."""
    quote, letters = "", iter(text)
    for letter in letters:
        if letter == "\\" and quote != "'":
            next(letters, None)
        elif letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
    return quote


def own_variables(
    folder: Path, run_id: str, job: dict, inputs: dict[str, str], outputs: dict[str, str]
) -> dict[str, str]:
    """The environment variables by which a script knows its run and its data."""
    names, parameters = [], {}
    if "parameters" in job:
        parameters = {**job["parameters"], **inputs, **outputs}
    else:  # SDK v1 calls a variable after each dataset, too: DatasetConsumptionConfig's documentation
        names = [given["name"] for given in job["inputs"] if given.get("dataset_id")]
    return {
        **{name: inputs[name] for name in names},
        **{f"AZUREML_DATAREFERENCE_{name}": value for name, value in inputs.items()},
        **{f"AZUREML_PARAMETER_{name}": value for name, value in parameters.items()},
        **made.variables(job, outputs),
        **job["identity"],
        job_states.RUN_ID_VARIABLE: run_id,
        "AZUREML_OFFLINE_SPOOL": str(spool.spool_folder(folder, run_id)),
        folders.VARIABLE: str(folder),
        "MLFLOW_RUN_ID": run_id,
        # Whatever other runs the script starts with MLflow are children of this one.
        "MLFLOW_RUN_CONTEXT": json.dumps({PARENT: run_id}),
        **telemetry.OFF,
    }


def ending(folder: Path, run_id: str, job: dict, rank: int, exit_code: int) -> tuple[str, dict | None]:
    """The final status that the exit code of a process means, and the error to tell."""
    if exit_code == 0:
        return printed_metrics(folder, run_id, job)
    if exit_code < 0:
        how = f"was killed by {processes.signal_name(-exit_code)}"
    else:
        how = f"exited with status code {exit_code}"
    who = f"'python' of rank {rank}" if ranks.process_count(job) > 1 else "'python'"
    log = job["logs"][rank]
    message = f"Execution failed. User process {who} {how}. Please check log file '{log}' for error details."
    if told := cause(error_path(folder, run_id, rank), logs.log_path(folder, run_id, rank)):
        message = f"{message} Error: {told}"
    return "Failed", {"code": "UserError", "message": message}


def printed_metrics(folder: Path, run_id: str, job: dict) -> tuple[str, dict | None]:
    """The end of a run whose script came to its own: Completed, unless its metrics were printed and not logged."""
    for rank, name in enumerate(job["logs"]):
        with logs.log_path(folder, run_id, rank).open("rb") as log:
            if any(map(PRINTED.match, log)):
                message = (
                    f"The script's metrics were printed to '{name}' and not logged: it ran in a "
                    "Python that does not belong to the run, whose azureml knows of none. Start Python as `python`, or "
                    "from Python by sys.executable."
                )
                return "Failed", {"code": "UserError", "message": message}
    return "Completed", None


def error_path(folder: Path, run_id: str, rank: int) -> Path:
    """Where the exception that ends a process is written down."""
    return job_states.run_folder(folder, run_id) / "errors" / f"{rank}.txt"


def cause(error: Path, log: Path) -> str | None:
    """What ended a process: the exception or text that its Python wrote down (see in_run), or the log's last line.

    That is an exception where a traceback ends with it, which a script printed before it gave up, or what argparse
    refuses arguments with. What stands after an exception's first line need not belong to it: then there is nothing to
    tell.
    """
    if error.is_file():
        return error.read_text(encoding="utf-8")
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        text = file.read().decode(errors="replace").rstrip()
    said = error.with_name(error.name + in_run.SAID)
    if said.is_file() and f"\n{(words := said.read_text(encoding='utf-8').rstrip())}" in f"\n{text}":  # it was printed
        return words
    if refused := re.search(r"^\S+: error: .*\Z", text, re.MULTILINE):
        return refused[0][:1000]
    _, found, end = text.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in end.splitlines() if not line.startswith(" ")]
    return lines[0][:1000] if found and len(lines) == 1 else None


def delay(folder: Path, run_id: str) -> None:
    """The stage's delay for teaching, none by default."""
    end = time.monotonic() + machine.stage_seconds()
    finish.stop_if_canceled(folder, run_id)
    while time.monotonic() < end:
        time.sleep(processes.TICK)
        finish.stop_if_canceled(folder, run_id)


class Carrier:
    """A thread that carries the job's metrics and files into the store while the script runs."""

    def __init__(self, folder: Path, run_id: str):
        self.folder, self.run_id = folder, run_id
        self._stop = threading.Event()
        threading.Thread(target=self._carry, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _carry(self) -> None:
        while not self._stop.wait(processes.LOOK):
            try:
                spool.carry_new(self.folder, self.run_id)
            except StoreUnavailable:  # what waits in the spool is carried later; nobody who reads is kept waiting
                continue
            except Exception:
                traceback.print_exc()
                return


if __name__ == "__main__":
    detached.keep_lock(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2])

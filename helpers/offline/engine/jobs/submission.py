"""Submitting jobs, looking at them, and canceling them."""

import contextlib
import os
import time
import uuid
from pathlib import Path

from helpers.offline.engine.assets import data
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import experiments, job_states, mlflow_store, runs, snapshot
from helpers.offline.engine.history.statuses import FINAL, STATUS
from helpers.offline.engine.jobs import finish, ranks
from helpers.offline.engine.jobs import outputs as made
from helpers.offline.engine.processes import detached, machine
from helpers.offline.engine.workspace.errors import Invalid, NotFound, WouldNotEnd
from helpers.offline.engine.workspace.names import relative_name, safe_join
from helpers.words import counted

IDENTITY = {  # of the offline workspace, as a job sees it
    "AZUREML_ARM_SUBSCRIPTION": "00000000-0000-0000-0000-000000000000",
    "AZUREML_ARM_RESOURCEGROUP": "offline",
    "AZUREML_ARM_WORKSPACE_NAME": "offline",
}
PATIENCE = 30.0  # seconds that all jobs together have to end
SUPERVISOR = "helpers.offline.engine.jobs.supervisor"  # the process that sees a job's script through
LOST = (
    "The process that supervised the run ended before the run did: it was killed, or the machine was restarted. "
    "What the run had logged and written until then is kept. Submit it again."
)


def submit(
    folder: Path,
    experiment: str,
    job: dict,
    *,
    tags: dict[str, str] | None = None,
    properties: dict[str, str] | None = None,
    display_name: str | None = None,
    description: str | None = None,
    run_type: str | None = None,
    parent_id: str | None = None,
    run_id: str | None = None,
) -> str:
    """Start a job and return its run's id at once; what can be refused is refused before there is a run.

    `job` has source_directory, command (the argument vector, {"input": name} standing for a dataset's path) or shell
    (one line, ${input:name} likewise), script, arguments, target (a cluster's name, "local" or "serverless"),
    environment, environment_variables, inputs, max_run_duration_seconds and, for several processes, distribution (see
    ranks). With snapshot_id, the code is not taken from source_directory again; snapshot_limits are those of
    snapshot.take(). With outputs, folders and files of a datastore are given to the line as ${output:name}, to the
    vector as {"output": name}; in their paths {run-id} stands for it. With parameters, these and the paths of inputs
    and outputs are in the environment. With python_imports, each Python imports these modules as it starts, out of the
    folders python_path.
    A job with a leader runs no script and takes no node, but submits other jobs, which end with it: leader has the
    module of the process that does so, the name of its log among the run's files, and what to tell where it is lost.
    `run_id` is the run's, where the submitter chooses it. Raises NotFound, Invalid, TooLarge and, for a run_id that is
    taken, AlreadyExists.
    """
    check(folder, job)
    snapshot_id = job.get("snapshot_id") or snapshot.take(
        folder, Path(job["source_directory"]), **job.get("snapshot_limits", {})
    )
    experiment_id = experiments.create(folder, experiment)
    run_id = run_id or uuid.uuid4().hex
    leader = job.get("leader")
    kept = {
        **job,
        "outputs": [{**one, "path": one["path"].replace("{run-id}", run_id)} for one in job.get("outputs") or []],
        "snapshot_id": snapshot_id,
        "experiment": experiment,
        "identity": _identity(folder, experiment, experiment_id),
        "logs": [leader["log"]] if leader else ranks.log_names(job),
    }
    with contextlib.ExitStack() as stack:
        lock = job_states.make(folder, run_id, kept)
        stack.callback(os.close, lock)  # the supervisor inherits it
        undo = stack.enter_context(contextlib.ExitStack())
        undo.callback(job_states.discard, folder, run_id)
        # First what tells the job's end, if this process ends here; then the run that others see.
        nodes = 0 if leader else ranks.node_count(job)
        job_states.insert(folder, run_id, job["target"], nodes=nodes, parent_id=parent_id)
        runs.create(
            folder,
            experiment_id,
            display_name=display_name,
            parent_id=parent_id,
            description=description,
            tags=tags or {},
            properties={"ContentSnapshotId": snapshot_id} | (properties or {}),
            status="NotStarted",
            run_type=run_type,
            run_id=run_id,
        )
        undo.pop_all()
        start_supervisor(folder, run_id, lock, leader["module"] if leader else SUPERVISOR)
    return run_id


def _identity(folder: Path, experiment: str, experiment_id: str) -> dict[str, str]:
    """The environment variables that tell a script of the workspace and of its experiment."""
    return {
        **IDENTITY,
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_TRACKING_URI": mlflow_store.tracking_uri(folder),
    }


def check(folder: Path, job: dict) -> None:
    """Refuse what cannot run. Raises NotFound and Invalid."""
    if "snapshot_id" not in job:
        source = Path(job["source_directory"])
        if not source.is_dir():
            raise NotFound(f"The source directory {source} does not exist.")
        if job.get("script") and not safe_join(source, job["script"]).is_file():
            raise NotFound(f"The script {job['script']!r} is not in the source directory {source}.")
    ranks.check(job.get("distribution"))
    if clusters.is_one(job["target"]):
        clusters.check_count(clusters.get(folder, job["target"]), ranks.node_count(job))
    elif job["target"] == clusters.LOCAL and ranks.node_count(job) > 1:
        raise Invalid(f"The run needs {ranks.node_count(job)} nodes, but its target is 'local'. Give a compute target.")
    for given in job["inputs"]:
        data.resolve(folder, given["sources"])
        place_of_input(given)
    for given in job.get("outputs") or []:
        made.check(folder, given)
    limit = job["max_run_duration_seconds"]
    if limit is not None and not (isinstance(limit, (int, float)) and limit > 0):
        raise Invalid(f"max_run_duration_seconds is {limit!r}; give a positive number of seconds.")
    machine.check(job["environment_variables"])
    machine.stage_seconds()
    for word in [job.get("shell", ""), *job.get("command", [])]:
        if not machine.can_be_given(str(word)):
            raise Invalid(
                f"The argument {word!r} cannot be given to a program: use a text without {machine.NEVER_GIVEN}."
            )


def place_of_input(given: dict) -> str:
    """Where an input of a job is laid out, as a path in the run's folder. Raises Invalid where that would leave it.

    A path on the compute that is absolute is kept below the run, too: a node's root is not ours to write to.
    """
    wanted = given.get("path_on_compute")
    if not wanted:
        return f"inputs/{relative_name(given['name'])}"
    if wanted.startswith("/"):
        return f"inputs/_absolute/{relative_name(wanted.lstrip('/'))}"
    return f"{finish.CODE}/{relative_name(wanted)}"


def start_supervisor(folder: Path, run_id: str, lock: int, module: str) -> None:
    log = job_states.run_folder(folder, run_id) / "supervisor.log"
    detached.start(module, (folder, run_id), lock, log)


def look(folder: Path, run_id: str) -> dict | None:
    """The job's state (see job_states.get), None where the run is not a job.

    A job whose supervisor died is brought to its end here: Failed, and why. One whose submission did not come as far
    as making a run is forgotten.
    """
    job = job_states.get(folder, run_id)
    if job is None or job["status"] in FINAL:
        return job
    lock = job_states.take_lock(folder, run_id)
    if lock is None:
        return job
    try:
        job = job_states.get(folder, run_id)  # it may have ended between the two
        if job and job["status"] == "NotStarted" and not runs.exists(folder, run_id):
            job_states.discard(folder, run_id)
            return None
        if job and job["status"] not in FINAL:
            if not job["outcome"]:
                canceled = job["cancel_requested"] and not job["error"]
                lost = job_states.submitted(folder, run_id).get("leader", {}).get("lost", LOST)
                error = job["error"] or {"code": "SystemError", "message": lost}
                finish.end(folder, run_id, "Canceled" if canceled else "Failed", None if canceled else error)
            finish.record(folder, run_id)
            job = job_states.get(folder, run_id)
    finally:
        os.close(lock)
    return job


def details(folder: Path, run_id: str) -> dict:
    """What was submitted, with snapshot_id, and the job's state. Raises NotFound where the run is not a job."""
    state = look(folder, run_id)
    if state is None:
        raise NotFound(f"The run {run_id} was not submitted as a job.")
    return {**job_states.submitted(folder, run_id), **state}


def cancel(folder: Path, run_id: str) -> None:
    """Ask for the end of a job's whole process group, and return at once; a run that is final stays as it is."""
    state = look(folder, run_id)
    if state is not None:
        job_states.request_cancel(folder, run_id)
    elif STATUS[runs.get(folder, run_id).status] not in FINAL:
        runs.set_status(folder, run_id, "Canceled")


def fail(folder: Path, run_id: str, error: dict) -> None:
    """As cancel() of a job, which ends as failed of this error; one that is final stays as it is."""
    state = look(folder, run_id)
    if state is not None and state["status"] not in FINAL:
        job_states.request_cancel(folder, run_id, error)


def cancel_all(folder: Path, target: str | None = None) -> None:
    for job in job_states.unfinished(folder, target):
        if look(folder, job["run_id"]):
            job_states.request_cancel(folder, job["run_id"])


def end_all(folder: Path) -> None:
    """Cancel every job and wait, at most PATIENCE seconds, until all and their supervisors have ended.

    Raises WouldNotEnd.
    """
    deadline = time.monotonic() + PATIENCE
    while left := {
        job["run_id"]
        for job in job_states.unfinished(folder)
        if (state := look(folder, job["run_id"])) and state["status"] not in FINAL
    } | job_states.supervised(folder):
        cancel_all(folder)  # again: what a job had just submitted, too
        if time.monotonic() > deadline:
            raise WouldNotEnd(
                f"{counted(len(left), 'run')} of the offline workspace in {folder} would not end. `make clean` kills "
                "what hangs, and removes the workspace."
            )
        time.sleep(0.05)

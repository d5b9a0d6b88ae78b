"""Do something as often as it has steps, each time killed just before another one of them: FOLDER SOURCE ACTION...

A step is a call of the engine's, or of shutil's, by one of the functions that are named with the action. Each time is a
process of its own, forked from this one. Prints the steps.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

from small_jobs import job_of, submit
from small_services import wanted

from helpers.offline.engine import services
from helpers.offline.engine.assets import model_versions, models
from helpers.offline.engine.history import mlflow_store
from helpers.offline.engine.jobs import submission
from helpers.offline.engine.services import deployments, records, staging
from helpers.offline.engine.workspace import files


def main(folder, source, *actions):
    job_of(source, "print('well')")
    mlflow_store.make(folder)
    for action in actions:
        do, *functions = ACTIONS[action]
        for number in itertools.count(1):
            if not killed_before_step(number, do, functions, folder, source):
                break


def killed_before_step(number, do, functions, folder, source):
    """Whether it came as far as its step of this number, and was killed there."""
    pid = os.fork()
    if not pid:
        sys.settrace(killer(number, {function.__code__ for function in functions}))
        do(folder, source, number)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def killer(number, callers):
    steps = []

    def look(frame, event, argument):
        caller = frame.f_back
        if event == "call" and caller and caller.f_code in callers and is_step(frame.f_code):
            decorated = frame.f_locals.get("function")  # where it is a decorator's frame
            steps.append(getattr(decorated, "__name__", frame.f_code.co_name))
            if len(steps) == number:
                print(steps[-1], flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    return look


def is_step(code):
    return code.co_filename in (shutil.__file__, __file__) or "/offline/engine/" in code.co_filename


def register(folder, source, number):
    (source / "weights").write_text("w")
    models.register(folder, f"model-{number}", source, stored_as="model", version=7)


def delete(folder, source, number):
    models.delete(folder, models.list_all(folder)[0].name, 7)


def deploy(folder, source, number):
    records.start = start
    services.deploy(folder, "ACI", f"service-{number}", wanted(source))


def start(*arguments):
    """In place of the service's process."""


ACTIONS = {
    "submit": (lambda folder, source, number: submit(folder, source, "print('well')"), submission.submit),
    "register": (register, models.register, files.copy_folder, model_versions.add.__wrapped__, models.get),
    "delete": (delete, models.delete),
    "deploy": (deploy, deployments.deploy, staging.stage, files.copy_folder),
}

if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]), *sys.argv[3:])

"""Drills: real failures on the offline workspace, to find and to repair. workshop/drills.ipynb leads through them.

Some change the workspace until they are stopped, such as a quota of zero. The others hand out something that is broken:
a folder, a file, a dataset. On Azure there are none, since what is broken there costs money.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from helpers import backend, costs, display
from helpers.temporary import new_folder
from helpers.words import counted
from helpers.workspace import lesson

BILL_CLOCK = 3600  # times as fast: a second stands for an hour
PREEMPTED_AFTER = 1.5  # seconds from when the run has first kept something
MODEL, SERVICE = "keras-mnist", "keras-mnist-service"  # what the drills break, as notebooks 5 and 8 name it


class DrillError(Exception):
    """The drill cannot be started or stopped; the message says what to do."""


def start(name: str):
    """Start a drill. Returns what it hands out; None where it changes the workspace.

    Raises DrillError for one that there is not, that is on already, or whose lesson was not run; BackendError on Azure.
    """
    engine = backend.offline_drills()
    begin, end = _find(name)
    if not engine.switch(name, True):
        raise DrillError(f"The drill {name!r} is on already. helpers.drills.stop({name!r}) switches it off.")
    try:
        handed_out = begin(engine)
    except BaseException:  # Ctrl-C, too: it may have changed something already
        end(engine)
        engine.switch(name, False)
        raise
    print(f"The drill {name!r} is on. helpers.drills.stop({name!r}) switches it off.")
    return handed_out


def stop(name: str) -> None:
    """Switch a drill off; what it has changed in the workspace is as before. Raises DrillError where it is not on."""
    engine = backend.offline_drills()
    _, end = _find(name)
    if name not in engine.on():
        raise DrillError(f"The drill {name!r} is not on. On are: {', '.join(engine.on()) or 'none'}.")
    end(engine)
    engine.switch(name, False)
    print(f"The drill {name!r} is off.")


def on() -> list[str]:
    """The drills that are on in the workspace."""
    return backend.offline_drills().on()


def bill(cluster, seconds: float = 10) -> float:
    """Show for some seconds what a cluster's machines cost, an hour each second; returns the US dollars."""
    price = costs.bound(cluster.vm_size, 1, 3600)
    if price is None:
        raise DrillError(
            f"There is no price for {cluster.vm_size} here; {costs.VARIABLE} takes a file of your own prices."
        )
    dollars, handle, began = 0.0, None, time.monotonic()
    told = "after 0 hours: 0.00 USD"
    for hour in range(1, round(seconds) + 1):
        time.sleep(max(0.0, began + hour - time.monotonic()))
        nodes = cluster.get_status().current_node_count
        dollars += nodes * price
        told = f"after {counted(hour, 'hour')}: {dollars:.2f} USD, and {counted(nodes, 'machine')} on"
        if display.in_notebook():
            handle = display.show({"text/plain": told}, handle=handle)
    if handle is None:
        print(told)
    return dollars


def _find(name: str) -> tuple[Callable, Callable]:
    if name not in DRILLS:
        raise DrillError(f"There is no drill {name!r}. There are: {', '.join(DRILLS)}.")
    return DRILLS[name]


def _nothing(engine) -> None:
    """The end of a drill that has only handed something out."""


def _without(fault: str) -> Callable:
    """The end of a drill that has put a fault into the workspace."""
    return lambda engine: engine.put(fault, None)


def _quota(engine) -> None:
    engine.take_gpu_quota()


def _script(engine) -> Path:
    """The training script's folder, in which somebody has just improved the logging."""
    from helpers.training import stage_training_script

    folder = stage_training_script()
    path = folder / "keras_mnist.py"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if 'tracking.log({"Training loss"' in line)
    added = 'tracking.log({"Loss for each epoch left": float(logs["val_loss"]) / (3 - step)}, step)'
    lines.insert(at + 1, lines[at].replace(lines[at].strip(), added))
    path.write_text("".join(lines), encoding="utf-8")
    return folder


def _environment(engine) -> Path:
    """A conda file with a version that nobody has published."""
    from helpers.training import stage_training_script

    path = stage_training_script() / "conda_dependencies.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.rstrip() + "\n  - numpy==99.1\n", encoding="utf-8")
    return path


def _labels(engine) -> Path:
    """A folder with MNIST in which the training labels are in another order than their images."""
    import gzip

    import numpy as np

    from helpers import REPOSITORY, mnist

    folder = new_folder("mnist-from-a-colleague")
    shutil.copytree(REPOSITORY / "data" / "mnist", folder, dirs_exist_ok=True)
    path = folder / "train-labels-idx1-ubyte.gz"
    labels = np.random.default_rng(0).permutation(mnist.read_idx(path))
    with gzip.open(path, "wb") as file:
        file.write(b"\0\0\x08\x01" + len(labels).to_bytes(4, "big") + labels.tobytes())
    return folder


def _tampered(engine) -> None:
    if not _workspace().models.get(MODEL):
        raise DrillError(f"The drill needs the model {MODEL!r}: run {lesson('05_register.ipynb')} first.")
    engine.tamper(MODEL, "model.keras")


def _untampered(engine) -> None:
    engine.repair()


def _leaked(engine) -> Callable[[], int]:
    """A stranger who has the service's primary key: asks the service with it, and returns the status of the answer."""
    import requests

    service = _workspace().webservices.get(SERVICE)
    if service is None:
        raise DrillError(f"The drill needs the service {SERVICE!r}: run {lesson('08_deploy.ipynb')} first.")
    address, key = service.scoring_uri, service.get_keys()[0]

    def stranger() -> int:
        body = {"data": [[0.0] * 784]}
        return requests.post(address, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=60).status_code

    for _ in range(20):
        stranger()
    return stranger


def _preemption(engine) -> None:
    engine.put("preemption", PREEMPTED_AFTER)


def _bill(engine) -> None:
    engine.put("clock", BILL_CLOCK)


def _unscaled(engine) -> Path:
    """The service's entry script, from which somebody has taken the look at the range of the pixels."""
    from helpers import REPOSITORY

    folder = new_folder("scoring-without-a-check")
    shutil.copytree(REPOSITORY / "scripts" / "scoring", folder, dirs_exist_ok=True)
    path = folder / "score.py"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if "images.max() > 1" in line)
    path.write_text("".join(lines[:at] + lines[at + 2 :]), encoding="utf-8")
    return folder


def _workspace():
    from azureml.core import Workspace

    return Workspace.from_config()


# By its name: what begins the drill, and what ends it.
DRILLS: dict[str, tuple[Callable, Callable]] = {
    "quota": (_quota, _without("quota")),
    "script": (_script, _nothing),
    "environment": (_environment, _nothing),
    "labels": (_labels, _nothing),
    "tampered-model": (_tampered, _untampered),
    "leaked-key": (_leaked, _nothing),
    "preemption": (_preemption, _without("preemption")),
    "bill": (_bill, _without("clock")),
    "unscaled": (_unscaled, _nothing),
}

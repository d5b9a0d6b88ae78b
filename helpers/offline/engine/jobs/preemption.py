"""Taking a node of low priority away from its run, which Azure does when others need it. Here only a drill does."""

import time
from pathlib import Path

from helpers.offline.engine.compute import clusters
from helpers.offline.engine.workspace import faults

MESSAGE = (
    "The node was preempted: it is of low priority, and was taken away from the run. What the run had logged and "
    "written to outputs until then is kept. No other node is to be had; submit the run again."
)


class Preemption:
    """When the node of one run is taken away: `after` seconds from when it has first written something to keep."""

    def __init__(self, folder: Path, target: str, outputs: Path):
        self.outputs, self.written = outputs, None
        low = clusters.is_one(target) and clusters.get(folder, target).get("vm_priority") == "LowPriority"
        self.after = faults.get(folder, "preemption") if low else None

    def is_due(self) -> bool:
        if self.after is None:
            return False
        if self.written is None and any(path.is_file() for path in self.outputs.rglob("*")):
            self.written = time.monotonic()
        return self.written is not None and time.monotonic() - self.written >= self.after

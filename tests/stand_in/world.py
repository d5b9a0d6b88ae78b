"""What the stand-in's workspace holds: plain dicts, and a folder of files."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .names import STORAGE

ARTIFACTS = "azureml"


class World:
    """An empty workspace; its files are kept in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment: dict[str, str] = {}  # variables of the processes that are started here
        self.blobs = folder / "blobs"  # container / path
        self.blobs.mkdir(parents=True)
        self.blocks: dict[tuple, bytes] = {}  # parts of blobs that are not whole yet
        self.unknown: list[str] = []  # what was asked for and nothing answers
        self.failed: list[str] = []  # tracebacks of the stand-in's own errors
        self.experiments: dict[str, dict] = {}  # by name
        self.runs: dict[str, dict] = {}  # by id, in the order that they were made in
        self.metrics: dict[str, dict[str, dict]] = {}  # by run, by name
        self.computes: dict[str, dict] = {}  # by name
        self.snapshots: dict[str, dict[str, Path]] = {}  # by id: the files of each, by name
        self.environments: dict[str, list[dict]] = {}  # by name, the versions in their order
        self.processes: dict[str, list] = {}  # of runs, by id
        self.assets: dict[str, dict] = {}  # what models are made of, by id
        self.models: dict[str, dict] = {}  # by name:version
        self.services: dict[str, dict] = {}  # by name; what is of no client's concern begins with "_"
        self.operations: dict[str, dict] = {}  # on services, by id
        self.saved: dict[str, dict] = {}  # definitions of datasets, by id
        self.datasets: dict[str, dict] = {}  # by name; "versions" are the ids of their definitions

    def experiment_of(self, run: dict) -> str:
        return next(one["name"] for one in self.experiments.values() if one["experimentId"] == run["experimentId"])

    # Files of runs and of models

    def artifact_file(self, container: str, path: str, origin: str = "ExperimentRun") -> Path:
        return self.blobs / ARTIFACTS / origin / container / path.lstrip("/")

    def artifacts_of(self, container: str, origin: str = "ExperimentRun") -> list[str]:
        """The names of the files; a log is one of them once it says something."""
        top = self.blobs / ARTIFACTS / origin / container
        files = [
            path for path in top.rglob("*") if path.is_file() and (path.stat().st_size or "user_logs" not in path.parts)
        ]
        return sorted(path.relative_to(top).as_posix() for path in files)

    def address(self, path: str, origin: str = "ExperimentRun") -> str:
        """The address to read or write an artifact at, with a signature."""
        return f"https://{STORAGE}/{ARTIFACTS}/{origin}/{path}?sv=2019-07-07&sig=signature&se=2999-01-01"

    def blob_at(self, address: str) -> Path:
        """The file that is kept at an address of this workspace's storage."""
        return self.blobs / unquote(urlsplit(address).path.lstrip("/"))

    # Processes of runs

    def end_processes(self, run_id: str) -> None:
        for process in self.processes.get(run_id, ()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def in_background(self, fail: Callable, function: Callable, *arguments) -> None:
        """Call function(world, *arguments) in a thread. What it raises is noted in `failed`, and `fail` is called,
        which tells those who wait for the end."""

        def call():
            try:
                function(self, *arguments)
            except Exception:
                self.failed.append(traceback.format_exc())
                print(self.failed[-1], file=sys.stderr)  # a test that waits for the end fails first, and shows this
                fail()

        threading.Thread(target=call, daemon=True).start()

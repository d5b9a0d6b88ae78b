"""Calls on one of the two SDKs, in a process of its own.

As a script it is that process: a JSON request a line on stdin, [scenario, arguments], and a JSON answer a line on
stdout: {"value": …} or {"error": class, "message": …}. Scenarios are the functions of scenarios.py and
sweep_scenarios.py.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path


class Side:
    """A process that runs scenarios on the SDK found behind `first` on sys.path ("" for the installed one)."""

    def __init__(self, first, folder):
        self._log = Path(folder, "stderr.txt").open("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=folder,
            env={**os.environ, "AZUREML_OFFLINE_FOLDER": str(Path(folder) / "workspace")},
        )

    def call(self, scenario, *arguments):
        self._process.stdin.write(json.dumps([scenario, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._log.seek(0)
            raise RuntimeError(f"{scenario} ended its process:\n{self._log.read()}")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._log.close()


def serve():
    if sys.argv[1]:
        sys.path.insert(0, sys.argv[1])
    warnings.simplefilter("ignore")
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        import scenarios
        import sweep_scenarios

        known = vars(scenarios) | vars(sweep_scenarios)
        logging.basicConfig(stream=sys.stderr)
        for line in sys.stdin:
            name, arguments = json.loads(line)
            print(json.dumps(answer(known[name], arguments)), file=answers, flush=True)


def answer(scenario, arguments):
    try:
        return {"value": scenario(*arguments)}
    except Exception as error:
        message = getattr(error, "message", None) or str(error)
        return {
            "error": type(error).__name__,
            "sdk": type(error).__module__.startswith("azureml.exceptions"),
            "message": message,
        }


if __name__ == "__main__":
    serve()

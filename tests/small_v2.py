"""Small jobs of SDK v2 for tests: a script as a command job, and the wait for its end."""

import textwrap
import time
from pathlib import Path

from azure.ai.ml import command
from azure.ai.ml.entities import AmlCompute, Environment

from helpers.looks import FINAL

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"


def make_cluster(ml_client, name="cpu", most=2):
    cluster = AmlCompute(name=name, size="STANDARD_DS3_V2", min_instances=0, max_instances=most)
    return ml_client.compute.begin_create_or_update(cluster).result()


def make_environment(ml_client, name="small", packages=("numpy",)):
    specification = {"name": name, "dependencies": ["python=3.11", "pip", {"pip": list(packages)}]}
    return ml_client.environments.create_or_update(Environment(name=name, image=IMAGE, conda_file=specification))


def script_job(script, line="python script.py", folder="source", **details):
    """A command job of a Python script, which is written into a folder below the working directory."""
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / "script.py").write_text(textwrap.dedent(script), encoding="utf-8")
    return command(**{"code": folder, "command": line, "compute": "cpu", "environment": "small@latest"} | details)


def wait_for(ml_client, name, *statuses, seconds=120):
    """The job once its status is one of `statuses`, by default a final one."""
    wanted, deadline = statuses or FINAL, time.monotonic() + seconds
    while (job := ml_client.jobs.get(name)).status not in wanted:
        assert job.status not in FINAL, f"ended as {job.status}"
        assert time.monotonic() < deadline, f"{name} is {job.status}: not within {seconds} s"
        time.sleep(0.05)
    return job

"""The workspace by SDK v2, and what earlier notebooks made in it."""

import logging

from helpers.azure_problems import explained
from helpers.looks import FINAL, until_final
from helpers.workspace import NotMadeYet

NAMES = ("subscription_id", "resource_group_name", "workspace_name")
POLL = (1.0, 5.0)  # seconds between two looks at a job: at first, and later


def ml_client(**names: str):
    """The MLClient of the workspace that config.json names, after saying which it is.

    `names` take the place of config.json's: subscription_id, resource_group_name, workspace_name.
    Raises AzureProblem, which says what to do, where the login, config.json or Azure stand in the way.
    """
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    # The client warns of classes of its own that it calls experimental, and tells of each download.
    logging.getLogger("azure.ai.ml").setLevel(logging.WARNING)
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    with explained():
        credential = DefaultAzureCredential(exclude_interactive_browser_credential=False)
        if len(names) < len(NAMES):
            client = MLClient.from_config(credential, show_progress=False)
            names = names and {name: getattr(client, name) for name in NAMES} | names
        if names:
            client = MLClient(credential, show_progress=False, **names)
        workspace = client.workspaces.get(client.workspace_name)
    print(f"Workspace {workspace.name}, resource group {workspace.resource_group}, location {workspace.location}")
    return client


def finished_job(client, experiment_name: str):
    """The newest completed job of the experiment; one that still runs is waited for. Raises NotMadeYet."""
    for job in client.jobs.list():
        if job.experiment_name != experiment_name:
            continue
        if job.status not in FINAL:
            print(f"The job {job.display_name} is {job_status(job)}; waiting for it.")
            *_, job = until_final(lambda _, name=job.name: client.jobs.get(name), lambda job: job.status, POLL)
        if job.status == "Completed":
            return job
    raise NotMadeYet(f"The experiment {experiment_name!r} has no completed job.", "04_train.ipynb")


def job_status(job) -> str:
    """The job's status in Azure ML's word, such as Running, where the client has a member of an enumeration."""
    return getattr(job.status, "value", job.status)

"""What the checks of the lessons on version 2 look with, beside what those of version 1 do."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.checks.looking import NotYet, entry, given, require, value
from helpers.looks import FINAL
from helpers.workspace_v2 import job_status

ARCHIVED_ONLY = "ArchivedOnly"  # azure.ai.ml.constants.ListViewType, which takes long to import


def client(variables: Mapping[str, object]):
    """The client that the notebook is connected with. Raises NotYet."""
    from azure.ai.ml import MLClient

    found = given(variables, "ml_client")
    require(isinstance(found, MLClient), "`ml_client` is no longer a client: run the notebook's first cells again.")
    return found


def in_workspace(get: Callable[[], object], sentence: str):
    """What `get` finds in the workspace; where it is not there, NotYet with the sentence."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return get()
    except ResourceNotFoundError:
        raise NotYet(sentence) from None


def versions(ml_client, kind: str, name: str, missing: str) -> list:
    """The listed versions of an asset of a kind, such as `models`, the newest first.

    Raises NotYet: with `missing` where there is none, and with how one comes back where all are archived.
    """
    found = in_workspace(lambda: list(getattr(ml_client, kind).list(name=name)), missing)
    if not found:
        raise NotYet(_why_none_is_listed(ml_client, kind, name) or missing)
    for asset in found:
        counted = f"`{name}` has a version {asset.version!r}. Archive it: here versions are whole numbers."
        require(asset.version.isdecimal(), counted)
    return _newest_first(found)


def archived(ml_client, kind: str, name: str) -> list:
    """The versions of an asset that are not listed, the newest first, without those that are no whole number."""
    found = getattr(ml_client, kind).list(name=name, list_view_type=ARCHIVED_ONLY)
    return _newest_first(asset for asset in found if asset.version.isdecimal())


def restored(kind: str, name: str, version: str | None = None) -> str:
    """The call that brings an archived version back, or all that were archived with no version told."""
    return f'`ml_client.{kind}.restore("{name}"' + (f', version="{version}")`' if version else ")`")


def job_of(variables: Mapping[str, object], name: str):
    """The job that the variable is, as it is now. Raises NotYet."""
    from azure.ai.ml.entities import Job

    told = value(variables, name)
    submitted = isinstance(told, Job) and told.status
    require(submitted, f"`{name}` is no job that was submitted; `ml_client.jobs.create_or_update` returns one.")
    return client(variables).jobs.get(told.name)


def ended_job(variables: Mapping[str, object], name: str, status: str):
    """The job that the variable is, which has ended with the status. Raises NotYet."""
    job = job_of(variables, name)
    now = job_status(job)
    waiting = f"The job is {now}. Wait for its end with `ml_client.jobs.stream({name}.name)`, then check again."
    require(now in FINAL, waiting)
    require(now == status, f"The job is {now}; it should end as {status}. `stream` shows its log.")
    return job


def log_of(ml_client, job_name: str) -> str:
    """The log that the job's script has written."""
    with tempfile.TemporaryDirectory() as place:
        ml_client.jobs.download(job_name, download_path=place)
        return "\n".join(path.read_text(errors="replace") for path in Path(place).rglob("std_log.txt"))


def input_of(job, name: str) -> str:
    """What the job was given for an input. Raises NotYet where it has no such input."""
    inputs = described(job).get("inputs") or {}
    return str(entry(inputs, name, f"The job has no input `{name}`: describe it as notebook 4 does."))


def described(job) -> dict:
    """A job as its YAML has it: the form that tells the values of inputs, and where they come from."""
    import yaml

    return yaml.safe_load(str(job))


def _why_none_is_listed(ml_client, kind: str, name: str) -> str | None:
    """That an asset, or each of its versions, is archived, and how it comes back; None where there is no such asset."""
    if name in [asset.name for asset in getattr(ml_client, kind).list(list_view_type=ARCHIVED_ONLY)]:
        return f"`{name}` is archived, with all its versions. {restored(kind, name)} brings it back."
    if hidden := archived(ml_client, kind, name):
        newest = restored(kind, name, hidden[0].version)
        return f"All versions of `{name}` are archived. {newest} brings the newest back."
    return None


def _newest_first(assets) -> list:
    return sorted(assets, key=lambda asset: int(asset.version), reverse=True)

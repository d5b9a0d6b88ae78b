"""The verbs for jobs."""

import contextlib
import itertools
import json
import sys

import click

from helpers.ml.shared import ANY_NAME, FILE, LISTED, NAME, NO_WAIT, SET, Group, change, command, load, view, waited


@click.group(cls=Group)
def job() -> None:
    """Command jobs, sweeps and pipelines."""


STREAM = click.option("-s", "--stream", is_flag=True, help="Follow the log until the job has ended.")


@command(job, "create", FILE, SET, ANY_NAME, STREAM)
def create_job(client, file, overrides, name, stream):
    """Submit the job that a YAML file describes; prints it with its name."""
    created = client.jobs.create_or_update(load("load_job", file, overrides, name=name))
    if stream:
        _follow(client, created.name)
        created = client.jobs.get(created.name)
    return created


@command(job, "stream", NAME)
def stream_job(client, name):
    """Follow a job's log until it has ended. Fails where the job does."""
    _follow(client, name)


def _follow(client, name: str) -> None:
    with contextlib.redirect_stdout(sys.stderr) if not sys.stdout.isatty() else contextlib.nullcontext():
        client.jobs.stream(name)


@command(job, "show", NAME)
def show_job(client, name):
    """One job."""
    return client.jobs.get(name)


@command(
    job,
    "list",
    click.option("-p", "--parent-job-name", help="List the jobs below this one: a sweep's trials, a pipeline's steps."),
    *LISTED,
)
def list_jobs(client, parent_job_name, archived_only, include_archived, max_results):
    """The jobs, the newest first."""
    wanted = view(archived_only, include_archived)
    return itertools.islice(client.jobs.list(parent_job_name=parent_job_name, list_view_type=wanted), max_results)


@command(
    job,
    "download",
    NAME,
    click.option("--output-name", help="A named output; without it, what is in outputs/ and the logs."),
    click.option("--all", "everything", is_flag=True, help="Named outputs, too."),
    click.option("-p", "--download-path", type=click.Path(file_okay=False), default=".", help="Where the files go."),
)
def download_job(client, name, output_name, everything, download_path):
    """A job's files."""
    client.jobs.download(name, download_path=download_path, output_name=output_name, all=everything)


@command(job, "validate", FILE, SET)
def validate_job(client, file, overrides):
    """Check the job that a YAML file describes, without submitting it; prints what the client finds.

    Fails where that is an error.
    """
    found = client.jobs.validate(load("load_job", file, overrides))
    if not found.passed:
        raise click.ClickException(str(found))
    return json.loads(str(found))


@command(job, "update", NAME, SET)
def update_job(client, name, overrides):
    """Change the description or display name of a job, or add tags: --set tags.stage=tested."""
    return client.jobs.create_or_update(change(client.jobs.get(name), overrides))


@command(job, "archive", NAME)
def archive_job(client, name):
    """Hide it from lists. Whoever names it still finds it."""
    client.jobs.archive(name)


@command(job, "restore", NAME)
def restore_job(client, name):
    """Show it in lists again."""
    client.jobs.restore(name)


@command(job, "cancel", NAME, NO_WAIT)
def cancel_job(client, name, no_wait):
    """End a job, and wait until it has ended."""
    waited(client.jobs.begin_cancel, name, no_wait=no_wait)

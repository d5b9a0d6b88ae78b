"""What all verbs of the command `ml` share: their options, their errors, and how a YAML file is read."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import jmespath
import yaml

import helpers
from helpers.ml import output
from helpers.workspace_v2 import NAMES


class Group(click.Group):
    """A group of commands that says which there are when it is asked for another."""

    def resolve_command(self, ctx, args):
        if args and self.get_command(ctx, args[0]) is None:
            there = ", ".join(self.list_commands(ctx))
            ctx.fail(f"There is no `{ctx.command_path} {args[0]}`. There are: {there}.")
        return super().resolve_command(ctx, args)


def _is_query(ctx: click.Context, option: click.Parameter, query: str | None) -> str | None:
    try:
        if query is not None:
            jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as error:
        raise click.BadParameter(f"It is no JMESPath, as https://jmespath.org tells it: {error}") from None
    return query


def _ask(ctx: click.Context, option: click.Parameter, yes: bool) -> None:
    if not yes:
        click.confirm("Are you sure? The option --yes answers this", abort=True, err=True)


YES = click.option("-y", "--yes", is_flag=True, expose_value=False, callback=_ask, help="Do not ask.")
OUTPUT = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(tuple(output.WRITERS)),
    default="json",
    show_default=True,
    help="The form.",
)
QUERY = click.option(
    "--query", metavar="JMESPATH", callback=_is_query, help="Write this part of the answer: name, tags.purpose."
)
WORKSPACE = (
    click.option("-g", "--resource-group", "resource_group_name", help="The workspace's, in place of config.json's."),
    click.option("-w", "--workspace-name", help="In place of config.json's."),
    click.option("--subscription", "subscription_id", help="In place of config.json's."),
)
NAME = click.option("-n", "--name", required=True, help="Its name.")
ANY_NAME = click.option("-n", "--name", help="Its name, in place of the file's.")
LISTED_NAME = click.option("-n", "--name", help="List the versions of this one.")
VERSION = click.option("-v", "--version", help="Its version.")
LABEL = click.option("-l", "--label", help="A label in place of the version: latest.")
ENDPOINT = click.option("-e", "--endpoint-name", "--endpoint", required=True, help="The endpoint's name.")
ANY_ENDPOINT = click.option("-e", "--endpoint-name", "--endpoint", help="The endpoint's name, in place of the file's.")
LISTED = (
    click.option("--archived-only", is_flag=True, help="List what is archived."),
    click.option("--include-archived", is_flag=True, help="List that, too."),
    click.option("-r", "--max-results", type=click.IntRange(1), help="List the first so many."),
)
YAML = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE = click.option("-f", "--file", required=True, type=YAML, help="The YAML file.")
ANY_FILE = click.option("-f", "--file", type=YAML, help="The YAML file, where the options do not say it all.")
NO_WAIT = click.option("--no-wait", is_flag=True, help="Do not wait for the end.")


def SET(function: Callable) -> Callable:
    """The option --set, which as with `az` may be given several values, `--set a=1 b=2`."""
    option = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Replace a value of the file: inputs.epochs=5.",
    )
    return option(click.argument("further", metavar="", nargs=-1)(function))


def command(group: click.Group, name: str, *options: Callable) -> Callable:
    """Make a function a command: it is given the client, and what it returns is written in the form that -o names."""

    def decorate(function: Callable) -> Callable:
        @click.pass_context
        @functools.wraps(function)
        def run(ctx: click.Context, form: str, query: str | None, **given: Any) -> None:
            if "further" in given:
                given["overrides"] += given.pop("further")
            names = {name: given.pop(name) for name in NAMES}
            with _told():
                answer = function(ctx.obj(**{name: text for name, text in names.items() if text}), **given)
                if answer is not None and (text := output.text(answer, form, query)):
                    click.echo(text)

        for option in (*reversed(WORKSPACE), QUERY, OUTPUT, *reversed(options)):
            run = option(run)
        return group.command(name)(run)

    return decorate


def view(archived_only: bool, include_archived: bool) -> str:
    """The list_view_type of a list."""
    return "ArchivedOnly" if archived_only else "All" if include_archived else "ActiveOnly"


def waited(begin: Callable, *given: Any, no_wait: bool = False, **named: Any) -> Any:
    """What an operation of the client's ends with that is begun here; with `no_wait` nothing, while it goes on.

    The dots that the client prints from then on go to stderr: stdout is for the answer.
    """
    with contextlib.redirect_stdout(sys.stderr):
        poller = begin(*given, **named)
        if not no_wait:
            return poller.result()
    click.echo("It has begun, and goes on without this command; `show` tells how far it is.", err=True)
    return None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is refused is told in its own words, without a traceback; a fault of ours keeps its traceback."""
    try:
        with helpers.explained():
            yield
    except Exception as error:
        if not _is_refusal(error):
            raise
        raise click.ClickException(str(getattr(error, "message", None) or error).strip()) from error


def _is_refusal(error: Exception) -> bool:
    from azure.core.exceptions import AzureError
    from marshmallow import ValidationError

    told = (
        AzureError,
        ValidationError,
        OSError,
        NotImplementedError,
        yaml.YAMLError,
        jmespath.exceptions.JMESPathError,
    )
    return type(error).__module__.startswith("helpers.") or isinstance(error, told)


def load(loader: str, file: Path | None, overrides: tuple[str, ...], **more: Any) -> Any:
    """What the YAML file and `more` describe, with values replaced.

    Raises click.UsageError for a KEY=VALUE that is none.
    """
    import azure.ai.ml

    replaced = [_assignment(text) for text in overrides]
    replaced += [{name: value} for name, value in more.items() if value is not None]
    return getattr(azure.ai.ml, loader)(source=file, params_override=replaced)


def change(thing: Any, overrides: tuple[str, ...]) -> Any:
    """Replace values of a thing, which is returned. Raises click.UsageError for those that it does not have."""
    for key, value in (pair for text in overrides for pair in _assignment(text).items()):
        *above, last = key.split(".")
        place = thing
        for word in above:
            if _value(place, word) is None:
                _replace(place, word, {}, key)
            place = _value(place, word)
        _replace(place, last, value, key)
    return thing


def _value(place: Any, name: str) -> Any:
    return place.get(name) if type(place) is dict else getattr(place, name, None)  # some jobs are dicts of another kind


def _replace(place: Any, name: str, value: Any, key: str) -> None:
    if type(place) is dict:
        place[name] = value
        return
    try:
        if not hasattr(type(place), name):  # a job has whatever attribute one asks it for
            vars(place)[name]
        setattr(place, name, value)
    except (AttributeError, KeyError, TypeError):
        raise click.UsageError(f"There is no {key} to set.") from None


def _assignment(text: str) -> dict:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--set takes KEY=VALUE, such as inputs.epochs=5, not {text!r}.")
    return {key: yaml.safe_load(value)}

"""What the command `ml` writes: things of a workspace as JSON, YAML or a table."""

import io
import json
from collections.abc import Iterable
from enum import Enum
from typing import Any

import jmespath
import yaml

# The columns of a table, where what is listed has them.
COLUMNS = ("name", "version", "display_name", "type", "status", "provisioning_state", "size", "experiment_name")
COLUMNS += ("auth_mode", "endpoint_name", "model", "latest_version")
# What the workspace says of a thing. (A job has whatever attribute one asks it for; texts alone are meant.)
STATE = ("name", "version", "display_name", "experiment_name", "status", "provisioning_state", "scoring_uri")
STATE += ("description",)


def text(answer: Any, form: str, query: str | None = None) -> str:
    """What the client answers, or what a query takes of it, in a form of WRITERS; empty where it finds nothing."""
    value = plain(answer)
    if query:
        value = jmespath.search(query, value)
        if value is None:
            return ""
        if form == "table":
            return as_table(value, columns=None)
    return WRITERS[form](value)


def plain(answer: Any) -> Any:
    """What the client answers, in dicts, lists, texts and numbers: a thing by its own dump(), a list of each."""
    if hasattr(answer, "dump"):
        stream = io.StringIO()
        returned = answer.dump(stream)  # an endpoint returns what others write
        return _with_state(answer, _named(yaml.safe_load(stream.getvalue())) or plain(returned))
    if isinstance(answer, dict):
        return {name: plain(value) for name, value in answer.items()}
    if isinstance(answer, Iterable) and not isinstance(answer, str):
        return [plain(item) for item in answer]
    return answer


def _named(value: Any) -> Any:
    """A dump with the service's words in place of the client's for them: User, where it writes CreatedByType.USER."""
    if isinstance(value, dict):
        return {name: _named(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_named(one) for one in value]
    if isinstance(value, str) and value.startswith("CreatedByType."):
        return value.partition(".")[2].title().replace("_", "")
    return value


def _with_state(thing: Any, dumped: dict) -> dict:
    """What a thing is called and how it is, then the rest of its dump."""
    state = {name: getattr(thing, name, None) for name in STATE}
    state = {name: value.value if isinstance(value, Enum) else value for name, value in state.items()}
    state = {name: value for name, value in state.items() if isinstance(value, str)}
    if getattr(thing, "tags", None):
        state["tags"] = dict(thing.tags)  # a command job's dump has them in its component alone
    return state | {name: value for name, value in dumped.items() if name not in state}


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def as_yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False).rstrip()


def as_table(value: Any, columns: Iterable[str] | None = COLUMNS) -> str:
    """Rows of what is listed, or a row for each of one thing's own figures and texts; with no columns, all of them."""
    if isinstance(value, dict):
        rows = [[name, str(text)] for name, text in value.items() if not isinstance(text, (dict, list))]
        return _aligned(["Name", "Value"], rows)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return as_tsv(value)
    columns = columns or dict.fromkeys(name for item in value for name in item if _is_shown(item[name]))
    shown = [name for name in columns if any(name in item for item in value)]
    rows = [["" if item.get(name) is None else str(item[name]) for name in shown] for item in value]
    return _aligned([name.replace("_", " ").capitalize() for name in shown], rows) if rows else "There are none."


def _is_shown(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def as_tsv(value: Any) -> str:
    """A line for each of what is listed, its values with tabs between, in the form that `az` has for scripts."""
    return "\n".join("\t".join(_cells(item)) for item in (value if isinstance(value, list) else [value]))


def _cells(item: Any) -> list[str]:
    if isinstance(item, bool):
        return [str(item).lower()]
    values = item.values() if isinstance(item, dict) else item if isinstance(item, list) else [item]
    return ["" if isinstance(one, dict) else str(len(one)) if isinstance(one, list) else str(one) for one in values]


def _aligned(heading: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    lines = [heading, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


WRITERS = {"json": as_json, "table": as_table, "tsv": as_tsv, "yaml": as_yaml, "none": lambda _: ""}

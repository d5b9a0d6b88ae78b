"""Write docs/offline-coverage-v2.md: which public methods of azure-ai-ml's MLClient are supported offline.

It is made of the methods that the installed azure-ai-ml has, and of the tables of calls in tests/contract/v2_calls.py,
each of which a test makes.
"""

import importlib
import importlib.metadata
import sys
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "offline-coverage-v2.md"
TESTS = [str(ROOT / "tests" / "contract"), str(ROOT / "tests")]

INTRODUCTION = """\
# What the offline workspace answers from SDK v2

SDK v2 is Microsoft's own `azure-ai-ml` {version}, unchanged, even offline: the requests that it sends to Azure
are answered in the same process. So names, labels, YAML, uploads, pagers, pollers, streams, downloads and their errors
are the real ones; this page lists which methods of `MLClient` get an answer.

What is not supported raises an error that names the call and this page, and nothing is sent. There is one workspace,
which answers to any subscription, resource group and name that a client is created with; credentials are accepted, but
not used. `use_backend("azure")` sends the same calls to Azure.

SDK v1 uses the same workspace; what each of them sees of the other's is told in
[From SDK v1 to SDK v2](v1-to-v2.md#an-existing-workspace).

A job without a compute, or on `serverless`, has its nodes at once, however many it asks for; a sweep there runs as many
trials at once as this machine has cores.

`jobs.create_or_update` of a job that was fetched adds tags and removes none, as on Azure
([#30671](https://github.com/Azure/azure-sdk-for-python/issues/30671)): the client sends a PATCH to the run history.

In a job, `mlflow.<flavor>.log_model` of MLflow 3 fails, as it does on Azure, which has no endpoint `logged-models` and
answers 404 ([#44896](https://github.com/Azure/azure-sdk-for-python/issues/44896)). Offline, the error says the same,
and what to do: call `save_model` with a path below `outputs/` instead, and register the model from the files of the
job. With `mlflow.autolog()` the training completes, with a warning and without a model; pass `log_models=False`.

`make coverage-table` generates this page from the calls that the tests make, each of them once.

| Group | Supported | Of |
|---|--:|--:|
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as Markdown."""
    from azure.ai.ml import MLClient

    calls = _calls()
    groups = calls.groups(MLClient)
    lines = [INTRODUCTION.format(version=importlib.metadata.version("azure-ai-ml")).rstrip("\n")]
    for group, methods in groups.items():
        count = sum(f"{group}.{method}" in calls.SUPPORTED for method in methods)
        name = f"[{group}](#{group})" if count else group
        lines.append(f"| {name} | {count} | {len(methods)} |")
    for group, methods in groups.items():
        if any(f"{group}.{method}" in calls.SUPPORTED for method in methods):
            lines += ["", f"## {group}", "", "| Method | Offline |", "|---|---|"]
            lines += [f"| `{method}()` | {_verdict(calls, f'{group}.{method}')} |" for method in methods]
    return "\n".join(lines) + "\n"


def _verdict(calls, name: str) -> str:
    if name in calls.SUPPORTED:
        limits = "; ".join(calls.LIMITS.get(name, ()))
        return f"partly; not supported: {limits}" if limits else "yes"
    return "**not supported**"


def _calls():
    """The tables of calls, out of the tests."""
    sys.path[:0] = TESTS
    try:
        return importlib.import_module("v2_calls")
    finally:
        del sys.path[: len(TESTS)]


if __name__ == "__main__":
    main()

"""What scripts/run_notebooks.py is made of: a module for each step, from the command line to the report."""

from helpers.imports import quick_import

with quick_import():
    import nbformat  # noqa: F401 - here, before a module imports it at length


class UsageError(Exception):
    """What was asked for cannot be run; the message says why and what can."""

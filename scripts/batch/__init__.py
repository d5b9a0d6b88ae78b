"""What scripts/run_notebooks.py is made of: a module for each step, from the command line to the report."""


class UsageError(Exception):
    """What was asked for cannot be run; the message says why and what can."""

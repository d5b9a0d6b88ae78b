"""Jobs: submitting, looking at and canceling them (the functions below); and runs as Azure ML tells them (run_records).

Each job has a process that sees it through (supervisor), in one or several ranks, to its end (finish).
"""

from helpers.offline.engine.jobs.submission import cancel, cancel_all, details, end_all, fail, look, submit

__all__ = ["cancel", "cancel_all", "details", "end_all", "fail", "look", "submit"]

"""Sweeps: one job, tried with many hyperparameters, which are drawn (sampling) and given up on (policies).

A process of its own leads each (controller).
"""

from helpers.offline.engine.sweeps.submission import check, submit

__all__ = ["check", "submit"]

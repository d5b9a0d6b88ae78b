"""Pipelines: several jobs, of which each begins when those have ended whose outputs it reads.

A process of its own leads each (controller).
"""

from helpers.offline.engine.pipelines.submission import in_order, step_id, submit

__all__ = ["in_order", "step_id", "submit"]

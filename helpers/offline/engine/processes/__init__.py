"""Programs in process groups of their own, and (detached) processes that outlive whoever starts them."""

from helpers.offline.engine.processes.groups import (
    LOOK,
    TICK,
    adopt_orphans,
    cores,
    end_children,
    end_groups,
    end_marked,
    end_where,
    run,
    run_together,
    signal_name,
)

__all__ = [
    "LOOK",
    "TICK",
    "adopt_orphans",
    "cores",
    "end_children",
    "end_groups",
    "end_marked",
    "end_where",
    "run",
    "run_together",
    "signal_name",
]

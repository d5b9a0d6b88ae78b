"""Looking at a run again and again until it has ended."""

import time
from collections.abc import Callable, Iterator

FINAL = ("Completed", "Failed", "Canceled")
AT_FIRST = 120  # seconds in which it is looked at more often


def until_final(
    look: Callable[[float], object], seen: Callable[[object], object], poll: tuple[float, float]
) -> Iterator:
    """Each look at which what is seen has changed, up to the first whose status is final.

    `look` is given the seconds since the beginning and returns what has a `status`; `seen` gives what of it counts.
    Between two looks lie poll[0] seconds, and poll[1] once it has gone on for two minutes.
    """
    start = time.monotonic()
    last = None
    while last is None or last.status not in FINAL:
        seconds = time.monotonic() - start
        now = look(seconds)
        if last is None or seen(now) != seen(last):
            yield now
        last = now
        if now.status not in FINAL:
            time.sleep(poll[0] if seconds < AT_FIRST else poll[1])

"""How fast a web service answers."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np


class Load(NamedTuple):
    """What came of many requests at once: how many were answered with status 200, and the seconds that all took."""

    answered: int
    seconds: float


def latencies(address: str, headers: Mapping[str, str], request: object, count: int) -> np.ndarray:
    """The seconds until each of `count` requests, sent as JSON one after the other, was answered.

    Raises requests.RequestException for any answer but a good one.
    """
    import requests

    taken = []
    with requests.Session() as session:
        for _ in range(count):
            began = time.perf_counter()
            session.post(address, json=request, headers=headers, timeout=60).raise_for_status()
            taken.append(time.perf_counter() - began)
    return np.array(taken)


def load(address: str, headers: Mapping[str, str], request: object, count: int, clients: int) -> Load:
    """Send `count` requests from `clients` clients at once. One that is lost raises nothing: it is not counted."""
    import requests

    own = threading.local()

    def ask(_: int) -> bool:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        try:
            return own.session.post(address, json=request, headers=headers, timeout=60).status_code == 200
        except requests.RequestException:
            return False

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answered = sum(pool.map(ask, range(count)))
    return Load(answered, time.perf_counter() - began)

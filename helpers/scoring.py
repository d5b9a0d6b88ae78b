"""How fast a web service answers."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

DEPLOYMENT = "azureml-model-deployment"  # the header by which an endpoint tells whose answer it passes on


class Load(NamedTuple):
    """What came of many requests at once: how many were answered with status 200, and the seconds that all took."""

    answered: int
    seconds: float


class Answer(NamedTuple):
    """What came of a request that `while_asked` sent.

    `sent` is when, by time.perf_counter; `done` how many steps were done by then, or None while one was under way;
    `deployment` who answered, or None where the request was lost.
    """

    sent: float
    done: int | None
    deployment: str | None


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


def while_asked(
    address: str,
    headers: Mapping[str, str],
    request: object,
    clients: int,
    steps: Sequence[Callable[[], object]],
    pause: float = 0.5,
) -> list[Answer]:
    """Do the steps while `clients` clients ask an endpoint all the time, with `pause` seconds before and after each.

    Returns the answers in the order in which their requests were sent. Raises what a step raises.
    """
    import requests

    answers: list[Answer] = []
    done: int | None = 0
    ended = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            while not ended.is_set():
                sent, before = time.perf_counter(), done
                try:
                    answer = session.post(address, json=request, headers=headers, timeout=60)
                    deployment = answer.headers.get(DEPLOYMENT) if answer.status_code == 200 else None
                except requests.RequestException:
                    deployment = None
                answers.append(Answer(sent, before, deployment))

    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask) for _ in range(clients)]
        try:
            time.sleep(pause)
            for number, step in enumerate(steps, start=1):
                done = None
                step()
                done = number
                time.sleep(pause)
        finally:
            ended.set()
    for client in asking:
        client.result()
    return sorted(answers, key=lambda answer: answer.sent)

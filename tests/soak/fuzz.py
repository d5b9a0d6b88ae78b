"""A minute each of damaged and random input for what reads other people's files and requests.

Whatever comes in, it is taken or refused in the reader's own class of error; anything else is counted as a fault.
"""

import contextlib
import gzip
import json
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 60
NUMBERS = (0, 1, -1, 0.5, 255, 1e308, -1e308, float("nan"), float("inf"), 2**63, -(2**63), 2**200)
WORDS = (
    "",
    "a",
    "data",
    "\0",
    "é",
    "../..",
    "$skip",
    "{",
    "x" * 5000,
    "azureml:",
    "@latest",
    "${{inputs.x}}",
    "\ud800",
)


def anything(chance: random.Random, depth: int = 3):
    """A random value that JSON has."""
    kind = chance.randrange(7 if depth else 4)
    if kind == 0:
        return chance.choice(NUMBERS)
    if kind == 1:
        return chance.choice(WORDS)
    if kind < 4:
        return chance.choice((None, True, False, [], {}))
    if kind < 6:
        return {chance.choice(WORDS): anything(chance, depth - 1) for _ in range(chance.randrange(4))}
    return [anything(chance, depth - 1) for _ in range(chance.randrange(4))]


def damaged(chance: random.Random, content: bytes) -> bytes:
    """The content with bytes changed, cut off, doubled or added."""
    content = bytearray(content)
    for _ in range(chance.randrange(1, 4)):
        where = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                content[where : where + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[where:]
            case 2:
                content[where:where] = content[: chance.randrange(40)]
            case _:
                content += os.urandom(chance.randrange(20))
    return bytes(content)


def idx_reader(place: Path, chance: random.Random) -> Callable[[], bool]:
    """helpers.mnist.read_idx, on IDX files that were damaged before or after they were gzipped."""
    from helpers import mnist

    content = struct.pack(">I3I", 0x0803, 20, 28, 28) + bytes(20 * 28 * 28)
    path = place / "images"

    def once() -> bool:
        inner = damaged(chance, content) if chance.random() < 0.7 else content
        outer = gzip.compress(inner, 1) if chance.random() < 0.5 else inner
        path.write_bytes(damaged(chance, outer) if chance.random() < 0.5 else outer)
        try:
            mnist.read_idx(path)
        except mnist.IdxError:
            return False
        return True

    return once


def conda_check(place: Path, chance: random.Random) -> Callable[[], bool]:
    """The check of an environment against this interpreter, on dependencies that nobody would write."""
    from helpers.offline.engine import environments
    from helpers.offline.engine.workspace.errors import EngineError

    parts = (
        "python",
        "numpy",
        "keras",
        "=",
        "==",
        ">=",
        "!=",
        "~=",
        "<",
        "3.11",
        "*",
        "[x]",
        "@",
        "http://a",
        ";",
        " ",
        "\0",
        "-",
        "é",
    )

    def dependency():
        text = "".join(chance.choice(parts) for _ in range(chance.randrange(6)))
        return chance.choice((text, text, {"pip": [text]}, {"pip": anything(chance, 1)}, anything(chance, 1)))

    def once() -> bool:
        conda = chance.choice(({"dependencies": [dependency() for _ in range(3)]}, {"dependencies": anything(chance)}))
        environment = {"name": "e", "python": {"condaDependencies": conda}}
        try:
            environments.check(environment)
            environments.specification(environment)
        except EngineError:
            return False
        return True

    return once


def scoring_input(place: Path, chance: random.Random) -> Callable[[], bool]:
    """The scoring script's run(), on bodies that are damaged, odd or huge."""
    import numpy as np
    import score

    score.network = lambda images: np.full((len(images), 10), 0.1)
    good = json.dumps({"data": [[0.5] * 784]}).encode()

    def once() -> bool:
        body = chance.choice((damaged(chance, good), json.dumps({"data": anything(chance)}).encode(), b"[" * 100_000))
        with contextlib.suppress(UnicodeDecodeError):
            body = body.decode()
        answer = score.run(body)
        return isinstance(answer, dict)

    return once


def arm_routes(place: Path, chance: random.Random) -> Callable[[], bool]:
    """The management plane that the SDK v2 talks to: every route, with names and bodies of any kind."""
    from helpers.offline.arm import routes
    from helpers.offline.engine.workspace import folder as folders

    os.environ[folders.VARIABLE] = str(place / "offline")
    folders.open_folder()
    methods = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")

    def once() -> bool:
        method, pattern, _ = chance.choice(routes.ROUTES)
        path = pattern
        while "{" in path:
            name = path[path.index("{") : path.index("}") + 1]
            word = chance.choice(("a", "b", "1", "%00", "..", "é", "x" * 300, "%2F", "cpu", "local"))
            path = path.replace(name, word, 1)
        if chance.random() < 0.1:
            method = chance.choice(methods)
        body = json.dumps(anything(chance)).encode() if chance.random() < 0.8 else os.urandom(30)
        query = chance.choice(("", "?$skip=x", "?$skip=-1", "?api-version=2024-01-01", "?$top=a", "?listViewType=All"))
        answer = routes.answer(method, f"https://management.azure.com{path}{query}", {}, body)
        assert answer.status < 500 or answer.status == 501, f"{answer.status} for {method} {path}"
        return answer.status < 300

    return once


FUZZED = {
    "IDX reader": idx_reader,
    "check of a conda environment": conda_check,
    "scoring script": scoring_input,
    "routes of SDK v2": arm_routes,
}


def report(place: Path, chance: random.Random) -> tuple[list[str], bool]:
    lines = [
        f"| {SECONDS} s of random input | inputs | taken | refused | faults |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    well = True
    for name, make in FUZZED.items():
        (place / name).mkdir()
        once, counts, faults = make(place / name, chance), {True: 0, False: 0}, {}
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                counts[once()] += 1
            except Exception as error:  # whatever it is, it is what is looked for
                faults.setdefault(f"{type(error).__name__}: {error}"[:200], 0)
                faults[f"{type(error).__name__}: {error}"[:200]] += 1
        for error, count in sorted(faults.items(), key=lambda item: -item[1])[:10]:
            print(f"{name}: {count} times {error}")
        total = sum(counts.values()) + sum(faults.values())
        row = (f"{total:,}", f"{counts[True]:,}", f"{counts[False]:,}", f"{sum(faults.values()):,}")
        lines.append(f"| {name} | {' | '.join(row)} |")
        well &= not faults
    return lines, well

"""The exercises of lesson 8 in version 2: an endpoint, which answers what the service of version 1 does."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from helpers.checks import lesson_08
from helpers.checks.looking import given
from helpers.checks.v2.looking import client


def exercise_1(variables: Mapping[str, object]) -> str:
    return lesson_08.ten_digits(variables, _asked(variables))


def exercise_2(variables: Mapping[str, object]) -> str:
    return lesson_08.repaired(variables, _asked(variables))


def exercise_3(variables: Mapping[str, object]) -> str:
    keys = client(variables).online_endpoints.get_keys(given(variables, "endpoint_name"))
    return lesson_08.replaced_key(variables, keys.primary_key, keys.secondary_key)


def exercise_4(variables: Mapping[str, object]) -> str:
    return lesson_08.least_certain(variables, _asked(variables))


def _asked(variables: Mapping[str, object]):
    """A function that sends the text of a request to the endpoint and returns the answer."""
    endpoints, name = client(variables).online_endpoints, given(variables, "endpoint_name")

    def ask(text: str) -> dict:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place, "request.json")
            file.write_text(text, encoding="utf-8")
            return json.loads(endpoints.invoke(name, request_file=file))

    return ask

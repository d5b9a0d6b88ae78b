"""The command line of `make studio`; tests/unit/test_sdk_mlflow.py looks at the page."""

import sys

import pytest
import studio


@pytest.mark.parametrize("port", ["abc", "", "-1", "0", "70000", "5000.0"])
def test_what_is_no_port_is_refused_in_a_sentence(monkeypatch, capsys, port):
    monkeypatch.setattr(sys, "argv", ["studio.py", port])
    assert studio.main() == 1
    assert capsys.readouterr().err == f"{port!r} is no port: give a number from 1 to 65535.\n"

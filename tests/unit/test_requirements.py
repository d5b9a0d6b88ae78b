"""The lock and the reasons for what is in it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def asked_for():
    lines = (ROOT / "requirements.in").read_text().splitlines()
    return [re.match(r"[\w.-]+", line).group() for line in lines if line and not line.startswith("#")]


def test_each_dependency_has_its_reason_in_the_conda_environment():
    text = (ROOT / "environment.yml").read_text()
    assert [name for name in asked_for() if not re.search(rf"^#     .*\b{re.escape(name)}\b", text, re.M)] == []


def test_the_lock_pins_each_dependency_and_names_no_index():
    text = (ROOT / "requirements.txt").read_text()
    assert [name for name in asked_for() if not re.search(rf"^{re.escape(name.replace('_', '-'))}==", text, re.M)] == []
    assert "://" not in text and "--index" not in text and "--find-links" not in text

"""The coverage of SDK v2: the page is current, and each of its rows is shown by a call of the installed client."""

import importlib.util
import re
from pathlib import Path

import pytest
import v2_calls
from azure.ai.ml import MLClient

ROOT = Path(__file__).parents[2]
METHODS = [f"{group}.{method}" for group, methods in v2_calls.groups(MLClient).items() for method in methods]
LIMITS = [(name, text) for name, limits in v2_calls.LIMITS.items() for text in limits]
PAGE = "docs/offline-coverage-v2.md"


def test_page_is_current():
    path = ROOT / "scripts" / "coverage_table_v2.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    coverage_table = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(coverage_table)
    assert coverage_table.PAGE == ROOT / PAGE
    assert coverage_table.PAGE.read_text(encoding="utf-8") == coverage_table.page(), "run `make coverage-table`"


@pytest.mark.parametrize("name", sorted(v2_calls.SUPPORTED))
def test_what_is_supported_does_what_it_says(ml_client, name):
    assert v2_calls.SUPPORTED[name](ml_client)


@pytest.mark.parametrize(("name", "text"), LIMITS)
def test_what_of_a_call_is_not_supported_is_refused_by_name(ml_client, name, text):
    with pytest.raises(Exception, match=re.escape(PAGE)):
        v2_calls.LIMITS[name][text](ml_client)


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(v2_calls.SUPPORTED)))
def test_what_is_not_supported_is_refused_by_name(ml_client, name):
    with pytest.raises(Exception, match=v2_calls.OWN_REFUSALS.get(name, re.escape(PAGE))):
        v2_calls.call_unsupported(ml_client, name)


def test_the_tables_name_methods_that_there_are():
    tables = (v2_calls.SUPPORTED, v2_calls.LIMITS, v2_calls.UNSUPPORTED, v2_calls.OWN_REFUSALS)
    assert not {name for table in tables for name in table} - set(METHODS)
    assert set(v2_calls.LIMITS) <= set(v2_calls.SUPPORTED)
    assert len(METHODS) > 150 and len(v2_calls.SUPPORTED) > 40

"""The world that a test of the notebooks works in."""

import pytest
from make_outputs import working_copy

from helpers.offline.engine import removal


@pytest.fixture
def world(tmp_path):
    """A folder with the notebooks and an offline workspace, in which nothing is left running."""
    working_copy(tmp_path)
    yield tmp_path
    removal.reset(tmp_path / "offline")

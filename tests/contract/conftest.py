"""The two SDKs side by side, each in a process that lives as long as the tests of this folder."""

import pytest
from side import Side

from helpers.backend import MOCKED_SDK


class Both:
    """Calls a scenario on both SDKs."""

    def __init__(self, mocked, real):
        self.mocked = mocked
        self.real = real

    def same(self, scenario, *arguments):
        """The value or error that both give, which is the same."""
        mocked, real = self.mocked.call(scenario, *arguments), self.real.call(scenario, *arguments)
        assert mocked == real
        return mocked

    def same_error(self, scenario, *arguments):
        """The error that both raise, of the same class; the mocked one's message begins like the real one's."""
        mocked, real = self.mocked.call(scenario, *arguments), self.real.call(scenario, *arguments)
        assert "error" in real, real
        assert mocked.get("error") == real["error"], mocked
        assert opening(mocked["message"]) == opening(real["message"])
        return mocked


def opening(message):
    """The message's first three words; what follows may say more here than there."""
    return [word.strip(".:,") for word in message.split()[:3]]


@pytest.fixture(scope="session")
def both(tmp_path_factory):
    sides = [Side(MOCKED_SDK, tmp_path_factory.mktemp("mocked")), Side("", tmp_path_factory.mktemp("real"))]
    yield Both(*sides)
    for side in sides:
        side.close()

from typing import Any

import pytest

from jobs import registry
from jobs.registry import JobKind, job


@pytest.fixture(autouse=True)
def all_commit(committed: None) -> None:
    """A race needs two connections."""


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> JobKind[Any]:
    """A kind for this test only."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def race(n: int = 0) -> None:
        """Do nothing."""

    return job("tests.race")(race)

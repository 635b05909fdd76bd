from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from jobs import registry
from jobs.registry import JobKind, job


@pytest.fixture(autouse=True)
def committed(transactional_db: None) -> Iterator[None]:
    """Real commits, seen by other connections; afterwards the tables are as they were."""
    yield
    with connection.cursor() as cursor:  # Django flushes only what it manages
        cursor.execute("TRUNCATE jobs_jobhistory, jobs_jobattempt")


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> JobKind[Any]:
    """A kind for this test only."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def race(n: int = 0) -> None:
        """Do nothing."""

    return job("tests.race")(race)

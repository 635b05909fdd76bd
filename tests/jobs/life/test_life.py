"""Nothing that can happen to jobs, in whatever order, breaks what the platform promises."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.jobs.conftest import Declare
from tests.jobs.life.machine import Life


@pytest.fixture
def rival(committed: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of somebody else."""
    params = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    other: psycopg.Connection[Any]
    with psycopg.connect(
        **{name: params[name] for name in names if name in params}, autocommit=True
    ) as other:
        yield other


# Hundreds of lives, statement by statement, on a machine that others use too.
@pytest.mark.timeout(400)
def test_whatever_happens_no_promise_is_broken(
    rival: psycopg.Connection[Any], declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = declare(name="tests.strict")
    ahead = declare(name="tests.ahead", skip_ahead=True)
    monkeypatch.setattr(Life, "kinds", (strict, ahead), raising=False)
    monkeypatch.setattr(Life, "rival", rival, raising=False)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")  # thousands of commits, none to be kept
    run_state_machine_as_test(
        Life, settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
    )

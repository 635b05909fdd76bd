"""Rows that another backend inserts with plain SQL."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from jobs import sql
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import lane_run
from tests.sandbox.fixture import Sandbox

# The source's columns, as its own documents write the statement.
INSERT = """INSERT INTO notification_queue (telegram_id, message, notification_type, scheduled_at)
VALUES (%s, %s, %s, now())"""


@pytest.fixture
def listener(transactional_db: None) -> Iterator["psycopg.Connection[object]"]:
    """Somebody who waits for NOTIFY as the pusher does."""
    params = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=True) as other:
        other.execute("LISTEN jobs_wake")
        yield other


def calls(listener: "psycopg.Connection[object]") -> set[str]:
    """What was called until now: a call of our own marks the end."""
    sql.run("NOTIFY jobs_wake, 'the end'")
    heard = set()
    for call in listener.notifies(timeout=30):
        if call.payload == "the end":
            break
        heard.add(call.payload)
    return heard


def test_a_row_with_the_columns_of_the_source_has_all_it_needs(bot: Sandbox) -> None:
    sql.run(INSERT, [500, "<b>Hello</b>", "expiry"])
    row = QueuedMessage.objects.get()
    assert (row.status, row.attempts, row.priority, row.parse_mode) == ("pending", 0, 2, "HTML")
    assert (row.tries, row.maybe_doubled, row.sent_at) == ([], False, None)
    assert row.created_at is not None
    lane_run()
    row.refresh_from_db()
    assert row.status == "sent"
    assert bot.messages(500)[0]["text"] == "Hello"


def test_two_columns_are_enough(bot: Sandbox) -> None:
    sql.run("INSERT INTO notification_queue (telegram_id, message) VALUES (500, 'Hello')")
    lane_run()
    row = QueuedMessage.objects.get()
    assert (row.status, row.notification_type) == ("sent", "message")


@pytest.mark.parametrize(("column", "value"), [("status", "'lost'"), ("priority", "7")])
def test_a_state_that_does_not_exist_is_refused(column: str, value: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.run(
            f"INSERT INTO notification_queue (telegram_id, message, {column}) VALUES (1, 'x', {value})"
        )


def test_an_insert_wakes_the_lane(listener: "psycopg.Connection[object]") -> None:
    sql.run(INSERT, [500, "Hello", "expiry"])
    assert "telegram.drain_queue" in calls(listener)


def test_many_rows_of_one_statement_are_one_call(listener: "psycopg.Connection[object]") -> None:
    sql.run(
        "INSERT INTO notification_queue (telegram_id, message) SELECT n, 'x' FROM generate_series(1, 9) n"
    )
    assert calls(listener) == {"telegram.drain_queue"}


def test_what_is_rolled_back_wakes_nobody(listener: "psycopg.Connection[object]") -> None:
    with transaction.atomic():
        sql.run(INSERT, [500, "Hello", "expiry"])
        transaction.set_rollback(True)
    assert calls(listener) == set()


def test_other_changes_of_a_row_wake_nobody(listener: "psycopg.Connection[object]") -> None:
    sql.run(INSERT, [500, "Hello", "expiry"])
    calls(listener)
    sql.run("UPDATE notification_queue SET message = 'Bye'")
    sql.run("DELETE FROM notification_queue")
    assert calls(listener) == set()

"""Requests that are written together, and each answered by itself."""

import os
from typing import Any

import orjson
import pytest
from django.db import DataError, connection
from pytest_django.fixtures import Settings

from jobs import sql
from lib.context import correlated
from lib.errors import Unavailable
from notifications.inbox import writer
from notifications.inbox.errors import DraftInvalid, InboxBusy
from tests.notifications.inbox.core.play import ALICE, BOB, draft, inbox, until_waiting
from tests.races.locks import waiting

pytestmark = pytest.mark.django_db(transaction=True)

LONG_S = 20


def test_the_answer_names_the_notification_of_each_target() -> None:
    one = draft(ALICE, BOB, ALICE)
    answer = writer.submit(one).result(LONG_S)
    assert (answer.status, answer.is_repeat) == (202, False)
    (alice,), (bob,) = inbox(ALICE), inbox(BOB)
    named = [
        {"target": {"id": row[0][0], "login": row[0][1]}, "notification_id": str(row[1])}
        for row in ((ALICE, alice.pk), (BOB, bob.pk), (ALICE, alice.pk))
    ]
    assert orjson.loads(answer.body) == {"results": named}


def test_what_is_answered_is_committed() -> None:
    writer.submit(draft()).result(LONG_S)
    assert len(inbox()) == 1


def test_it_carries_the_correlation_id_of_its_request() -> None:
    with correlated("mine"):
        future = writer.submit(draft())
    future.result(LONG_S)
    assert inbox()[0].correlation_id == "mine"


def test_a_draft_that_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(DraftInvalid):
        writer.submit(draft(message=""))


def test_those_that_gather_are_written_in_one_transaction(gate: Any) -> None:
    held = gate()
    futures = [writer.submit(draft(ALICE))]  # the thread waits with this one
    until_waiting()
    futures += [writer.submit(draft((n, "crowd"))) for n in range(5)]
    held.commit()
    for future in futures:
        future.result(LONG_S)
    found = sql.rows(
        "SELECT xmin::text, count(*) FROM inbox_notification WHERE recipient_id IN "
        "(SELECT id FROM inbox_recipient WHERE login = 'crowd') GROUP BY 1"
    )
    assert [count for _, count in found] == [5]


def test_one_that_postgres_refuses_takes_nobody_with_it(gate: Any) -> None:
    held = gate()
    first = writer.submit(draft(ALICE))
    until_waiting()
    good, bad, other = draft(BOB), draft((3, "carol")), draft((4, "dave"))
    bad.priority = 0
    futures = [writer.submit(each) for each in (good, bad, other)]
    bad.priority = 100_000  # changed after it was checked; no smallint holds it
    held.commit()
    assert first.result(LONG_S).status == 202
    assert futures[0].result(LONG_S).status == futures[2].result(LONG_S).status == 202
    with pytest.raises(DataError):
        futures[1].result(LONG_S)
    assert len(inbox(BOB)) == len(inbox((4, "dave"))) == 1
    assert inbox((3, "carol")) == []


def test_more_than_fits_is_refused(gate: Any, settings: Settings) -> None:
    settings.INBOX_MAX_WAITING = 2
    held = gate()
    futures = [writer.submit(draft(ALICE))]
    until_waiting()
    futures += [writer.submit(draft(BOB)) for _ in range(2)]
    with pytest.raises(InboxBusy):
        writer.submit(draft(BOB))
    held.commit()
    assert [future.result(LONG_S).status for future in futures] == [202] * 3
    assert len(inbox(BOB)) == 2


def test_a_large_crowd_does_not_fit_with_others(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_TARGETS", 3)
    held = gate()
    futures = [writer.submit(draft(ALICE))]
    until_waiting()
    futures += [writer.submit(draft((n, "crowd"), (n, "too"))) for n in range(3)]
    held.commit()
    for future in futures:
        future.result(LONG_S)
    found = sql.rows(
        "SELECT xmin::text, count(*) FROM inbox_notification WHERE recipient_id IN "
        "(SELECT id FROM inbox_recipient WHERE login IN ('crowd', 'too')) GROUP BY 1"
    )
    assert [count for _, count in found] == [2, 2, 2]


def test_who_has_gone_does_not_stop_the_others(gate: Any) -> None:
    held = gate()
    futures = [writer.submit(draft(ALICE))]
    until_waiting()
    gone, stays = writer.submit(draft(BOB)), writer.submit(draft(BOB))
    assert gone.cancel()
    held.commit()
    assert stays.result(LONG_S).status == 202
    assert futures[0].result(LONG_S).status == 202


def test_a_connection_that_went_stale_is_opened_again() -> None:
    writer.submit(draft()).result(LONG_S)
    assert _end_other_sessions() >= 1
    assert writer.submit(draft()).result(LONG_S).status == 202
    assert len(inbox()) == 2


def test_what_is_cut_off_while_it_waits_is_written_on_a_new_connection(gate: Any) -> None:
    held = gate()
    future = writer.submit(draft(ALICE))
    until_waiting()
    sql.row("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s::int[]) pid", [waiting()])
    held.commit()
    assert future.result(LONG_S).status == 202
    assert len(inbox()) == 2


def test_without_a_database_the_caller_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    with pytest.raises(Unavailable):
        writer.submit(draft()).result(LONG_S)
    monkeypatch.undo()
    assert writer.submit(draft()).result(LONG_S).status == 202
    assert len(inbox()) == 1


def test_a_mistake_of_ours_is_answered_and_the_next_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writer, "drafts_write", None)
        with pytest.raises(TypeError):
            writer.submit(draft()).result(LONG_S)
    assert writer.submit(draft()).result(LONG_S).status == 202


def test_a_child_process_writes_by_itself() -> None:
    writer.submit(draft()).result(LONG_S)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            connection.connection = None  # the parent's; closing it would end the parent's session
            status = 0 if writer.submit(draft(BOB)).result(LONG_S).status == 202 else 1
            writer.stop()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(inbox(BOB)) == 1
    assert writer.submit(draft()).result(LONG_S).status == 202


def _end_other_sessions() -> int:
    found = sql.row(
        """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'switchboard'
            AND pid <> pg_backend_pid()"""
    )
    assert found is not None
    return int(found[0])

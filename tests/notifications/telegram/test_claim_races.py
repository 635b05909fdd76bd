"""Two that claim at once: no message goes out twice, and nobody waits for a stranger's lock."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import pytest
from django.db import connection, transaction

from jobs import sql
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.services import message_queue, messages_cancel
from tests.notifications.telegram.rows import (
    OTHER_RUN,
    RUN,
    claim_ids,
    fresh,
    message_make,
    messages_make,
)

pytestmark = pytest.mark.django_db(transaction=True)

LOCKS = (
    " FOR UPDATE SKIP LOCKED",
    " FOR NO KEY UPDATE SKIP LOCKED",
    # Waits for whoever changes the row of the chat.
    "INSERT INTO telegram_chat (chat_id) VALUES (v_row.telegram_id) ON CONFLICT DO NOTHING;",
)


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Future[list[int]]]]:
    """Run something in another thread, on a connection of its own."""
    with ThreadPoolExecutor(2) as threads:

        def run(call: Callable[[], list[int]]) -> Future[list[int]]:
            def work() -> list[int]:
                try:
                    return call()
                finally:
                    connection.close()

            return threads.submit(work)

        yield run


@contextmanager
def claim_without_locks() -> Iterator[None]:
    """The control: the same function, but it takes no locks."""
    found = sql.row("SELECT pg_get_functiondef('telegram_claim'::regproc)")
    assert found is not None
    real = bare = found[0]
    for words in LOCKS:
        assert words in bare
        bare = bare.replace(words, "")
    sql.run(bare.replace("%", "%%"))
    try:
        yield
    finally:
        sql.run(real.replace("%", "%%"))


def claimed_by_both(elsewhere: Callable[..., Future[list[int]]]) -> list[int]:
    """What two runs claim whose transactions overlap."""
    with transaction.atomic():
        mine = claim_ids(run=RUN)
        others = elsewhere(lambda: claim_ids(run=OTHER_RUN))
        waiting = threading.Event()
        # It ends by itself (it skips what is locked), or it waits for our end, which then must come.
        while not others.done() and not _somebody_waits_for_us():
            waiting.wait(0.01)
    return mine + others.result()


def _somebody_waits_for_us() -> bool:
    found = sql.row(
        """SELECT count(*) FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"""
    )
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(("is_locked", "times"), [(True, 1), (False, 2)], ids=["locked", "control"])
def test_two_runs_never_claim_the_same_message(
    elsewhere: Callable[..., Future[list[int]]], is_locked: bool, times: int
) -> None:
    Chat.objects.create(chat_id=100)
    row = message_make(100)
    with nullcontext() if is_locked else claim_without_locks():
        assert claimed_by_both(elsewhere) == [row.pk] * times  # a control of 1 would be blind


def test_two_runs_share_the_messages(elsewhere: Callable[..., Future[list[int]]]) -> None:
    ids = messages_make(list(range(100, 160)))
    with transaction.atomic():
        mine = claim_ids(limit=10)
        others = elsewhere(lambda: claim_ids(limit=10, run=OTHER_RUN)).result()
    assert len({*mine, *others} & set(ids)) == 20


def test_a_row_that_somebody_else_has_locked_is_skipped(
    elsewhere: Callable[..., Future[list[int]]],
) -> None:
    locked, free = messages_make([100, 200])
    with transaction.atomic():
        QueuedMessage.objects.select_for_update().get(pk=locked)
        assert elsewhere(claim_ids).result() == [free]
    assert claim_ids() == [locked]


def test_a_locked_row_holds_back_those_behind_it_in_its_chat(
    elsewhere: Callable[..., Future[list[int]]],
) -> None:
    locked, behind = messages_make([100, 100])
    with transaction.atomic():
        QueuedMessage.objects.select_for_update().get(pk=locked)
        assert elsewhere(claim_ids).result() == []
    assert claim_ids() == [locked]
    assert fresh(behind).claimed_at is None


def test_a_message_cannot_be_cancelled_while_it_is_being_claimed(
    elsewhere: Callable[..., Future[list[int]]],
) -> None:
    row = message_make()
    with transaction.atomic():
        assert claim_ids() == [row.pk]
        cancelled = elsewhere(lambda: sorted(messages_cancel(message_ids=[row.pk], by=None)))
        waiting = threading.Event()
        while not _somebody_waits_for_us():
            assert not cancelled.done(), "it did not wait for the claim"
            waiting.wait(0.01)
    assert cancelled.result() == []
    assert fresh(row).status == "pending"


def test_a_row_of_an_open_transaction_is_not_sent_before_it_commits(
    elsewhere: Callable[..., Future[list[int]]],
) -> None:
    with transaction.atomic():
        row = message_make()
        assert elsewhere(claim_ids).result() == []
    assert claim_ids() == [row.pk]


def test_the_same_key_queued_by_two_at_once_is_one_message(
    elsewhere: Callable[..., Future[list[int]]],
) -> None:
    gate = threading.Barrier(2)

    def queue() -> list[int]:
        gate.wait()
        row, _ = message_queue(telegram_id=7, message="Hello", dedup_key="one")
        return [row.pk]

    first, second = elsewhere(queue), elsewhere(queue)
    assert first.result() == second.result() == [QueuedMessage.objects.get().pk]

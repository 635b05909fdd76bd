"""Ten thousand messages to one chat in front of everybody cost a claim no more than a few."""

from datetime import timedelta
from itertools import pairwise

from jobs import sql
from lib import clock
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import ago, claim, claim_ids, fresh, message_make

MANY = 10_000
MOST_PER_CLAIM = 250  # five rounds of fifty
# The first slots come while a slow machine still gives the last ones; this keeps them ahead.
BEFORE_THE_SLOTS = timedelta(minutes=-5)


def flood(count: int) -> None:
    """So many messages to chat 100, due for a long time."""
    sql.run(
        """INSERT INTO notification_queue (telegram_id, message, scheduled_at)
        SELECT 100, 'bulk ' || n, %s FROM generate_series(1, %s) n""",
        [ago(3600), count],
    )


def slotted() -> int:
    return QueuedMessage.objects.exclude(next_attempt_at=None).count()


def flood_with_slots(count: int) -> None:
    """All but the first, which is claimed, have their slots.

    PostgreSQL has counted them, as it would in time. Its last look was at the rows of some other test,
    and the next one, in the middle of this, now waits for the end of our transaction.
    """
    flood(count)
    claim(limit=3)
    while slotted() < count - 1:
        assert claim(limit=3) == []
    sql.run("ANALYZE notification_queue")


def touched() -> int:
    """Rows of the queue that this transaction has updated so far."""
    found = sql.row("SELECT pg_stat_get_xact_tuples_updated('notification_queue'::regclass)")
    assert found is not None
    return int(found[0])


def fetched() -> int:
    """Rows of the queue that this transaction has read through its indexes so far."""
    found = sql.row(
        """SELECT sum(pg_stat_get_xact_tuples_fetched(c.oid)) FROM pg_class c
        WHERE c.relname LIKE 'notification_queue%%'"""
    )
    assert found is not None
    return int(found[0])


def test_a_claim_touches_a_bounded_number_of_rows() -> None:
    flood(MANY)
    before = touched()
    assert len(claim(limit=3)) == 1
    assert 0 < touched() - before <= MOST_PER_CLAIM


def test_others_get_through_once_the_waiting_have_their_slots() -> None:
    flood(MANY)
    others = [message_make(chat).pk for chat in (201, 202, 203)]
    claims = 0
    while not (found := [i for i in claim_ids(limit=3) if i in others]):
        claims += 1
        assert claims <= MANY / MOST_PER_CLAIM + 1
    assert found == others
    assert slotted() == MANY - 1


def test_a_chat_with_slots_is_not_looked_at_before_they_come() -> None:
    flood_with_slots(1_000)
    with clock.shift(BEFORE_THE_SLOTS):
        before = touched(), fetched()
        assert claim(limit=3) == []
        message_make(300)
        assert len(claim(limit=3)) == 1
        after = touched(), fetched()
    assert after[0] - before[0] == 1
    assert 0 < after[1] - before[1] < 20


def test_the_slots_of_a_chat_are_a_gap_apart_and_in_order() -> None:
    flood_with_slots(1_000)
    rows = QueuedMessage.objects.exclude(next_attempt_at=None).order_by("id")
    slots = [row.next_attempt_at for row in rows if row.next_attempt_at]
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert min(gaps) >= timedelta(seconds=1)


def test_a_late_critical_message_of_the_hot_chat_does_not_stand_behind_the_flood() -> None:
    flood_with_slots(1_000)
    criticals = [message_make(100, priority=0) for _ in range(2)]
    claim(limit=3)
    for row in criticals:
        due = fresh(row).next_attempt_at
        assert due is not None
        assert due - clock.now() < timedelta(minutes=1)

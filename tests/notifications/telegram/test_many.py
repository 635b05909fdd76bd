"""Many messages at once: one of each key, however they come together."""

from datetime import timedelta

import pytest

from jobs import sql
from lib import clock
from lib.errors import InputInvalid
from notifications.telegram.many import Draft, messages_queue
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import message_queue

pytestmark = pytest.mark.django_db


def draft(number: int, key: str = "", text: str = "Hello") -> Draft:
    return Draft(telegram_id=number, message=text, dedup_key=key or f"k{number}", priority=3)


def test_each_is_a_row_of_the_queue() -> None:
    found = messages_queue([draft(2), draft(1)])
    rows = list(QueuedMessage.objects.order_by("telegram_id"))
    assert found == [(rows[1].pk, False), (rows[0].pk, False)]
    assert {(row.status, row.priority, row.message, row.parse_mode) for row in rows} == {
        ("pending", 3, "Hello", "HTML")
    }
    assert rows[0].scheduled_at <= clock.now()


def test_of_one_key_there_is_one_also_within_a_call() -> None:
    [(first, _)] = messages_queue([draft(1, "same")])
    found = messages_queue([draft(1, "same"), draft(2), draft(2), draft(1, "same")])
    second = QueuedMessage.objects.get(telegram_id=2).pk
    assert found == [(first, True), (second, False), (second, True), (first, True)]
    assert QueuedMessage.objects.count() == 2


def test_keys_are_shared_with_messages_that_come_one_by_one_and_end_with_their_time() -> None:
    known, _ = message_queue(telegram_id=1, message="Hi", dedup_key="same")
    assert messages_queue([draft(1, "same")]) == [(known.pk, True)]
    with clock.shift(timedelta(hours=25)):
        [(fresh, was_known)] = messages_queue([draft(1, "same")])
        assert (fresh != known.pk, was_known) == (True, False)
        again, is_known = message_queue(telegram_id=1, message="Hi", dedup_key="same")
        assert (again.pk, is_known) == (fresh, True)


def test_nothing_is_nothing() -> None:
    assert messages_queue([]) == []
    assert sql.row("SELECT count(*) FROM telegram_dedup") == (0,)


@pytest.mark.parametrize(
    "wrong",
    [{"message": "<b>never closed"}, {"telegram_id": 0}, {"priority": 4}, {"dedup_key": ""}],
)
def test_what_telegram_would_refuse_is_no_draft(wrong: dict[str, object]) -> None:
    fields = {"telegram_id": 1, "message": "Hello", "dedup_key": "k", **wrong}
    with pytest.raises(InputInvalid):
        Draft(**fields)  # type: ignore[arg-type]

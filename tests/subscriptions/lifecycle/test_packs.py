"""Notices are decided by the pack: a few statements for all, and one that fails stops no other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.telegram.models import QueuedMessage
from subscriptions.lifecycle import dues, sending
from subscriptions.lifecycle.sending import Looked, notices_decide, notices_send
from subscriptions.lifecycle.sight import panel_look
from subscriptions.lifecycle.telling import Letter, expiry_letter
from subscriptions.models import Notice, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.door import panel_background
from subscriptions.panel.errors import PanelBusy
from tests.subscriptions.lifecycle.people import People

HOUR = timedelta(hours=1)


def looked_at(count: int, people: People) -> list[Looked]:
    """New people with a due reminder each, and what the panel shows of them."""
    rows = [people.make(5 * HOUR) for _ in range(count)]
    dues.reminders_write()
    return [
        Looked(notice.pk, row.pk, panel_look(panel_background(), row))
        for row in rows
        for notice in Notice.objects.filter(subscriber=row)
    ]


def test_the_statements_of_a_pack_do_not_grow_with_it(people: People) -> None:
    counts = []
    for size in (2, 8):
        pack = looked_at(size, people)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert set(notices_decide(pack, muted=()).values()) == {"queued"}
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert QueuedMessage.objects.count() == 10


def test_two_subscriptions_of_one_person_that_end_on_a_day_are_one_message(people: People) -> None:
    one, other = people.make(5 * HOUR, telegram_id=77), people.make(5 * HOUR, telegram_id=77)
    dues.reminders_write()
    pack = [
        Looked(each.pk, each.subscriber_id, panel_look(panel_background(), each.subscriber))
        for each in Notice.objects.select_related("subscriber").order_by("pk")
    ]
    assert {row.pk for row in (one, other)} == {each.subscriber_id for each in pack}
    assert sorted(map(str, notices_decide(pack, muted=()).values())) == ["queued", "skipped"]
    [message] = QueuedMessage.objects.all()
    assert set(Notice.objects.values_list("reason", "message_id")) == {
        ("", message.pk), ("same_person", message.pk),
    }  # fmt: skip
    again = notices_decide(pack, muted=())
    assert sorted(map(str, again.values())) == ["queued", "skipped"]
    assert QueuedMessage.objects.count() == 1


def test_one_that_cannot_be_decided_holds_up_only_itself(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = looked_at(3, people)
    broken = pack[1].subscriber_id

    def strange(row: Subscriber, *given: object, **more: object) -> Letter:
        if row.pk == broken:
            raise ZeroDivisionError("a mistake of ours")
        return letter(row, *given, **more)

    letter: Callable[..., Letter] = expiry_letter
    monkeypatch.setattr(sending, "expiry_letter", strange)
    passed: list[int] = []
    with pytest.raises(ZeroDivisionError):
        notices_send(panel_background(), [each.notice_id for each in pack], passed=passed.append)
    states = dict(Notice.objects.values_list("subscriber_id", "state"))
    assert states.pop(broken) == "due"
    assert set(states.values()) == {"queued"}


def test_what_was_seen_before_the_panel_became_busy_is_acted_upon(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = looked_at(3, people)
    look = sending._look
    asked: list[int] = []

    def busy_at_the_third(client: PanelClient, row: Notice) -> object:
        asked.append(row.pk)
        if len(asked) == 3:
            raise PanelBusy("many requests", timedelta(seconds=1))
        return look(client, row)

    monkeypatch.setattr(sending, "_look", busy_at_the_third)
    passed: list[int] = []
    with pytest.raises(PanelBusy):
        notices_send(panel_background(), [each.notice_id for each in pack], passed=passed.append)
    assert passed == [sorted(each.notice_id for each in pack)[1]]
    assert sorted(Notice.objects.values_list("state", flat=True)) == ["due", "queued", "queued"]

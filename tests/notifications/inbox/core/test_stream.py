"""Reading inboxes: all of it, what was missed, and pages of it."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.inbox import stream
from notifications.inbox.epochs import epoch_renew
from notifications.inbox.models import Notification
from notifications.inbox.shapes import Changes, Snapshot
from tests.notifications.inbox.core.play import BOB, around_now, give, person, read


def snapshot(limit: int = 100) -> Snapshot:
    return stream.snapshot([person().pk], limit=limit)[person().pk]


def since(position: int | None, **options: Any) -> Changes:
    return stream.changes_since([(person().pk, position or 0)], **options)[person().pk]


def told(changes: Changes) -> list[tuple[str, dict[str, Any]]]:
    """(type of the frame, what it is about) of what is told."""
    frames = [orjson.loads(each.frame) for each in changes.missed]
    return [(frame["type"].removeprefix("notification."), frame["data"]) for frame in frames]


def names(rows: list[Any]) -> list[str]:
    return [row.message for row in rows]


def test_a_new_person_has_an_empty_inbox() -> None:
    assert snapshot() == Snapshot(0, 0, 0, snapshot().epoch, [], [])


def test_unread_ones_come_first_and_each_comes_once() -> None:
    given = [row for n in range(6) for row in give(message=str(n))]
    read(given[1], given[3])
    found = snapshot()
    assert names(found.pending) == ["0", "2", "4", "5"]
    assert names(found.recent) == ["1", "3"]
    assert (found.unread, found.last_position) == (4, person().last_position)


def test_only_the_last_ones_come_again_but_all_unread_ones() -> None:
    given = [row for n in range(10) for row in give(message=str(n))]
    read(*given[1:9])
    found = snapshot(limit=3)
    assert names(found.pending) == ["0", "9"]
    assert names(found.recent) == ["7", "8"]


def test_the_newest_unread_ones_come_if_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "PENDING_MOST", 2)
    for n in range(4):
        give(message=str(n))
    assert names(snapshot().pending) == ["2", "3"]
    assert snapshot().unread == 4


def test_expired_ones_are_shown_and_hidden_ones_are_not() -> None:
    person(muted_sources=["ads"])
    for state in ("auto_cleared", "recalled", "replaced"):
        (row,) = give(message=state)
        Notification.objects.filter(pk=row.pk).update(state=state)
    give(source="ads")
    person(**around_now())
    give()
    found = snapshot()
    assert (names(found.pending), names(found.recent)) == ([], ["auto_cleared"])


def test_a_row_says_all_that_a_screen_shows() -> None:
    (given,) = give(message="Hi", source="shop", data={"n": [1]}, priority=1)
    (row,) = snapshot().pending
    assert (row.recipient_id, row.notification_id) == (given.recipient_id, str(given.pk))
    assert (row.position, row.version, row.state) == (given.position, given.version, "unread")
    assert (row.created_at, row.expires_at) == (given.created_at, given.expires_at)
    assert (row.message, row.source, row.priority, row.edition) == ("Hi", "shop", 1, 1)
    assert orjson.loads(row.data or "") == {"n": [1]}


def test_many_people_cost_one_query() -> None:
    crowd = [(n, "crowd") for n in range(50)]
    ids = [row.recipient_id for row in give(*crowd)]
    with CaptureQueriesContext(connection) as queries:
        found = stream.snapshot([*ids, 0])
        stream.changes_since([(each, 0) for each in [*ids, 0]])
    assert len(queries) == 2
    assert list(found) == ids
    assert all(len(each.pending) == 1 for each in found.values())


def test_a_new_epoch_is_told() -> None:
    before = snapshot().epoch
    epoch = epoch_renew()
    assert before != epoch == snapshot().epoch == since(0).epoch


def test_nothing_is_missed_up_to_the_last_position() -> None:
    give()
    found = since(person().last_position)
    assert (found.complete, found.missed) == (True, [])
    assert (found.last_position, found.unread) == (person().last_position, 1)


def test_what_is_new_comes_in_order_and_chained() -> None:
    (known,) = give()
    given = [row for n in range(3) for row in give(message=str(n))]
    found = since(known.position)
    assert found.complete
    assert [each.position for each in found.missed] == [row.position for row in given]
    assert [each.prev for each in found.missed] == [
        known.position, given[0].position, given[1].position,
    ]  # fmt: skip
    assert [data["message"] for _, data in told(found)] == ["0", "1", "2"]
    assert [each.kind for each in found.missed] == ["n"] * 3
    assert found.missed[0].notification_id == str(given[0].pk)


def test_what_is_new_and_read_since_comes_once_as_it_stands() -> None:
    (known,) = give()
    first, _ = (row for n in range(2) for row in give(message=str(n)))
    read(first)
    found = since(known.position)
    assert [(kind, data["message"], data["read"]) for kind, data in told(found)] == [
        ("push", "0", True), ("push", "1", False),
    ]  # fmt: skip
    assert found.last_position == person().last_position > found.missed[-1].position


def test_a_read_of_what_is_known_comes_as_an_ack() -> None:
    (known,) = give()
    since_position = person().last_position
    read(known)
    found = since(since_position)
    assert told(found) == [
        (
            "read.ack",
            {"notification_id": str(known.pk), "stream_id": f"{known.position}-0"},
        )
    ]
    assert [(each.position, each.prev) for each in found.missed] == [
        (person().last_position, since_position)
    ]


def test_what_is_known_and_replaced_is_recalled_before_the_new_one_comes() -> None:
    (known,) = give(collapse_key="k")
    (new,) = give(collapse_key="k", message="new")
    found = told(since(known.position))
    assert [kind for kind, _ in found] == ["recall", "push"]
    assert found[0][1]["reason"] == "replaced"
    assert found[1][1]["notification_id"] == str(new.pk)


def test_what_is_new_and_gone_since_is_not_told() -> None:
    (known,) = give()
    give(collapse_key="k")
    give(collapse_key="k", message="new")
    found = since(known.position)
    assert [data["message"] for _, data in told(found)] == ["new"]
    assert found.complete


def test_what_is_known_and_was_changed_and_read_is_told_twice() -> None:
    (known,) = give()
    after = person().last_position
    Notification.objects.update(message="mended", edition=2, edited=after + 1, version=after + 1)
    person(last_position=after + 1)
    assert [kind for kind, _ in told(since(after))] == ["update"]
    read(known)
    found = since(after)
    assert [kind for kind, _ in told(found)] == ["update", "read.ack"]
    assert found.missed[1].prev == found.missed[0].position == after + 1
    assert [kind for kind, _ in told(since(after + 1))] == ["read.ack"]


def test_what_is_known_and_expired_is_told() -> None:
    (known,) = give()
    after = person().last_position
    Notification.objects.update(state="auto_cleared", version=after + 1)
    person(last_position=after + 1)
    ((kind, data),) = told(since(after))
    assert (kind, data["position"]) == ("auto_cleared", f"{after + 1}-0")
    assert known.position == after


def test_what_was_trimmed_away_cannot_be_told() -> None:
    (known,) = give()
    give()
    person(trimmed_to=(known.position or 0) + 1)
    found = since(known.position)
    assert (found.complete, found.missed) == (False, [])
    assert since((known.position or 0) + 1).complete


def test_a_position_that_we_never_reached_leads_nowhere() -> None:
    give()
    assert not since(person().last_position + 1).complete
    assert since(person().last_position).complete


def test_too_much_is_not_told() -> None:
    for _ in range(3):
        give()
    assert since(0, cap=3).complete
    found = since(0, cap=2)
    assert (found.complete, found.missed) == (False, [])


def test_pages_go_back_in_time() -> None:
    given = [row for n in range(5) for row in give(message=str(n))]
    last = stream.page(person().pk, limit=2)
    assert names(last) == ["3", "4"]
    before = stream.page(person().pk, limit=2, before=last[0].position)
    assert names(before) == ["1", "2"]
    assert stream.page(person().pk, limit=2, before=given[0].position) == []
    assert stream.page(person(BOB).pk, limit=2) == []

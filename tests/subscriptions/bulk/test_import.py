"""Importing subscribers from a table."""

import io
from datetime import timedelta

import pytest

from jobs.testing import drain, job_perform
from lib import clock
from subscriptions.bulk.files import FileInvalid
from subscriptions.bulk.importing import Imported, import_start
from subscriptions.bulk.lines import Entry, Reject, entries_read
from subscriptions.models import BulkItem, BulkOperation, Plan, Subscriber, SubscriberEvent
from subscriptions.panel.door import panel
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts, fates


def begin(text: str) -> Imported:
    return import_start(io.BytesIO(text.encode()), source="file", name="list.csv", by=None)


def test_the_new_are_made_and_the_known_completed(mirror: Mirror) -> None:
    Plan.objects.create(code="month", title="Month", period_days=30)
    (known,) = mirror(1, **ALIVE)
    later = (clock.now() + timedelta(days=90)).replace(microsecond=0)
    begun = begin(
        "username,expires,telegram_id,plan,language,traffic_gb\n"
        f"{known.username},{later.isoformat()},,month,ru,\n"
        "newcomer,,700100,month,en,50\n"
    )
    drain()
    assert begun.operation is not None
    assert counts(begun.operation) == ("done", 2, 2, 0, 0)
    assert panel().user(known.panel_id or 0).expire_at == later
    made = panel().user_by_username("newcomer")
    assert (made.telegram_id, made.traffic_limit_bytes) == (700100, 50 * 1024**3)
    assert timedelta(days=29) < made.expire_at - clock.now() <= timedelta(days=30)
    rows = {row.username: row for row in Subscriber.objects.select_related("plan")}
    assert {
        name: (row.plan.code if row.plan else "", row.language) for name, row in rows.items()
    } == {
        known.username: ("month", "ru"),
        "newcomer": ("month", "en"),
    }
    assert SubscriberEvent.objects.filter(kind="imported").count() == 2
    assert set(BulkItem.objects.values_list("subscriber_id", flat=True)) == {
        row.pk for row in rows.values()
    }


def test_a_second_import_writes_nothing(mirror: Mirror, panel_on: Sandbox) -> None:
    until = (clock.now() + timedelta(days=9)).replace(microsecond=0).isoformat()
    table = f"username,expires\nnew_one,{until}\nnew_two,{until}\n"
    begin(table)
    drain()
    before = len(panel_on.panel.writes())
    again = begin(table).operation
    drain()
    assert again is not None
    assert counts(again) == ("done", 2, 2, 0, 0)
    assert len(panel_on.panel.writes()) == before == 2


def test_nobody_is_cut_short_by_a_line(mirror: Mirror) -> None:
    (known,) = mirror(1, **ALIVE)
    sooner = (clock.now() + timedelta(minutes=5)).isoformat()
    begun = begin(f"username,expires\n{known.username},{sooner}\n")
    drain()
    assert begun.operation is not None
    assert counts(begun.operation)[:3] == ("done", 1, 1)
    assert panel().user(known.panel_id or 0).expire_at == known.expire_at


def test_a_walker_that_was_killed_after_it_made_somebody_makes_no_second(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    begun = begin("username,days\nnew_one,30\n")
    drain()
    BulkItem.objects.update(state="running", walker=1)
    BulkOperation.objects.update(state="running", done=0, finished_at=None)
    assert begun.operation is not None
    job_perform("subscriptions.bulk_walk", operation_id=begun.operation.pk, walker=1)
    assert counts(begun.operation) == ("done", 1, 1, 0, 0)
    assert len(panel_on.panel.writes()) == 1


def test_somebody_new_without_a_time_is_told_to_have_failed(mirror: Mirror) -> None:
    begun = begin("username,tag\nnew_one,PRO\n")
    drain()
    assert begun.operation is not None
    assert fates(begun.operation) == [("failed", "invalid_line")]


def test_bad_lines_are_told_with_their_reason() -> None:
    table = (
        "Login;Expires;Days;Telegram ID;Plan;Tag;Lang;E-mail\n"
        "ok_1;2030-01-31;;;;;;\n"
        "x;;30;;;;;\n"
        "ok_2;soon;;;;;;\n"
        "ok_3;2030-01-31;30;;;;;\n"
        "ok_4;;0;;;;;\n"
        "ok_5;;;abc;;;;\n"
        "ok_6;;;;gold;;;\n"
        "ok_7;;;;;pro;;\n"
        "ok_8;;;;;;de;\n"
        "ok_9;;;;;;;nobody\n"
        "ok_10;2030-01-31T10:00:00;;;;;;\n"
        "ok_1;;30;;;;;\n"
        "ok_11;;30;;month;PRO;ru;a@b.example\n"
    )
    lines = list(entries_read(io.BytesIO(table.encode()), {"month": 30}))
    taken = [line.username for line in lines if isinstance(line, Entry)]
    rejected = {line.number: line.reason for line in lines if isinstance(line, Reject)}
    assert taken == ["ok_1", "ok_11"]
    assert sorted(rejected) == list(range(3, 14))
    assert "line 2 names the same user" in rejected[13]
    first = lines[0]
    assert isinstance(first, Entry)
    assert first.wanted == {"expire_at": "2030-01-31T23:59:59+00:00"}


@pytest.mark.parametrize("table", ["", "\n", "tag\nPRO\n"])
def test_a_file_that_is_no_such_table_begins_nothing(db: None, table: str) -> None:
    with pytest.raises(FileInvalid):
        begin(table)
    assert not BulkOperation.objects.exists()


def test_a_file_without_a_usable_line_begins_nothing(db: None) -> None:
    begun = begin("username\nx\n")
    assert (begun.operation, begun.accepted, begun.rejected) == (None, 0, 1)
    assert not BulkOperation.objects.exists()

"""What is in a file, against a reading of its own by the ORM."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lib.errors import InputInvalid
from payments.models import Payment
from reports.exports.services import export_order
from reports.exports.sources import SOURCES
from subscriptions.models import Plan, Subscriber
from tests.reports.exports.conftest import Ordered, content, objects, table
from tests.reports.exports.rows import NOON, act, hour, node, paid, payment, span, subscriber


def stamp(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def cell(value: Any) -> str:
    return "" if value is None else str(value)


def test_users_are_as_the_table_has_them(written: Ordered) -> None:
    plan = Plan.objects.create(code="month", title="Month", period_days=30)
    subscriber(1, plan=plan, email="anna@example.com", telegram_id=-5, tag="TRIAL", auto_renew=True)
    subscriber(2, status="EXPIRED", online_at=NOON, used_traffic_bytes=2**40)
    subscriber(3, missing_since=NOON)
    found = table(written("users"))
    expected = [
        {
            "id": cell(row.pk),
            "username": row.username,
            "status": row.status,
            "plan": row.plan.code if row.plan else "",
            "telegram_id": cell(row.telegram_id),
            "email": row.email,
            "used_traffic_bytes": cell(row.used_traffic_bytes),
            "auto_renew": str(row.auto_renew).lower(),
            "expires_at": stamp(row.expire_at),
            "online_at": stamp(row.online_at),
            "registered_at": stamp(row.panel_created_at),
        }
        for row in Subscriber.objects.filter(missing_since=None).order_by("pk")
    ]
    assert [{name: row[name] for name in expected[0]} for row in found] == expected
    assert list(found[0]) == SOURCES["users"].usual_columns


def test_payments_lose_no_digit(written: Ordered) -> None:
    payment(amount=Decimal("1.230000000000"), currency="EUR", currency_type="fiat")
    paid(9000017)
    paid(9000018, fee_asset="TON")
    found = objects(written("payments", format="jsonl"))
    rows = Payment.objects.order_by("pk")
    assert [Decimal(line["amount"]) for line in found] == [row.amount for row in rows]
    assert [line["amount"] for line in found] == ["1.23", "5", "5"]
    assert [line["paid_amount"] for line in found] == [None, "5.000000000012", "5.000000000012"]
    assert [line["net_amount"] for line in found] == [None, "4.850000000012", None]
    assert [line["invoice"] for line in found] == [None, "9000017", "9000018"]
    assert [line["id"] for line in found] == [str(row.pk) for row in rows]


def test_servers_tell_of_the_range(written: Ordered) -> None:
    since, until = NOON, NOON + timedelta(hours=10)
    one = node("fra-1", tags=["eu", "fast"])
    span(one, "online", NOON - timedelta(days=1), NOON + timedelta(hours=2))
    span(one, "offline", NOON + timedelta(hours=2), NOON + timedelta(hours=3))
    span(one, "maintenance", NOON + timedelta(hours=3), NOON + timedelta(hours=4))
    span(one, "online", NOON + timedelta(hours=4), NOON + timedelta(hours=9))
    span(one, "offline", NOON + timedelta(hours=9), None)
    for hours, count in ((-1, 1000), (0, 10), (9, 5), (10, 1000)):
        hour(one, NOON + timedelta(hours=hours), count)
    node("gone", removed_at=NOON - timedelta(hours=1))
    (found,) = table(written("servers", since=since, until=until))
    told = {
        name: found[name]
        for name in found
        if name.endswith("_seconds") or name in {"range_bytes", "outages", "name", "tags"}
    }
    assert told == {
        "name": "fra-1", "tags": "eu fast", "range_bytes": "15", "outages": "2",
        "online_seconds": str(7 * 3600), "offline_seconds": str(2 * 3600),
        "maintenance_seconds": "3600", "warning_seconds": "0",
    }  # fmt: skip


def test_a_server_without_history_has_zeros_and_a_list_in_json(written: Ordered) -> None:
    node("new", tags=["eu"])
    (found,) = objects(written("servers", format="jsonl"))
    assert (found["tags"], found["range_bytes"], found["online_seconds"]) == (["eu"], 0, 0)


def test_the_audit_log_keeps_its_changes_as_json(written: Ordered) -> None:
    row = act(changes={"args": {"chat": 7}, "text": 'a "quoted",\nline'})
    act("sam", object_type="queue", object_id="default", action="queues.pause")
    (found,) = table(written("audit", filters={"object_type": "job"}))
    assert (found["id"], json.loads(found["changes"])) == (str(row.pk), row.changes)
    (line,) = objects(written("audit", format="jsonl", filters={"object_type": "job"}))
    assert line["changes"] == row.changes
    assert (line["at"], line["account"]) == (stamp(NOON), "olga")


@pytest.mark.parametrize("name", list(SOURCES))
def test_nothing_that_opens_a_connection_is_a_column(name: str) -> None:
    columns = {column.name for column in SOURCES[name].columns}
    secret = ("url", "link", "short", "config", "description", "note", "secret", "token")
    assert [each for each in columns if any(word in each for word in secret)] == []


def test_a_link_of_a_subscriber_is_not_in_the_file(written: Ordered) -> None:
    subscriber(1, short_uuid="s3cr3t", subscription_url="https://x.example/s3cr3t", note="s3cr3t")
    every = [column.name for column in SOURCES["users"].columns]
    assert b"s3cr3t" not in content(written("users", columns=every))
    assert b"s3cr3t" not in content(written("users", columns=every, format="jsonl"))


def test_chosen_columns_come_in_the_given_order(written: Ordered) -> None:
    subscriber(1)
    export = written("users", columns=["username", "id", "username"])
    assert content(export).decode().splitlines()[0] == "username,id"
    assert list(objects(written("users", columns=["username", "id"], format="jsonl"))[0]) == [
        "username", "id",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["user_1", "user_2"]),
        ({"status": ["EXPIRED"]}, ["user_2"]),
        ({"status": "ACTIVE", "tag": ["VIP"]}, ["user_1"]),
        ({"name": "USER_2"}, ["user_2"]),
        ({"is_missing": True}, ["user_3"]),
        ({"auto_renew": True}, []),
    ],
    ids=["all", "a status", "two parts", "a name", "gone", "nobody"],
)
def test_users_are_narrowed_as_their_list_is(
    written: Ordered, filters: dict[str, Any], expected: list[str]
) -> None:
    subscriber(1, tag="VIP")
    subscriber(2, status="EXPIRED")
    subscriber(3, missing_since=NOON)
    assert [row["username"] for row in table(written("users", filters=filters))] == expected


@pytest.mark.parametrize(
    ("name", "filters", "why"),
    [
        ("users", {"colour": "red"}, "there is no filter"),
        ("users", {"status": ["SERVED"]}, "status takes"),
        ("payments", {"dated": "lately"}, "dated takes"),
        ("servers", {"removed": "perhaps"}, "removed takes"),
        ("audit", {"who": 7}, "who takes"),
    ],
)
def test_a_filter_that_does_not_fit_is_refused_by_name(
    db: None, name: str, filters: dict[str, Any], why: str
) -> None:
    with pytest.raises(InputInvalid, match=why):
        export_order(type=name, filters=filters)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("users", lambda at: subscriber(int(at.timestamp() * 10**6), panel_created_at=at)),
        ("payments", lambda at: payment(created_at=at)),
        ("audit", lambda at: act(at=at)),
    ],
)
def test_the_beginning_of_a_range_is_in_it_and_its_end_is_not(
    written: Ordered, name: str, make: Any
) -> None:
    tick = timedelta(microseconds=1)
    until = NOON + timedelta(days=1)
    for at in (NOON - tick, NOON, until - tick, until):
        make(at)
    found = objects(written(name, format="jsonl", since=NOON, until=until))
    assert len(found) == 2
    assert len(objects(written(name, format="jsonl", since=NOON))) == 3
    assert len(objects(written(name, format="jsonl", until=NOON))) == 1


def test_payments_can_be_ranged_by_when_they_were_completed(written: Ordered) -> None:
    paid(1, at=NOON + timedelta(days=2))
    payment()
    order = {"since": NOON + timedelta(days=1), "format": "jsonl"}
    assert objects(written("payments", **order)) == []
    (found,) = objects(written("payments", **order, filters={"dated": "completed"}))
    assert found["invoice"] == "1"

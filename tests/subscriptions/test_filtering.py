"""The one filter of subscribers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lib import clock
from subscriptions.filtering import FilterInvalid, filter_check, filter_describe, filter_query
from subscriptions.models import Plan, Subscriber
from tests.subscriptions.bulk.rows import rows_make

NODE = UUID(int=7)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def names(where: dict[str, Any]) -> list[str]:
    return list(filter_query(where).order_by("pk").values_list("username", flat=True))


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ({"status": "EXPIRED"}, {"status": "EXPIRED"}),
        ({"status": ["EXPIRED", "LIMITED"]}, {"status": "LIMITED"}),
        ({"tag": "PRO"}, {"tag": "PRO"}),
        ({"cut_by": "bulk"}, {"cut_by": "bulk"}),
        ({"telegram_id": "77"}, {"telegram_id": 77}),
        ({"has_telegram": True}, {"telegram_id": 77}),
        ({"auto_renew": "true"}, {"auto_renew": True}),
        ({"node": str(NODE)}, {"last_node_uuid": NODE}),
        ({"squad": str(NODE)}, {"squads": [UUID(int=1), NODE]}),
        ({"expires_before": "2020-01-01T00:00:00Z"}, {"expire_at": NOW - timedelta(days=3000)}),
        ({"expires_from": "2040-01-01T00:00:00+03:00"}, {"expire_at": NOW + timedelta(days=9000)}),
        ({"online_since": "2026-11-01T00:00:00Z"}, {"online_at": NOW}),
        ({"name": "Special"}, {"username": "specialist"}),
        ({"is_missing": True}, {"missing_since": NOW}),
    ],
)
def test_each_part_finds_whom_it_says(
    db: None, where: dict[str, Any], change: dict[str, Any]
) -> None:
    row = rows_make(3)[1]
    Subscriber.objects.filter(pk=row.pk).update(**change)
    row.refresh_from_db()
    assert names(where) == [row.username]


def test_parts_hold_together_and_the_missing_are_left_out(db: None) -> None:
    plan = Plan.objects.create(code="month", title="Month", period_days=30)
    one, two, gone = rows_make(3, plan=plan)
    Subscriber.objects.filter(pk=two.pk).update(status="DISABLED")
    Subscriber.objects.filter(pk=gone.pk).update(missing_since=clock.now())
    assert names({"plan": ["month"], "status": "ACTIVE"}) == [one.username]
    assert names({}) == [one.username, two.username]
    assert names({"offline_since": "2026-11-01T00:00:00Z"}) == [one.username, two.username]


def test_wildcards_in_a_name_are_letters(db: None) -> None:
    rows_make(2)
    assert names({"name": "per%"}) == []
    assert names({"name": "PERSON_1"}) == ["person_1"]


@pytest.mark.parametrize(
    "where",
    [
        {"colour": "red"}, {"status": "SICK"}, {"status": []}, {"status": 7}, {"tag": "\x00"},
        {"telegram_id": "x"}, {"telegram_id": True}, {"telegram_id": 2**63}, {"node": "x"},
        {"has_telegram": "perhaps"}, {"expires_from": "2026-13-01T00:00:00Z"}, {"name": " "},
        {"expires_from": "2026-11-01T00:00:00"}, {"expires_from": 7}, {"name": "x" * 65},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(where: dict[str, Any]) -> None:
    with pytest.raises(FilterInvalid):
        filter_check(where)


def test_a_filter_is_said_in_words() -> None:
    where = filter_check({"status": ["ACTIVE", "LIMITED"], "tag": "", "auto_renew": True})
    assert filter_describe(where) == "status ACTIVE or LIMITED, auto-renewal True"
    assert filter_describe({}) == "everybody"

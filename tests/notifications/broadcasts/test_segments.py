"""Segments: each condition finds the people it names, and what makes no sense is refused with the reason."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import sql
from jobs.testing import drain
from lib import clock
from notifications.broadcasts.audiences.registry import (
    Condition,
    Operation,
    audience_check,
    audience_describe,
    condition_register,
    conditions,
)
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.models import LedgerRow
from notifications.broadcasts.services import audience_count, broadcast_send_now
from notifications.inbox.accept import accept
from notifications.inbox.models import Client, Recipient
from notifications.inbox.shapes import Draft
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make

LONG_AGO = "2020-01-01T00:00:00Z"


def segment(*given: tuple[str, str, Any], match: str = "all") -> dict[str, Any]:
    parts = [{"field": field, "op": op, "value": value} for field, op, value in given]
    return {"type": "segment", "match": match, "conditions": parts}


@pytest.fixture
def people() -> list[Recipient]:
    """u1 to u6: two in Russian, three with Telegram, one connected, one with an unread notification."""
    made = people_make(6)
    Recipient.objects.filter(user_id__in=[1, 2]).update(language="ru")
    Recipient.objects.filter(user_id=3).update(language="en")
    Recipient.objects.filter(user_id__in=[2, 3, 4]).update(telegram_id=sql_id())
    Recipient.objects.filter(user_id=6).update(created_at=clock.now() - timedelta(days=30))
    Client.objects.create(
        id="01a2025e-0c3c-72d3-8e48-9ce144f165aa", pod_id="a", recipient_id=made[0].pk, user_id=1,
        login="u1", connected_at=clock.now(), seen_at=clock.now(),
    )  # fmt: skip
    accept([Draft(targets=[(5, "u5")], message="Hello", source="test")])
    return made


def sql_id() -> int:
    return 700


@pytest.mark.parametrize(
    ("audience", "users"),
    [
        (segment(("language", "is", ["ru"])), [1, 2]),
        (segment(("language", "is", ["en", ""])), [3, 4, 5, 6]),
        (segment(("language", "is_not", ["ru", "en"])), [4, 5, 6]),
        (segment(("has_telegram", "is", True)), [2, 3, 4]),
        (segment(("has_telegram", "is", False)), [1, 5, 6]),
        (segment(("connected", "is", True)), [1]),
        (segment(("connected", "is", False)), [2, 3, 4, 5, 6]),
        (segment(("unread", "at_least", 1)), [5]),
        (segment(("unread", "at_most", 0)), [1, 2, 3, 4, 6]),
        (segment(("created", "since", LONG_AGO)), [1, 2, 3, 4, 5, 6]),
        (segment(("created", "before", LONG_AGO)), []),
        (segment(("read", "since", LONG_AGO)), []),
        (segment(("read", "before", LONG_AGO)), [1, 2, 3, 4, 5, 6]),
        (segment(("language", "is", ["ru"]), ("has_telegram", "is", True)), [2]),
        (
            segment(("language", "is", ["ru"]), ("has_telegram", "is", True), match="any"),
            [1, 2, 3, 4],
        ),
    ],
)
def test_a_condition_finds_its_people(
    people: list[Recipient], audience: dict[str, Any], users: list[int]
) -> None:
    assert audience_count(audience) == len(users)
    row = broadcast_make(audience=audience)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    assert adds_up(row.pk).sent == len(users)
    told = LedgerRow.objects.values_list("recipient_id", flat=True)
    assert sorted(Recipient.objects.filter(pk__in=told).values_list("user_id", flat=True)) == users


@pytest.mark.parametrize(
    ("audience", "why"),
    [
        ({}, "type None is not known"),
        ([], "must be an object"),
        ({"type": "all_users", "ids": [1]}, "takes no ids"),
        ({"type": "ids", "ids": []}, "at least one"),
        ({"type": "ids", "ids": ["7"]}, "no user id"),
        ({"type": "ids", "ids": [True]}, "no user id"),
        ({"type": "csv", "audience_id": "7"}, "must be the id"),
        (
            {"type": "csv", "audience_id": "01a2025e-0c3c-72d3-8e48-9ce144f165aa"},
            "there is no list",
        ),
        ({"type": "segment"}, "conditions must be a list"),
        ({"type": "segment", "conditions": [{"field": "shoe_size"}]}, "no field 'shoe_size'"),
        (segment(("language", "like", ["ru"])), "language takes is, is_not"),
        (segment(("language", "is", "ru")), "takes a list of words"),
        (segment(("unread", "at_least", "many")), "takes a whole number"),
        (segment(("has_telegram", "is", 1)), "takes true or false"),
        (segment(("created", "since", "yesterday")), "takes a moment"),
        (segment(("created", "since", "2026-01-01T00:00:00")), "with its time zone"),
        (segment(("unread", "at_least", 1), match="none"), "match must be"),
        (segment(*[("unread", "at_least", 1)] * 21), "1 to 20"),
    ],
)
def test_an_audience_that_makes_no_sense_is_refused(audience: Any, why: str) -> None:
    with pytest.raises(AudienceInvalid, match=why):
        audience_check(audience)


def test_a_segment_says_in_words_whom_it_holds() -> None:
    audience = segment(("language", "is", ["ru"]), ("has_telegram", "is", False))
    assert audience_describe(audience) == "language is ru and not has Telegram"
    assert audience_describe({"type": "gone"}).startswith("audience: type 'gone' is not known")


def test_explicit_ids_that_nobody_has_are_counted(people: list[Recipient]) -> None:
    row = broadcast_make(audience={"type": "ids", "ids": [1, 2, 2, 99, 98]})
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.sent, row.unmatched) == (2, 2)


def test_an_app_above_can_bring_a_condition_of_its_own(
    people: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "notifications.broadcasts.audiences.registry._conditions", dict(conditions())
    )
    condition_register(
        Condition(
            "login", "login", "words", list, {"is": Operation("is", "r.login = ANY ({value})")}
        )
    )
    assert audience_count(segment(("login", "is", ["u4", "u5"]))) == 2


def test_what_a_condition_holds_is_never_sql(people: list[Recipient]) -> None:
    assert audience_count(segment(("language", "is", ["ru' OR '1'='1"]))) == 0
    assert sql.row("SELECT count(*) FROM inbox_recipient") == (6,)

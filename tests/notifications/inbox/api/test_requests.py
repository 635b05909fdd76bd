"""The body of a notify request: every field, every limit, and what is said of each."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from notifications.inbox.errors import DraftInvalid, TooManyTargets
from notifications.inbox.requests import draft_read, target_check

pytestmark = pytest.mark.unit

ALICE = {"id": 1, "login": "alice"}
LEAST = {"target": [ALICE], "message": "Hello", "source": "shop"}


def wrong(body: Any) -> dict[str, str]:
    """What is said of each field."""
    with pytest.raises(DraftInvalid) as refusal:
        draft_read(body)
    return {each["field"]: each["message"] for each in refusal.value.extra["errors"]}


def test_the_request_of_the_source_is_read() -> None:
    draft = draft_read(
        {
            "target": [ALICE, {"id": 2, "login": "bob"}],
            "message": "Ваш заказ #12345 отправлен и прибудет завтра",
            "created_at": "2024-01-01T12:00:00Z",
            "source": "order-service",
        }
    )
    assert draft.targets == [(1, "alice"), (2, "bob")]
    assert draft.message == "Ваш заказ #12345 отправлен и прибудет завтра"
    assert draft.created_at == datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert draft.source == "order-service"


def test_what_is_left_out_is_as_usual() -> None:
    draft = draft_read(LEAST)
    assert (draft.created_at, draft.ttl_s, draft.priority) == (None, 900, 2)
    assert (draft.collapse_key, draft.data, draft.fallback_after_s) == (None, None, None)


def test_null_is_as_if_left_out() -> None:
    optional = ("created_at", "ttl_s", "collapse_key", "priority", "data", "fallback_after_s")
    assert draft_read({**LEAST, **dict.fromkeys(optional)}).ttl_s == 900


def test_every_other_field_is_read() -> None:
    draft = draft_read(
        {
            **LEAST,
            "ttl_s": 60,
            "collapse_key": "order-7",
            "priority": 0,
            "data": {"order": 7},
            "fallback_after_s": 30,
        }
    )
    assert (draft.ttl_s, draft.collapse_key, draft.priority) == (60, "order-7", 0)
    assert (draft.data, draft.fallback_after_s) == ({"order": 7}, 30)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2024-01-01T15:00:00+03:00", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("2024-01-01T12:00:00.123456789Z", datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_moment_may_have_any_zone_and_fraction(given: str, moment: datetime) -> None:
    assert draft_read({**LEAST, "created_at": given}).created_at == moment


@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_the_body_is_an_object(body: Any) -> None:
    assert wrong(body) == {"": "The body must be a JSON object with target, message and source."}


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert set(wrong({"target": [], "priority": 9, "urgent": True})) == {
        "target", "message", "source", "priority", "urgent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", ""),
        ("message", " \n "),
        ("message", "x" * 4001),
        ("message", 7),
        ("source", ""),
        ("source", "x" * 101),
        ("source", ["shop"]),
        ("created_at", "2024-01-01T12:00:00"),
        ("created_at", "yesterday"),
        ("created_at", 1704110400),
        ("created_at", "0001-01-01T00:00:00+05:00"),
        ("created_at", "1999-12-31T23:59:59Z"),
        ("ttl_s", 0),
        ("ttl_s", 15 * 86_400 + 1),
        ("ttl_s", 1.5),
        ("ttl_s", "60"),
        ("ttl_s", True),
        ("collapse_key", ""),
        ("collapse_key", "x" * 201),
        ("priority", -1),
        ("priority", 4),
        ("priority", "high"),
        ("data", []),
        ("data", {"x": "y" * 4096}),
        ("fallback_after_s", 0),
        ("fallback_after_s", 900),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(field: str, value: Any) -> None:
    assert list(wrong({**LEAST, field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", "я" * 4000),
        ("source", "x" * 100),
        ("ttl_s", 15 * 86_400),
        ("ttl_s", 1),
        ("collapse_key", "x" * 200),
        ("data", {"x": "y" * 4088}),
        ("fallback_after_s", 899),
    ],
)
def test_a_limit_itself_still_fits(field: str, value: Any) -> None:
    assert getattr(draft_read({**LEAST, field: value}), field) == value


def test_data_that_is_nested_too_deeply_is_refused() -> None:
    data: dict[str, Any] = {}
    for _ in range(300):
        data = {"x": data}
    assert wrong({**LEAST, "data": data}) == {"data": "Is nested too deeply."}


def test_a_fallback_must_come_before_the_end() -> None:
    assert draft_read({**LEAST, "ttl_s": 3600, "fallback_after_s": 1800}).fallback_after_s == 1800
    assert "expired" in wrong({**LEAST, "ttl_s": 60, "fallback_after_s": 60})["fallback_after_s"]


@pytest.mark.parametrize(
    "target",
    [
        None,
        "alice",
        {"id": 1},
        {"login": "alice"},
        {"id": "1", "login": "alice"},
        {"id": True, "login": "alice"},
        {"id": -1, "login": "alice"},
        {"id": 2**63, "login": "alice"},
        {"id": 1.0, "login": "alice"},
        {"id": 1, "login": ""},
        {"id": 1, "login": " "},
        {"id": 1, "login": 7},
        {"id": 1, "login": "x" * 151},
        {"id": 1, "login": "a\nb"},
        {"id": 1, "login": "alice", "name": "Alice"},
    ],
)
def test_a_target_that_does_not_fit_is_refused_by_its_place(target: Any) -> None:
    assert list(wrong({**LEAST, "target": [ALICE, target]})) == ["target.1"]


def test_a_target_is_asked_for() -> None:
    assert wrong({**LEAST, "target": ALICE}).keys() == {"target"}


def test_only_the_first_twenty_errors_are_told() -> None:
    assert len(wrong({**LEAST, "target": [None] * 9_000})) == 20


def test_ten_thousand_targets_are_the_most() -> None:
    people = [{"id": n, "login": f"user-{n}"} for n in range(1, 10_002)]
    assert len(draft_read({**LEAST, "target": people[:10_000]}).ids) == 10_000
    with pytest.raises(TooManyTargets) as refusal:
        draft_read({**LEAST, "target": people})
    assert (refusal.value.status, refusal.value.code) == (413, "too_many_targets")
    assert refusal.value.extra["limit_targets"] == 10_000


def test_limits_follow_the_settings(settings: Settings) -> None:
    settings.INBOX_MAX_TARGETS = 1
    with pytest.raises(TooManyTargets):
        draft_read({**LEAST, "target": [ALICE, ALICE]})


def test_who_is_named_twice_is_one_person() -> None:
    draft = draft_read({**LEAST, "target": [ALICE, ALICE]})
    assert len(draft.ids) == 1
    assert draft.targets == [(1, "alice"), (1, "alice")]


@pytest.mark.parametrize("name", [(0, "alice"), (2**63 - 1, "x" * 150), (7, "имя фамилия")])
def test_a_name_that_fits_has_nothing_wrong(name: tuple[int, str]) -> None:
    assert target_check(*name) == ""

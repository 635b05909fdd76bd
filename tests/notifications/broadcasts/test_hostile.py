"""What nobody should send: every door refuses it, and none answers with an error of ours."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.accounts import token_issue
from notifications.broadcasts.api import audiences
from notifications.broadcasts.audiences import registry
from notifications.broadcasts.audiences.registry import Condition, Operation
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.services import audience_count
from tests.notifications.broadcasts.rows import EVERYBODY, broadcast_make, people_make

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/admin/notifications/broadcasts"
HALF = "\ud800"  # of a letter
BIG = 2**70


@pytest.fixture
def api(account: Callable[..., User]) -> Client:
    issued = token_issue(
        account=account("machine", is_superuser=True, is_staff=True), lifetime=timedelta(days=1)
    )
    return Client(
        headers={"Authorization": f"Bearer {issued.token}"}, raise_request_exception=False
    )


def post(api: Client, url: str, body: Any) -> int:
    # As text: half letters and NULs travel as JSON escapes.
    return api.post(url, json.dumps(body), content_type="application/json").status_code


WRITTEN = {"title": "Feature launch", "body": "We are live!", "audience": EVERYBODY}


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"a": "\x00"}},
        {"data": {"\x00": 1}},
        {"data": {"a": HALF}},
        {"title": HALF},
        {"body": HALF},
        {"body_ru": HALF},
        {"title_ru": HALF},
        {"created_by": HALF},
        {"time_zone": "\x00"},
        {"time_zone": "../../etc/passwd"},
        {"audience": {"type": ["segment"]}},
        {"audience": {"type": HALF}},
        {"audience": {"type": "ids", "ids": [BIG]}},
        {"audience": {"type": "ids", "ids": [{}]}},
        {"audience": {"type": "csv", "audience_id": {}}},
        {"audience": {"type": "csv", "audience_id": "\x00"}},
        {"audience": {"type": "segment", "match": ["all"], "conditions": []}},
        {"channels": [["inbox"]]},
        {"channels": "inbox"},
        {"scheduled_at": "0001-01-01T00:00:00+14:00"},
        {"scheduled_at": "9999-12-31T23:59:59-12:00"},
        {"canary_percent": BIG},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_a_broadcast_that_cannot_be_kept_is_refused(api: Client, change: dict[str, Any]) -> None:
    assert post(api, URL, {**WRITTEN, **change}) in {400, 422}
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    "condition",
    [
        {"field": ["language"], "op": "is", "value": ["ru"]},
        {"field": "language", "op": ["is"], "value": ["ru"]},
        {"field": "language", "op": {}, "value": ["ru"]},
        {"field": "language", "op": "is", "value": [HALF]},
        {"field": "language", "op": "is", "value": ["\x00"]},
        {"field": "language", "op": "is", "value": {"ru": 1}},
        {"field": "unread", "op": "at_least", "value": BIG},
        {"field": "unread", "op": "at_least", "value": 1.5},
        {"field": "created", "op": "since", "value": "2026-02-30T00:00:00Z"},
        {"field": "created", "op": "since", "value": "0001-01-01T00:00:00+14:00"},
        {"field": "created", "op": "since", "value": "9999-12-31T23:59:59-14:00"},
        {"field": "has_telegram", "op": "is", "value": "yes"},
        [],
        None,
    ],
    ids=lambda condition: json.dumps(condition)[:60],
)
def test_a_condition_that_cannot_be_asked_is_refused_or_finds_nobody(
    api: Client, condition: Any
) -> None:
    audience = {"type": "segment", "match": "all", "conditions": [condition]}
    status = post(api, "/v1/admin/notifications/audiences/count", {"audience": audience})
    assert status in {200, 400, 422}
    try:
        assert audience_count(audience) == 0
    except AudienceInvalid:
        assert status in {400, 422}
    else:
        assert status == 200


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_no_moments_to_send_at(api: Client, moment: str) -> None:
    assert post(api, URL, {**WRITTEN, "scheduled_at": moment, "time_zone": "Asia/Tokyo"}) == 422
    row = broadcast_make()
    assert post(api, f"{URL}/{row.pk}/actions/schedule", {"scheduled_at": moment}) == 422
    page = reverse("admin:broadcasts_broadcast_send", args=[row.pk])
    person = Client()
    person.force_login(User.objects.get(username="machine"))
    for zone in ("Asia/Tokyo", "America/New_York"):
        given = {"when": "later", "at": moment[:16], "time_zone": zone}
        assert person.post(page, given).status_code == 422


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("resend-missing", {"rows": [BIG]}),
        ("resend-missing", {"reasons": [HALF]}),
        ("resend-missing", {"reasons": ["\x00"]}),
        ("test-send", {"user_id": BIG, "login": "u1"}),
        ("test-send", {"user_id": 1, "login": HALF}),
        ("test-send", {"telegram_id": BIG}),
        ("test-send", {"user_id": 1, "login": "u1", "language": "\x00"}),
        ("pause", {"reason": HALF}),
        ("recall", {"mode": "edit", "body": HALF}),
        ("schedule", {"scheduled_at": "0001-01-01T00:00:00+14:00"}),
        ("schedule", {"scheduled_at": "2099-01-01T00:00:00Z", "time_zone": "Nowhere/At_all"}),
        ("schedule", {"scheduled_at": "2099-01-01T00:00:00Z", "time_zone": HALF}),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_an_act_that_makes_no_sense_is_refused(api: Client, act: str, body: Any) -> None:
    row = broadcast_make(channels=["inbox", "telegram"])
    if act in {"resend-missing", "recall"}:
        Broadcast.objects.filter(pk=row.pk).update(status="sent", total=1, sent=1)
    assert post(api, f"{URL}/{row.pk}/actions/{act}", body) in {400, 409, 422}


@pytest.mark.parametrize(
    "query",
    [
        "channel=%00", "reason=%00", "search=%00", "search=%ED%A0%80", "fate=%00", "limit=1e9", "cursor=-1",
        "search=99999999999999999999", "search=--5", "search=%C2%B2", "search=%F0%9F%98%80", "limit=%C2%B2",
    ],
)  # fmt: skip
def test_a_question_about_the_ledger_that_makes_no_sense_is_refused_or_finds_nobody(
    api: Client, query: str
) -> None:
    row = broadcast_make()
    assert api.get(f"{URL}/{row.pk}/ledger?{query}").status_code in {200, 422}


@pytest.mark.parametrize("query", ["status=%00", "cursor=%00", "limit=%C2%B2", "cursor=%ED%A0%80"])
def test_a_question_about_the_list_that_makes_no_sense_is_refused(api: Client, query: str) -> None:
    assert api.get(f"{URL}?{query}").status_code == 422


def test_a_count_that_takes_too_long_is_given_up(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Condition(
        "slow", "slow", "flag", bool, {"is": Operation("is", "pg_sleep(30) IS NULL = {value}")}
    )
    monkeypatch.setattr(registry, "_conditions", {**registry.conditions(), "slow": slow})
    monkeypatch.setattr(audiences, "PATIENCE_MS", 50)
    people_make(1)
    condition = {"field": "slow", "op": "is", "value": True}
    audience = {"type": "segment", "match": "all", "conditions": [condition]}
    url = "/v1/admin/notifications/audiences/count"
    assert post(api, url, {"audience": audience}) == 409
    assert post(api, url, {"audience": EVERYBODY}) == 200

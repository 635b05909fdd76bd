"""Preferences over REST."""

from typing import Any

import pytest

from notifications.inbox.models import Recipient
from tests.notifications.inbox.api.server import Caller

PATH = "recipients/1/alice/preferences"
DEFAULTS: dict[str, Any] = {
    "muted_sources": [],
    "quiet_from": None,
    "quiet_to": None,
    "time_zone": "UTC",
    "fallback_after_s": None,
    "telegram_id": None,
    "language": "",
    "retention_days": 15,
}
WISHES = {
    "muted_sources": ["promo"],
    "quiet_from": "22:00",
    "quiet_to": "08:00:30",
    "time_zone": "Europe/Moscow",
    "fallback_after_s": 300,
    "telegram_id": 500100201,
    "language": "ru",
    "retention_days": 7,
}


def test_somebody_unknown_has_the_defaults_and_stays_unknown(api: Caller) -> None:
    reply = api.get(PATH)
    assert (reply.status, reply.body) == (200, DEFAULTS)
    assert not Recipient.objects.exists()


def test_wishes_are_kept_and_may_be_told_again(api: Caller) -> None:
    replies = [api.ask("PUT", PATH, WISHES) for _ in range(2)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, WISHES)] * 2
    assert api.get(PATH).body == WISHES


def test_put_sets_all_and_patch_some(api: Caller) -> None:
    api.ask("PUT", PATH, WISHES)
    assert api.ask("PATCH", PATH, {"muted_sources": []}).body == {**WISHES, "muted_sources": []}
    reply = api.ask("PUT", PATH, {"retention_days": 3})
    assert reply.body == {**DEFAULTS, "retention_days": 3}


def test_what_is_muted_is_accepted_and_never_shown(api: Caller) -> None:
    api.ask("PUT", PATH, {"muted_sources": ["promo"]})
    body = {"target": [{"id": 1, "login": "alice"}], "message": "Buy", "source": "promo"}
    reply = api.notify(body)
    sent = reply.body["results"][0]["notification_id"]
    told = api.get(f"notify/{sent}").body
    assert (reply.status, told["state"]) == (202, "muted")
    assert "muted the source promo" in told["why_not"]
    assert api.get("admin/pending").body["total_pending"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quiet_from": "25:00", "quiet_to": "08:00"}, "quiet_from"),
        ({"quiet_from": "22:00"}, "quiet_to"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "quiet_to"),
        ({"time_zone": "Moscow"}, "time_zone"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": 16}, "retention_days"),
        ({"fallback_after_s": -1}, "fallback_after_s"),
        ({"telegram_id": "me"}, "telegram_id"),
        ({"language": "xx"}, "language"),
        ({"muted_sources": "promo"}, "muted_sources"),
        ({"colour": "red"}, "colour"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_wish_that_does_not_fit_is_refused_by_its_name(
    api: Caller, method: str, body: Any, field: str
) -> None:
    reply = api.ask(method, PATH, body)
    assert (reply.status, reply.code) == (422, "invalid")
    assert [error["field"] for error in reply.body["errors"]] == [field]


def test_the_body_is_an_object(api: Caller) -> None:
    assert api.ask("PUT", PATH, []).status == 422


@pytest.mark.parametrize(
    ("person", "status"),
    [("1/%D0%B8%D0%BC%D1%8F", 200), ("1/a/b", 200), ("x/alice", 404), (f"{2**63}/alice", 422)],
)
def test_a_login_may_have_any_letters(api: Caller, person: str, status: int) -> None:
    assert api.get(f"recipients/{person}/preferences").status == status

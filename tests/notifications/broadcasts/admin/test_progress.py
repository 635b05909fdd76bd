"""Broadcasts as long operations: their numbers, their words, and what can be done by whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.progress.registry import operation_find
from jobs.progress.snapshot import Stage
from lib import clock
from notifications.broadcasts.models import Broadcast, Phase, Status, Tally
from notifications.broadcasts.services import broadcast_pause, broadcast_send_now
from tests.notifications.broadcasts.rows import broadcast_make, people_make

pytestmark = pytest.mark.django_db


def made(**fields: Any) -> Broadcast:
    """A broadcast to six people on both channels that has come somewhere."""
    row = broadcast_make(channels=["inbox", "telegram"])
    given = {"total": 12, "sent": 7, "failed": 2, "skipped": 1, "unknown": 1, **fields}
    Broadcast.objects.filter(pk=row.pk).update(started_at=clock.now(), **given)
    for channel, fate, reason, count in (
        ("inbox", "sent", "", 5),
        ("inbox", "sent", "deferred", 1),
        ("telegram", "sent", "", 1),
        ("telegram", "failed", "blocked", 2),
        ("telegram", "skipped", "no_telegram", 1),
        ("telegram", "unknown", "sender_killed", 1),
        ("telegram", "pending", "", 1),
    ):
        Tally.objects.create(
            broadcast_id=row.pk, channel=channel, fate=fate, reason=reason, count=count
        )
    return row


def api(row: Broadcast, act: str = "") -> str:
    end = f"/actions/{act}" if act else ""
    return f"/api/v1/progress/{row.pk}{end}"


def test_the_numbers_are_those_of_the_broadcast_by_channel_and_reason(alice: Client) -> None:
    row = made(status=Status.SENDING, phase=Phase.DELIVERING)
    found = alice.get(api(row)).json()
    assert (found["kind"], found["title"], found["state"]) == (
        "broadcast", "Feature launch", "delivering",
    )  # fmt: skip
    counts = {name: found[name] for name in ("total", "done", "failed", "skipped", "unknown")}
    assert counts == {"total": 12, "done": 7, "failed": 2, "skipped": 1, "unknown": 1}
    assert [(part["title"], part["total"], part["done"]) for part in found["parts"]] == [
        ("Inbox", 6, 6),
        ("Telegram", 6, 1),
    ]
    # What waits for quiet hours was sent: it is no reason why not.
    assert [(each["fate"], each["count"]) for each in found["reasons"]] == [
        ("failed", 2),
        ("skipped", 1),
        ("unknown", 1),
    ]
    assert found["reasons"][0]["text"] == "Telegram: The person has blocked the bot."
    assert found["link"] == f"/admin/broadcasts/broadcast/{row.pk}/change/"


@pytest.mark.parametrize(
    ("fields", "stage", "note"),
    [
        ({"status": "draft"}, Stage.WAITING, ""),
        ({"status": "sending", "phase": "expanding"}, Stage.RUNNING, "12 recipients found so far"),
        ({"status": "sending", "phase": "canary"}, Stage.RUNNING, "A few get it first."),
        ({"status": "sending", "phase": "delivering"}, Stage.RUNNING, ""),
        ({"status": "paused", "paused_reason": "a typo"}, Stage.PAUSED, "Paused: a typo"),
        (
            {"status": "paused", "paused_reason": "canary: 5 of 10 did not get it"},
            Stage.PAUSED,
            "The canary failed: 5 of 10 did not get it. To resume means",
        ),
        ({"status": "cancelled"}, Stage.RUNNING, "are being written down"),
        ({"status": "cancelled", "skipped": 2}, Stage.OVER, ""),
        ({"status": "sent", "skipped": 2}, Stage.OVER, ""),
        ({"status": "failed", "error": "nobody got it"}, Stage.OVER, "nobody got it"),
    ],
)
def test_every_status_has_its_stage_and_says_what_matters(
    fields: dict[str, Any], stage: Stage, note: str
) -> None:
    progress = operation_find(made(**fields).pk)[1]
    assert progress.stage is stage
    assert note in progress.note
    assert bool(progress.note) is bool(note)


def test_a_scheduled_one_says_when_it_starts() -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(hours=1))
    progress = operation_find(row.pk)[1]
    assert (progress.stage, progress.total) == (Stage.WAITING, None)
    assert "It starts at" in progress.note


def test_while_recipients_are_found_there_is_no_percentage() -> None:
    row = made(status="sending", phase="expanding")
    assert operation_find(row.pk)[1].percent is None


def test_acts_are_offered_to_those_who_may_and_done_by_services(alice: Client, bob: Client) -> None:
    people_make(1)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    assert alice.get(api(row)).json()["actions"] == ["pause", "cancel"]
    assert bob.get(api(row)).json()["actions"] == []
    assert bob.post(api(row, "pause")).status_code == 403
    assert alice.post(api(row, "pause")).json()["stage"] == "paused"
    assert alice.post(api(row, "resume")).json()["stage"] == "running"
    assert alice.post(api(row, "cancel")).json()["state"] == "cancelled"
    refused = alice.post(api(row, "resume"))
    assert (refused.status_code, refused.json()["code"]) == (409, "act_impossible")


def test_who_may_stop_may_not_start(client: Client, account: Callable[..., User]) -> None:
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    broadcast_pause(broadcast_id=row.pk, by=None)
    client.force_login(account("eve", "broadcasts.view_broadcast", "broadcasts.operate_broadcast"))
    assert client.get(api(row)).json()["actions"] == ["cancel"]
    answer = client.post(api(row, "resume"))
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_resend_that_finds_nobody_is_refused_in_words(alice: Client) -> None:
    row = made(status="sent", skipped=2)
    answer = alice.post(api(row, "resend_missing"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "nothing_missing"


def test_a_look_costs_the_same_whatever_there_is(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    row = made(status="sending", phase="delivering")
    assert queries(alice, api(row)) <= 6

"""From a draft to the last recipient: the dry run, a test, now or later, pause, cancel, clone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from lib import clock
from notifications.broadcasts.models import Broadcast
from notifications.inbox.models import Notification
from notifications.telegram.models import QueuedMessage
from tests.notifications.broadcasts.admin.ways import press, said, text, to
from tests.notifications.broadcasts.rows import broadcast_make, people_make

pytestmark = pytest.mark.django_db
NOON = "2026-11-23T12:00"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is 08:00 UTC on the 22nd of November 2026."""
    moment = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


def test_the_dry_run_counts_and_sends_nothing(alice: Client) -> None:
    people_make(4, telegram=True)
    people_make(2, first=10)
    people_make(1, first=20, muted_sources=["broadcast"])
    row = broadcast_make(channels=["inbox", "telegram"])
    shown = text(alice.get(to("reach", row.pk)))
    assert "7 people in the audience" in shown
    assert "Inbox 6 messages 1 skipped: The person has muted broadcasts." in shown
    assert "Telegram 4 messages 3 skipped: No Telegram account is known" in shown
    assert "Send 10 messages now" in text(alice.get(to("send", row.pk)))
    assert (Broadcast.objects.get().status, Notification.objects.count()) == ("draft", 0)


def test_an_audience_of_nobody_is_told(alice: Client) -> None:
    row = broadcast_make(audience={"type": "ids", "ids": [7]})
    shown = text(alice.get(to("send", row.pk)))
    assert "1 of the named is nobody we know" in shown
    assert "Nobody would get it." in shown


def test_it_is_sent_once_per_look(alice: Client) -> None:
    people_make(1)
    row = broadcast_make()
    look = alice.get(to("send", row.pk))
    data: dict[str, Any] = {"when": "now", "time_zone": "UTC"}
    shown = press(alice, look, **data)
    assert said(shown) == ["It is on its way."]
    assert Broadcast.objects.get().status == "sending"
    again = press(alice, look, **data)
    assert said(again) == ["It is sending already."]
    acts = AuditEntry.objects.filter(action="broadcasts.send_now")
    assert [entry.account_name for entry in acts] == ["alice"]


def test_an_old_page_sends_nothing(alice: Client) -> None:
    row = broadcast_make()
    look = alice.get(to("send", row.pk))
    alice.get(to("send", row.pk))  # a newer one
    shown = press(alice, look, when="now", time_zone="UTC")
    assert "Nothing was sent" in said(shown)[0]
    assert Broadcast.objects.get().status == "draft"


@pytest.mark.parametrize(
    ("zone", "utc"),
    [("Europe/Berlin", 11), ("UTC", 12), ("America/New_York", 17), ("Asia/Tokyo", 3)],
)
def test_a_time_is_that_of_the_clocks_there(
    alice: Client, now: datetime, zone: str, utc: int
) -> None:
    row = broadcast_make()
    shown = press(alice, alice.get(to("send", row.pk)), when="later", at=NOON, time_zone=zone)
    row.refresh_from_db()
    assert (row.status, row.time_zone) == ("scheduled", zone)
    assert row.scheduled_at == datetime(2026, 11, 23, utc, tzinfo=UTC)
    assert said(shown) == [f"It starts by itself at 2026-11-23 12:00 {zone}."]
    assert f"2026-11-23 12:00 {zone}" in text(shown)
    # Moving it begins with the time that it has.
    form = alice.get(to("send", row.pk)).context["form"]
    assert 'value="2026-11-23T12:00"' in str(form["at"])


@pytest.mark.parametrize(
    ("at", "zone", "words"),
    [
        ("", "UTC", "Say when"),
        ("soon", "UTC", "Write a day and a time"),
        ("2026-11-22T07:00", "UTC", "This moment is over"),
        ("2026-11-22T08:30", "Europe/Berlin", "This moment is over"),
        ("2028-01-01T00:00", "UTC", "more than a year"),
        ("2027-03-28T02:30", "Europe/Berlin", "skip this time"),
        (NOON, "Mars/Olympus", "Choose a zone"),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_its_field(
    alice: Client, now: datetime, at: str, zone: str, words: str
) -> None:
    row = broadcast_make()
    look = alice.get(to("send", row.pk))
    shown = press(alice, look, when="later", at=at, time_zone=zone)
    assert shown.status_code == 422
    assert words in text(shown)
    assert Broadcast.objects.get().status == "draft"


def test_a_scheduled_one_is_taken_back_or_sent_ahead(alice: Client) -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(hours=1))
    assert "starts by itself at" in text(alice.get(to("change", row.pk)))
    shown = alice.post(to("unschedule", row.pk), follow=True)
    assert "It is a draft again" in said(shown)[0]
    assert Broadcast.objects.get().status == "draft"


def test_a_test_goes_to_oneself_and_to_nobody_else(alice: Client) -> None:
    people_make(3)
    people_make(1, first=900, language="ru")
    Broadcast.objects.all().delete()
    mine = people_make(1, first=901)[0]
    type(mine).objects.filter(user_id=901).update(login="alice", telegram_id=555)
    row = broadcast_make(channels=["inbox", "telegram"])
    test = alice.get(to("change", row.pk)).context["test"]
    assert test.initial == {
        "user_id": 901, "login": "alice", "telegram_id": 555, "language": "en",
    }  # fmt: skip
    shown = alice.post(to("test", row.pk), test.initial, follow=True)
    assert said(shown) == ["A test is on its way by Inbox and Telegram. Nobody else gets it."]
    assert Notification.objects.get().message.startswith("[TEST] Feature launch")
    assert QueuedMessage.objects.get().telegram_id == 555
    row.refresh_from_db()
    assert (row.status, row.total) == ("draft", 0)


def test_a_test_to_nobody_is_refused_where_it_was_asked(alice: Client) -> None:
    row = broadcast_make()
    shown = alice.post(to("test", row.pk), {"language": "en", "telegram_id": "5"})
    assert shown.status_code == 422
    assert "Name somebody whom its channels can reach." in text(shown)
    assert alice.post(to("test", row.pk), {"language": "en", "user_id": "x"}).status_code == 422
    assert not Notification.objects.exists()


def test_pause_resume_cancel_and_what_makes_no_sense(alice: Client) -> None:
    row = broadcast_make()
    assert (
        "Refused: the broadcast is draft" in said(alice.post(to("pause", row.pk), follow=True))[0]
    )
    press(alice, alice.get(to("send", row.pk)), when="now", time_zone="UTC")
    alice.post(to("pause", row.pk), {"reason": "a typo"})
    assert "a typo" in text(alice.get(to("change", row.pk)))
    alice.post(to("resume", row.pk))
    assert Broadcast.objects.get().status == "sending"
    alice.post(to("cancel", row.pk))
    assert Broadcast.objects.get().status == "cancelled"
    assert "Refused" in said(alice.post(to("resume", row.pk), follow=True))[-1]


def test_a_clone_is_a_draft_of_its_own(alice: Client) -> None:
    row = broadcast_make()
    shown = alice.post(to("clone", row.pk), follow=True)
    made = Broadcast.objects.exclude(pk=row.pk).get()
    assert shown.redirect_chain[-1][0] == to("change", made.pk)
    assert (made.status, made.cloned_from, made.title) == ("draft", row.pk, row.title)


def test_telegram_that_is_not_set_up_is_told_before_anything_is_sent(
    alice: Client, settings: Settings
) -> None:
    row, other = broadcast_make(channels=["telegram"]), broadcast_make()
    for change, words in (
        ({"TELEGRAM_BOT_TOKEN": ""}, "No bot is set up here"),
        ({"TELEGRAM_BOT_TOKEN": "1:x", "NOTIFICATION_ENABLED": False}, "switched off"),
    ):
        for name, value in change.items():
            setattr(settings, name, value)
        for page in ("change", "send"):
            assert words in text(alice.get(to(page, row.pk)))
            assert words not in text(alice.get(to(page, other.pk)))
    settings.NOTIFICATION_ENABLED = True
    assert "switched off" not in text(alice.get(to("change", row.pk)))

"""The wishes of a person: checked, audited, and followed by what is on its way already."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django_redis import get_redis_connection

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, assert_not_enqueued
from lib import clock
from notifications.inbox import keys
from notifications.inbox.models import Recipient, State
from notifications.inbox.preferences import (
    Preferences,
    PreferencesInvalid,
    preferences_get,
    preferences_set,
    retention_set,
)
from notifications.inbox.quiet import deferred_release
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    after,
    fresh,
    inboxes_check,
    person,
    quiet_now,
    send,
    state,
)

WHO: dict[str, Any] = {"user_id": ALICE[0], "login": ALICE[1]}


def test_who_has_said_nothing_has_the_defaults() -> None:
    assert preferences_get(**WHO) == Preferences([])
    assert not Recipient.objects.exists()


def test_wishes_are_kept_and_audited(django_user_model: type[User]) -> None:
    boss = django_user_model.objects.create_user("boss")
    told = preferences_set(
        **WHO, by=boss,
        muted_sources=["ads", "news", "ads"], quiet_from=time(22), quiet_to=time(7),
        time_zone="Europe/Moscow", fallback_after_s=300, telegram_id=500, language="ru",
        retention_days=7,
    )  # fmt: skip
    assert (
        told
        == preferences_get(**WHO)
        == Preferences(["ads", "news"], time(22), time(7), "Europe/Moscow", 300, 500, "ru", 7)
    )
    entry = AuditEntry.objects.get()
    assert (entry.account_name, entry.action, entry.object_type, entry.object_id) == (
        "boss", "inbox.preferences", "recipient", "1-alice",
    )  # fmt: skip
    assert entry.changes["quiet_from"] == [None, "22:00:00"]
    assert entry.changes["muted_sources"] == [[], ["ads", "news"]]


def test_what_is_not_named_stays() -> None:
    preferences_set(**WHO, by=None, language="ru", telegram_id=500)
    assert preferences_set(**WHO, by=None, telegram_id=None).language == "ru"


def test_what_is_so_already_is_not_audited_again() -> None:
    for _ in range(2):
        preferences_set(**WHO, by=None, language="ru")
    assert AuditEntry.objects.count() == 1


WRONG: list[dict[str, Any]] = [
    {"colour": "red"},
    {"muted_sources": "ads"},
    {"muted_sources": [""]},
    {"muted_sources": ["x" * 101]},
    {"muted_sources": ["NUL \0"]},
    {"muted_sources": [str(n) for n in range(101)]},
    {"quiet_from": time(22)},
    {"quiet_to": time(22)},
    {"quiet_from": time(22), "quiet_to": time(22)},
    {"quiet_from": "22:00", "quiet_to": "07:00"},
    {"quiet_from": time(22, tzinfo=UTC), "quiet_to": time(7)},
    {"time_zone": "Mars/Olympus"},
    {"time_zone": "localtime"},
    {"time_zone": None},
    {"fallback_after_s": 0},
    {"fallback_after_s": True},
    {"fallback_after_s": 604_801},
    {"telegram_id": 0},
    {"telegram_id": "500"},
    {"telegram_id": 2**63},
    {"language": "xx"},
    {"language": None},
    {"retention_days": 0},
    {"retention_days": 16},
    {"retention_days": "7"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    preferences_set(**WHO, by=None, language="ru")
    with pytest.raises(PreferencesInvalid) as caught:
        preferences_set(**WHO, by=None, **wrong)
    assert {error["field"] for error in caught.value.extra["errors"]} <= {
        *wrong,
        "quiet_from",
        "quiet_to",
    }
    assert preferences_get(**WHO) == Preferences([], language="ru")
    assert AuditEntry.objects.count() == 1


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PreferencesInvalid) as caught:
        preferences_set(**WHO, by=None, language="xx", retention_days=99)
    assert len(caught.value.extra["errors"]) == 2


def test_half_a_window_cannot_be_left_over() -> None:
    preferences_set(**WHO, by=None, quiet_from=time(22), quiet_to=time(7))
    with pytest.raises(PreferencesInvalid):
        preferences_set(**WHO, by=None, quiet_from=None)
    told = preferences_set(**WHO, by=None, quiet_from=None, quiet_to=None)
    assert (told.quiet_from, told.quiet_to) == (None, None)


def test_without_quiet_hours_nothing_waits_any_longer() -> None:
    quiet_now()
    each = send()
    preferences_set(**WHO, by=None, quiet_from=None, quiet_to=None)
    assert deferred_release() == 1
    assert state(each) == State.UNREAD
    inboxes_check()


def test_other_quiet_hours_move_what_waits() -> None:
    quiet_now(fallback_after_s=60)
    each = send()
    before = fresh(each)
    assert before.deliver_at is not None
    later = (before.deliver_at + timedelta(hours=1)).astimezone(UTC).time()
    preferences_set(**WHO, by=None, quiet_to=later)
    row = fresh(each)
    assert row.deliver_at == before.deliver_at + timedelta(hours=1)
    assert row.fallback_at == row.deliver_at + timedelta(seconds=60)
    assert assert_enqueued("inbox.release_deferred", times=2).run_at == row.deliver_at
    with clock.shift(before.deliver_at - clock.now() + timedelta(seconds=1)):
        assert deferred_release() == 0


def test_the_zone_moves_quiet_hours() -> None:
    with clock.shift(datetime(2027, 1, 1, 20, 30, tzinfo=UTC) - clock.now()):
        preferences_set(**WHO, by=None, quiet_from=time(22), quiet_to=time(7))
        assert state(send()) == State.UNREAD
        preferences_set(**WHO, by=None, time_zone="Europe/Moscow")
        assert state(send()) == State.DEFERRED


def test_other_wishes_move_nothing() -> None:
    quiet_now()
    send()
    preferences_set(**WHO, by=None, language="ru")
    assert_enqueued("inbox.release_deferred")


def test_keeping_less_is_seen_to_soon(clean_redis: None, transactional_db: None) -> None:
    recipient = person()
    retention_set(recipient_id=recipient.pk, days=7)
    recipient.refresh_from_db()
    assert recipient.retention_days == 7
    assert get_redis_connection("default").get(keys.retention(*ALICE)) == b"7"
    assert_enqueued("inbox.trim_retention")
    assert not AuditEntry.objects.exists()  # a person's own wish is no act of an operator


def test_keeping_as_much_as_before_does_nothing() -> None:
    retention_set(recipient_id=person().pk, days=15)
    assert_not_enqueued("inbox.trim_retention")


@pytest.mark.parametrize("days", [0, 16, -1, True, "7", 2.5, None])
def test_days_that_make_no_sense_are_refused(days: Any) -> None:
    with pytest.raises(PreferencesInvalid):
        retention_set(recipient_id=person().pk, days=days)


def test_without_redis_a_wish_is_kept_all_the_same(
    transactional_db: None, redis_away: None
) -> None:
    retention_set(recipient_id=person().pk, days=3)
    with after(days=0):
        assert preferences_get(**WHO).retention_days == 3

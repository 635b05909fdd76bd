"""What people wish is decided when a notification is accepted."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs import sql
from jobs.models import Job
from lib import clock
from notifications.inbox.accept import accept
from notifications.inbox.models import Outbox, Stat
from tests.notifications.inbox.core.play import ALICE, BOB, around_now, draft, give, inbox, person


def test_a_muted_source_is_kept_and_never_shown() -> None:
    person(muted_sources=["ads", "shop"])
    (row,) = give(source="shop")
    assert (row.state, row.position, row.version, row.expires_at) == ("muted", None, None, None)
    assert not Outbox.objects.exists()
    assert (person().unread, person().last_position) == (0, 0)
    assert list(Stat.objects.values_list("event", "count")) == [("muted", 1)]
    assert give(source="bank")[0].state == "unread"


def test_critical_does_not_pass_a_mute() -> None:
    person(muted_sources=["shop"])
    assert give(priority=0)[0].state == "muted"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_quiet_hours_hold_back_until_they_end(zone: str) -> None:
    wish = around_now(zone)
    person(**wish)
    (row,) = give()
    assert (row.state, row.position, row.expires_at) == ("deferred", None, None)
    assert row.deliver_at is not None
    assert row.deliver_at.astimezone(ZoneInfo(zone)).time() == wish["quiet_to"]
    assert clock.now() < row.deliver_at <= clock.now() + timedelta(hours=2)
    assert not Outbox.objects.exists()
    assert Stat.objects.get().event == "deferred"


def test_critical_passes_quiet_hours() -> None:
    person(**around_now())
    assert give(priority=0)[0].state == "unread"
    assert give(priority=1)[0].state == "deferred"


def test_one_request_meets_the_wishes_of_each() -> None:
    person(ALICE, muted_sources=["shop"])
    person(BOB, **around_now())
    one = draft(ALICE, BOB, (3, "carol"))
    (accepted,) = accept([one])
    assert accepted.states == ["muted", "deferred", "unread"]
    (note,) = Outbox.objects.all()
    assert note.recipient_ids == [person((3, "carol")).pk]
    assert dict(Stat.objects.values_list("event", "count")) == {
        "muted": 1, "deferred": 1, "sent": 1,
    }  # fmt: skip


def test_who_does_not_read_is_told_elsewhere_after_a_while() -> None:
    assert give()[0].fallback_at is None
    (own,) = give(fallback_after_s=30)
    assert own.fallback_at == own.accepted_at + timedelta(seconds=30)
    person(fallback_after_s=60)
    (wished,) = give()
    assert wished.fallback_at == wished.accepted_at + timedelta(seconds=60)
    assert give(fallback_after_s=30)[0].fallback_at is not None


def test_held_back_it_falls_back_after_it_is_shown() -> None:
    person(**around_now(), fallback_after_s=60)
    (row,) = give()
    assert row.deliver_at is not None
    assert row.fallback_at == row.deliver_at + timedelta(seconds=60)


def test_what_is_held_back_or_falls_back_has_a_job_for_that_moment() -> None:
    person(ALICE, **around_now())
    (held,) = give(ALICE)
    (told,) = give(BOB, fallback_after_s=30)
    assert told.fallback_at is not None
    due = dict(Job.objects.values_list("kind", "run_at"))
    assert due["inbox.release_deferred"] == held.deliver_at
    late = due["inbox.telegram_fallback"] - told.fallback_at
    assert timedelta(0) <= late <= timedelta(seconds=1)


def until(at: datetime, begin: str, end: str, zone: str = "UTC") -> datetime | None:
    found = sql.row(
        "SELECT inbox_quiet_until(%s, %s, %s, %s)",
        [at, time.fromisoformat(begin), time.fromisoformat(end), zone],
    )
    assert found is not None
    moment: datetime | None = found[0]
    return moment


@pytest.mark.parametrize(
    ("at", "begin", "end", "expected"),
    [
        ("2026-05-01T21:59", "22:00", "07:00", None),
        ("2026-05-01T22:00", "22:00", "07:00", "2026-05-02T07:00"),
        ("2026-05-02T03:00", "22:00", "07:00", "2026-05-02T07:00"),
        ("2026-05-02T07:00", "22:00", "07:00", None),
        ("2026-05-02T12:59", "13:00", "15:00", None),
        ("2026-05-02T13:00", "13:00", "15:00", "2026-05-02T15:00"),
        ("2026-05-02T15:00", "13:00", "15:00", None),
    ],
)
def test_quiet_hours_may_go_over_midnight(
    at: str, begin: str, end: str, expected: str | None
) -> None:
    found = until(datetime.fromisoformat(at).replace(tzinfo=UTC), begin, end)
    assert (found and found.strftime("%Y-%m-%dT%H:%M")) == expected


def test_an_inbox_counts_only_what_is_shown() -> None:
    person(muted_sources=["ads"])
    give(source="ads")
    give()
    assert len(inbox()) == 2
    assert person().unread == 1

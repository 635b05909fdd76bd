"""Reminders from the row to Telegram's queue: the panel is read right before, and says what is true."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django.fixtures import Settings

from jobs.outcomes import Done
from jobs.testing import drain, job_perform, jobs_of
from lib import clock
from notifications.inbox.models import Recipient
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.services import DEDUP_TTL
from subscriptions.lifecycle import dues
from subscriptions.lifecycle.mirroring import correct
from subscriptions.lifecycle.sending import notice_decide
from subscriptions.lifecycle.sight import panel_look
from subscriptions.models import Activation, Notice, Subscriber
from subscriptions.panel.door import panel_background
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.lifecycle.money import activation_make
from tests.subscriptions.lifecycle.people import People, plan_make

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def remind() -> None:
    """The hourly job, and what it enqueues, as far as it is due."""
    job_perform("subscriptions.remind_expiring")
    drain(queues=["notifications"])


def fate(row: Subscriber) -> tuple[str, str]:
    notice = Notice.objects.filter(subscriber=row).latest("id")
    return notice.state, notice.reason


def texts() -> list[tuple[int, str]]:
    return list(
        QueuedMessage.objects.order_by("id").values_list("telegram_id", "notification_type")
    )


@pytest.mark.parametrize(
    ("ends_in", "template"),
    [
        (6 * DAY, "subscription_expiring_7d"),
        (2 * DAY, "subscription_expiring_3d"),
        (23 * HOUR, "subscription_expiring_24h"),
        (5 * HOUR, "subscription_expiring_6h"),
    ],
)
def test_somebody_who_is_about_to_expire_is_reminded_once(
    people: People, ends_in: timedelta, template: str
) -> None:
    row = people.make(ends_in, plan=plan_make())
    remind()
    remind()
    assert texts() == [(row.telegram_id, template)]
    assert fate(row) == ("queued", "")
    notice, message = Notice.objects.get(), QueuedMessage.objects.get()
    assert notice.message_id == message.pk
    assert "Standard, 1 month" in message.message
    assert "https://example.com/renew" in message.message


def test_dates_stand_in_the_language_and_by_the_clock_of_the_person(people: People) -> None:
    moscow = people.make(23 * HOUR, language="ru", time_zone="Europe/Moscow")
    new_york = people.make(23 * HOUR, time_zone="America/New_York")
    odd = people.make(23 * HOUR, language="xx", time_zone="Mars/Olympus")
    remind()
    found = dict(QueuedMessage.objects.values_list("telegram_id", "message"))
    at = moscow.expire_at.astimezone(ZoneInfo("Europe/Moscow"))
    assert f"{at:%H:%M}\xa0UTC+03:00" in found[moscow.telegram_id or 0]
    assert "Продлить подписку" in found[moscow.telegram_id or 0]
    assert (
        f"{new_york.expire_at.astimezone(ZoneInfo('America/New_York')):%H:%M}\xa0UTC-0"
        in (found[new_york.telegram_id or 0])
    )
    assert f"{odd.expire_at:%H:%M}\xa0UTC" in found[odd.telegram_id or 0]


def test_who_has_paid_meanwhile_in_the_panel_is_not_reminded_and_the_mirror_learns(
    people: People,
) -> None:
    row = people.make(23 * HOUR)
    later = clock.now() + 30 * DAY
    people.panel.change(row.panel_id or 0, expireAt=later.isoformat())
    remind()
    assert (fate(row), texts()) == (("stale", "moved"), [])
    row.refresh_from_db()
    assert abs(row.expire_at - later) < timedelta(seconds=1)


def test_a_look_from_before_the_payment_reminds_nobody(people: People) -> None:
    row = people.make(23 * HOUR)
    dues.reminders_write()
    early = panel_look(panel_background(), row)
    later = clock.now() + 30 * DAY
    people.panel.operator(row.panel_id or 0, "update", expireAt=later.isoformat())
    correct(row, panel_look(panel_background(), row))  # as the activation does
    assert notice_decide(Notice.objects.get().pk, early) == "stale"
    assert (fate(row), texts()) == (("stale", "moved"), [])


def test_who_is_disabled_in_the_panel_is_left_alone(people: People) -> None:
    row = people.make(23 * HOUR)
    people.panel.operator(row.panel_id or 0, "disable")
    remind()
    assert (fate(row), texts()) == (("skipped", "disabled"), [])
    row.refresh_from_db()
    assert row.status == "DISABLED"


def test_who_has_used_up_the_traffic_is_reminded_all_the_same(people: People) -> None:
    row = people.make(23 * HOUR, status="LIMITED")
    remind()
    assert texts() == [(row.telegram_id, "subscription_expiring_24h")]


def test_who_is_gone_from_the_panel_is_skipped(people: People) -> None:
    row = people.make(23 * HOUR)
    people.panel.operator(row.panel_id or 0, "delete")
    remind()
    assert (fate(row), texts()) == (("skipped", "gone"), [])
    row.refresh_from_db()
    assert row.missing_since is not None


def test_one_message_per_person_and_day_whatever_the_number_of_subscriptions(
    people: People,
) -> None:
    rows = [
        people.make(22 * HOUR + number * timedelta(minutes=1), telegram_id=700, time_zone="UTC")
        for number in range(3)
    ]
    days = {row.expire_at.date() for row in rows}
    remind()
    assert texts() == [(700, "subscription_expiring_24h")] * len(days)
    found = [fate(row) for row in rows]
    assert found.count(("queued", "")) == len(days)
    assert found.count(("skipped", "same_person")) == 3 - len(days)
    assert not Notice.objects.filter(message_id=None).exists()


def test_blocked_and_muted_people_are_skipped_and_said_why(people: People) -> None:
    blocked, muted, long_ago = (people.make(23 * HOUR) for _ in range(3))
    Chat.objects.create(
        chat_id=blocked.telegram_id or 0,
        unreachable_since=clock.now() - DAY,
        unreachable_reason="blocked",
    )
    Chat.objects.create(
        chat_id=long_ago.telegram_id or 0,
        unreachable_since=clock.now() - 40 * DAY,
        unreachable_reason="blocked",
    )
    Recipient.objects.create(
        user_id=1, login="m", telegram_id=muted.telegram_id, muted_sources=["subscription"]
    )
    remind()
    assert fate(blocked) == ("skipped", "blocked")
    assert fate(muted) == ("skipped", "muted")
    assert texts() == [(long_ago.telegram_id, "subscription_expiring_24h")]


def test_who_has_paid_waits_for_the_access_and_is_not_reminded(people: People) -> None:
    row = people.make(23 * HOUR)
    activation = activation_make(row)
    remind()
    assert (fate(row), texts()) == (("due", ""), [])
    people.panel.change(row.panel_id or 0, expireAt=(clock.now() + 31 * DAY).isoformat())
    Activation.objects.filter(pk=activation.pk).update(
        state="applied", applied_at=clock.now(), target_expire_at=clock.now()
    )
    with clock.shift(timedelta(seconds=70)):
        drain(queues=["notifications"])
    assert (fate(row), texts()) == (("stale", "moved"), [])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 404, "body": {"message": "no page here"}},
        {"kind": "status", "status": 500},
        {"kind": "cut_before"},
        {"kind": "html_502"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_an_unknown_answer_reminds_nobody_now_and_everybody_later(
    people: People, panel_on: Sandbox, fault: dict[str, Any]
) -> None:
    row = people.make(23 * HOUR)
    panel_on.panel.fault(method="users.get", times=1, **fault)
    remind()
    assert (fate(row), texts()) == (("due", ""), [])
    with clock.shift(timedelta(seconds=70)):
        drain(queues=["notifications"])
    assert fate(row) == ("queued", "")


def test_a_busy_panel_costs_no_attempt(people: People, panel_on: Sandbox) -> None:
    row = people.make(23 * HOUR)
    panel_on.panel.fault(method="users.get", kind="rate_limit", retry_after=1, times=1)
    remind()
    job = jobs_of(dues.SEND)[0]
    assert (fate(row), job.state, job.attempt) == (("due", ""), "scheduled", 0)


def test_whoever_cannot_be_read_opens_the_breaker_and_the_others_still_get_theirs(
    people: People, panel_on: Sandbox
) -> None:
    """business.md F19: some poison in front; a good one behind is served as soon as the panel rests."""
    rows = [people.make(23 * HOUR) for _ in range(5)]
    for bad in rows[:3]:
        panel_on.panel.fault(
            method="users.get", user_id=bad.panel_id, kind="status", status=503, times=50
        )
    remind()
    assert [fate(row)[0] for row in rows] == ["due"] * 5  # three in a row: the breaker is open
    with clock.shift(timedelta(seconds=10)):
        drain(queues=["notifications"])
    assert [fate(row)[0] for row in rows] == ["due"] * 3 + ["queued"] * 2


def test_one_who_cannot_be_read_holds_up_nobody_behind(people: People, panel_on: Sandbox) -> None:
    rows = [people.make(23 * HOUR) for _ in range(4)]
    panel_on.panel.fault(
        method="users.get", user_id=rows[0].panel_id, kind="status", status=503, times=50
    )
    remind()
    assert [fate(row)[0] for row in rows] == ["due", "queued", "queued", "queued"]


def test_a_later_bracket_takes_over_from_one_that_could_not_be_sent(
    people: People, panel_on: Sandbox
) -> None:
    row = people.make(25 * HOUR)
    panel_on.panel.fault(method="users.get", kind="status", status=503, times=1)
    remind()
    with clock.shift(2 * HOUR):
        remind()
        assert texts() == [(row.telegram_id, "subscription_expiring_24h")]
    assert set(Notice.objects.values_list("stage", "state", "reason")) == {
        ("3d", "stale", "later_stage"),
        ("24h", "queued", ""),
    }


def test_messages_of_a_day_are_known_as_one_until_the_end(people: People) -> None:
    people.make(6 * DAY)
    remind()
    with clock.shift(DEDUP_TTL + HOUR):
        again = Notice.objects.get()
        Notice.objects.update(state="due", decided_at=None, job_id=None)
        dues.packs_enqueue()
        drain(queues=["notifications"])
        again.refresh_from_db()
    assert (again.state, again.reason) == ("skipped", "same_person")
    assert QueuedMessage.objects.count() == 1


def test_without_a_panel_nothing_is_written(db: None, settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    outcome = job_perform("subscriptions.remind_expiring")
    assert isinstance(outcome, Done)
    assert "panel" in outcome.result

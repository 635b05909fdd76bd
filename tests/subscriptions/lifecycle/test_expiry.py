"""The end: told and audited once; disabled only where the panel would still serve, and only if it says so."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry, Job, JobRecord
from jobs.testing import drain, job_perform, jobs_of
from lib import clock
from monitoring.alerts.models import Alert
from notifications.telegram.models import QueuedMessage
from subscriptions.lifecycle import cutting
from subscriptions.lifecycle.sweeps import sweep_stop
from subscriptions.lifecycle.verdicts import Money
from subscriptions.models import CutBy, Notice, Subscriber, SubscriberEvent, Sweep, SweepItem
from subscriptions.panel.door import clients_forget
from tests.panels import TOKEN
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.lifecycle.money import activation_make
from tests.subscriptions.lifecycle.people import People, plan_make, subscriber_make

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
QUEUES = ["notifications"]


def sweep() -> None:
    """The job of each quarter of an hour, and what it enqueues, as far as it is due."""
    job_perform("subscriptions.disable_expired")
    drain(queues=QUEUES)


def hand_out() -> None:
    """Begin a sweep, and give each person a job that has not begun."""
    job_perform("subscriptions.disable_expired")
    job_perform("subscriptions.run_sweep", sweep_id=Sweep.objects.get().pk)


def cut_perform() -> None:
    """The job of the one person."""
    job_perform("subscriptions.cut_subscriber", item_id=SweepItem.objects.get().pk)


def fates() -> list[tuple[str, str]]:
    return list(SweepItem.objects.order_by("id").values_list("fate", "reason"))


def told() -> list[tuple[int, str]]:
    return list(
        QueuedMessage.objects.order_by("id").values_list("telegram_id", "notification_type")
    )


def cut(row: Subscriber) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.cut_by


def test_somebody_whom_the_panel_expired_is_told_once_and_audited_once(people: People) -> None:
    """business.md 4.0: the panel expires people itself, long before our sweep comes."""
    row = people.make(-HOUR, status="EXPIRED", plan=plan_make())
    for _ in range(3):
        sweep()
    assert told() == [(row.telegram_id, "subscription_expired")]
    assert AuditEntry.objects.filter(action="subscriptions.expired").count() == 1
    assert [event.kind for event in SubscriberEvent.objects.filter(subscriber=row)] == ["expired"]
    assert people.panel.writes() == []  # EXPIRED is left alone, so that a new date revives it
    assert not Sweep.objects.exists()


def test_the_panels_own_sweep_then_ours_tells_once(people: People, panel_on: Sandbox) -> None:
    row = people.make(HOUR)
    panel_on.clock_advance(3600 + 60)
    try:
        assert people.panel.sweep()["expired"] in {0, 1}
        assert people.status(row) == "EXPIRED"
        with clock.shift(HOUR + 15 * MINUTE):
            sweep()  # the mirror still says ACTIVE
            sweep()
    finally:
        panel_on.clock_set(0)
    assert told() == [(row.telegram_id, "subscription_expired")]
    assert fates() == [("skipped", "panel_expired")]
    assert cut(row) == ("EXPIRED", "")


def test_who_has_no_telegram_is_audited_all_the_same(people: People) -> None:
    people.make(-HOUR, status="EXPIRED", telegram_id=None)
    sweep()
    notice = Notice.objects.get()
    assert (notice.state, notice.reason) == ("skipped", "no_telegram")
    assert AuditEntry.objects.filter(action="subscriptions.expired").count() == 1


@pytest.mark.parametrize("status", ["ACTIVE", "LIMITED"])
def test_who_is_still_served_after_the_end_is_disabled_told_and_written_down(
    people: People, status: str
) -> None:
    row = people.make(-HOUR, status=status)
    sweep()
    assert people.status(row) == "DISABLED"
    assert cut(row) == ("DISABLED", CutBy.SWEEP)
    assert "was still served" in row.cut_reason
    assert row.cut_at is not None
    assert fates() == [("done", "cut")]
    assert told() == [(row.telegram_id, "subscription_deactivated")]
    assert AuditEntry.objects.filter(action="subscriptions.disable_expired").count() == 1
    assert [event.kind for event in SubscriberEvent.objects.filter(subscriber=row)] == ["cut"]
    run = Sweep.objects.get()
    assert (run.state, run.found, run.done) == ("done", 1, 1)
    sweep()
    assert (Sweep.objects.count(), len(told())) == (1, 1)


def test_those_who_are_cut_by_one_sweep_are_told_by_one_job(people: People) -> None:
    rows = [people.make(-HOUR) for _ in range(5)]
    sweep()
    assert told() == [(row.telegram_id, "subscription_deactivated") for row in rows]
    assert len(jobs_of("subscriptions.send_notices")) == 1


def test_who_is_cut_is_told_although_the_sweep_does_not_end(people: People) -> None:
    """The panel answers for one, and not for the other: the next run hands out the message."""
    row, silent = people.make(-HOUR), people.make(-HOUR)
    people.panel.fault(kind="status", status=500, user_id=silent.panel_id, for_s=3600)
    sweep()
    assert (cut(row), Sweep.objects.get().state) == (("DISABLED", CutBy.SWEEP), "running")
    sweep()
    assert told() == [(row.telegram_id, "subscription_deactivated")]


def test_who_has_no_telegram_is_disabled_all_the_same(people: People) -> None:
    row = people.make(-HOUR, telegram_id=None)
    sweep()
    assert people.status(row) == "DISABLED"
    assert told() == []


def test_nobody_is_looked_at_within_the_grace(people: People) -> None:
    people.make(-MINUTE)
    sweep()
    assert not Sweep.objects.exists()


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ({"expireAt": "2099-01-01T00:00:00Z"}, ("skipped", "moved")),
        ({"status": "EXPIRED"}, ("skipped", "panel_expired")),
        ({"status": "DISABLED"}, ("skipped", "disabled")),
        ({"username": "somebody_else"}, ("skipped", "other_person")),
    ],
)
def test_who_is_otherwise_in_the_panel_than_in_the_mirror_is_not_touched(
    people: People, panel: dict[str, Any], expected: tuple[str, str]
) -> None:
    row = people.make(-HOUR, panel=panel)
    sweep()
    assert fates() == [expected]
    assert people.panel.writes() == []
    assert row.cut_by == ""


def test_404_is_skipped_and_the_mirror_learns(people: People) -> None:
    row = people.make(-HOUR)
    people.panel.operator(row.panel_id or 0, "delete")
    sweep()
    assert fates() == [("skipped", "gone")]
    row.refresh_from_db()
    assert row.missing_since is not None
    sweep()
    assert Sweep.objects.count() == 1  # nobody looks at that one again


def test_a_name_under_another_number_is_no_proof_that_somebody_is_gone(people: People) -> None:
    """business.md F12: numbers move when a panel is rebuilt; who is who is for the mirror to tell."""
    row = people.make(-HOUR)
    people.panel.operator(row.panel_id or 0, "delete")
    people.panel.add(username=row.username, expireAt="2099-01-01T00:00:00Z")
    hand_out()
    cut_perform()
    assert fates() == [("", "")]
    row.refresh_from_db()
    assert row.missing_since is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 404, "body": {"errorCode": "A025", "message": "User not found"}}, ("skipped", "gone")),
        ({"status": 400, "body": {"errorCode": "A001", "message": "no"}}, ("", "")),
        ({"status": 500, "body": {"errorCode": "A039", "message": "no"}}, ("", "")),
    ],
)  # fmt: skip
def test_a_write_that_the_panel_refuses_cuts_nobody(
    people: People, panel_on: Sandbox, answer: dict[str, Any], expected: tuple[str, str]
) -> None:
    row = people.make(-HOUR)
    hand_out()
    panel_on.panel.fault(method="users.update", kind="status", times=1, **answer)
    cut_perform()
    assert fates() == [expected]
    assert people.status(row) == "ACTIVE"


def test_a_panel_that_takes_the_order_and_serves_on_ends_as_failed_and_leaves_no_mark(
    people: People, panel_on: Sandbox
) -> None:
    """What was no cut must not look like one later, when an operator disables that person."""
    row = people.make(-HOUR)
    shown = {"response": people.panel.user(row.panel_id or 0)}
    panel_on.panel.fault(method="users.update", kind="status", status=200, body=shown)
    sweep()
    for seconds in (70, 140, 210):
        with clock.shift(timedelta(seconds=seconds)):
            drain(queues=QUEUES)
    assert fates() == [("failed", "not_confirmed")]
    assert cut(row) == ("ACTIVE", "")
    assert row.cut_at is None


def test_a_job_of_a_run_that_was_stopped_does_nothing(people: People) -> None:
    row = people.make(-HOUR)
    hand_out()
    sweep_stop(sweep_id=Sweep.objects.get().pk, by=None)
    cut_perform()
    assert fates() == [("skipped", "stopped")]
    assert people.status(row) == "ACTIVE"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 404, "body": {"message": "not of the panel"}},
        {"kind": "cut_before"},
        {"kind": "html_502"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_an_unknown_answer_never_cuts_and_is_asked_again_by_the_ladder(
    people: People, panel_on: Sandbox, fault: dict[str, Any]
) -> None:
    """business.md F8: a hiccup is not an answer."""
    row = people.make(-HOUR)
    panel_on.panel.fault(method="users.get", times=2, **fault)
    sweep()
    assert (fates(), people.panel.writes()) == ([("", "")], [])
    for minutes in (70, 140, 210):
        with clock.shift(timedelta(seconds=minutes)):
            drain(queues=QUEUES)
    assert fates() == [("done", "cut")]
    assert people.status(row) == "DISABLED"


def test_a_panel_that_stays_away_ends_as_unknown_with_an_alert_and_nobody_cut(
    people: People, panel_on: Sandbox
) -> None:
    row = people.make(-HOUR)
    panel_on.panel.fault(method="users.get", kind="status", status=500)
    sweep()
    for seconds in range(70, 900, 130):  # also past the pauses of the breaker
        with clock.shift(timedelta(seconds=seconds)):
            drain(queues=QUEUES)
    assert fates() == [("unknown", "unknown")]
    run = Sweep.objects.get()
    assert (run.state, run.unknown, run.done) == ("done", 1, 0)
    assert cut(row) == ("ACTIVE", "")
    assert people.panel.writes() == []
    assert [alert.severity for alert in Alert.objects.filter(key__startswith="sweep-unsure")] == [
        "critical"
    ]


def test_a_write_that_worked_but_was_not_answered_is_found_out_by_reading_back(
    people: People, panel_on: Sandbox
) -> None:
    row = people.make(-HOUR)
    panel_on.panel.fault(method="users.update", kind="cut_after", times=1)
    sweep()
    assert fates() == [("done", "cut")]
    assert cut(row) == ("DISABLED", CutBy.SWEEP)
    assert len(people.panel.writes(call="users.update")) == 1


def test_a_read_that_times_out_cuts_nobody(
    people: People, panel_on: Sandbox, settings: Settings
) -> None:
    settings.PANEL_TIMEOUT = timedelta(seconds=0.3)
    clients_forget()
    people.make(-HOUR)
    panel_on.panel.fault(method="users.get", kind="latency", latency_ms=1_000, times=1)
    sweep()
    assert (fates(), people.panel.writes()) == ([("", "")], [])


def test_a_busy_panel_costs_no_try(people: People, panel_on: Sandbox) -> None:
    people.make(-HOUR)
    panel_on.panel.fault(method="users.get", kind="rate_limit", retry_after=1, times=1)
    sweep()
    (job,) = jobs_of("subscriptions.cut_subscriber")
    assert (fates(), job.state, job.attempt) == ([("", "")], "scheduled", 0)


def test_who_pays_between_the_set_and_the_cut_is_not_cut(people: People) -> None:
    """Paid in the second of the sweep: the activation is written, nothing else has happened yet."""
    row = people.make(-HOUR)
    hand_out()
    activation_make(row)
    cut_perform()
    assert fates() == [("skipped", "paid")]
    assert people.panel.writes() == []
    assert cut(row) == ("ACTIVE", "")


def test_without_the_second_look_at_money_the_payer_would_be_cut(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: if this fails, that one proves nothing."""
    row = people.make(-HOUR)
    hand_out()
    activation_make(row)
    monkeypatch.setattr(cutting, "money_of", lambda subscriber_id: Money.NONE)
    cut_perform()
    assert people.status(row) == "DISABLED"


def test_who_has_paid_is_not_even_in_the_set(people: People) -> None:
    activation_make(people.make(-HOUR))
    sweep()
    assert not Sweep.objects.exists()


def test_a_cut_stands_in_the_line_of_the_persons_activations(people: People) -> None:
    row = people.make(-HOUR)
    hand_out()
    cut_job = Job.objects.get(kind="subscriptions.cut_subscriber")
    assert (cut_job.partition_key, cut_job.skip_ahead) == (f"subscriber:{row.pk}", True)


def test_who_is_held_by_another_subscription_that_lives_is_not_cut(people: People) -> None:
    """business.md F10: an expired row names the panel user of somebody who pays."""
    row = people.make(-HOUR)
    other = subscriber_make(10**9, 20 * DAY, short_uuid=row.short_uuid)
    sweep()
    assert fates() == [("skipped", "held_by_another")]
    assert people.panel.writes() == []
    sweep()
    assert (
        Sweep.objects.count() == 1
    )  # a person has to look; asking each quarter of an hour is no use
    other.delete()


def test_an_end_with_several_subscriptions_is_told_once(people: People) -> None:
    """business.md F13."""
    for _ in range(3):
        people.make(-HOUR, status="EXPIRED", telegram_id=900)
    sweep()
    days = {row.expire_at.date() for row in Subscriber.objects.all()}
    assert told() == [(900, "subscription_expired")] * len(days)
    assert Notice.objects.filter(reason="same_person").count() == 3 - len(days)


def test_who_has_paid_is_not_told_of_an_end(people: People) -> None:
    activation_make(people.make(-HOUR, status="EXPIRED"))
    sweep()
    assert (told(), Notice.objects.get().state) == ([], "due")


def test_whom_an_operator_disabled_is_neither_told_nor_taken_for_ours(people: People) -> None:
    row = people.make(-HOUR, status="EXPIRED")
    people.panel.operator(row.panel_id or 0, "disable")
    sweep()
    assert told() == []
    assert Notice.objects.get().reason == "disabled"
    assert cut(row)[1] != CutBy.SWEEP


def test_a_job_that_gave_up_without_a_word_ends_as_failed(people: People) -> None:
    people.make(-HOUR)
    hand_out()
    Job.objects.filter(kind="subscriptions.cut_subscriber").update(state="dead")
    sweep()
    assert fates() == [("failed", "job_dead")]
    assert Sweep.objects.get().state == "done"


def test_who_was_cut_is_told_although_the_last_of_the_sweep_gave_up(people: People) -> None:
    row = people.make(-HOUR, telegram_id=901)
    people.make(-HOUR, telegram_id=902)
    hand_out()
    job_perform("subscriptions.cut_subscriber", item_id=SweepItem.objects.get(subscriber=row).pk)
    Job.objects.filter(kind="subscriptions.cut_subscriber").update(state="dead")
    assert (cut(row)[0], told()) == ("DISABLED", [])
    job_perform("subscriptions.run_sweep", sweep_id=Sweep.objects.get().pk)
    assert Sweep.objects.get().state == "done"
    drain()
    assert told() == [(901, "subscription_deactivated")]


def test_the_zone_of_the_machine_cuts_nobody_early(people: People, zone: str) -> None:
    people.make(3 * HOUR)
    people.make(MINUTE)
    sweep()
    assert not Sweep.objects.exists()
    assert told() == []


def test_a_clock_that_jumps_ahead_meets_a_panel_that_does_not_agree(people: People) -> None:
    """Our clock says over, the panel's own date says the same; with another date nobody is cut."""
    row = people.make(5 * DAY)
    people.panel.change(row.panel_id or 0, expireAt=(clock.now() + 30 * DAY).isoformat())
    with clock.shift(6 * DAY):
        sweep()
    assert fates() == [("skipped", "moved")]
    assert people.status(row) == "ACTIVE"


def test_one_trouble_is_one_alert(people: People, panel_on: Sandbox) -> None:
    people.make(-HOUR)
    panel_on.panel.token(TOKEN, "deleted")
    for hours in (0, 1, 2, 8):
        with clock.shift(timedelta(hours=hours)):
            sweep()
            for minutes in (2, 4, 6):
                with clock.shift(timedelta(minutes=minutes)):
                    drain(queues=QUEUES)
    assert [run.unknown for run in Sweep.objects.order_by("id")] == [1, 1, 1, 1]
    (alert,) = Alert.objects.filter(key__startswith="sweep")
    assert alert.count == 2


@pytest.mark.parametrize("version", ["2.8", "2.7"])
def test_a_panel_of_the_older_dialect_is_swept_likewise(
    panel_on: Sandbox, people: People, version: str
) -> None:
    panel_on.panel.dialect(version)
    clients_forget()
    row = people.make(-HOUR)
    ended = people.make(-HOUR, status="EXPIRED")
    sweep()
    assert (people.status(row), people.status(ended)) == ("DISABLED", "EXPIRED")
    assert sorted(kind for _, kind in told()) == [
        "subscription_deactivated",
        "subscription_expired",
    ]


def test_a_panel_that_changes_its_dialect_under_a_sweep_cuts_nobody_until_it_is_looked_at(
    panel_on: Sandbox, people: People
) -> None:
    """business.md F12: writes wait while the contract differs."""
    panel_on.panel.dialect("2.8")
    clients_forget()
    row = people.make(-HOUR)
    hand_out()
    panel_on.panel.dialect("3")
    drain(queues=QUEUES)
    assert (fates(), people.status(row)) == ([("", "")], "ACTIVE")
    assert people.panel.writes(call="users.update") == []
    assert not JobRecord.objects.filter(state="dead").exists()


def test_jobs_leave_no_dead_letters_behind(people: People) -> None:
    people.make(-HOUR)
    people.make(-HOUR, status="EXPIRED")
    sweep()
    assert not JobRecord.objects.filter(state="dead").exists()

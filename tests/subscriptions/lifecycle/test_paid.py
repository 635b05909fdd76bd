"""Sweep and payment together: who pays is served, whatever the sweep was just doing."""

from datetime import timedelta

import pytest

from jobs.models import Job
from jobs.testing import drain, job_perform
from notifications.telegram.models import QueuedMessage
from subscriptions.activation.begin import activation_begin
from subscriptions.lifecycle import cutting
from subscriptions.models import Activation, Subscriber, SweepItem
from tests.subscriptions.lifecycle.money import payment_make
from tests.subscriptions.lifecycle.people import People, plan_make

HOUR = timedelta(hours=1)


def sweep() -> None:
    job_perform("subscriptions.disable_expired")
    drain(queues=["notifications"])


def pay(row: Subscriber) -> None:
    """The payment is completed; what follows is up to the jobs."""
    activation_begin(payment_make(row))


def state(people: People, row: Subscriber) -> tuple[str, str, str]:
    """(in the panel, in the mirror, who cut)."""
    row.refresh_from_db()
    return people.status(row), row.status, row.cut_by


def test_whom_we_cut_is_brought_back_by_paying(people: People) -> None:
    """business.md 4.0: expire, sweep, pay: access is back by one PATCH that sets ACTIVE, too."""
    row = people.make(-HOUR, plan=plan_make())
    sweep()
    assert state(people, row) == ("DISABLED", "DISABLED", "sweep")
    pay(row)
    drain()
    assert state(people, row) == ("ACTIVE", "ACTIVE", "")
    assert [write["call"] for write in people.panel.writes()] == ["users.update", "users.update"]
    assert Activation.objects.get().state == "applied"


def test_whom_the_panel_expired_is_brought_back_by_paying(people: People) -> None:
    row = people.make(-HOUR, status="EXPIRED", plan=plan_make())
    sweep()
    pay(row)
    drain()
    assert state(people, row) == ("ACTIVE", "ACTIVE", "")
    assert len(people.panel.writes()) == 1


def test_whom_an_operator_disabled_stays_disabled_after_paying(people: People) -> None:
    row = people.make(HOUR, plan=plan_make())
    people.panel.operator(row.panel_id or 0, "disable")
    sweep()
    pay(row)
    drain()
    assert people.status(row) == "DISABLED"
    assert Activation.objects.get().state == "held"


def test_who_pays_while_the_request_is_on_its_way_is_served_in_the_end(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of the sweep: money was asked about, the intent stands, then the payment completes.
    The activation stands behind the cut in the person's line, so it has the last word."""
    row = people.make(-HOUR, plan=plan_make())

    def strike(name: str) -> None:
        if name == "sweep.intended":
            pay(row)
            assert Job.objects.get(kind="subscriptions.activate").blocked

    monkeypatch.setattr(cutting, "fault", strike)
    job_perform("subscriptions.disable_expired")
    drain()
    drain()
    assert state(people, row) == ("ACTIVE", "ACTIVE", "")
    assert SweepItem.objects.get().fate == "done"
    told = set(QueuedMessage.objects.values_list("notification_type", flat=True))
    assert "subscription_expired" not in told


def test_without_the_line_the_cut_could_come_last(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: an activation that overtakes the cut is undone by it. Hence the line."""
    row = people.make(-HOUR, plan=plan_make())

    def strike(name: str) -> None:
        if name == "sweep.intended":
            pay(row)
            job_perform("subscriptions.activate", activation_id=Activation.objects.get().pk)

    monkeypatch.setattr(cutting, "fault", strike)
    job_perform("subscriptions.disable_expired")
    drain(queues=["notifications"])
    assert people.status(row) == "DISABLED"

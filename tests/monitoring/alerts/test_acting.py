"""What people do with alerts: done, refused, repeated; each act is a line of the story and of the audit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib.errors import InputInvalid, NotFound
from lib.ids import uuid7
from monitoring.alerts.acting import (
    alert_acknowledge,
    alert_assign,
    alert_note,
    alert_recheck,
    alert_resolve,
)
from monitoring.alerts.bulk import alerts_bulk
from monitoring.alerts.errors import AlertNotRecheckable, AlertResolved, AssigneeUnsuitable
from monitoring.alerts.models import Alert
from monitoring.alerts.selectors import AlertFilter
from tests.monitoring.alerts.rows import fresh, raised, story

Act = Callable[..., Any]


@pytest.fixture
def olga(account: Callable[..., User]) -> User:
    return account("olga", "alerts.view_alert", is_staff=True)


def acts() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "account_name"))


def test_who_acknowledges_first_has_it(olga: User) -> None:
    alert = raised()
    alert_acknowledge(alert_id=alert.pk, by=olga)
    again = alert_acknowledge(alert_id=alert.pk, by=None, name="ivan (7)")
    assert (again.acked_by, again.tell_at) == ("olga", None)
    assert story(alert) == ["opened", "acknowledged"]
    assert acts() == [("alerts.acknowledge", "olga")]


def test_a_person_resolves_with_a_note(olga: User) -> None:
    alert = raised()
    alert_resolve(alert_id=alert.pk, by=olga, note="the disk was full")
    row = fresh(alert)
    assert (row.resolved_by, row.note) == ("olga", "the disk was full")
    assert story(alert) == ["opened", "resolved"]
    assert acts() == [("alerts.resolve", "olga")]


def test_an_alert_is_given_to_somebody_and_to_nobody(olga: User) -> None:
    alert = raised()
    alert_assign(alert_id=alert.pk, to=olga, by=None, name="ivan")
    alert_assign(alert_id=alert.pk, to=olga, by=None, name="ivan")
    assert fresh(alert).assigned_to == olga
    alert_assign(alert_id=alert.pk, to=None, by=olga)
    assert fresh(alert).assigned_to is None
    assert story(alert) == ["opened", "assigned", "assigned"]


@pytest.mark.parametrize("fields", [{"is_staff": False}, {"is_staff": True, "is_active": False}])
def test_only_staff_may_have_an_alert(account: Callable[..., User], fields: Any) -> None:
    alert = raised()
    with pytest.raises(AssigneeUnsuitable):
        alert_assign(alert_id=alert.pk, to=account("eve", "alerts.view_alert", **fields), by=None)
    with pytest.raises(AssigneeUnsuitable):
        alert_assign(alert_id=alert.pk, to=account("mallory", is_staff=True), by=None)


def test_a_note_can_be_written_when_all_is_over(olga: User) -> None:
    alert = raised()
    alert_resolve(alert_id=alert.pk, by=olga)
    alert_note(alert_id=alert.pk, note="  a cable  ", by=olga)
    alert_note(alert_id=alert.pk, note="a cable", by=olga)
    assert fresh(alert).note == "a cable"
    assert story(alert) == ["opened", "resolved", "noted"]


def test_what_raised_it_looks_again() -> None:
    alert = raised(source="files.check_watchers")
    job_id = alert_recheck(alert_id=alert.pk, by=None, name="olga (1)")
    assert assert_enqueued("files.check_watchers").pk == job_id
    assert story(alert) == ["opened", "rechecked"]


@pytest.mark.parametrize("source", ["", "alertmanager", "telegram.send_now", "external.echo"])
def test_what_cannot_look_again_by_itself_is_refused(source: str) -> None:
    alert = raised(source=source)
    with pytest.raises(AlertNotRecheckable):
        alert_recheck(alert_id=alert.pk, by=None)


@pytest.mark.parametrize(
    "act",
    [
        lambda pk: alert_acknowledge(alert_id=pk, by=None),
        lambda pk: alert_resolve(alert_id=pk, by=None),
        lambda pk: alert_assign(alert_id=pk, to=None, by=None),
        lambda pk: alert_recheck(alert_id=pk, by=None),
    ],
    ids=["acknowledge", "resolve", "assign", "recheck"],
)
def test_nothing_is_done_to_what_is_over_or_was_never_there(act: Callable[[UUID], Any]) -> None:
    alert = raised()
    alert_resolve(alert_id=alert.pk, by=None)
    with pytest.raises(AlertResolved, match="resolved since"):
        act(alert.pk)
    with pytest.raises(NotFound):
        act(uuid7())


def test_many_are_looked_at_and_then_acknowledged(olga: User) -> None:
    for key in ("a", "b", "c"):
        raised(key, severity="warning")
    raised("d")
    where = AlertFilter(severity="warning")
    looked = alerts_bulk(where=where, action="acknowledge", by=None)
    assert (looked.matched, looked.done, looked.states) == (3, 0, {"open": 3})
    done = alerts_bulk(where=where, action="acknowledge", by=olga, dry_run=False)
    assert (done.matched, done.done, done.refused) == (3, 3, {})
    assert Alert.objects.filter(acked_by="olga").count() == 3


def test_one_that_refuses_stops_no_other() -> None:
    over, still = raised("a"), raised("b")
    alert_resolve(alert_id=over.pk, by=None)
    where = AlertFilter(ids=(over.pk, still.pk))
    for action in ("silence_1h", "resolve"):
        result = alerts_bulk(where=where, action=action, by=None, dry_run=False, note="both")
        assert (result.done, list(result.refused)) == (1, [over.pk])
    row = fresh(still)
    assert row.silenced_until is not None
    assert row.silenced_until - row.opened_at > timedelta(minutes=59)
    assert row.note == "both"


@pytest.mark.parametrize(
    ("where", "action"),
    [
        (AlertFilter(), "resolve"),
        (AlertFilter(state="open"), "delete"),
        (AlertFilter(state="strange"), "resolve"),
        (AlertFilter(severity="fatal"), "resolve"),
    ],
)
def test_what_cannot_be_meant_is_refused(where: AlertFilter, action: str) -> None:
    with pytest.raises(InputInvalid):
        alerts_bulk(where=where, action=action, by=None)

"""Two at once: one alert, one holder, one message; each race with a control that shows it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from lib import clock
from monitoring.alerts import services
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.models import Alert, AlertEvent
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import alert_silence
from monitoring.alerts.telling import alerts_tell
from notifications.telegram.models import QueuedMessage
from tests.monitoring.alerts.rows import fresh, raised, story
from tests.races.parties import parties

pytestmark = pytest.mark.usefixtures("committed")


def naively(rule: str, key: str, severity: str, at: datetime) -> tuple[Alert, bool]:
    """Look, then write: what the service would do without its constraint in mind."""
    found = Alert.objects.filter(rule=rule, key=key, resolved_at=None).first()
    if found is not None:
        return found, False
    given = {"rule": rule, "key": key, "severity": severity, "title": "x"}
    return Alert.objects.create(opened_at=at, noticed_at=at, **given), True


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: rows are read as if nobody else were there."""

    def unlocked(self: QuerySet[Any], **_: Any) -> QuerySet[Any]:
        return self.all()

    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)


def test_two_who_notice_at_once_open_one_alert() -> None:
    with parties() as begin:
        first = begin(raised).wait()
        second = begin(raised).wait_blocked()
        assert first.commit().pk == second.commit().pk
    alert = Alert.objects.get()
    assert (alert.count, story(alert)) == (2, ["opened"])


def test_control_who_looks_and_then_writes_is_stopped_by_the_constraint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "_open_or_lock", naively)
    with parties() as begin:
        first = begin(raised).wait()
        second = begin(raised).wait_blocked()
        first.commit()
        with pytest.raises(IntegrityError, match="alert_one_open"):
            second.commit()


def test_who_notices_while_it_is_being_resolved_opens_the_next() -> None:
    old = raised()
    with parties() as begin:
        ending = begin(partial(alert_clear, rule=old.rule, key=old.key)).wait()
        noticing = begin(raised).wait_blocked()
        ending.commit()
        new = noticing.commit()
    assert new.pk != old.pk
    assert fresh(old).resolved_at is not None
    assert Alert.objects.filter(resolved_at=None).count() == 1


@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
def test_who_acknowledges_first_has_it_however_close(
    monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    alert = raised()
    if not is_locked:
        without_locks(monkeypatch)
    with parties() as begin:
        take = partial(alert_acknowledge, alert_id=alert.pk, by=None)
        first = begin(partial(take, name="olga")).wait()
        second = begin(partial(take, name="ivan")).wait_blocked()
        first.commit()
        second.commit()
    taken = AlertEvent.objects.filter(alert=alert, kind="acknowledged").count()
    assert taken == (1 if is_locked else 2)


@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
def test_two_who_tell_at_once_tell_once(
    monkeypatch: pytest.MonkeyPatch, settings: Any, is_locked: bool
) -> None:
    settings.ALERT_GROUP = settings.ALERT_GROUP * 0
    raised()
    if not is_locked:
        without_locks(monkeypatch)
    with parties() as begin:
        first = begin(alerts_tell).wait()
        second = begin(alerts_tell).wait_blocked()
        told = [first.commit(), second.commit()]
    assert told == ([1, 0] if is_locked else [1, 1])
    assert QueuedMessage.objects.count() == (1 if is_locked else 2)


def test_a_silence_that_comes_while_it_is_noticed_holds() -> None:
    alert = raised()
    until = clock.now() + timedelta(hours=1)
    with parties() as begin:
        noticing = begin(raised).wait()
        silencing = begin(
            partial(alert_silence, alert_id=alert.pk, until=until, by=None)
        ).wait_blocked()
        noticing.commit()
        silencing.commit()
    row = fresh(alert)
    assert (row.silenced_until, row.count) == (until, 2)

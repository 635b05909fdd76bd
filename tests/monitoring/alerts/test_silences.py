"""Silences: until a time nobody is told of what fits; what is open then is told."""

from datetime import timedelta

import pytest

from lib import clock
from lib.errors import InputInvalid, NotFound
from monitoring.alerts.acting import alert_resolve
from monitoring.alerts.errors import AlertNotSilenced, AlertResolved, SilenceOver
from monitoring.alerts.models import Silence
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import (
    alert_silence,
    alert_unsilence,
    in_force,
    silence_create,
    silence_end,
    silenced_by,
)
from tests.monitoring.alerts.rows import fresh, raised, said, story, tell_run

HOUR = timedelta(hours=1)


def silence(rule: str = "node_*", key: str = "*", **changes: object) -> Silence:
    given = {"ends_at": clock.now() + 2 * HOUR, "by": None, **changes}
    return silence_create(rule=rule, key=key, **given)  # type: ignore[arg-type]


def test_what_is_silenced_is_told_when_the_silence_ends() -> None:
    alert = raised()
    alert_silence(alert_id=alert.pk, until=clock.now() + HOUR, by=None, name="olga", reason="move")
    row = fresh(alert)
    assert (row.silenced_by, row.silenced_until is not None) == ("olga", True)
    assert tell_run(after_s=1800) == []
    assert len(tell_run(after_s=3600 + 5)) == 1
    assert story(alert) == ["opened", "silenced", "told"]


def test_what_is_over_when_the_silence_ends_is_never_told() -> None:
    alert = raised()
    alert_silence(alert_id=alert.pk, until=clock.now() + HOUR, by=None)
    alert_clear(rule=alert.rule, key=alert.key)
    assert tell_run(after_s=2 * 3600) == []


def test_one_that_lasts_as_long_already_is_enough() -> None:
    alert = raised()
    until = clock.now() + HOUR
    for _ in range(2):
        alert_silence(alert_id=alert.pk, until=until, by=None)
    assert Silence.objects.count() == 1
    alert_silence(alert_id=alert.pk, until=until + HOUR, by=None)
    assert Silence.objects.count() == 2
    assert fresh(alert).silenced_until == until + HOUR


def test_a_silence_can_be_taken_back() -> None:
    alert = raised()
    alert_silence(alert_id=alert.pk, until=clock.now() + HOUR, by=None)
    alert_unsilence(alert_id=alert.pk, by=None, name="olga")
    assert fresh(alert).silenced_until is None
    assert len(tell_run()) == 1
    assert story(alert) == ["opened", "silenced", "unsilenced", "told"]
    with pytest.raises(AlertNotSilenced):
        alert_unsilence(alert_id=alert.pk, by=None)


@pytest.mark.parametrize(
    ("rule", "key", "fits"),
    [
        ("node_offline", "fra-1", True),
        ("node_*", "*", True),
        ("*", "fra-*", True),
        ("*offline", "*-1", True),
        ("node_offline", "fra", False),
        ("nodeXoffline", "*", False),
        ("node%", "*", False),
        ("node_offlin_", "*", False),
        ("Node_*", "*", False),
        ("node_offline", "fra\\*", False),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_does(rule: str, key: str, fits: bool) -> None:
    made = silence(rule, key)
    alert = raised()
    assert (fresh(alert).silenced_until is not None) == fits
    assert bool(silenced_by(made)) == fits


def test_a_key_with_strange_letters_is_silenced_as_it_is() -> None:
    alert = raised("50%_of\\it*")
    alert_silence(alert_id=alert.pk, until=clock.now() + HOUR, by=None)
    assert fresh(alert).silenced_until is not None
    assert fresh(raised("50X_of\\it")).silenced_until is None


def test_a_planned_window_begins_and_ends_by_itself() -> None:
    silence(starts_at=clock.now() + HOUR, reason="new hardware")
    early = raised("a")
    assert len(tell_run()) == 1
    with clock.shift(timedelta(minutes=90)):
        late = raised("b")
        assert in_force().count() == 1
    assert len(tell_run(after_s=100 * 60)) == 1
    assert fresh(early).silenced_until == fresh(late).silenced_until != None  # noqa: E711
    with clock.shift(timedelta(minutes=119)):
        alert_clear(rule="node_offline", key="a")
    found = tell_run(after_s=2 * 3600 + 5)
    assert [said(text).splitlines()[0] for text in found[1:]] == [
        "🟢 Resolved: Server a is offline",
        "🔴 CRITICAL: Server b is offline",
    ]


def test_the_longest_of_several_holds() -> None:
    alert = raised()
    silence(ends_at=clock.now() + HOUR)
    longest = silence(ends_at=clock.now() + 3 * HOUR)
    silence("node_offline", ends_at=clock.now() + 2 * HOUR)
    assert fresh(alert).silenced_until == longest.ends_at
    silence_end(silence_id=longest.pk, by=None)
    until = fresh(alert).silenced_until
    assert until is not None
    assert until < longest.ends_at


def test_the_silence_of_a_pattern_is_not_taken_back_from_one_alert() -> None:
    alert = raised()
    silence()
    with pytest.raises(AlertNotSilenced):
        alert_unsilence(alert_id=alert.pk, by=None)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"rule": ""}, "needs a rule"),
        ({"key": ""}, "needs a rule"),
        ({"key": "a\x00"}, "needs a rule"),
        ({"ends_at": clock.now() - HOUR}, "end later"),
        ({"starts_at": clock.now() + 3 * HOUR}, "end later"),
        ({"ends_at": clock.now() + timedelta(days=91)}, "90 days"),
    ],
)
def test_what_is_no_window_is_refused(changes: dict[str, object], refusal: str) -> None:
    with pytest.raises(InputInvalid, match=refusal):
        silence(**changes)  # type: ignore[arg-type]


def test_what_is_over_stays_over() -> None:
    made = silence()
    silence_end(silence_id=made.pk, by=None)
    with pytest.raises(SilenceOver):
        silence_end(silence_id=made.pk, by=None)
    with pytest.raises(NotFound):
        silence_end(silence_id=made.pk + 1, by=None)
    alert = raised()
    alert_resolve(alert_id=alert.pk, by=None)
    with pytest.raises(AlertResolved):
        alert_silence(alert_id=alert.pk, until=clock.now() + HOUR, by=None)


def test_the_end_of_what_people_know_of_waits_for_the_silence_too() -> None:
    alert = raised()
    tell_run()
    made = silence()
    alert_clear(rule=alert.rule, key=alert.key)
    assert len(tell_run(after_s=600)) == 1
    silence_end(silence_id=made.pk, by=None)
    found = tell_run(after_s=700)
    assert len(found) == 2
    assert said(found[1]).startswith("🟢 Resolved")

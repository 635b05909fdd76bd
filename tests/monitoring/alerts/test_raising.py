"""Raising and clearing: one row while it is open, whoever notices it."""

from datetime import timedelta

import pytest

from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts.models import Alert
from monitoring.alerts.services import (
    alert_clear,
    alert_raise,
    alerts_clear_others,
    alerts_open,
)
from monitoring.dashboard.models import PlatformEvent
from tests.monitoring.alerts.rows import fresh, raised, story


def test_what_is_wrong_is_one_row_that_will_be_told() -> None:
    before = clock.now()
    alert = raised(text="No answer.", link="/admin/x/", source="monitoring.check_nodes")
    row = fresh(alert)
    assert (row.rule, row.key, row.severity, row.count) == ("node_offline", "fra-1", "critical", 1)
    assert row.tell_at is not None
    assert row.tell_at >= before + timedelta(seconds=30)
    assert row.runbook == "node_offline"
    assert story(row) == ["opened"]


def test_what_is_open_is_only_noticed_again() -> None:
    first = raised()
    with clock.shift(timedelta(minutes=2)):
        again = raised(title="Server fra-1 is still offline", text="6 min")
    assert again.pk == first.pk
    row = fresh(first)
    assert (row.count, row.title, row.text) == (2, "Server fra-1 is still offline", "6 min")
    assert row.noticed_at - row.opened_at >= timedelta(minutes=2)
    assert row.tell_at == first.tell_at
    assert story(row) == ["opened"]
    assert Alert.objects.count() == 1


def test_a_severity_may_rise_but_does_not_fall() -> None:
    alert = raised(severity="warning")
    raised(severity="critical")
    raised(severity="info")
    assert fresh(alert).severity == "critical"
    assert story(alert) == ["opened", "worse"]


def test_when_it_is_over_it_is_resolved_and_the_next_is_another() -> None:
    first = raised()
    cleared = alert_clear(rule="node_offline", key="fra-1", note="it answers")
    assert cleared is not None
    row = fresh(first)
    assert row.resolved_at is not None
    assert (row.resolved_by, row.note) == ("", "it answers")
    assert story(row) == ["opened", "resolved"]
    assert alert_clear(rule="node_offline", key="fra-1") is None
    assert raised().pk != first.pk


def test_an_alert_of_the_past_cannot_end_before_it_began() -> None:
    alert = raised()
    cleared = alert_clear(rule=alert.rule, key=alert.key, at=clock.now() - timedelta(hours=1))
    assert cleared is not None
    assert cleared.resolved_at == fresh(alert).opened_at


def test_those_that_are_not_named_are_cleared() -> None:
    for key in ("a", "b", "c"):
        raised(key)
    raised("a", rule="queue_depth")
    assert alerts_clear_others(rule="node_offline", keys={"b"}) == 2
    assert alerts_clear_others(rule="node_offline", keys={"b"}) == 0
    assert [(alert.rule, alert.key) for alert in alerts_open()] == [
        ("node_offline", "b"),
        ("queue_depth", "a"),
    ]
    assert alerts_open("queue_depth").count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": ""}, "a rule has"),
        ({"rule": "x" * 61}, "a rule has"),
        ({"key": "x" * 201}, "a rule has"),
        ({"key": "a\x00b"}, "stored"),
        ({"severity": "fatal"}, "critical, warning, info"),
    ],
)
def test_what_cannot_be_a_row_is_refused(changes: dict[str, str], said: str) -> None:
    given = {"rule": "x", "key": "y", "severity": "info", "title": "t", **changes}
    with pytest.raises(InputInvalid, match=said):
        alert_raise(**given)  # type: ignore[arg-type]


def test_texts_of_any_length_and_kind_are_kept_as_far_as_they_fit() -> None:
    alert = raised(title="\x00" + "x" * 500, text="y\x00" * 5000, link="/" + "z" * 400)
    row = fresh(alert)
    assert len(row.title) == 200
    assert len(row.text) == 4000
    assert row.link == ""
    assert "\x00" not in row.title + row.text


def test_whoever_looks_at_the_dashboard_sees_it_come_and_go() -> None:
    raised(rule="queue_depth", title="The queue is long")
    raised(rule="queue_depth", title="The queue is long")
    alert_clear(rule="queue_depth", key="fra-1")
    assert list(PlatformEvent.objects.order_by("id").values_list("title", "severity")) == [
        ("The queue is long", "critical"),
        ("Resolved: The queue is long", "info"),
    ]


def test_servers_write_their_own_lines_into_the_feed() -> None:
    raised(rule="node_offline")
    assert not PlatformEvent.objects.exists()


def test_noticing_costs_few_queries(django_assert_max_num_queries: object) -> None:
    raised()
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        raised()

"""What explains what: those behind an open alert are told of only if they outlive it."""

from datetime import timedelta

from lib import clock
from monitoring.alerts.services import alert_clear
from tests.monitoring.alerts.rows import fresh, raised, said, tell_run

PANEL = ("panel_unreachable", "remnawave")
MINUTE = timedelta(minutes=1)


def panel_down() -> None:
    raised(PANEL[1], rule=PANEL[0], title="The panel does not answer")


def test_servers_behind_a_panel_that_is_down_are_not_told() -> None:
    panel_down()
    children = [raised(f"node-{number}", parent=PANEL) for number in range(20)]
    (text,) = tell_run()
    assert "The panel does not answer" in text
    assert all(fresh(child).parent is not None for child in children)
    assert all(fresh(child).told_at is None for child in children)


def test_what_explains_may_come_after_what_it_explains() -> None:
    child = raised("node-1", parent=PANEL)
    with clock.shift(timedelta(seconds=20)):
        panel_down()
    (text,) = tell_run(after_s=55)
    assert "The panel does not answer" in text
    parent = fresh(child).parent
    assert parent is not None
    assert parent.rule == PANEL[0]


def test_when_the_panel_is_back_those_that_are_down_still_are_told() -> None:
    panel_down()
    for key in ("a", "b"):
        raised(key, parent=PANEL)
    tell_run()
    with clock.shift(10 * MINUTE):
        alert_clear(rule=PANEL[0], key=PANEL[1])
    with clock.shift(10 * MINUTE + timedelta(seconds=5)):
        alert_clear(rule="node_offline", key="b")  # the next look has found it well
    assert len(tell_run(after_s=10 * 60 + 10)) == 1  # they get the time of a group to come back
    found = tell_run(after_s=10 * 60 + 31)
    assert [said(text).splitlines()[0] for text in found[1:]] == [
        "🟢 Resolved: The panel does not answer",
        "🔴 CRITICAL: Server a is offline",
    ]


def test_the_end_of_what_was_told_before_is_told_although_the_panel_is_down() -> None:
    raised("a", parent=PANEL)
    tell_run()
    with clock.shift(5 * MINUTE):
        panel_down()
        alert_clear(rule="node_offline", key="a")
    found = tell_run(after_s=5 * 60 + 31)
    assert any("Resolved: Server a is offline" in said(text) for text in found)


def test_our_own_uplink_hides_all_that_is_outside() -> None:
    raised("uplink", rule="uplink_down", title="We reach nobody")
    panel_down()
    node = raised("a", parent=PANEL)
    raised("cryptobot", rule="service_down", title="Crypto Pay does not answer")
    raised("postgres", rule="service_down", title="Postgres refuses connections")
    raised("default", rule="queue_depth", title="The queue is long")
    found = [said(text).splitlines()[0] for text in tell_run()]
    assert found == [
        "🔴 CRITICAL: We reach nobody",
        "🔴 CRITICAL: Postgres refuses connections",
        "🔴 CRITICAL: The queue is long",
    ]
    parent = fresh(node).parent
    assert parent is not None
    assert parent.rule == PANEL[0]


def test_when_the_uplink_is_back_the_panel_that_is_away_is_told_and_not_its_servers() -> None:
    raised("uplink", rule="uplink_down", title="We reach nobody")
    panel_down()
    raised("a", parent=PANEL)
    tell_run()
    with clock.shift(5 * MINUTE):
        alert_clear(rule="uplink_down", key="uplink")
    found = [said(text).splitlines()[0] for text in tell_run(after_s=5 * 60 + 31)]
    assert found[1:] == [
        "🟢 Resolved: We reach nobody",
        "🔴 CRITICAL: The panel does not answer",
    ]

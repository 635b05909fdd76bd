"""Asking the panel: once per picture, and not at all while that would hold up the picture."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.models import Breaker
from lib import clock
from monitoring.dashboard.models import Snapshot
from monitoring.dashboard.panel import PanelLook, look_load, panel_look
from monitoring.dashboard.refreshing import snapshot_refresh
from subscriptions.panel import door
from tests.sandbox.remnawave.hand import PanelHand


def test_without_a_panel_nobody_is_asked(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    assert panel_look(None) is None


def test_the_panel_says_who_is_online(panel: PanelHand) -> None:
    look = panel_look(None)
    assert look is not None
    assert look.error == ""
    assert look.latency_ms > 0
    assert {"online", "total", "active"} <= look.people.keys()
    assert snapshot_refresh()["panel"] == "answered"
    kept = Snapshot.objects.get().picture
    assert kept["people"]["source"] == "panel"
    assert kept["people"]["total"] == look.people["total"]
    assert look_load(kept["panel"]) is not None


def test_a_fresh_answer_is_used_again(panel: PanelHand) -> None:
    look = panel_look(None)
    assert look is not None
    assert panel_look(look) is look
    with clock.shift(timedelta(seconds=25)):
        assert panel_look(look) is not look


@pytest.mark.parametrize(("latency_ms", "error"), [(20.0, "no answer"), (6_000.0, "")])
def test_a_panel_that_is_unwell_is_left_alone_for_a_while(
    panel: PanelHand, latency_ms: float, error: str
) -> None:
    bad = PanelLook(clock.now(), latency_ms, error)
    with clock.shift(timedelta(seconds=90)):
        assert panel_look(bad) is bad
    with clock.shift(timedelta(minutes=3)):
        assert panel_look(bad) is not bad


def test_an_open_breaker_is_not_tried(panel: PanelHand) -> None:
    Breaker.objects.create(name="remnawave", state="open")
    look = panel_look(None)
    assert look is not None
    assert (look.error, look.people) == ("its breaker is open", {})


def test_a_panel_that_fails_leaves_a_picture_without_it(
    panel: PanelHand, settings: Settings, closed_port: int
) -> None:
    settings.REMNAWAVE_URL = f"http://127.0.0.1:{closed_port}"
    door.clients_forget()
    done = snapshot_refresh()
    assert done["panel"] not in {"off", "answered"}
    picture = Snapshot.objects.get().picture
    assert picture["panel"]["error"]
    assert picture["people"]["online"] is None


@pytest.mark.parametrize("kept", [None, {}, {"at": 7}, {"at": "x"}, {"at": "2026-01-01", "x": 1}])
def test_a_look_that_cannot_be_read_is_none(kept: dict[str, object] | None) -> None:
    assert look_load(kept) is None

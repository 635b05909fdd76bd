"""The jobs of the mirror: with a panel, without one, and with one that is away or differs."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from jobs import breakers
from jobs.alerts import attention_needed
from jobs.outcomes import Snooze
from jobs.registry import kind_get
from jobs.testing import drain, job_perform, job_state, jobs_of
from lib import clock
from subscriptions.mirror import counting, passes, reading, tasks
from subscriptions.models import PanelState, Subscriber, SubscriberCount
from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelAway
from tests.panels import TOKEN
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.helping import make, perform, whole_pass
from tests.subscriptions.panel.test_settings import _jwt

KINDS = ("sync_users", "read_back", "refresh_user_stats", "check_panel")


def test_without_a_panel_nothing_is_asked(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    for kind in KINDS:
        found = perform(f"subscriptions.{kind}")
        assert found.get("panel", "off") == "off"
    assert SubscriberCount.objects.get().source == "mirror"


def test_each_runs_by_itself() -> None:
    for kind in KINDS:
        declared = kind_get(f"subscriptions.{kind}")
        assert declared.periodic is not None
        assert declared.single


def test_users_are_mirrored_by_the_job(panel: PanelHand) -> None:
    panel.seed(20)
    assert perform("subscriptions.sync_users")["created"] == 20


def test_a_pass_that_takes_long_makes_way_and_goes_on(
    panel: PanelHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.seed(25)
    small = partial(reading.chunk_read, size=10)
    monkeypatch.setattr(passes, "chunk_read", small)
    monkeypatch.setattr(tasks, "TURN_S", 0)
    assert isinstance(job_perform("subscriptions.sync_users"), Snooze)
    assert Subscriber.objects.count() == 10
    assert isinstance(job_perform("subscriptions.sync_users"), Snooze)
    monkeypatch.setattr(tasks, "TURN_S", 20)
    assert perform("subscriptions.sync_users")["created"] == 25


def test_the_figures_are_those_of_the_panel(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(40, disabled_share=0.5, expires_from_s=86_400)
    whole_pass(client)
    found = perform("subscriptions.refresh_user_stats")
    row = SubscriberCount.objects.get()
    assert (row.total, row.source, found["is_behind"]) == (40, "panel", False)
    assert row.active + row.disabled + row.limited + row.expired == 40
    assert row.disabled > 0


def test_a_panel_with_others_than_ours_is_read_soon(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(5)
    whole_pass(client)
    assert not jobs_of("subscriptions.sync_users")
    panel.add(username="one_more", expireInSeconds=60)
    assert perform("subscriptions.refresh_user_stats")["is_behind"]
    assert len(jobs_of("subscriptions.sync_users")) == 1


def test_a_panel_that_is_away_is_counted_here(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(10, expires_from_s=86_400)
    whole_pass(client)
    Subscriber.objects.filter(panel_id=3).update(online_at=clock.now())
    make(99, missing_since=clock.now())
    panel.fault(kind="status", status=503, times=5)
    perform("subscriptions.refresh_user_stats")
    row = SubscriberCount.objects.get()
    assert (row.source, row.total, row.active) == ("mirror", 10, 10)


def test_old_figures_are_forgotten() -> None:
    counting.counts_take(None)
    with clock.shift(counting.KEPT + timedelta(days=1)):
        counting.counts_take(None)
    assert SubscriberCount.objects.count() == 1


def test_an_open_breaker_puts_the_job_off(panel: PanelHand) -> None:
    panel.seed(1)
    for _ in range(breakers.THRESHOLD):
        breakers.record_failure("remnawave", "503")
    made = tasks.sync_users.enqueue()
    drain()
    assert job_state(made.id) == "scheduled"


def test_a_field_that_the_panel_renamed_holds_writes_and_is_named(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(3)
    whole_pass(client)
    panel.settings(renamed_keys={"expireAt": "expiresAt"})
    assert perform("subscriptions.check_panel")["held"].endswith("expireAt is missing")
    assert "expireAt" in PanelState.objects.get().held_reason
    panel.settings(renamed_keys={})
    assert perform("subscriptions.check_panel")["released"]
    assert client.user_disable(1).id == 1


@pytest.fixture
def alerts() -> Iterator[list[str]]:
    told: list[str] = []

    def hear(sender: Any, title: str, **more: Any) -> None:
        told.append(title)

    attention_needed.connect(hear)
    yield told
    attention_needed.disconnect(hear)


def test_a_refused_token_is_told_once_an_hour(panel: PanelHand, alerts: list[str]) -> None:
    panel.token(TOKEN, "unknown")
    for _ in range(2):
        assert "401" in perform("subscriptions.check_panel")["denied"]
    assert alerts == ["The panel refuses our token"]


def test_a_token_that_ends_soon_is_told_once_a_day(
    panel: PanelHand, settings: Settings, alerts: list[str]
) -> None:
    settings.REMNAWAVE_API_TOKEN = _jwt({"exp": (clock.now() + timedelta(days=3)).timestamp()})
    for _ in range(2):
        perform("subscriptions.check_panel")
    assert alerts == ["The token of the panel ends soon"]


def test_a_panel_that_is_away_holds_nothing(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(1)
    panel.fault(kind="status", status=503, times=5)
    assert "503" in perform("subscriptions.check_panel")["away"]
    with pytest.raises(PanelAway):
        client.nodes()
    assert not PanelState.objects.exclude(held_reason="").exists()


@pytest.mark.django_db(transaction=True)
def test_the_panel_never_has_more_requests_at_once_than_it_may(
    panel: PanelHand, settings: Settings
) -> None:
    """Twelve threads ask at once, as workers of several processes would; it is slow, so they meet."""
    settings.PANEL_CONCURRENCY = 3
    door.clients_forget()
    panel.seed(12)
    client = door.panel()
    client.metadata()
    panel.fault(kind="latency", latency_ms=40)
    failed: list[Exception] = []

    def ask(panel_id: int) -> None:
        try:
            client.user(panel_id)
        except Exception as exc:  # noqa: BLE001 - told below, by the thread that asserts
            failed.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(panel_id,)) for panel_id in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert panel.stats()["peak_in_flight"] <= 3

"""What of the inbox needs a person now: said on the first page, with the way to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from lib import clock
from lib.now import Attention, Severity, gather
from notifications.inbox.models import Outbox
from notifications.inbox.selectors import figures
from tests.notifications.inbox.admin.rows import note_make, pod_make
from tests.notifications.inbox.admin.ways import to

pytestmark = pytest.mark.django_db


def needed() -> dict[str, Attention]:
    """What somebody who may see all is told of the inbox, by title."""
    everything = gather(User(is_superuser=True, is_active=True))
    return {item.title: item for item in everything if item.url == to(model="pod")}


def late(seconds: float) -> None:
    Outbox.objects.update(created_at=clock.now() - timedelta(seconds=seconds))


def test_while_all_is_well_nothing_is_said() -> None:
    pod_make(connections=100)
    pod_make("leaving", draining=True, connections=20_000)
    note_make()
    late(50)
    assert needed() == {}


def test_a_silent_pod_is_a_warning_that_leads_to_the_pods(alice: Client) -> None:
    pod_make("web-1", silent_s=60)
    item = needed()["silent pod"]
    assert (item.count, item.severity) == (1, Severity.WARNING)
    assert "web-1 stopped beating" in item.hint
    assert "web-1" in alice.get(item.url).content.decode()


def test_many_silent_pods_are_counted_and_a_few_named() -> None:
    for n in range(5):
        pod_make(f"web-{n}", silent_s=60 + n)
    item = needed()["silent pods"]
    assert item.count == 5
    assert "web-4, web-3, web-2 and 2 more" in item.hint


def test_changes_that_no_screen_is_told_of_are_critical(monkeypatch: pytest.MonkeyPatch) -> None:
    note_make()
    late(300)
    item = needed()["inbox change that no screen was told of"]
    assert (item.count, item.severity) == (1, Severity.CRITICAL)
    assert "waits for 5 min" in item.hint
    note_make()
    assert needed()["inbox changes that no screen was told of"].count == 2
    monkeypatch.setattr(figures, "COUNTED", 1)
    assert needed()["inbox changes that no screen was told of"].count == 2


def test_a_pod_near_its_cap_is_said_before_people_are_turned_away(settings: Settings) -> None:
    settings.WS_MAX_CONNECTIONS = 100
    pod = pod_make("web-1", connections=80)
    item = needed()["pod nearly full"]
    assert item.severity == Severity.WARNING
    assert "web-1: 80 of 100" in item.hint
    type(pod).objects.update(connections=100)
    assert needed()["pod nearly full"].severity == Severity.CRITICAL


def test_who_may_not_see_the_pods_is_not_told(account: Callable[..., User]) -> None:
    pod_make(silent_s=60)
    assert gather(account("carol", is_staff=True)) == []

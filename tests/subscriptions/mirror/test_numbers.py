"""Metrics of the mirror, and what the first page of the console says of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from prometheus_client.metrics_core import Metric
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from lib import clock, now
from subscriptions.mirror import counting, metrics
from subscriptions.mirror.hints import hint
from subscriptions.models import Drift, MirrorPass
from subscriptions.panel.stored import StoredContract
from tests.subscriptions.mirror.helping import make
from tests.subscriptions.panel.test_settings import _jwt


def numbers(found: list[Metric]) -> dict[str, float]:
    """Each sample by name and label."""
    return {
        sample.name + "".join(f".{value}" for value in sample.labels.values()): sample.value
        for metric in found
        for sample in metric.samples
    }


def test_before_the_first_pass_there_is_little_to_tell(settings: Settings) -> None:
    settings.REMNAWAVE_API_TOKEN = "no jwt"
    assert numbers(list(metrics.collect())) == {
        "panel_hints_waiting": 0,
        "panel_hints_oldest_seconds": 0,
        "mirror_drifts_open": 0,
        "panel_writes_held": 0,
    }


def test_all_numbers_by_five_queries(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    at = clock.now()
    settings.REMNAWAVE_API_TOKEN = _jwt({"exp": (at + timedelta(days=3)).timestamp()})
    make(1)
    make(2, status="EXPIRED")
    counting.counts_take(None)
    hint([1, 2])
    Drift.objects.create(subscriber_id=make(3).pk, field="telegram_id", owner="us")
    MirrorPass.objects.create(dialect="v3", started_at=at - timedelta(hours=1), finished_at=at)
    StoredContract().differs("user.tag is missing")
    with django_assert_num_queries(5):
        found = numbers(list(metrics.collect()))
    assert found["subscribers.active"] == 1
    assert found["subscribers.expired"] == 1
    assert (found["panel_hints_waiting"], found["mirror_drifts_open"]) == (2, 1)
    assert found["panel_writes_held"] == 1
    assert found["mirror_pass_age_seconds"] == pytest.approx(3600, abs=60)
    assert found["panel_token_left_seconds"] == pytest.approx(3 * 86_400, abs=60)


def test_the_console_says_what_needs_a_person(
    account: Callable[..., User], settings: Settings
) -> None:
    settings.REMNAWAVE_API_TOKEN = _jwt({"exp": clock.now().timestamp()})
    row = make(1)
    Drift.objects.create(subscriber=row, field="identity", owner="us")
    Drift.objects.create(subscriber=row, field="telegram_id", owner="us")
    MirrorPass.objects.create(dialect="v3", finished_at=clock.now(), error="30 of ours are missing")
    StoredContract().differs("user.tag is missing")
    person = account(
        "ops",
        "subscriptions.view_panelstate",
        "subscriptions.view_drift",
        "subscriptions.view_mirrorpass",
    )
    said = {each.title: each for each in now.gather(person)}
    assert "user.tag is missing" in said["hold on all writes to the panel"].hint
    assert said["subscriber who is somebody else in the panel"].url.endswith("?field=identity")
    assert "field that the panel emptied" in said
    assert "token of the panel that ends soon" in said
    assert said["pass over the panel that did not go well"].hint == "30 of ours are missing"
    assert now.gather(account("nobody")) == []

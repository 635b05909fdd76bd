from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, drain
from lib import clock
from lib.errors import InputInvalid, NotFound
from lib.ids import uuid7
from notifications.webhooks import endpoints
from notifications.webhooks.errors import (
    AddressInvalid,
    EndpointDisabled,
    EventUnknown,
    RotationUnfinished,
)
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Lane
from notifications.webhooks.services import event_emit
from notifications.webhooks.signing import secret_is_valid
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make

URL = "https://shop.example/hooks"


def create(**changes: Any) -> Endpoint:
    given: dict[str, Any] = {"title": "Shop", "url": URL, "event_types": [TEST], "by": None}
    return endpoints.endpoint_create(**{**given, **changes})


def audited() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_new_endpoint_is_enabled_with_a_secret_and_a_lane(
    account: Callable[..., User],
) -> None:
    endpoint = create(title="  Shop ", event_types=[TEST, TEST], by=account("anna"))
    endpoint.refresh_from_db()
    assert (endpoint.title, endpoint.state, endpoint.event_types) == ("Shop", "enabled", [TEST])
    assert secret_is_valid(str(endpoint.secret))
    assert endpoint.created_by == "anna"
    assert Lane.objects.get().endpoint_id == endpoint.pk
    assert audited() == ["webhooks.create"]


def test_everything_stands_for_all_types() -> None:
    assert create(event_types=[TEST, "*"]).event_types == ["*"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"title": " "}, InputInvalid),
        ({"title": "x" * 121}, InputInvalid),
        ({"description": "x" * 2001}, InputInvalid),
        ({"event_types": []}, InputInvalid),
        ({"event_types": ["no.such"]}, EventUnknown),
        ({"rate_per_minute": 0}, InputInvalid),
        ({"rate_per_minute": -1}, InputInvalid),
        ({"max_in_flight": 0}, InputInvalid),
        ({"max_in_flight": 65}, InputInvalid),
        ({"timeout_s": 0}, InputInvalid),
        ({"timeout_s": 31}, InputInvalid),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], refusal: type[InputInvalid]) -> None:
    with pytest.raises(refusal):
        create(**changes)
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "http://shop.example/",
        "https://",
        "https://:443/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://anna:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://[::1]/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://api.localhost/",
        "https://[broken/",
        "https://shop.example/" + "x" * 2000,
    ],
)
def test_an_address_to_which_nothing_may_go_is_refused(url: str, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = False
    if url.endswith("\n"):
        url += "x"
    with pytest.raises(AddressInvalid):
        create(url=url)


def test_http_is_taken_where_the_site_allows_it(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    assert (
        create(url=" http://shop.example:8080/hooks?x=1 ").url
        == "http://shop.example:8080/hooks?x=1"
    )


def test_a_change_is_audited_and_nothing_else_is_touched() -> None:
    endpoint = create()
    Lane.objects.update(failures=3)
    changed = endpoints.endpoint_change(
        endpoint_id=endpoint.pk, by=None, title="Other", rate_per_minute=60, timeout_s=15
    )
    assert (changed.title, changed.rate_per_minute) == ("Other", 60)
    assert Lane.objects.get().failures == 3
    entry = AuditEntry.objects.latest("id")
    assert entry.changes == {"title": "Other", "rate_per_minute": 60}


def test_a_change_that_changes_nothing_leaves_no_trace() -> None:
    endpoint = create()
    endpoints.endpoint_change(endpoint_id=endpoint.pk, by=None, title="Shop", url=URL)
    assert audited() == ["webhooks.create"]


def test_a_new_address_starts_with_a_clean_sheet() -> None:
    endpoint = create()
    now = clock.now()
    Lane.objects.update(failures=9, open_until=now, paused_until=now, failing_since=now, warned=70)
    endpoints.endpoint_change(endpoint_id=endpoint.pk, by=None, url="https://new.example/")
    lane = Lane.objects.get()
    assert (lane.failures, lane.open_until, lane.failing_since, lane.warned) == (0, None, None, 0)


def test_secrets_and_states_are_not_changed_by_the_way() -> None:
    endpoint = create()
    with pytest.raises(InputInvalid, match="secret"):
        endpoints.endpoint_change(endpoint_id=endpoint.pk, by=None, secret=SECRET)


def test_switching_off_and_on_again() -> None:
    endpoint = create()
    Lane.objects.update(failing_since=clock.now() - timedelta(days=6), warned=90)
    for _ in range(2):  # the second time changes nothing
        endpoints.endpoint_disable(endpoint_id=endpoint.pk, by=None)
    assert Endpoint.objects.get().disabled_reason == "person"
    for _ in range(2):
        endpoints.endpoint_enable(endpoint_id=endpoint.pk, by=None)
    assert Endpoint.objects.get().disabled_at is None
    assert Lane.objects.get().failing_since is None, "its patience begins anew"
    assert audited() == ["webhooks.create", "webhooks.disable", "webhooks.enable"]


def test_a_rotation_leaves_two_secrets_for_its_overlap(settings: Settings) -> None:
    settings.WEBHOOK_SECRET_OVERLAP = timedelta(hours=24)
    first = create()
    rotated = endpoints.endpoint_rotate_secret(endpoint_id=first.pk, by=None)
    assert rotated.secret != first.secret
    assert rotated.old_secret == first.secret
    assert rotated.old_secret_expires_at is not None
    left = rotated.old_secret_expires_at - clock.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_a_second_rotation_waits_for_the_end_of_the_first() -> None:
    endpoint = create()
    endpoints.endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    with pytest.raises(RotationUnfinished, match="signs until"):
        endpoints.endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    endpoints.endpoint_retire_secret(endpoint_id=endpoint.pk, by=None)
    endpoints.endpoint_retire_secret(endpoint_id=endpoint.pk, by=None)
    endpoints.endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    with clock.shift(timedelta(hours=25)):
        endpoints.endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    assert audited().count("webhooks.rotate") == 3
    assert audited().count("webhooks.retire_secret") == 1


def test_no_secret_gets_into_the_audit_log() -> None:
    endpoint = create()
    endpoints.endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    endpoints.endpoint_reveal_secret(endpoint_id=endpoint.pk, by=None)
    assert audited()[-1] == "webhooks.reveal_secret"
    assert "whsec_" not in str(list(AuditEntry.objects.values()))


def test_a_ping_goes_to_this_endpoint_alone() -> None:
    endpoint_make(title="other")
    endpoint = create(event_types=[TEST])
    delivery = endpoints.endpoint_ping(endpoint_id=endpoint.pk, by=None)
    assert list(Delivery.objects.values_list("endpoint", flat=True)) == [endpoint.pk]
    assert delivery.event.type == TEST


def test_nothing_is_sent_by_hand_to_an_endpoint_that_is_off() -> None:
    endpoint = create()
    endpoints.endpoint_disable(endpoint_id=endpoint.pk, by=None)
    for act in (endpoints.endpoint_ping, endpoints.endpoint_try_now):
        with pytest.raises(EndpointDisabled, match="enable it first"):
            act(endpoint_id=endpoint.pk, by=None)
    assert not Delivery.objects.exists()


def test_trying_now_closes_the_breaker_but_keeps_the_patience() -> None:
    endpoint = create()
    since = clock.now() - timedelta(days=1)
    later = clock.now() + timedelta(minutes=5)
    Lane.objects.update(failures=9, open_until=later, paused_until=later, failing_since=since)
    endpoints.endpoint_try_now(endpoint_id=endpoint.pk, by=None)
    lane = Lane.objects.get()
    assert (lane.failures, lane.open_until, lane.paused_until) == (0, None, None)
    assert lane.failing_since == since


def test_a_deleted_endpoint_vanishes_with_everything_that_was_its_own() -> None:
    other = delivery_make(endpoint_make())
    endpoint = create()
    event_emit(TEST, {})
    mine = Delivery.objects.get(endpoint=endpoint)
    Attempt.objects.create(
        delivery=mine, endpoint_id=endpoint.pk, number=1, at=clock.now(), duration_ms=1,
        outcome="failed", url=URL,
    )  # fmt: skip
    endpoints.endpoint_delete(endpoint_id=endpoint.pk, by=None)
    assert_enqueued("webhooks.purge_endpoint")
    drain(queues=["maintenance"])
    assert not Endpoint.objects.filter(pk=endpoint.pk).exists()
    assert not Attempt.objects.exists()
    assert Delivery.objects.filter(pk=other.pk).exists()
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    "act",
    [
        endpoints.endpoint_enable,
        endpoints.endpoint_disable,
        endpoints.endpoint_delete,
        endpoints.endpoint_rotate_secret,
        endpoints.endpoint_retire_secret,
        endpoints.endpoint_reveal_secret,
        endpoints.endpoint_ping,
        endpoints.endpoint_try_now,
        endpoints.endpoint_change,
    ],
)
def test_an_endpoint_that_is_not_there_is_not_found(act: Callable[..., object]) -> None:
    with pytest.raises(NotFound):
        act(endpoint_id=uuid7(), by=None)
    with pytest.raises(NotFound):
        act(endpoint_id=endpoint_make(state="deleted").pk, by=None)

"""Webhooks over REST."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.accounts import token_issue
from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, assert_not_enqueued
from lib import clock
from lib.ids import uuid7
from notifications.webhooks.models import Attempt, Delivery, Endpoint
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make

ROOT = "/api/v1/webhooks"
EVERYTHING = tuple(
    f"webhooks.{name}"
    for name in (
        "view_endpoint", "add_endpoint", "change_endpoint", "delete_endpoint", "reveal_secret",
        "send_ping", "view_delivery", "operate_delivery",
    )
)  # fmt: skip
NEW = {"title": "Shop", "url": "https://shop.example/hooks", "event_types": [TEST]}
SINCE = {"since": "2026-01-01T00:00:00Z"}

MakeCaller = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token and these permissions."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Client:
    return caller(*EVERYTHING)


def ask(api: Client, method: str, path: str, body: Any = None) -> Any:
    return api.generic(
        method,
        f"{ROOT}/{path}",
        b"" if body is None else json.dumps(body).encode(),
        content_type="application/json",
    )


def test_an_endpoint_is_made_and_its_secret_told_once(api: Client) -> None:
    made = ask(api, "POST", "endpoints", NEW)
    assert made.status_code == 201
    body = made.json()
    assert body["secret"].startswith("whsec_")
    assert (body["state"], body["condition"], body["created_by"]) == ("enabled", "new", "machine")
    seen = ask(api, "GET", f"endpoints/{body['id']}")
    assert seen.status_code == 200
    assert "secret" not in seen.json()
    assert "whsec_" not in seen.content.decode()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "https://10.0.0.1/"}, "invalid_url"),
        ({"event_types": ["no.such"]}, "unknown_event_type"),
        ({"event_types": []}, "invalid"),
        ({"title": ""}, "invalid"),
        ({"rate_per_minute": 0}, "invalid"),
        ({"max_in_flight": "many"}, "invalid"),
    ],
    ids=str,
)
def test_an_endpoint_that_cannot_be_is_refused(
    api: Client, changes: dict[str, Any], code: str
) -> None:
    answer = ask(api, "POST", "endpoints", {**NEW, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Endpoint.objects.exists()


def test_an_endpoint_is_changed_in_part(api: Client) -> None:
    endpoint = endpoint_make(description="old")
    answer = ask(api, "PATCH", f"endpoints/{endpoint.pk}", {"rate_per_minute": 60})
    assert answer.status_code == 200
    assert (answer.json()["rate_per_minute"], answer.json()["description"]) == (60, "old")


def test_an_endpoint_is_switched_off_and_on_and_deleted(api: Client) -> None:
    path = f"endpoints/{endpoint_make().pk}"
    off = ask(api, "POST", f"{path}/actions/disable").json()
    assert (off["state"], off["disabled_reason"], off["condition"]) == (
        "disabled", "person", "disabled",
    )  # fmt: skip
    refused = ask(api, "POST", f"{path}/actions/ping")
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    assert ask(api, "POST", f"{path}/actions/enable").json()["state"] == "enabled"
    assert ask(api, "DELETE", path).status_code == 204
    assert ask(api, "GET", path).status_code == 404
    assert ask(api, "GET", "endpoints").json()["items"] == []


def test_a_rotation_over_rest_from_the_first_secret_to_the_last(api: Client) -> None:
    path = f"endpoints/{endpoint_make().pk}"
    rotated = ask(api, "POST", f"{path}/actions/rotate", {"overlap_s": 3600}).json()
    assert rotated["old_secret"] == SECRET
    assert rotated["secret"] != SECRET
    again = ask(api, "POST", f"{path}/actions/rotate", {})
    assert (again.status_code, again.json()["code"]) == (409, "rotation_unfinished")
    assert ask(api, "GET", f"{path}/secret").json() == rotated
    assert ask(api, "POST", f"{path}/actions/retire-secret").status_code == 200
    assert ask(api, "GET", f"{path}/secret").json()["old_secret"] is None
    reads = AuditEntry.objects.filter(action="webhooks.reveal_secret", account_name="machine")
    assert reads.count() == 2


def test_who_may_rotate_a_secret_may_not_read_it_for_that(caller: MakeCaller) -> None:
    path = f"endpoints/{endpoint_make().pk}/actions/rotate"
    answer = ask(caller("webhooks.change_endpoint"), "POST", path, {})
    assert answer.status_code == 200
    assert (answer.json()["secret"], answer.json()["old_secret"]) == (None, None)
    assert answer.json()["old_secret_expires_at"] is not None


def test_a_type_that_nobody_can_store_finds_nothing(api: Client) -> None:
    delivery_make()
    answer = ask(api, "GET", "deliveries?event_type=%00")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_refused(api: Client, moment: str) -> None:
    for name in ("created_from", "created_to"):
        answer = ask(api, "GET", f"deliveries?{name}={moment}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_ping_is_a_delivery_to_follow(api: Client) -> None:
    answer = ask(api, "POST", f"endpoints/{endpoint_make().pk}/actions/ping")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["event_type"], body["state"]) == (TEST, "pending")
    seen = ask(api, "GET", f"deliveries/{body['id']}").json()
    assert '"sent_by":"machine"' in seen["body"]
    assert seen["webhook_id"] == f"msg_{body['event_id'].replace('-', '')}"


def test_event_types_are_told_with_examples(api: Client) -> None:
    found = {each["name"]: each for each in ask(api, "GET", "event-types").json()["items"]}
    assert found[TEST]["example"] == {"message": "This is a test.", "sent_by": "anna"}


def test_endpoints_come_page_by_page(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = [str(endpoint_make(title=str(number)).pk) for number in range(5)]
    seen, cursor = [], ""
    while True:
        with django_assert_num_queries(5):  # token, account, two of permissions; the page
            page = ask(api, "GET", f"endpoints?limit=2&cursor={cursor}").json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_deliveries_come_page_by_page_by_filter(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    endpoint = endpoint_make()
    made = [delivery_make(endpoint, state="failed", last_status=500).pk for _ in range(5)]
    delivery_make(endpoint)
    delivery_make(state="failed")
    seen, cursor = [], ""
    while True:
        with django_assert_num_queries(6):  # token, account, two of permissions; ids, rows
            page = ask(
                api,
                "GET",
                f"deliveries?endpoint={endpoint.pk}&state=failed&limit=2&cursor={cursor}",
            ).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("state=pending", 2),
        ("state=retrying", 1),
        ("status=503", 1),
        (f"event_type={TEST}", 4),
        ("event_type=no.such", 0),
        ("created_from=2999-01-01T00:00:00Z", 0),
        ("created_to=2999-01-01T00:00:00Z&state=pending", 2),
    ],
)
def test_deliveries_by_filter(api: Client, query: str, count: int) -> None:
    endpoint = endpoint_make()
    delivery_make(endpoint)
    delivery_make(endpoint, tries=1, last_status=503)
    delivery_make(endpoint, state="delivered", last_status=204)
    delivery_make(endpoint, state="cancelled")
    assert len(ask(api, "GET", f"deliveries?{query}").json()["items"]) == count


@pytest.mark.parametrize(
    "query",
    [
        "state=odd", "endpoint=7", "event=x", "status=ok", "limit=0", "limit=1001", "cursor=abc",
        "created_from=soon", "created_to=2026-01-01T00:00:00", "created_from=2026-99-99T00:00:00Z",
    ],
)  # fmt: skip
def test_a_filter_that_is_none_is_refused_by_name(api: Client, query: str) -> None:
    answer = ask(api, "GET", f"deliveries?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert query.split("=", maxsplit=1)[0] in answer.json()["detail"]


def test_the_attempts_of_a_delivery_newest_first(api: Client) -> None:
    delivery = delivery_make()
    for number in (1, 2):
        Attempt.objects.create(
            delivery=delivery, endpoint_id=delivery.endpoint_id, number=number, at=clock.now(),
            duration_ms=5, outcome="failed", status=500, error="answered 500", url="https://x",
            response_body="boom",
        )  # fmt: skip
    items = ask(api, "GET", f"deliveries/{delivery.pk}/attempts").json()["items"]
    assert [each["number"] for each in items] == [2, 1]
    assert items[0]["response_body"] == "boom"


def test_a_delivery_is_replayed_and_cancelled(api: Client) -> None:
    path = f"deliveries/{delivery_make(state='failed', tries=10).pk}/actions"
    again = ask(api, "POST", f"{path}/replay").json()
    assert (again["state"], again["tries"], again["replays"]) == ("pending", 0, 1)
    assert ask(api, "POST", f"{path}/replay").json()["code"] == "delivery_pending"
    assert ask(api, "POST", f"{path}/cancel").json()["state"] == "cancelled"
    assert ask(api, "POST", f"{path}/cancel").json()["code"] == "delivery_not_pending"


def test_a_span_is_counted_first_then_replayed(api: Client) -> None:
    endpoint = endpoint_make()
    delivery_make(endpoint, state="failed")
    path = f"endpoints/{endpoint.pk}/actions/replay"
    counted = ask(api, "POST", path, {**SINCE, "dry_run": True})
    assert (counted.status_code, counted.json()) == (200, {"job_id": None, "count": 1})
    assert_not_enqueued("webhooks.replay")
    begun = ask(api, "POST", path, SINCE)
    assert begun.status_code == 202
    job = assert_enqueued("webhooks.replay", which="failed")
    assert begun.json() == {"job_id": str(job.pk), "count": 1}


@pytest.mark.parametrize(
    "body", [{}, {"since": "soon"}, {**SINCE, "which": "odd"}, {"since": "2999-01-01T00:00:00Z"}]
)
def test_a_span_that_is_none_is_refused(api: Client, body: dict[str, Any]) -> None:
    path = f"endpoints/{endpoint_make().pk}/actions/replay"
    answer = ask(api, "POST", path, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


DOORS = [
    ("GET", "event-types", "view_endpoint"),
    ("GET", "endpoints", "view_endpoint"),
    ("POST", "endpoints", "add_endpoint"),
    ("GET", "endpoints/{id}", "view_endpoint"),
    ("PATCH", "endpoints/{id}", "change_endpoint"),
    ("DELETE", "endpoints/{id}", "delete_endpoint"),
    ("GET", "endpoints/{id}/secret", "reveal_secret"),
    ("POST", "endpoints/{id}/actions/rotate", "change_endpoint"),
    ("POST", "endpoints/{id}/actions/retire-secret", "change_endpoint"),
    ("POST", "endpoints/{id}/actions/enable", "change_endpoint"),
    ("POST", "endpoints/{id}/actions/disable", "change_endpoint"),
    ("POST", "endpoints/{id}/actions/ping", "send_ping"),
    ("POST", "endpoints/{id}/actions/try-now", "operate_delivery"),
    ("POST", "endpoints/{id}/actions/replay", "operate_delivery"),
    ("GET", "deliveries", "view_delivery"),
    ("GET", "deliveries/7", "view_delivery"),
    ("GET", "deliveries/7/attempts", "view_delivery"),
    ("POST", "deliveries/7/actions/replay", "operate_delivery"),
    ("POST", "deliveries/7/actions/cancel", "operate_delivery"),
]


@pytest.mark.parametrize(("method", "path", "permission"), DOORS)
def test_a_door_opens_for_its_permission_alone(
    caller: MakeCaller, method: str, path: str, permission: str
) -> None:
    path = path.format(id=uuid7())
    others = [each for each in EVERYTHING if each != f"webhooks.{permission}"]
    refused = ask(caller(*others, name="may-not"), method, path, {})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert permission in refused.json()["detail"]
    may = caller(f"webhooks.{permission}", name="may")
    assert ask(may, method, path, {}).status_code in {200, 404, 422}
    assert ask(Client(), method, path, {}).status_code == 401
    assert not Delivery.objects.exists()

"""Subscribers and plans over REST."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from payments.models import Payment
from subscriptions.activation.plans import plan_change, price_set
from subscriptions.models import Subscriber
from subscriptions.story import EventRow, events_write
from tests.subscriptions.buyers import CHAT, plan_make, row_make

pytestmark = pytest.mark.django_db
SUBSCRIBERS, PLANS = "/api/v1/subscribers", "/api/v1/plans"


def post(api: Client, path: str, body: Any, **headers: str) -> Any:
    return api.post(path, body, content_type="application/json", headers=headers)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["username"] for row in answer.json()["items"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", SUBSCRIBERS),
        ("get", f"{SUBSCRIBERS}/1"),
        ("patch", f"{SUBSCRIBERS}/1"),
        ("get", f"{SUBSCRIBERS}/1/events"),
        ("post", f"{SUBSCRIBERS}/1/orders"),
        ("get", PLANS),
        ("get", f"{PLANS}/standard"),
        ("post", f"{PLANS}/standard/orders"),
    ],
)
def test_every_door_asks_who_it_is(
    caller: Callable[..., Client], client: Client, method: str, path: str
) -> None:
    assert getattr(client, method)(path).status_code == 401
    assert getattr(caller(), method)(path).status_code == 403


def test_the_list_goes_on_by_cursor_newest_first(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 6):
        row_make(number, plan=plan_make())
    with django_assert_max_num_queries(5):
        first = api.get(SUBSCRIBERS, {"limit": "3"})
    assert names(first) == ["buyer_5", "buyer_4", "buyer_3"]
    second = api.get(SUBSCRIBERS, {"limit": "3", "cursor": first.json()["next_cursor"]})
    assert names(second) == ["buyer_2", "buyer_1"]
    assert second.json()["next_cursor"] is None


def test_who_ends_next_comes_first_if_ends_are_asked_for(api: Client) -> None:
    ends = clock.now().replace(microsecond=0)
    for number, days in [(1, 5), (2, 1), (3, 1), (4, 30)]:
        row_make(number, expire_at=ends + timedelta(days=days))
    wanted = {"expires_before": (ends + timedelta(days=9)).isoformat(), "limit": "2"}
    first = api.get(SUBSCRIBERS, wanted)
    assert names(first) == ["buyer_2", "buyer_3"]
    rest = api.get(SUBSCRIBERS, {**wanted, "cursor": first.json()["next_cursor"]})
    assert names(rest) == ["buyer_1"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": ["ACTIVE", "EXPIRED"]}, ["b", "a"]),
        ({"plan": "year"}, ["b"]),
        ({"name": "B"}, ["b"]),
        ({"telegram_id": "5"}, ["a"]),
        ({"cut_by": "operator"}, ["c"]),
        ({"auto_renew": "true"}, ["a"]),
        ({"is_missing": "true"}, ["d"]),
        ({}, ["c", "b", "a"]),
    ],
)
def test_filters_narrow_the_list(api: Client, wanted: dict[str, Any], found: list[str]) -> None:
    row_make(1, username="a", telegram_id=5, auto_renew=True)
    row_make(2, username="b", plan=plan_make("year"), status="EXPIRED")
    row_make(3, username="c", status="DISABLED", cut_by="operator")
    row_make(4, username="d", missing_since=clock.now())
    assert names(api.get(SUBSCRIBERS, wanted)) == found


@pytest.mark.parametrize(
    "wanted",
    [
        {"colour": "red"},
        {"status": "HAPPY"},
        {"limit": "0"},
        {"order": "random"},
        {"cursor": "x"},
        {"cursor": "x_1", "order": "ends"},
        {"expires_before": "tomorrow"},
    ],
)
def test_what_nobody_could_mean_is_refused(api: Client, wanted: dict[str, str]) -> None:
    answer = api.get(SUBSCRIBERS, wanted)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_one_is_shown_without_his_keys(api: Client) -> None:
    person = row_make(1, plan=plan_make(), short_uuid="secret-slug", subscription_url="https://s/x")
    answer = api.get(f"{SUBSCRIBERS}/{person.pk}")
    assert answer.json()["plan"] == "standard"
    assert b"secret-slug" not in answer.content
    assert b"https://s/x" not in answer.content
    assert api.get(f"{SUBSCRIBERS}/{person.pk + 1}").json()["code"] == "not_found"


def test_what_is_ours_can_be_changed_and_nothing_else(api: Client) -> None:
    person, plan = row_make(1), plan_make()
    path = f"{SUBSCRIBERS}/{person.pk}"
    answer = api.patch(
        path, {"plan": plan.code, "auto_renew": True}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["auto_renew"]) == (200, True)
    assert AuditEntry.objects.get(action="subscriber.edit").account_name == "machine"
    for body, status in [
        ({"expire_at": "2030-01-01T00:00:00Z"}, 422),
        ({"plan": "none"}, 404),
        ({"renew_currency": "GBP"}, 409),
        ({"time_zone": "Mars"}, 422),
    ]:
        assert api.patch(path, body, content_type="application/json").status_code == status
    person.refresh_from_db()
    assert person.renew_currency == ""


def test_the_story_is_told_in_sentences_newest_first(api: Client) -> None:
    person = row_make(1)
    events_write(
        EventRow(subscriber_id=person.pk, kind="extended", source="staff", actor="anna",
                 data={"days": day, "until": "2026-12-01T00:00:00+00:00"})
        for day in (1, 2, 3)
    )  # fmt: skip
    first = api.get(f"{SUBSCRIBERS}/{person.pk}/events", {"limit": "2"}).json()
    assert first["items"][0]["text"] == (
        "Extended by 3 days: served until 2026-12-01 00:00 UTC (before: unknown)."
    )
    assert (first["items"][0]["cause"], first["items"][0]["actor"]) == ("staff", "anna")
    rest = api.get(f"{SUBSCRIBERS}/{person.pk}/events", {"cursor": first["next_cursor"]}).json()
    assert [line["text"][:13] for line in rest["items"]] == ["Extended by 1"]
    assert api.get(f"{SUBSCRIBERS}/{person.pk + 1}/events").status_code == 404


def test_an_order_is_made_once_per_key(api: Client) -> None:
    person = row_make(1)
    plan_make()
    body = {"plan": "standard", "currency": "usdt", "expires_in_s": 3600}
    path = f"{SUBSCRIBERS}/{person.pk}/orders"
    first = post(api, path, body, **{"Idempotency-Key": "k"})
    again = post(api, path, body, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    made = first.json()
    assert (made["amount"], made["currency"], made["pay_url"]) == ("5", "USDT", None)
    assert Payment.objects.get().subscriber_id == person.pk
    assert assert_enqueued("payments.make_invoice").args["expires_in_s"] == 3600


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"plan": "none"}, 404, "plan_unknown"),
        ({"plan": "standard", "currency": "GBP"}, 409, "price_unknown"),
        ({"plan": "old"}, 409, "plan_not_sold"),
        ({}, 422, "invalid"),
        ({"plan": "standard", "amount": "1"}, 422, "invalid"),
        ({"plan": "standard", "expires_in_s": 5}, 422, "invalid"),
    ],
)
def test_an_order_of_what_is_not_sold_is_refused(
    api: Client, body: dict[str, Any], status: int, code: str
) -> None:
    plan_make()
    plan_change(plan_id=plan_make("old").pk, is_active=False)
    answer = post(api, f"{SUBSCRIBERS}/{row_make(1).pk}/orders", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Payment.objects.exists()


def test_who_is_gone_or_unknown_orders_nothing(api: Client) -> None:
    plan_make()
    gone = row_make(1, missing_since=clock.now())
    body = {"plan": "standard"}
    assert post(api, f"{SUBSCRIBERS}/{gone.pk}/orders", body).json()["code"] == "subscriber_gone"
    assert post(api, f"{SUBSCRIBERS}/{gone.pk + 1}/orders", body).status_code == 404


def test_somebody_new_orders_by_his_chat(api: Client) -> None:
    plan_make()
    answer = post(api, f"{PLANS}/standard/orders", {"telegram_id": CHAT, "language": "ru"})
    assert answer.status_code == 201
    payment = Payment.objects.get()
    assert (payment.telegram_id, payment.purpose, payment.subscriber_id) == (CHAT, "new", None)
    assert payment.plan_title == "Стандарт, 1 месяц"
    assert not Subscriber.objects.exists()


def test_plans_show_what_they_cost_now(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    plan = plan_make()
    price_set(plan_id=plan.pk, currency_type="crypto", currency="USDT", amount=Decimal("6.50"))
    plan_change(plan_id=plan_make("old").pk, is_active=False)
    with django_assert_max_num_queries(6):
        found = api.get(PLANS).json()["items"]
    assert [each["code"] for each in found] == ["standard"]
    assert [price["amount"] for price in found[0]["prices"]] == ["6.5"]
    assert len(api.get(PLANS, {"all": "true"}).json()["items"]) == 2
    assert api.get(f"{PLANS}/old").json()["is_active"] is False
    assert api.get(f"{PLANS}/none").json()["code"] == "plan_unknown"

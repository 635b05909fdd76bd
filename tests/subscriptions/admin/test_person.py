"""The page of one subscriber: it says what is wrong, and tells the whole story."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.models import Breaker
from lib import clock
from notifications.telegram.models import Chat, QueuedMessage
from payments.models import Payment, Review
from subscriptions.models import (
    AccessGap,
    BulkItem,
    BulkOperation,
    Drift,
    Notice,
    Subscriber,
)
from subscriptions.panel.errors import BREAKER
from subscriptions.screens.person import person_get
from subscriptions.screens.timeline import story_of
from subscriptions.screens.trouble import Trouble, Weight, troubles
from subscriptions.story import event_write
from tests.subscriptions.admin.ways import address, stuck, text_of
from tests.subscriptions.buyers import order_open, paid, plan_make, row_make


def worst(row: Subscriber) -> Trouble:
    return troubles(person_get(row.pk))[0]


def test_who_is_served_has_nothing_wrong(db: None) -> None:
    found = worst(row_make(1))
    assert found.weight == Weight.FINE
    assert "the panel serves until" in found.title


def test_an_open_gap_is_said_with_what_each_side_says(db: None) -> None:
    row = row_make(1, status="EXPIRED", expire_at=clock.now() - timedelta(days=1))
    activation = stuck(row, state="failed")
    gap = AccessGap.objects.create(
        payment=activation.payment, kind="failed", facts={"provider": "paid", "panel": "EXPIRED"}
    )
    found = worst(row)
    assert (found.weight, found.act, found.key) == (Weight.ERROR, "heal", gap)
    assert found.facts == (("Crypto Pay", "paid"), ("the panel", "EXPIRED"))
    assert [each.title for each in troubles(person_get(row.pk))].count(found.title) == 1


@pytest.mark.parametrize(
    ("change", "act_name", "said"),
    [
        (
            {"state": "failed", "last_error": "HTTP 500"},
            "retry",
            "switching it on failed: HTTP 500",
        ),
        ({"state": "held", "reason": "disabled"}, "release", "a person had disabled the access"),
        ({"state": "failed", "reason": "missing"}, "recreate", "the panel has no such user"),
        ({"state": "pending", "reason": "away"}, "retry", "the panel does not answer"),
    ],
)
def test_a_payment_without_access_names_the_button(
    db: None, change: dict[str, str], act_name: str, said: str
) -> None:
    row = row_make(1)
    activation = stuck(row, **change)
    found = worst(row)
    assert (found.weight, found.act, found.key) == (Weight.ERROR, act_name, activation)
    assert said in found.title


def test_a_payment_of_this_moment_is_on_its_way(db: None) -> None:
    row = row_make(1)
    paid(row)
    found = [each.title for each in troubles(person_get(row.pk))]
    assert any("access is being switched on" in each for each in found)


def test_a_payment_that_nobody_activated_is_compared(db: None) -> None:
    row = row_make(1)
    activation = stuck(row)
    activation.delete()
    assert worst(row).act == "compare"


def test_money_that_does_not_fit_leads_to_the_question(operator: Client) -> None:
    row = row_make(1)
    payment = order_open(row)
    question = Review.objects.create(payment=payment, key=f"payment:{payment.pk}", reason="under")
    found = worst(row)
    assert (found.weight, found.question_id) == (Weight.ERROR, question.pk)
    assert reverse("admin:payments_review_change", args=[question.pk]) in text_of(operator, row)


@pytest.mark.parametrize(
    ("by", "said", "weight"),
    [
        ("operator", "Paying does not bring it back", Weight.ERROR),
        ("panel", "in the panel, not by us", Weight.ERROR),
        ("sweep", "Paying brings it back", Weight.WARNING),
        ("bulk", "by a bulk operation", Weight.WARNING),
    ],
)
def test_who_was_cut_is_said_by_whom_and_why(db: None, by: str, said: str, weight: Weight) -> None:
    row = row_make(
        1, status="DISABLED", cut_by=by, cut_reason="chargeback", cut_at=clock.now()
    )  # fmt: skip
    found = worst(row)
    assert (found.weight, found.act) == (weight, "enable")
    assert "chargeback" in found.title
    assert said in f"{found.title} {found.text}"


def test_an_open_invoice_is_asked_about(db: None) -> None:
    row = row_make(1, status="EXPIRED", expire_at=clock.now() - timedelta(days=1))
    payment = order_open(row)
    found = {each.act: each for each in troubles(person_get(row.pk))}
    assert found["recheck"].key == payment
    assert "order" not in found  # there is one that can be paid
    Payment.objects.update(state="failed", failure="expired")
    assert "order" in {each.act for each in troubles(person_get(row.pk))}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"status": "EXPIRED", "expire_at": clock.now() - timedelta(days=9)},
            "The time was over on",
        ),
        ({"status": "LIMITED", "traffic_limit_bytes": 1024}, "The traffic is used up"),
        ({"missing_since": clock.now()}, "The panel has no such user any more"),
        ({"panel_id": None}, "The panel has another person under the number"),
        ({"telegram_id": None}, "No Telegram account is known"),
    ],
)
def test_each_state_has_its_sentence(db: None, fields: dict[str, Any], said: str) -> None:
    row = row_make(**{"number": 1, **fields})
    assert any(said in each.title for each in troubles(person_get(row.pk)))


def test_who_is_somebody_else_in_the_panel_is_said(operator: Client) -> None:
    row = row_make(1)
    Drift.objects.create(
        subscriber=row, field="identity", owner="us",
        ours={"panel_id": 1, "username": row.username}, theirs={"panel_id": 1, "username": "eve"},
    )  # fmt: skip
    text = text_of(operator, row)
    assert "The panel has another person under the number" in text
    assert "in the panel eve, number 1" in text


def test_a_panel_that_is_away_and_a_chat_that_is_shut_are_said(db: None) -> None:
    row = row_make(1, telegram_id=42)
    Chat.objects.create(chat_id=42, unreachable_since=clock.now(), unreachable_reason="blocked")
    Breaker.objects.update_or_create(name=BREAKER, defaults={"state": Breaker.State.OPEN})
    found = [each.title for each in troubles(person_get(row.pk))]
    assert found[0] == "The panel does not answer just now."
    assert any("Telegram cannot reach" in each for each in found)


def test_the_story_has_everything_newest_first(operator: Client) -> None:
    row, now = row_make(1, telegram_id=42), clock.now()
    event_write(row.pk, "enabled", "staff", data={"before": "DISABLED", "reason": "paid in cash"})
    order_open(row)
    QueuedMessage.objects.create(
        telegram_id=42, message="<b>Three days</b> left", notification_type="subscription_expiring_3d",
        status="failed", reason="blocked", created_at=now,
    )  # fmt: skip
    Notice.objects.create(
        subscriber=row, stage="24h", expire_at=row.expire_at, state="skipped", reason="no_telegram"
    )
    operation = BulkOperation.objects.create(kind="extend", params={"days": 3}, source="admin")
    BulkItem.objects.create(
        operation=operation, subscriber=row, state="skipped", reason="missing", at=now
    )
    text = text_of(operator, row)
    for said in (
        "Enabled (before: DISABLED).", "paid in cash", "Message “Three days left”",
        "The person has blocked the bot.", "The reminder 24 hours before",
        "No Telegram account is known.", "Extend by 3 days", "is gone from the panel",
    ):  # fmt: skip
        assert said in text, said
    lines = story_of(person_get(row.pk)).lines
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
    assert {line.group for line in story_of(person_get(row.pk), group="messages").lines} == {
        "messages"
    }


def test_a_long_story_is_turned_page_by_page(db: None) -> None:
    row, now = row_make(1), clock.now()
    for minutes in range(25):
        event = event_write(row.pk, "traffic_reset", "staff", data={"before": minutes})
        type(event).objects.filter(pk=event.pk).update(at=now - timedelta(minutes=minutes))
    person, seen, before = person_get(row.pk), list[str](), None
    while True:
        story = story_of(person, before=before, size=10)
        seen += [line.text for line in story.lines]
        if (before := story.before) is None:
            break
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize(
    "before", ["x", "2026-13-45T00:00:00Z", "2026-01-01", "0001-01-01T00:00+14:00"]
)
def test_an_address_that_somebody_has_cut_is_no_failure(operator: Client, before: str) -> None:
    row = row_make(1)
    answer = operator.get(address(row), {"before": before, "story": "\x00", "devices": "2"})
    assert answer.status_code == 200


def test_the_page_costs_the_same_however_long_the_story(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = row_make(1, plan=plan_make())
    order_open(row)
    text_of(operator, row)
    with django_assert_num_queries(23) as few:
        text_of(operator, row)
    for _ in range(20):
        stuck(row, state="failed")
        event_write(row.pk, "enabled", "staff", data={"before": "x"})
    with django_assert_num_queries(len(few.captured_queries)):
        text_of(operator, row)


def test_the_end_is_told_on_his_own_clock(operator: Client) -> None:
    row = row_make(1, time_zone="Europe/Moscow")
    end = row.expire_at + timedelta(hours=3)
    assert f"{end:%Y-%m-%d %H:%M} in Europe/Moscow" in text_of(operator, row)


def test_whoever_may_only_look_is_told_whom_to_ask(supporter: Client) -> None:
    row = row_make(1)
    stuck(row, state="failed")
    text = text_of(supporter, row)
    assert "Ask an operator to press “Try again”" in text
    assert "act-extend" not in text

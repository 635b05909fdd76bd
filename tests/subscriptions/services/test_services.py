"""Acts of staff on one subscriber: through the panel, read back, audited, in the story."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from jobs.outcomes import Retry
from jobs.testing import drain, job_perform
from lib import clock
from lib.errors import InputInvalid, NotFound
from subscriptions import services
from subscriptions.activation.plans import price_set
from subscriptions.errors import (
    PanelRefusal,
    PanelUnavailable,
    PriceUnknown,
    SubscriberGone,
    SubscriberNotInPanel,
    SubscriberOver,
)
from subscriptions.models import Activation, Subscriber
from subscriptions.words import say
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import (
    ends_of,
    paid,
    person_make,
    plan_make,
    row_make,
    status_of,
)

Make = Callable[..., User]


def last_event(person: Subscriber) -> str:
    event = person.events.order_by("-pk")[0]
    return say(event.kind, event.data)


def test_days_are_added_to_the_end(panel: PanelHand, account: Make) -> None:
    person = person_make(panel, ends_in=timedelta(days=3))
    before = person.expire_at
    services.subscriber_extend(subscriber_id=person.pk, days=7, by=account("anna"))
    person.refresh_from_db()
    assert ends_of(panel, person) == person.expire_at == before + timedelta(days=7)
    assert last_event(person).startswith("Extended by 7 days")
    audit = AuditEntry.objects.get(action="subscriber.extended")
    assert (audit.account_name, audit.changes["days"]) == ("anna", 7)


def test_who_has_expired_is_extended_from_now_on_and_served(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=-9), status="EXPIRED")
    services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)
    assert status_of(panel, person) == "ACTIVE"
    assert timedelta(days=6.9) < ends_of(panel, person) - clock.now() <= timedelta(days=7)


def test_who_is_disabled_is_extended_and_stays_disabled(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="DISABLED", cut_by="operator")
    services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)
    person.refresh_from_db()
    assert (status_of(panel, person), person.cut_by) == ("DISABLED", "operator")


def test_extending_does_not_undo_a_payment_that_is_on_its_way(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=3))
    before = person.expire_at
    panel.fault(kind="status", status=503, method="users.update", times=1)
    activation = paid(person)
    result = job_perform("subscriptions.activate", activation_id=activation.pk)
    assert isinstance(result, Retry)
    services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)
    job_perform("subscriptions.activate", activation_id=activation.pk)
    assert ends_of(panel, person) == before + timedelta(days=37)


def test_an_answer_that_got_lost_is_looked_up(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=3))
    before = person.expire_at
    panel.fault(kind="cut_after", method="users.update", times=1)
    services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)
    assert ends_of(panel, person) == before + timedelta(days=7)
    assert len(panel.writes(call="users.update")) == 1


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_days_that_make_no_sense_are_refused(db: None, days: int) -> None:
    with pytest.raises(InputInvalid):
        services.subscriber_extend(subscriber_id=row_make(1).pk, days=days, by=None)


def test_disabling_says_who_and_why_and_paying_does_not_undo_it(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    services.subscriber_disable(subscriber_id=person.pk, reason="spam", by=None)
    person.refresh_from_db()
    assert (person.status, person.cut_by, person.cut_reason) == ("DISABLED", "operator", "spam")
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    assert activation.state == "held"


def test_an_expired_one_can_be_disabled_too(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=-1), status="EXPIRED")
    services.subscriber_disable(subscriber_id=person.pk, reason="spam", by=None)
    assert status_of(panel, person) == "DISABLED"


def test_disabling_twice_asks_the_panel_once(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    for _ in range(2):
        services.subscriber_disable(subscriber_id=person.pk, reason="spam", by=None)
    assert len(panel.writes(call="users.disable")) == 1


def test_a_reason_is_needed(db: None) -> None:
    with pytest.raises(InputInvalid):
        services.subscriber_disable(subscriber_id=row_make(1).pk, reason=" ", by=None)


def test_enabling_gives_what_was_paid_meanwhile(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="DISABLED", cut_by="operator", cut_reason="spam")
    paid(person)
    drain()
    services.subscriber_enable(subscriber_id=person.pk, by=None)
    drain()
    person.refresh_from_db()
    assert (person.status, person.cut_by) == ("ACTIVE", "")
    assert Activation.objects.get().state == "applied"
    assert ends_of(panel, person) - clock.now() > timedelta(days=30)


def test_enabling_who_is_over_gives_what_he_has_paid(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=-2), status="DISABLED")
    paid(person)
    drain()
    services.subscriber_enable(subscriber_id=person.pk, by=None)
    drain()
    assert status_of(panel, person) == "ACTIVE"


def test_enabling_who_is_over_and_has_not_paid_is_refused(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=-2), status="EXPIRED")
    with pytest.raises(SubscriberOver):
        services.subscriber_enable(subscriber_id=person.pk, by=None)


def test_a_reset_of_traffic_serves_again(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="LIMITED", trafficLimitBytes=10, usedTrafficBytes=2048)
    services.subscriber_reset_traffic(subscriber_id=person.pk, by=None)
    person.refresh_from_db()
    assert (person.status, person.used_traffic_bytes) == ("ACTIVE", 0)
    assert last_event(person) == "Used traffic was set to zero (before: 2.0 KB)."


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ({"kind": "status", "status": 503}, PanelUnavailable),
        ({"kind": "rate_limit", "retry_after": 9}, PanelUnavailable),
        (
            {
                "kind": "status",
                "status": 401,
                "body": {"message": "Unauthorized", "statusCode": 401},
            },
            PanelUnavailable,
        ),
        (
            {
                "kind": "status",
                "status": 400,
                "body": {"statusCode": 400, "message": "Validation failed", "errors": []},
            },
            PanelRefusal,
        ),
    ],
    ids=["503", "429", "401", "400"],
)
def test_what_the_panel_does_not_do_is_said_and_not_noted(
    panel: PanelHand, db: None, fault: dict[str, Any], refusal: type[Exception]
) -> None:
    person = person_make(panel)
    panel.fault(method="users.disable", times=1, **fault)
    with pytest.raises(refusal):
        services.subscriber_disable(subscriber_id=person.pk, reason="spam", by=None)
    person.refresh_from_db()
    assert person.cut_by == ""
    assert not person.events.exists()


def test_who_is_gone_is_said_to_be_gone(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    panel.operator(person.panel_id or 0, "delete")
    with pytest.raises(SubscriberGone):
        services.subscriber_extend(subscriber_id=person.pk, days=1, by=None)


def test_who_is_not_there_is_not_found(panel: PanelHand, db: None) -> None:
    with pytest.raises(NotFound):
        services.subscriber_extend(subscriber_id=1, days=1, by=None)
    waiting = row_make(2, panel_id=None)
    with pytest.raises(SubscriberNotInPanel):
        services.subscriber_extend(subscriber_id=waiting.pk, days=1, by=None)
    gone = row_make(3, missing_since=clock.now())
    with pytest.raises(SubscriberGone):
        services.subscriber_enable(subscriber_id=gone.pk, by=None)


def test_our_own_fields_are_edited_audited_and_told(db: None, account: Make) -> None:
    person = row_make(1)
    services.subscriber_edit(
        subscriber_id=person.pk, by=account("anna"), plan=plan_make(), auto_renew=True,
        renew_currency="usdt", time_zone="Europe/Moscow", note="nice",
    )  # fmt: skip
    person.refresh_from_db()
    assert (person.auto_renew, person.renew_currency, person.note) == (True, "USDT", "nice")
    assert [event.kind for event in person.events.order_by("pk")] == ["auto_renew_on", "edited"]
    assert AuditEntry.objects.get(action="subscriber.edit").changes["plan"] == [None, "standard"]


def test_editing_nothing_writes_nothing(db: None) -> None:
    person = row_make(1, language="ru")
    services.subscriber_edit(subscriber_id=person.pk, by=None, language="ru")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"language": "de"},
        {"time_zone": "Mars/Olympus"},
        {"renew_currency": "U$D"},
        {"expire_at": "2030-01-01"},
        {"auto_renew": True},
        {"plan": "standard"},
        {"note": "a\x00b"},
    ],
    ids=["language", "zone", "currency", "not ours", "renewal of nothing", "no plan", "NUL"],
)
def test_what_does_not_fit_is_not_edited(db: None, fields: dict[str, Any]) -> None:
    person = row_make(1)
    with pytest.raises(InputInvalid):
        services.subscriber_edit(subscriber_id=person.pk, by=None, **fields)


def test_auto_renewal_needs_a_price(db: None) -> None:
    plan = plan_make()
    price_set(plan_id=plan.pk, currency_type="fiat", currency="EUR", amount=Decimal(4))
    person = row_make(1, plan=plan)
    with pytest.raises(PriceUnknown):
        services.subscriber_edit(
            subscriber_id=person.pk, by=None, auto_renew=True, renew_currency="GBP"
        )

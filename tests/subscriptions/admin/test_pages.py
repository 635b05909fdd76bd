"""Every page of subscriptions opens, empty and with rows, and nobody sees a button that is not theirs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from subscriptions.models import (
    AccessGap,
    Activation,
    BulkItem,
    BulkOperation,
    Drift,
    MirrorPass,
    Notice,
    PanelState,
    Subscriber,
    SubscriberCount,
)
from subscriptions.story import event_write
from tests.subscriptions.buyers import paid, plan_make, row_make

HOME = "/admin/subscriptions/"
LISTS = (
    "subscriber/", "subscriber/expiring/", "accessgap/", "accessgap/?which=closed", "bulkoperation/",
    "plan/", "drift/", "drift/?which=settled", "subscribercount/", "subscribercount/?span=30d",
    "mirrorpass/", "panelstate/", "panelstate/1/change/",
)  # fmt: skip


def busy() -> Subscriber:
    """Somebody about whom every page has something to say."""
    now = clock.now()
    row = row_make(
        1, plan=plan_make(), status="DISABLED", cut_by="operator", cut_reason="chargeback"
    )
    activation = paid(row)
    Activation.objects.filter(pk=activation.pk).update(state="failed", last_error="HTTP 500")
    AccessGap.objects.create(
        payment=activation.payment, kind="failed",
        facts={"provider": "paid 5 USDT", "ledger": "completed", "panel": "disabled"},
    )  # fmt: skip
    event_write(row.pk, "disabled", "staff", data={"reason": "chargeback"})
    Notice.objects.create(
        subscriber=row, stage="7d", expire_at=row.expire_at, state="skipped", reason="blocked"
    )
    operation = BulkOperation.objects.create(
        kind="extend", params={"days": 3}, state="done", total=1, failed=1, source="admin",
        created_by="olga", selection={"text": "a list of 1"}, finished_at=now, started_at=now,
    )  # fmt: skip
    BulkItem.objects.create(
        operation=operation, subscriber=row, given=row.username, state="failed", reason="refused",
        detail="A063", before={"status": "DISABLED", "expire_at": now.isoformat()}, at=now,
    )  # fmt: skip
    Drift.objects.create(subscriber=row, field="email", owner="us", ours="a@b.example", theirs=None)
    MirrorPass.objects.create(dialect="v3", seen=7, total=7, finished_at=now)
    PanelState.objects.update_or_create(
        pk=1,
        defaults={"version": "3.3.2", "dialect": "v3", "held_reason": "no users", "held_at": now},
    )
    for hours in range(3):
        SubscriberCount.objects.create(
            at=now - timedelta(hours=hours), total=9, active=5, disabled=1, limited=1, expired=2,
            online=3, source="panel",
        )  # fmt: skip
    return row


def pages(row: Subscriber) -> list[str]:
    operation = BulkOperation.objects.get()
    return [
        *(f"{HOME}{name}" for name in LISTS),
        reverse("admin:subscriptions_subscriber_change", args=[row.pk]),
        *(
            f"{HOME}subscriber/{row.pk}/change/?story={group}"
            for group in ("money", "messages", "panel", "operations", "staff", "nothing")
        ),
        reverse("admin:subscriptions_bulkoperation_change", args=[operation.pk]),
        reverse("admin:subscriptions_plan_change", args=["standard"]),
    ]


def test_every_list_says_what_to_do_while_it_is_empty(operator: Client) -> None:
    for name in LISTS:
        answer = operator.get(f"{HOME}{name}")
        assert answer.status_code == 200, name
        assert 'class="empty"' in answer.content.decode() or "which=" in name, name


@pytest.mark.parametrize("who", ["operator", "supporter"])
def test_every_page_opens(request: pytest.FixtureRequest, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    for address in pages(busy()):
        assert client.get(address).status_code == 200, address


def test_who_may_only_look_has_no_button(supporter: Client) -> None:
    for address in pages(busy()):
        text = supporter.get(address).content.decode()
        forms = text.count('<form method="post"') - text.count("/admin/logout/")
        assert forms <= 1, address  # that of the theme's own menu


def test_whoever_may_not_look_is_turned_away(db: None) -> None:
    row = busy()
    for address in pages(row):
        assert Client().get(address).status_code == 302, address


@pytest.mark.parametrize(
    "address",
    [
        "subscriber/999/change/",
        "subscriber/99999999999999999999999/change/",
        "bulkoperation/01a20221-7d3e-7c41-9d0a-3f2b8c6f1e55/change/",
        "plan/none/change/",
    ],
)
def test_what_is_not_there_is_not_found(operator: Client, address: str) -> None:
    assert operator.get(f"{HOME}{address}").status_code == 404


def test_a_price_is_never_edited_but_followed_by_a_new_one(admin: Client) -> None:
    plan = plan_make()
    address = reverse("admin:subscriptions_plan_price", args=[plan.code])
    given = {"currency": "usdt", "amount": "7.5", "currency_type": "crypto"}
    answer = admin.post(address, given, follow=True)
    assert "costs 7.5 USDT from now on" in answer.content.decode()
    old, new = plan.prices.order_by("id")
    assert (old.amount, new.amount) == (Decimal(5), Decimal("7.5"))
    assert old.valid_to == new.valid_from
    assert new.created_by == "anna"
    page = admin.get(reverse("admin:subscriptions_plan_change", args=[plan.code]))
    assert [row.pk for row in page.context["prices"]] == [new.pk, old.pk]


def test_a_plan_is_made_priced_changed_and_ended(admin: Client) -> None:
    given = {
        "code": "family", "title": "Family", "period_days": "30", "traffic_gb": "500",
        "traffic_limit_strategy": "NO_RESET", "position": "0", "is_active": "on",
    }  # fmt: skip
    answer = admin.post(f"{HOME}plan/new/", given, follow=True)
    plan = answer.context["plan"]
    assert (plan.code, plan.traffic_limit_bytes) == ("family", 500 * 1024**3)
    assert "no price yet" in answer.content.decode()
    admin.post(f"{HOME}plan/family/edit/", {**given, "title": "Family, 5 devices"})
    plan.refresh_from_db()
    assert plan.title == "Family, 5 devices"
    price = {
        "currency": "EUR",
        "amount": "9",
        "currency_type": "fiat",
        "accepted_assets": "usdt ton",
    }
    admin.post(f"{HOME}plan/family/price/", price)
    assert plan.prices.get().accepted_assets == ["USDT", "TON"]
    admin.post(f"{HOME}plan/family/price/end/", {"currency": "EUR"})
    assert plan.prices.get().valid_to is not None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": "0"}, "greater than or equal"),
        ({"amount": "x"}, "Enter a number"),
        ({"currency": "€"}, "The code of a coin"),
        ({"accepted_assets": "TON"}, "accepted assets go with a price in a fiat only"),
    ],
)
def test_a_wrong_price_is_said(admin: Client, change: dict[str, str], why: str) -> None:
    plan = plan_make()
    given = {"currency": "USDT", "amount": "5", "currency_type": "crypto", **change}
    answer = admin.post(f"{HOME}plan/{plan.code}/price/", given, follow=True)
    assert why in answer.content.decode()
    assert plan.prices.count() == 1


def test_an_operator_sells_at_the_prices_that_admins_make(operator: Client) -> None:
    plan = plan_make()
    assert operator.get(f"{HOME}plan/new/").status_code == 403
    assert operator.get(f"{HOME}plan/{plan.code}/edit/").status_code == 403
    answer = operator.post(f"{HOME}plan/{plan.code}/price/", {"currency": "USDT", "amount": "1"})
    assert answer.status_code == 403


def test_a_plan_that_cannot_be_is_said(admin: Client) -> None:
    answer = admin.post(f"{HOME}plan/new/", {"code": "x y", "title": "", "squads": "7"})
    assert answer.status_code == 422
    assert "7 is no UUID" in answer.content.decode()


def test_drift_is_settled_by_a_person(operator: Client) -> None:
    row = busy()
    drift = Drift.objects.get()
    address = reverse("admin:subscriptions_drift_settle", args=[drift.pk])
    Subscriber.objects.filter(pk=row.pk).update(email="a@b.example")
    answer = operator.post(address, {"how": "theirs"}, follow=True)
    assert "is taken over" in answer.content.decode()
    row.refresh_from_db()
    drift.refresh_from_db()
    assert (row.email, drift.resolution, drift.resolved_by) == ("", "theirs", "olga")
    again = operator.post(address, {"how": "ignored"}, follow=True)
    assert "Refused" in again.content.decode()


def test_pushing_ours_is_a_job(operator: Client) -> None:

    busy()
    drift = Drift.objects.get()
    operator.post(reverse("admin:subscriptions_drift_settle", args=[drift.pk]), {"how": "ours"})
    assert_enqueued("subscriptions.settle_drift", drift_id=drift.pk)


def test_writes_that_are_held_go_on_with_a_reason(operator: Client) -> None:
    busy()
    address = reverse("admin:subscriptions_panelstate_release")
    assert "say why" in operator.post(address, {}, follow=True).content.decode()
    assert PanelState.objects.get().held_reason == "no users"
    assert "go on" in operator.post(address, {"reason": "looked"}, follow=True).content.decode()
    assert PanelState.objects.get().held_reason == ""


def test_numbers_of_a_rebuilt_panel_are_forgotten_by_its_word_only(operator: Client) -> None:
    busy()
    address = reverse("admin:subscriptions_panelstate_forget")
    bound = Subscriber.objects.filter(panel_id__isnull=False)
    count = bound.count()
    assert count
    assert "type FORGET" in operator.post(address, {}, follow=True).content.decode()
    assert bound.count() == count
    told = operator.post(address, {"reason": "FORGET"}, follow=True).content.decode()
    assert f"{count} numbers are forgotten" in told
    assert not bound.exists()
    assert AuditEntry.objects.filter(action="panel.numbers_forget").count() == 1

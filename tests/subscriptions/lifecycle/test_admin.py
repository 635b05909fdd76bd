"""Sweeps and notices in the console: who may see and do what, filters, paging, empty and wrong states."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from lib import clock
from lib.ids import uuid7
from lib.now import gather
from subscriptions.lifecycle import selectors
from subscriptions.lifecycle.expired import EXPIRED, NAME
from subscriptions.lifecycle.sweeps import settings_change, sweep_begin
from subscriptions.models import Notice, Sweep, SweepItem, SweepSettings
from tests.console import without_token
from tests.subscriptions.lifecycle.people import subscriber_make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def to(name: str = "changelist", *args: Any, model: str = "sweep", **query: Any) -> str:
    address = reverse(f"admin:subscriptions_{model}_{name}", args=args)
    return f"{address}?{urlencode(query)}" if query else address


def text(answer: Any) -> str:
    inside = answer.content.decode().split('<div class="console"', 1)[-1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def held() -> Sweep:
    """A run of three that the brake holds."""
    settings_change(name=NAME, by=None, most=2)
    for number in range(3):
        subscriber_make(number, -HOUR)
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    return sweep


def test_a_held_run_says_why_who_and_what_to_do(held: Sweep, alice: Client) -> None:
    shown = text(alice.get(to("change", held.pk)))
    for words in (
        "The brake holds it. 3 people are more than the limit of 2.",
        "Approve",
        "Refuse",
        "user_0 ended",
        "People 3 2",
    ):
        assert words in shown, words
    listed = text(alice.get(to()))
    assert "held by the brake" in listed
    assert "2 people, 5 % of the served, 3 times the usual" in listed


def test_an_operator_approves_and_it_is_audited(held: Sweep, alice: Client) -> None:
    answer = alice.post(to("approve", held.pk), {"next": to("change", held.pk)}, follow=True)
    assert said(answer) == ["It runs: 3 people are looked at again, one by one."]
    held.refresh_from_db()
    assert (held.state, held.decided_by) == ("running", "alice")
    assert "alice" in text(answer)
    again = alice.post(to("approve", held.pk), follow=True)
    assert said(again) == ["Refused: it is running."]
    stopped = alice.post(to("stop", held.pk), follow=True)
    assert said(stopped) == ["It is stopped; 0 were done by then."]


def test_an_operator_refuses(held: Sweep, alice: Client) -> None:
    answer = alice.post(to("refuse", held.pk), follow=True)
    assert said(answer) == ["Nobody of the 3 is cut, also not by later runs."]
    assert "A person refused the run." in text(alice.get(to("change", held.pk)))


def test_a_reader_sees_every_page_and_no_button(held: Sweep, bob: Client) -> None:
    Notice.objects.create(
        subscriber=subscriber_make(9, HOUR), stage="6h", expire_at=clock.now(), state="due"
    )
    for address in (to(), to("change", held.pk), to("limits", NAME), to(model="notice")):
        inside = bob.get(address).content.decode().split('<div class="console"', 1)[-1]
        assert "Approve the run" not in inside
        assert 'class="button primary">Change' not in inside
        assert not re.search(r"/(approve|refuse|stop|run|observe)/", inside), address


def acts(sweep: Sweep) -> list[str]:
    return [
        to("approve", sweep.pk), to("refuse", sweep.pk), to("stop", sweep.pk), to("run", NAME),
        to("observe", NAME), to("limits", NAME),
    ]  # fmt: skip


def test_every_act_of_a_reader_is_refused_and_changes_nothing(held: Sweep, bob: Client) -> None:
    before = (AuditEntry.objects.count(), list(SweepSettings.objects.values()))
    for address in acts(held):
        assert bob.post(address, {"most": 1}).status_code == 403, address
    assert before == (AuditEntry.objects.count(), list(SweepSettings.objects.values()))
    held.refresh_from_db()
    assert held.state == "held"


def test_limits_and_observing_take_more_than_operating(held: Sweep, alice: Client) -> None:
    assert alice.post(to("observe", NAME), {"observe": "1"}).status_code == 403
    assert alice.post(to("limits", NAME), {"most": "1"}).status_code == 403


def test_staff_without_the_permission_and_strangers_see_nothing(
    held: Sweep, account: Callable[..., User]
) -> None:
    carol = Client()
    carol.force_login(account("carol", is_staff=True))
    for address in (to(), to("change", held.pk), to("limits", NAME), to(model="notice")):
        assert carol.get(address).status_code == 403, address
        assert Client().get(address).status_code == 302, address


def test_an_act_is_no_address_to_look_at_and_needs_a_token(held: Sweep, root: Client) -> None:
    for address in acts(held)[:-1]:
        assert root.get(address).status_code == 405, address
    strict = without_token(root)
    for address in acts(held):
        assert strict.post(address).status_code == 403, address


def test_what_is_not_there_is_said(root: Client) -> None:
    assert root.get(to("change", uuid7())).status_code == 404
    assert root.get(to("limits", "subscriptions.nothing")).status_code == 404
    assert said(root.post(to("approve", uuid7()), follow=True))[0].startswith(
        "Refused: there is no"
    )


def test_limits_are_changed_and_audited(root: Client) -> None:
    given = {"most": "7", "share": "2.50", "times_usual": "4", "least": "1"}
    answer = root.post(to("limits", NAME), {**given, "next": to("limits", NAME)}, follow=True)
    assert "the limits are changed" in said(answer)[0]
    row = SweepSettings.objects.get(pk=NAME)
    assert (row.most, row.share, row.times_usual, row.least) == (
        7,
        Decimal("2.50"),
        Decimal(4),
        1,
    )
    entry = AuditEntry.objects.get(action="sweeps.limits")
    assert (entry.changes["before"]["most"], entry.changes["now"]["most"]) == ("500", "7")
    assert root.post(to("limits", NAME), given).status_code == 302
    assert AuditEntry.objects.filter(action="sweeps.limits").count() == 1
    wrong = root.post(to("limits", NAME), {**given, "share": "101"})
    assert (wrong.status_code, "less than or equal to 100" in text(wrong)) == (422, True)


def test_observing_is_switched_on_and_off(root: Client) -> None:
    answer = root.post(to("observe", NAME), {"observe": "1"}, follow=True)
    assert "it only observes from now on" in said(answer)[0]
    assert "Let it act" in text(root.get(to()))
    root.post(to("observe", NAME), {"observe": "0"})
    assert not SweepSettings.objects.get(pk=NAME).is_observing


def test_run_now_begins_a_run_or_says_that_nobody_is_meant(
    alice: Client, settings: Settings
) -> None:
    settings.REMNAWAVE_URL = ""
    assert "there is no panel" in said(alice.post(to("run", NAME), follow=True))[0]
    settings.REMNAWAVE_URL = "http://127.0.0.1:9"
    assert said(alice.post(to("run", NAME), follow=True)) == ["It looked, and found nobody."]
    subscriber_make(1, -HOUR)
    answer = alice.post(to("run", NAME))
    sweep = Sweep.objects.get()
    assert answer["Location"] == to("change", sweep.pk)
    assert AuditEntry.objects.get(action="sweeps.begin").changes["found"] == 1


def test_lists_are_filtered_and_paged_at_the_same_cost(
    alice: Client, queries: Callable[[Client, str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    Sweep.objects.create(name=NAME, state="done", found=1)
    few = queries(alice, to())
    rows = [Sweep.objects.create(name=NAME, state="refused", found=n) for n in range(9)]
    assert queries(alice, to()) == few <= 12
    monkeypatch.setattr(selectors, "PAGE", 4)
    first = alice.get(to(state="refused"))
    second = alice.get(to() + first.context["following"])
    third = alice.get(to() + second.context["following"])
    found = [row.pk for page in (first, second, third) for row in page.context["page"].rows]
    assert found == [row.pk for row in reversed(rows)]
    assert third.context["following"] == ""
    assert "No run matches." in text(alice.get(to(state="stopped")))
    assert "cannot be used as it is" in text(alice.get(to(started_from="yesteryear")))


def test_the_people_of_a_run_are_filtered_and_paged(
    held: Sweep, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    SweepItem.objects.filter(subscriber__username="user_1").update(
        fate="skipped", reason="panel_expired", at=clock.now()
    )
    shown = text(alice.get(to("change", held.pk, fate="skipped")))
    assert "user_1 skipped" in shown
    assert "The panel had expired it by itself." in shown
    assert "Nobody has this fate." in text(alice.get(to("change", held.pk, fate="failed")))
    monkeypatch.setattr(selectors, "PAGE", 2)
    first = alice.get(to("change", held.pk))
    rest = alice.get(to("change", held.pk) + first.context["following"])
    assert len(first.context["page"].rows) + len(rest.context["page"].rows) == 3


def test_notices_are_found_by_person_stage_state_and_reason(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    assert "Nobody was to be told yet." in text(alice.get(to(model="notice")))
    rows = [subscriber_make(number, HOUR) for number in range(3)]
    now = clock.now()
    written: list[dict[str, Any]] = [
        {"stage": "6h", "state": "due"},
        {"stage": "24h", "state": "skipped", "reason": "blocked"},
        {"stage": "expired", "state": "queued", "message_id": 5},
    ]
    due, blocked, told = (
        Notice.objects.create(subscriber=row, expire_at=now, **fields)
        for row, fields in zip(rows, written, strict=True)
    )
    expectations: tuple[tuple[dict[str, Any], list[Notice]], ...] = (
        ({}, [told, blocked, due]),
        ({"stage": "24h"}, [blocked]),
        ({"state": "due"}, [due]),
        ({"reason": "blocked"}, [blocked]),
        ({"username": "user_2"}, [told]),
        ({"telegram_id": 500_000_000}, [due]),
        ({"username": "nobody"}, []),
        ({"created_from": "1h"}, [told, blocked, due]),
        ({"created_to": "1h"}, []),
    )
    for query, expected in expectations:
        page = alice.get(to(model="notice", **query)).context["page"]
        assert [row.pk for row in page.rows] == [row.pk for row in expected], query
    shown = text(alice.get(to(model="notice")))
    assert "The person has blocked the bot." in shown
    assert "message 5" in shown
    assert "No notice matches." in text(alice.get(to(model="notice", state="stale")))
    assert "cannot be used" in text(alice.get(to(model="notice", telegram_id="x")))
    assert alice.get(to(model="notice", q="user_2"))["Location"].endswith("username=user_2")
    assert alice.get(to(model="notice", q="77"))["Location"].endswith("telegram_id=77")
    few = queries(alice, to(model="notice"))
    for number in range(10, 30):
        Notice.objects.create(
            subscriber=subscriber_make(number, HOUR), expire_at=now, stage="6h", state="due"
        )
    assert queries(alice, to(model="notice")) == few <= 8


def test_the_first_page_tells_what_needs_a_person(
    held: Sweep, account: Callable[..., User]
) -> None:
    Notice.objects.create(
        subscriber=subscriber_make(9, HOUR),
        stage="6h",
        expire_at=clock.now(),
        state="due",
        created_at=clock.now() - 3 * HOUR,
    )
    SweepItem.objects.filter(subscriber__username="user_1").update(reason="held_by_another")
    SweepSettings.objects.update(is_observing=True)
    chief = account("chief", is_superuser=True)
    titles = {item.title: item.count for item in gather(chief)}
    assert titles["sweep held by the brake"] == 1
    assert titles["late reminder"] == 1
    assert titles["subscriber mixed up"] == 1
    assert titles["sweep only observes"] == 1

"""Batches: how far, and which members are not well."""

from typing import Any

import pytest
from django.test import Client

from jobs import batches
from jobs.models import Batch
from jobs.registry import JobKind
from jobs.selectors import batches as selector
from jobs.testing import drain
from tests.jobs.admin.ways import text, to

pytestmark = pytest.mark.django_db

HOME, ONE = "batch_changelist", "batch_change"


def test_a_batch_tells_how_its_members_ended(alice: Client, failing: JobKind[Any]) -> None:
    batch = batches.batch_open(title="Import of November")
    for currency in ("EUR", "EUR", "EUR", "XYZ"):
        failing.enqueue(payment_id=1, currency=currency, batch=batch)
    batches.batch_seal(batch)
    drain()
    failing_members = text(alice.get(to(ONE, batch)))
    assert "3 completed, 1 dead, 0 cancelled" in failing_members
    assert "currency XYZ is not known" in failing_members
    assert "Import of November finished" in text(alice.get(to(HOME)))


def test_a_batch_that_is_being_filled_says_so(alice: Client, quiet: JobKind[Any]) -> None:
    batch = batches.batch_open(title="b")
    quiet.enqueue(batch=batch, delay="1h")
    shown = text(alice.get(to(ONE, batch)))
    assert "1 of 1 are open" in shown
    assert "still being filled" in shown


def test_shares_add_up() -> None:
    view = selector.batch_view(Batch(total=8, completed=4, dead=1, cancelled=1))
    assert (view.completed_pct, view.dead_pct, view.cancelled_pct) == (50.0, 12.5, 12.5)
    assert view.open == 2
    assert selector.batch_view(Batch(total=0)).completed_pct == 0.0


def test_the_list_is_narrowed_by_state_and_paged(
    alice: Client, quiet: JobKind[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selector, "PAGE", 2)
    made = [batches.batch_open(title=f"b{n}") for n in range(5)]
    batches.batch_seal(made[0])  # empty, so it is finished
    seen: list[Any] = []
    address = f"{to(HOME)}?state=open"
    while address:
        answer = alice.get(address)
        seen += [view.batch.pk for view in answer.context["batches"]]
        following = answer.context["following"]
        address = following and to(HOME) + following
    assert seen == made[:0:-1]
    assert "b0" in text(alice.get(f"{to(HOME)}?state=finished"))


def test_an_empty_list_says_who_makes_batches(alice: Client) -> None:
    assert "There is no batch yet" in " ".join(text(alice.get(to(HOME))).split("  "))

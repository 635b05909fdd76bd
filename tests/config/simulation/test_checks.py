"""The ledger of a simulation finds what does not balance, and nothing else."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from config.simulation import checks_access, checks_messages, checks_money
from config.simulation.evidence import Evidence, Write
from config.simulation.findings import Finding
from config.simulation.people import Person

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
END = BEGAN + timedelta(days=10)
MONTH = timedelta(days=30)
ORDER = UUID(int=1)
INVOICE = 77


def person(**given: Any) -> Person:
    return Person(
        **{"panel_id": 5, "subscriber_id": 9, "telegram_id": 1, "first_end": END, **given}
    )


def evidence(*writes: Write, paid: dict[str, Any] | None = None, **more: Any) -> Evidence:
    """What the sandbox says of one person; the rest of it is empty."""
    found = Evidence.__new__(Evidence)
    who = more.pop("who", person())
    last = END if not writes else datetime.fromisoformat(writes[-1].body.get("expireAt", f"{END}"))
    given = {
        "people": {who.panel_id: who},
        "began": BEGAN,
        "ended": BEGAN + timedelta(days=60),
        "users": {who.panel_id: {"expireAt": last.isoformat(), "status": "ACTIVE"}},
        "invoices": {} if paid is None else {INVOICE: invoice(**paid)},
        "messages": [],
        "writes": {who.panel_id: list(writes)},
        "payments": {ORDER: payment()},
        "activations": {},
        "reviews": [],
        "notices": {},
        "queue": [],
    }
    found.__dict__.update({**given, **more})
    return found


def invoice(**given: Any) -> dict[str, Any]:
    shape = {
        "invoice_id": INVOICE, "payload": str(ORDER), "currency_type": "crypto", "asset": "USDT",
        "amount": "5", "paid_asset": "USDT", "paid_amount": "5",
        "paid_at": (END - timedelta(days=1)).isoformat(),
    }  # fmt: skip
    return {**shape, **given}


def payment(**given: Any) -> Any:
    shape = {
        "pk": ORDER, "external_id": str(INVOICE), "state": "completed", "period_days": 30,
        "accepted_assets": [], "currency": "USDT", "telegram_id": 1,
    }  # fmt: skip
    return SimpleNamespace(**{**shape, **given})


def activation() -> Any:
    who = SimpleNamespace(panel_id=5)
    return SimpleNamespace(pk=3, subscriber=who, subscriber_id=9, applied_at=END, state="applied")


def extended(end: datetime, at: datetime = END - timedelta(hours=23)) -> Write:
    return Write(at, "users.update", {"expireAt": end.isoformat()})


def said(finding: Finding) -> str:
    return " ".join(finding.offending)


GIVEN = {ORDER: activation()}


def test_a_period_that_was_paid_balances() -> None:
    found = checks_access.periods(evidence(extended(END + MONTH), paid={}, activations=GIVEN))
    assert (found.seen, found.offending) == (1, [])


@pytest.mark.parametrize(
    ("writes", "activations", "because"),
    [
        ([extended(END + MONTH)], {}, "no payment explains"),
        ([extended(END + MONTH * 2)], GIVEN, "no payment explains"),
        ([extended(END + MONTH), extended(END + MONTH * 2)], GIVEN, "no payment explains"),
        ([extended(END + timedelta(days=29))], GIVEN, "no payment explains"),
        ([], GIVEN, "paid and not given"),
    ],
    ids=["nobody paid", "two at once", "twice", "a day less", "nothing given"],
)
def test_a_period_that_was_not_paid_or_not_given_breaks(
    writes: list[Write], activations: dict[UUID, Any], because: str
) -> None:
    found = checks_access.periods(evidence(*writes, paid={}, activations=activations))
    assert because in said(found)


def test_who_paid_after_the_end_gets_the_period_from_the_payment_on() -> None:
    paid_at = END + timedelta(days=2)
    at = paid_at + timedelta(minutes=3)
    right = extended(paid_at + timedelta(minutes=1) + MONTH, at)
    early = extended(paid_at - timedelta(minutes=1) + MONTH, at)
    paid = {"paid_at": paid_at.isoformat()}
    assert checks_access.periods(evidence(right, paid=paid, activations=GIVEN)).is_balanced
    assert not checks_access.periods(evidence(early, paid=paid, activations=GIVEN)).is_balanced


def test_a_cut_of_somebody_whose_time_lasts_breaks() -> None:
    early = Write(END - timedelta(seconds=1), "users.disable", {})
    late = Write(END + timedelta(minutes=5), "users.update", {"status": "DISABLED"})
    assert "users.disable" in said(checks_access.cuts(evidence(early)))
    assert checks_access.cuts(evidence(late)).is_balanced


@pytest.mark.parametrize(
    ("paid", "reviews", "activations", "holds"),
    [
        ({}, [], GIVEN, True),
        ({}, [], {}, False),
        ({"paid_amount": "4.99"}, [], GIVEN, False),
        ({"paid_amount": "4.99"}, ["under"], {}, True),
        ({"paid_amount": "4.99"}, ["under", "under"], {}, False),
        ({"paid_amount": "5.01"}, ["under"], {}, False),
        ({"paid_asset": "TON"}, ["other_asset"], {}, True),
        ({"paid_amount": "4.99"}, ["settled"], GIVEN, True),
        ({}, ["late"], GIVEN, False),
        ({}, ["late"], {}, True),
    ],
)
def test_paid_money_has_one_fate(
    paid: dict[str, Any], reviews: list[str], activations: dict[UUID, Any], holds: bool
) -> None:
    asked = [
        SimpleNamespace(
            facts={"came": {"invoice": str(INVOICE)}},
            reason="under" if reason == "settled" else reason,
            resolution="settled" if reason == "settled" else "",
        )
        for reason in reviews
    ]
    found = checks_money.fates(evidence(paid=paid, reviews=asked, activations=activations))
    assert found.is_balanced is holds


def test_a_reminder_that_is_missing_breaks_and_one_with_a_reason_does_not() -> None:
    nobody = evidence()
    assert len(checks_messages.reminders(nobody).offending) == 4
    keys = [(9, stage, END) for stage in ("7d", "3d", "24h", "6h")]
    skipped = SimpleNamespace(state="skipped", reason="blocked", expire_at=END)
    told = evidence(notices=dict.fromkeys(keys, skipped))
    assert checks_messages.reminders(told).is_balanced
    paid_early = evidence(extended(END + MONTH, BEGAN + timedelta(days=1)), paid={})
    assert all("no notice" in row for row in checks_messages.reminders(paid_early).offending)


def test_a_message_that_arrives_twice_breaks_unless_it_says_that_it_may() -> None:
    arrived = [{"chat_id": 1, "raw_text": "Paid.", "message_id": number} for number in (1, 2)]

    def row(*, maybe_doubled: bool) -> Any:
        return SimpleNamespace(
            telegram_id=1, message="Paid.", maybe_doubled=maybe_doubled,
            notification_type="payment_received",
        )  # fmt: skip

    silent = evidence(messages=arrived, queue=[row(maybe_doubled=False)])
    marked = evidence(messages=arrived, queue=[row(maybe_doubled=True)])
    assert "2 times for 1 rows" in said(checks_messages.once(silent))
    assert checks_messages.once(marked).is_balanced


def test_an_operators_hand_is_known_for_any_moment() -> None:
    hour = timedelta(hours=1)
    who = person(touched=[(BEGAN, "disable"), (BEGAN + hour, "enable")])
    assert who.was_touched(BEGAN - hour, BEGAN)
    assert who.was_touched(BEGAN + hour / 2, BEGAN + hour * 9)
    assert not who.was_touched(BEGAN + hour * 2, BEGAN + hour * 9)
    assert not who.is_disabled
    assert cast(Any, person()).is_disabled is False

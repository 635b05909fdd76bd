"""Paid money has one fate, and what we earned is what the provider was paid."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from uuid import UUID

from config.simulation.evidence import Evidence
from config.simulation.findings import Finding
from config.simulation.hand import Shown
from payments.models import FinancialDay, Payment, ReviewReason
from payments.models import State as PaymentState

RATE_SLACK = Decimal("0.02")  # a price in a fiat is paid at a rate that is rounded


def checks(evidence: Evidence) -> Iterator[Finding]:
    yield fates(evidence)
    yield activations(evidence)
    yield totals(evidence)
    yield days(evidence)
    yield orders(evidence)


def fates(evidence: Evidence) -> Finding:
    """Every paid invoice has one activation, or one question with its reason."""
    found = Finding("a paid invoice has one activation, or one question with its reason")
    questions: dict[str, list[str]] = defaultdict(list)
    for review in evidence.reviews:
        number = str(review.facts.get("came", {}).get("invoice", ""))
        is_settled = review.resolution == "settled"
        questions[number].append("settled" if is_settled else review.reason)
    for invoice in evidence.invoices.values():
        name = f"invoice {invoice['invoice_id']} ({invoice.get('payload')})"
        payment = evidence.payments.get(UUID(invoice["payload"]))
        if payment is None:
            found.expect(False, f"{name}: there is no such order")
            continue
        asked = questions[str(invoice["invoice_id"])]
        has_activation = (
            payment.pk in evidence.activations
            and payment.external_id == str(invoice["invoice_id"])
            and payment.state == PaymentState.COMPLETED
        )
        found.expect(*_fate(name, payment, invoice, asked, has_activation=has_activation))
    return found


def _fate(
    name: str, payment: Payment, invoice: Shown, asked: list[str], *, has_activation: bool
) -> tuple[bool, str]:
    wrong = misfit(payment, invoice)
    is_settled = "settled" in asked
    if has_activation:
        if wrong and not is_settled:
            return False, f"{name}: activated although it is {wrong}; questions {asked}"
        is_open = [reason for reason in asked if reason != "settled"]
        return len(is_open) <= is_settled, f"{name}: activated, and questions {asked}"
    if wrong:
        return asked == [wrong], f"{name}: {wrong}, but questions {asked}, {payment.state}"
    honoured = {ReviewReason.TWICE, ReviewReason.LATE}
    is_one = len(asked) == 1 and asked[0] in honoured
    return is_one, f"{name}: fits, not activated, questions {asked}, {payment.state}"


def misfit(payment: Payment, invoice: Shown) -> str:
    """By the sandbox's words alone: why this money is not what was asked; empty if it is."""
    paid_asset, amount = invoice["paid_asset"], Decimal(invoice["paid_amount"])
    asked = Decimal(invoice["amount"])
    slack = Decimal(0)
    if invoice["currency_type"] == "crypto":
        if paid_asset != invoice["asset"]:
            return ReviewReason.OTHER_ASSET.value
    else:
        if paid_asset not in payment.accepted_assets:
            return ReviewReason.OTHER_ASSET.value
        amount *= Decimal(invoice["paid_fiat_rate"])
        slack = asked * RATE_SLACK
    if amount < asked - slack:
        return ReviewReason.UNDER.value
    return ReviewReason.OVER.value if amount > asked + slack else ""


def activations(evidence: Evidence) -> Finding:
    """Nothing is activated that the provider does not know as paid, and none twice."""
    found = Finding("an activation stands for one invoice that is paid at the provider")
    used: Counter[int] = Counter()
    for payment_id, activation in evidence.activations.items():
        number = int(evidence.payments[payment_id].external_id or 0)
        used[number] += 1
        found.expect(
            number in evidence.invoices and used[number] == 1,
            f"activation {activation.pk}: invoice {number} is paid: {number in evidence.invoices}",
        )
    return found


def totals(evidence: Evidence) -> Finding:
    """To the last decimal, by currency: what completed payments say, and what their invoices cost."""
    found = Finding("revenue is what was paid at the provider, to the last decimal")
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for payment in evidence.payments.values():
        if payment.state != PaymentState.COMPLETED:
            continue
        invoice = evidence.invoices.get(int(payment.external_id or 0))
        if invoice is None:
            found.expect(False, f"payment {payment.pk} is completed, its invoice not paid")
            continue
        currency = invoice.get("asset") or invoice["fiat"]
        ours[payment.currency] += payment.amount  # type: ignore[assignment]
        theirs[currency] += Decimal(invoice["amount"])  # type: ignore[assignment]
        ours[f"paid {payment.paid_asset}"] += payment.paid_amount or 0  # type: ignore[assignment]
        theirs[f"paid {invoice['paid_asset']}"] += Decimal(invoice["paid_amount"])  # type: ignore[assignment]
    for name in sorted({*ours, *theirs}):
        found.expect(ours[name] == theirs[name], f"{name}: {ours[name]}, theirs {theirs[name]}")
    return found


def days(evidence: Evidence) -> Finding:
    """Each finished day of the ledger is the sum of the invoices that were noticed on it."""
    found = Finding("each day of revenue is the sum of its invoices")
    theirs: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for payment in evidence.payments.values():
        invoice = evidence.invoices.get(int(payment.external_id or 0))
        if payment.completed_at is None or invoice is None:
            continue
        day = payment.completed_at.astimezone(UTC).date()
        theirs[day, invoice.get("asset") or invoice["fiat"]] += Decimal(invoice["amount"])
    ours: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for row in FinancialDay.objects.all():
        if row.revenue:
            ours[row.day, row.currency] += row.revenue
    # A day is computed at 00:30 of the next one.
    last = (evidence.ended - timedelta(hours=3)).astimezone(UTC).date()
    for key in sorted({*ours, *theirs}):
        if key[0] < last:
            found.expect(ours[key] == theirs[key], f"{key}: {ours[key]}, theirs {theirs[key]}")
    return found


def orders(evidence: Evidence) -> Finding:
    """No order hangs: it has its invoice, or an end."""
    found = Finding("an order has its invoice, or an end")
    old = evidence.ended - timedelta(hours=2)
    for payment in evidence.payments.values():
        is_waiting = payment.state == PaymentState.CREATED and payment.created_at < old
        is_over = payment.state == PaymentState.PENDING and bool(
            payment.expires_at and payment.expires_at < old
        )
        number = int(payment.external_id or 0)
        is_paid = payment.state == PaymentState.PENDING and number in evidence.invoices
        is_asked = any(review.payment_id == payment.pk for review in evidence.reviews)
        found.expect(
            not is_waiting and (not (is_over or is_paid) or is_asked),
            f"order {payment.pk} of {payment.created_at:%d. %H:%M} is {payment.state}, invoice "
            f"{number}, paid there: {is_paid}",
        )
    return found

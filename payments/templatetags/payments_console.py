"""How the console shows payments. `{% load payments_console %}`."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lib import clock
from payments.intake.sources import sources
from payments.listing.days import DayBar
from payments.models import IncomingWebhook, Payment, PaymentEvent, Review
from payments.words import RESOLUTIONS, amount_say, failure_say, say

register = template.Library()

# State: what it means, the class of static/jobs/console.css that has its colour.
PAYMENTS = {
    "created": ("the order is written; its invoice is being made", "scheduled"),
    "pending": ("the invoice is open and waits for the payer", "available"),
    "completed": ("Crypto Pay says paid, and it fits the order", "completed"),
    "failed": ("not paid in time, or given up", "cancelled"),
    "refunded": ("a person says that the money was given back", "paused"),
}
WEBHOOKS = {
    "received": ("waits for its job", "available"),
    "processed": ("done", "completed"),
    "duplicate": ("the same event came before", "cancelled"),
    "rejected": ("wrong signature, or not readable", "retrying"),
    "unmatched": ("about nothing that we know", "retrying"),
    "failed": ("tried as often as it may; a person can replay it", "dead"),
}
TONES = {
    "completed": "completed",
    "completed_late": "completed",
    "failed": "cancelled",
    "review_opened": "dead",
    "invoice_refused": "dead",
    "refunded": "paused",
}
CHART = (640, 120)  # the space of a chart in its own units
# Names of fields whose values nobody needs to read in a log; the last three open somebody's connection.
_SECRET = re.compile(
    r"token|secret|password|signature|api.?key|authorization|vlessuuid|shortuuid|subscriptionurl",
    re.IGNORECASE,
)
_MASK = "•••"


@register.simple_tag
def payment_badge(payment: Payment) -> SafeString:
    """The state of a payment in its colour."""
    meaning, tone = PAYMENTS[payment.state]
    return _badge(payment.state, meaning, tone)


@register.simple_tag
def webhook_badge(row: IncomingWebhook) -> SafeString:
    """The state of a delivery in its colour."""
    meaning, tone = WEBHOOKS[row.state]
    return _badge(row.state, meaning, tone)


@register.simple_tag
def review_badge(row: Review) -> SafeString:
    """Whether a question is open, or how it was answered."""
    if row.resolved_at is None:
        return _badge("open", "waits for a person", "dead")
    words = RESOLUTIONS.get(row.resolution, row.resolution)
    return _badge(words, f"answered by {row.resolved_by or 'what happened since'}", "completed")


def _badge(name: str, meaning: str, tone: str) -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, name)


@register.filter
def price(payment: Payment) -> str:
    """What was asked: "5 USDT"."""
    return f"{amount_say(payment.amount)} {payment.currency}"


@register.filter
def paid(payment: Payment) -> str:
    """What came: "5 USDT"; empty if nothing did."""
    if payment.paid_amount is None:
        return ""
    return f"{amount_say(payment.paid_amount)} {payment.paid_asset}"


@register.filter
def amount(value: Decimal | None) -> str:
    """A decimal without trailing zeros, with commas between thousands."""
    if value is None:
        return ""
    whole, _, rest = amount_say(value).partition(".")
    return f"{int(whole):,}{'.' if rest else ''}{rest}"


@register.filter
def sentence(event: PaymentEvent) -> str:
    """A line of the story in words."""
    return say(event.kind, event.data)


@register.filter
def story_tone(event: PaymentEvent) -> str:
    """The class that has the colour of a line of the story."""
    return TONES.get(event.kind, "scheduled")


@register.filter
def failure(payment: Payment) -> str:
    """Why it failed, in words."""
    return failure_say(payment.failure) if payment.failure else ""


@register.simple_tag
def about_link(row: IncomingWebhook) -> SafeString | str:
    """What a delivery is about, with a link if it is a payment."""
    kind, _, key = row.object_ref.partition(":")
    if kind != "payment" or not key:
        return row.object_ref.replace(":", " ")
    address = reverse("admin:payments_payment_change", args=[key])
    return format_html('<a href="{}">payment …{}</a>', address, key[-6:])


@register.filter
def source_title(name: str) -> str:
    """How people call a source of webhooks."""
    return next((each.title for each in sources() if each.name == name), name)


@register.filter
def masked(body: bytes | memoryview) -> str:
    """A body over several lines with secrets masked; what is no JSON as it stands."""
    text = bytes(body).decode("utf-8", "replace")
    try:
        return json.dumps(_mask(json.loads(text)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


@register.filter
def masked_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headers by name, with the greater part of a signature left out."""
    return [
        (name, f"{value[:8]}{_MASK}" if _SECRET.search(name) else value)
        for name, value in sorted(headers.items())
    ]


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _MASK if _SECRET.search(name) and isinstance(each, str) and each else _mask(each)
            for name, each in value.items()
        }
    return [_mask(each) for each in value] if isinstance(value, list) else value


@register.simple_tag
def lag(row: IncomingWebhook) -> str:
    """How long a delivery waited for its end, or waits already."""
    seconds = ((row.processed_at or clock.now()) - row.received_at).total_seconds()
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@register.simple_tag
def revenue_chart(bars: Sequence[DayBar], currency: str) -> SafeString:
    """Revenue by day as columns; refunds hang below the line in the colour of a loss."""
    width, height = CHART
    most = max((max(bar.revenue, bar.refunds) for bar in bars), default=Decimal(0))
    if not most:
        return mark_safe("")
    step = width / len(bars)
    columns = format_html_join(
        "", "{}", ((_column(bar, number, step, most, currency),) for number, bar in enumerate(bars))
    )
    total = sum((bar.revenue for bar in bars), Decimal(0))
    return format_html(
        '<svg class="money-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{} {} in {} days; at most {} on one day">{}</svg>',
        width,
        height,
        amount_say(total),
        currency,
        len(bars),
        amount_say(most),
        columns,
    )


def _column(bar: DayBar, number: int, step: float, most: Decimal, currency: str) -> SafeString:
    height = CHART[1] - 4
    parts = [
        (
            name,
            f"{number * step + inset:.2f}",
            f"{CHART[1] - tall:.2f}",
            f"{max(step - 2 * inset, 0.5):.2f}",
            f"{tall:.2f}",
        )
        for name, value, inset in (
            ("is-open" if bar.is_open else "revenue", bar.revenue, step * 0.1),
            ("refunds", bar.refunds, step * 0.3),
        )
        if value and (tall := max(1.5, float(value / most) * height))
    ]
    rects = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', parts)
    title = (
        f"{bar.day:%d %b %Y} UTC{' so far' if bar.is_open else ''}: {amount_say(bar.revenue)} "
        f"{currency} of {bar.completed}, {bar.refunded} refunded, {bar.failed} failed"
    )
    return format_html("<g><title>{}</title>{}</g>", title, rects)

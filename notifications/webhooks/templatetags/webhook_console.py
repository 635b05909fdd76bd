"""How the console shows webhooks. `{% load webhook_console %}`."""

import json
from collections.abc import Sequence

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from jobs.templatetags.console import moment
from lib import clock
from notifications.webhooks.models import Attempt, Delivery, Endpoint
from notifications.webhooks.selectors import Bar, delivery_explain, endpoint_condition

register = template.Library()

# How an endpoint is: what people read, what it means, the class of static/jobs/console.css.
ENDPOINTS = {
    "ok": ("works", "its last delivery arrived", "completed"),
    "new": ("new", "nothing was sent yet", "scheduled"),
    "failing": ("failing", "its last request failed", "retrying"),
    "broken": ("down", "its breaker is open: now and then one request asks again", "dead"),
    "paused": ("asked to wait", "it said Retry-After", "paused"),
    "disabled": ("disabled", "nothing is sent", "cancelled"),
}
DELIVERIES = {
    "due": ("goes out next", "available"),
    "waiting": ("waits for its endpoint", "scheduled"),
    "retrying": ("failed before, will be tried again", "retrying"),
    "delivered": ("answered 2xx", "completed"),
    "failed": ("given up, waits for a person", "dead"),
    "cancelled": ("is not tried again", "cancelled"),
}
OUTCOMES = {"delivered": "completed", "failed": "retried", "throttled": "snoozed"}
CHART = (640, 90)  # the space of a chart in its own units


@register.simple_tag
def endpoint_badge(endpoint: Endpoint) -> SafeString:
    """How an endpoint is, in its colour."""
    name, meaning, tone = ENDPOINTS[endpoint_condition(endpoint)]
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, name)


def condition(delivery: Delivery) -> str:
    """The state of a delivery as people see it: one of DELIVERIES."""
    if delivery.state != Delivery.State.PENDING:
        return str(delivery.state)
    if delivery.tries:
        return "retrying"
    is_on = delivery.endpoint.state == Endpoint.State.ENABLED
    return "due" if is_on and delivery.next_attempt_at <= clock.now() else "waiting"


@register.simple_tag
def delivery_badge(delivery: Delivery) -> SafeString:
    """The state of a delivery in its colour."""
    name = condition(delivery)
    meaning, tone = DELIVERIES[name]
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, name)


@register.simple_tag
def delivery_when(delivery: Delivery) -> SafeString:
    """The moment that matters in the state of a delivery."""
    if delivery.state == Delivery.State.PENDING:
        is_due = delivery.next_attempt_at <= clock.now()
        return format_html("due {}" if is_due else "{}", moment(delivery.next_attempt_at))
    return format_html("{}", moment(delivery.finished_at))


@register.filter
def delivery_why(delivery: Delivery) -> str:
    """What is worth saying in a line of a list, beside the badge."""
    return "" if delivery.state == Delivery.State.DELIVERED else delivery_explain(delivery)


@register.filter
def outcome_tone(attempt: Attempt) -> str:
    """The class that has the colour of the outcome of an attempt."""
    return OUTCOMES.get(attempt.outcome, "cancelled")


@register.filter
def indented(body: str) -> str:
    """JSON over several lines; what is none as it stands."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


@register.simple_tag
def endpoint_link(endpoint: Endpoint) -> SafeString:
    """A link to the page of an endpoint."""
    address = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
    return format_html('<a href="{}">{}</a>', address, endpoint.title)


@register.simple_tag
def webhook_chart(bars: Sequence[Bar]) -> SafeString:
    """Attempts over time as stacked columns: delivered, asked to wait, failed, from below."""
    width, height = CHART
    most = max((bar.delivered + bar.failed + bar.throttled for bar in bars), default=0)
    if not most:
        return mark_safe("")
    step = width / len(bars)
    columns = format_html_join(
        "", "{}", ((_column(bar, n, step, most),) for n, bar in enumerate(bars))
    )
    delivered = sum(bar.delivered for bar in bars)
    failed = sum(bar.failed for bar in bars)
    return format_html(
        '<svg class="hooks-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{} delivered, {} failed in this time; at most {} attempts in one column">{}</svg>',
        width,
        height,
        delivered,
        failed,
        most,
        columns,
    )


def _column(bar: Bar, number: int, step: float, most: int) -> SafeString:
    parts, top = [], float(CHART[1])
    for name, value in (
        ("delivered", bar.delivered),
        ("throttled", bar.throttled),
        ("failed", bar.failed),
    ):
        if value:
            tall = max(1.5, value / most * (CHART[1] - 4))
            top -= tall
            parts.append(
                (name, f"{number * step + 1:.1f}", f"{top:.1f}", f"{step - 2:.1f}", f"{tall:.1f}")
            )
    rects = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', parts)
    title = (
        f"{bar.at:%d %b %H:%M} UTC: {bar.delivered} delivered, {bar.failed} failed, "
        f"{bar.throttled} asked to wait"
    )
    return format_html("<g><title>{}</title>{}</g>", title, rects)

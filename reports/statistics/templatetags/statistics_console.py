"""How the console words days, reports and cohorts. `{% load statistics_console %}`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from payments.words import amount_say
from reports.statistics.cohorts import STEP
from reports.statistics.models import Cohort, Report
from reports.statistics.reporting.advice_words import advice_say, service_say
from reports.statistics.reporting.payload import period_of
from reports.statistics.reporting.telling import by_count, rate_round

register = template.Library()

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


@register.simple_tag
def change(changes: Mapping[str, Decimal | str | None], name: str, good: str = "up") -> SafeString:
    """A change against the time before, in the colour of what it means; nothing if it is not known."""
    value = changes.get(name)
    if value is None:
        return mark_safe("")
    percent = Decimal(value)
    if not percent:
        return mark_safe('<span class="stat-change" title="against the time before">= 0 %</span>')
    is_good = (percent > 0) == (good == "up")
    tone = "" if good == "none" else (" is-ok" if is_good else " is-error")
    arrow, sign = ("▲", "+") if percent > 0 else ("▼", "−")
    return format_html(
        '<span class="stat-change{}" title="against the time before">{} {}{} %</span>',
        tone,
        arrow,
        sign,
        amount_say(abs(percent)),
    )


@register.simple_tag
def cohort_cell(cohort: Cohort, place: int) -> SafeString:
    """A cell of a table of cohorts: a share, the darker the larger."""
    count = cohort.counts[place]
    if count is None or not cohort.people:
        return mark_safe(
            '<td class="num cohort is-early" title="not everybody is so far yet"></td>'
        )
    percent = round(100 * count / cohort.people)
    return format_html(
        '<td class="num cohort" style="--share:{}%" title="{} of {}">{} %</td>',
        percent,
        f"{count:,}",
        f"{cohort.people:,}",
        percent,
    )


@register.filter
def size(value: int | None) -> str:
    """Bytes as people write them, in steps of 1024."""
    if value is None:
        return ""
    rest, unit = float(value), 0
    while rest >= 1024 and unit < len(_UNITS) - 1:
        rest, unit = rest / 1024, unit + 1
    return (
        f"{rest:,.0f} {_UNITS[unit]}" if unit == 0 or rest >= 100 else f"{rest:.1f} {_UNITS[unit]}"
    )


@register.filter
def share(value: float | None) -> str:
    """A share as a percentage; what is not whole never looks so."""
    if value is None:
        return ""
    if value == 1:
        return "100 %"
    return f"{min(100 * value, 99.99):.2f} %"


@register.filter
def amount(value: Decimal | str | None) -> str:
    """A decimal without trailing zeros, with commas between thousands."""
    if value is None or value == "":
        return ""
    whole, _, rest = amount_say(Decimal(value)).partition(".")
    return f"{int(whole):,}{'.' if rest else ''}{rest}"


@register.filter
def sums(money: Mapping[str, Decimal | str]) -> str:
    """Money by currency: "1,120 USDT + 40 EUR"."""
    return " + ".join(f"{amount(value)} {currency}" for currency, value in money.items())


@register.filter
def rates(money: Mapping[str, Decimal | str]) -> str:
    """Run rates by currency, in cents."""
    return sums({name: rate_round(Decimal(value)) for name, value in money.items()})


@register.filter
def counted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names with their counts, the most first."""
    return by_count(counts)


@register.filter
def count(value: int | None) -> str:
    """A number with commas; a dash where it cannot be told."""
    return "–" if value is None else f"{value:,}"


@register.filter
def moment_of(text: str | None) -> datetime | None:
    """A moment that a row keeps as text."""
    return None if not text else datetime.fromisoformat(text)


@register.filter
def advice_text(advice: Mapping[str, Any]) -> str:
    """A recommendation as a sentence."""
    return advice_say(advice["code"], advice["facts"], "en")


@register.filter
def incident_name(incident: Mapping[str, Any]) -> str:
    """What was away: a server by its name, a service as people call it."""
    name = str(incident["name"])
    return service_say(name, "en") if incident["what"] == "service" else name


@register.filter
def places(cohorts: Sequence[Cohort]) -> range:
    """The columns of a table of cohorts, as far as any of them is."""
    known = [
        place
        for cohort in cohorts
        for place, count in enumerate(cohort.counts)
        if count is not None
    ]
    return range(max(known, default=0) + 1)


@register.filter
def days_after(place: int) -> str:
    """The heading of a column of cohorts: how long after the first payment it looks."""
    return f"{place * STEP.days} d"


@register.simple_tag
def report_badge(report: Report) -> SafeString:
    """Whether a report was told."""
    if report.told_at is not None:
        tone, text, meaning = "completed", "sent", "queued for every chat that gets it"
    elif report.skip_reason == "late":
        tone, text, meaning = "cancelled", "made later", "its time was missed, so nobody was told"
    elif report.skip_reason == "nobody":
        tone, text, meaning = "retrying", "nobody to tell", "no chat gets it"
    else:
        tone, text, meaning = "available", "not sent yet", "it is made, and waits for its job"
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, text)


@register.filter
def period(report: Report) -> str:
    """What a report is of: "Sat 21 Nov 2026", "16 to 22 Nov 2026"."""
    return period_say(*period_of(report.kind, report.period))


def period_say(first: date, last: date) -> str:
    """A time in words."""
    if first == last:
        return f"{first:%a} {first.day} {first:%b %Y}"
    begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{begin} to {last.day} {last:%b %Y}"

"""How figures changed against an earlier time, in percent."""

from decimal import Decimal

from reports.statistics.reporting.figures import Figures

_TENTH = Decimal("0.1")
COUNTED = (
    "users_active", "users_new", "users_lost", "users_online_max", "payments", "paying",
    "traffic_bytes", "messages_sent", "errors_count",
)  # fmt: skip


def percent(now: Decimal | float | None, before: Decimal | float | None) -> Decimal | None:
    """The change to one decimal; None where one is not known, or it began at nothing."""
    if now is None or before is None or before == 0:
        return None
    ratio = (Decimal(str(now)) - Decimal(str(before))) / Decimal(str(before))
    return (100 * ratio).quantize(_TENTH)


def changes_of(now: Figures, before: Figures) -> dict[str, Decimal | None]:
    """{name of a figure: change}; nothing of an earlier time of which days are missing."""
    if before.days < before.wanted:
        return dict.fromkeys(COUNTED)
    return {name: percent(getattr(now, name), getattr(before, name)) for name in COUNTED}


def money_changes(now: Figures, before: Figures) -> dict[str, Decimal | None]:
    """{currency: change of the revenue}."""
    if before.days < before.wanted:
        return dict.fromkeys(now.revenue)
    return {
        currency: percent(amount, before.revenue.get(currency))
        for currency, amount in now.revenue.items()
    }

"""What came in: the last hour, and hour by hour of the last day."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse

from jobs import sql
from lib import clock
from payments.words import amount_say

HOURS = 24

_HOURS = """
SELECT currency, floor(extract(epoch FROM %(until)s - completed_at) / 3600)::int AS ago,
    count(*), sum(amount)
FROM payment WHERE completed_at > %(until)s - make_interval(hours => %(hours)s)
    AND completed_at <= %(until)s
GROUP BY 1, 2
"""


def money() -> dict[str, Any]:
    """{count, amounts: [{currency, amount, count}], hours: {currency, counts, amounts, ends_at}}.

    count and amounts are those of the last 60 minutes. hours: 24 numbers, the oldest first, of the
    currency that most payments of the day were in; the last one is the last 60 minutes. Amounts are
    texts of decimals. One query on the index of completed payments.
    """
    now = clock.now()
    found = sql.rows(_HOURS, {"until": now, "hours": HOURS})
    lately = sorted((row for row in found if row[1] == 0), key=lambda row: (-row[2], row[0]))
    return {
        "count": sum(row[2] for row in lately),
        "amounts": [
            {"currency": currency, "amount": amount_say(amount), "count": count}
            for currency, _, count, amount in lately
        ],
        "hours": _chart(found, now),
        "link": reverse("admin:payments_payment_changelist") + "?state=completed",
    }


def _chart(found: list[tuple[Any, ...]], now: datetime) -> dict[str, Any]:
    totals: dict[str, int] = {}
    for currency, _, count, _ in found:
        totals[currency] = totals.get(currency, 0) + count
    main = min(totals, key=lambda name: (-totals[name], name), default="")
    counts, amounts = [0] * HOURS, [Decimal(0)] * HOURS
    for currency, ago, count, amount in found:
        if currency == main and 0 <= ago < HOURS:
            counts[HOURS - 1 - ago], amounts[HOURS - 1 - ago] = count, amount
    return {
        "currency": main,
        "counts": counts,
        "amounts": [amount_say(amount) for amount in amounts],
        "ends_at": now,
    }

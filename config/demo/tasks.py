"""Kinds as a subscription shop might have them. They change nothing; some fail, as such things do."""

import logging
import random
import threading
from typing import Any

import config.demo.customers
import config.demo.servers  # noqa: F401 - their job
from jobs.context import current_job
from jobs.ladders import PAYMENTS, Delays
from jobs.models import Priority
from jobs.outcomes import Done, Outcome, Snooze
from jobs.registry import job

logger = logging.getLogger("demo")

PLANS = {"basic": 500, "family": 900, "premium": 1500}  # cents a month
PANEL = "demo-panel"  # a breaker
_never = threading.Event()


class CardDeclined(Exception):
    """The bank said no."""


class PanelUnreachable(Exception):
    """The panel of the VPN does not answer."""

    is_service_failure = True  # counts for the breaker


@job("demo.activate_subscription", queue="demo", priority=Priority.HIGH, retry=Delays("10s 30s"))
def activate_subscription(user_id: int, plan: str, months: int = 1) -> dict[str, Any]:
    """Price a plan and give the user access; an unknown plan cannot be priced."""
    logger.info("user %d wants %s for %d months", user_id, plan, months)
    total = _price(plan) * months
    logger.info("access is open")
    return {"user_id": user_id, "total_cents": total}


def _price(plan: str) -> int:
    if plan not in PLANS:
        raise ValueError(f"there is no plan {plan!r}; there are {', '.join(PLANS)}")
    return PLANS[plan]


@job("demo.charge_card", queue="demo", priority=Priority.CRITICAL, retry=PAYMENTS)
def charge_card(user_id: int, amount_cents: int) -> Outcome | dict[str, Any]:
    """Charge a card; every thirteenth user's bank says no, every seventh one's asks to wait once."""
    context = current_job()
    if user_id % 13 == 0:
        raise CardDeclined("the bank refused: insufficient funds (code 51)")
    if user_id % 7 == 0 and context is not None and context.fence == 1:
        raise TimeoutError("the bank did not answer within 10 s")
    return Done({"charge_id": f"ch_{user_id:06d}", "amount_cents": amount_cents})


@job("demo.render_report", queue="demo", priority=Priority.LOW)
def render_report(template: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up a column of rows; a row without the column is a mistake in the data."""
    total = sum(_amount(row) for row in rows)
    logger.info("%s has %d rows", template, len(rows))
    return {"template": template, "total": total}


def _amount(row: dict[str, Any]) -> int:
    return int(row["amount"])


@job("demo.sync_node", queue="demo", breaker=PANEL, retry=Delays("5m 15m 1h 1h 1h"))
def sync_node(node: str, revision: int) -> None:
    """Send a node its settings, one revision after the other; its panel is down."""
    raise PanelUnreachable(f"{node}: connection refused while sending revision {revision}")


@job("demo.import_row", queue="demo-imports")
def import_row(file: str, line: int) -> None:
    """Import a line of a file. Its queue is paused."""
    logger.info("%s:%d", file, line)


@job("demo.fetch_usage", queue="notifications", every="10m", immediate=True, timeout="5m")
def fetch_usage() -> dict[str, int]:
    """Read the traffic of all users page by page: a minute of progress, mostly waiting."""
    context, pages = current_job(), 60
    for page in range(1, pages + 1):
        _never.wait(1.0)
        if context is not None:
            context.check()
            context.report(done=page, total=pages, msg=f"page {page} of {pages}")
    return {"pages": pages}


@job("demo.ask_rates", queue="demo", retry=Delays("1m"))
def ask_rates(currency: str) -> Outcome:
    """Ask for an exchange rate; the shop is closed for a while, so it comes again, unspent."""
    context = current_job()
    if context is not None and context.fence < 3:
        return Snooze(_MINUTES[context.fence], "the exchange is closed")
    return Done({"currency": currency})


_MINUTES = Delays("1m 2m 5m").steps


@job("demo.nightly_export", queue="demo", cron="30 2 * * *")
def nightly_export() -> dict[str, int]:
    """Write the day to a file."""
    return {"rows": random.randint(900, 1100)}  # noqa: S311 - a number to look at


@job("demo.trickle", queue="maintenance", every="15s")
def trickle() -> dict[str, int]:
    """Keep a little life in the demo: a few jobs, now and then one that needs a second try."""
    count = random.randint(2, 6)  # noqa: S311
    for _ in range(count):
        user_id = random.randint(1, 5000)  # noqa: S311
        if user_id % 3:
            plan = random.choice(list(PLANS))  # noqa: S311
            activate_subscription.enqueue(user_id=user_id, plan=plan)
        elif user_id % 13:
            charge_card.enqueue(user_id=user_id, amount_cents=PLANS["basic"])
    return {"jobs": count}

"""The ledger: what happened in numbers, and what must hold, each line balanced or with its rows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, F

from config.simulation import checks_access, checks_jobs, checks_messages, checks_money
from config.simulation.acting import Acting
from config.simulation.evidence import Evidence
from config.simulation.findings import ROWS_SHOWN, Finding
from config.simulation.hand import Hand
from config.simulation.weather import Weather
from jobs.models import Job
from jobs.models import State as JobState
from notifications.telegram.models import QueuedMessage
from payments.models import Payment, Review
from payments.models import State as PaymentState
from subscriptions.models import Activation, Notice

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Took:
    """How long it took. simulated_h in hours of the moved clock, real_s in seconds, spent likewise."""

    simulated_h: float
    real_s: float
    steps: int
    spent: Counter[str]


def findings(evidence: Evidence) -> list[Finding]:
    """Every check, in the order of the page."""
    return [
        *checks_money.checks(evidence),
        *checks_access.checks(evidence),
        *checks_messages.checks(evidence),
        *checks_jobs.checks(),
    ]


def figures(
    evidence: Evidence, acting: Acting, weather: Weather, hand: Hand, took: Took
) -> list[Line]:
    """What happened, for the table."""
    dead = Job.objects.filter(state=JobState.DEAD)
    return [
        ("subscribers at the end", f"{len(evidence.users):,}"),
        *_notices(),
        *_payments(),
        *_counted("question", Counter(Review.objects.values_list("reason", flat=True))),
        *_counted("activation", Counter(Activation.objects.values_list("state", flat=True))),
        *_counted("people", acting.counts),
        *_counted("killed at", weather.killed),
        *_counted("fault", +weather.struck),
        *_counted("run given up", Counter(dead.values_list("kind", flat=True))),
        ("messages that arrived", f"{len(evidence.messages):,}"),
        (
            "of these possibly doubled",
            f"{QueuedMessage.objects.filter(maybe_doubled=True).count():,}",
        ),
        *((f"calls to {name}", f"{count:,}") for name, count in hand.calls().items()),
        (
            "simulated time",
            f"{took.simulated_h / 24:.1f} days in {took.steps:,} steps",
        ),
        ("real time", f"{took.real_s:.0f} s, {took.simulated_h * 3600 / took.real_s:,.0f} to 1"),
        *((f"of this: {what}", f"{spent:.0f} s") for what, spent in sorted(took.spent.items())),
    ]


def _counted(name: str, counts: Counter[str]) -> Iterator[Line]:
    for what, count in sorted(counts.items()):
        yield f"{name}: {what}", f"{count:,}"


def _notices() -> Iterator[Line]:
    rows = Notice.objects.values_list("stage", "state", "reason").annotate(count=Count("id"))
    for stage, state, reason, count in sorted(rows):
        yield f"notice {stage}: {state}{f', {reason}' if reason else ''}", f"{count:,}"


def _payments() -> Iterator[Line]:
    for state, count in sorted(Counter(Payment.objects.values_list("state", flat=True)).items()):
        yield f"payments: {state}", f"{count:,}"
    done = Payment.objects.filter(state=PaymentState.COMPLETED)
    late = done.filter(paid_at__gt=F("expires_at")).count()
    renewed = done.exclude(purpose="new")
    # The period was added to the moment of payment: there was no end left to add it to.
    after = renewed.filter(activation__base_expire_at=F("completed_at")).count()
    total = renewed.count()
    yield "paid before the end", f"{total - after:,}"
    yield "paid after the end", f"{after:,}"
    yield "paid after the invoice had expired", f"{late:,}"
    for how, count in sorted(Counter(done.values_list("found_by", flat=True)).items()):
        yield f"noticed by {how}", f"{count:,}"


def write(lines: Sequence[Line], found: Sequence[Finding], say: Callable[[str], None]) -> bool:
    """Print the table and the ledger; says whether it balances."""
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        say(f"  {name:<{width}}  {value:>14}")
    say("")
    for each in found:
        mark = "holds" if each.is_balanced else "BREAKS"
        say(f"  {mark:<7} {each.what} ({each.seen:,})")
        for row in each.offending[:ROWS_SHOWN]:
            say(f"            {row}")
        if len(each.offending) > ROWS_SHOWN:
            say(f"            and {len(each.offending) - ROWS_SHOWN:,} more")
    is_balanced = all(each.is_balanced for each in found)
    say("")
    say("The ledger balances." if is_balanced else "The ledger does NOT balance.")
    return is_balanced

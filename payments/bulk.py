"""Rechecking all payments that match a filter: count first (dry run), then a job for each."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from jobs.audit import Account, audit_write
from lib.errors import DomainError, InputInvalid
from payments.acts import PAYMENT, payment_recheck
from payments.listing.payments import PaymentFilter
from payments.models import State

RECHECK = "recheck"
MOST = 1_000  # in one call: each asks the provider
SAMPLE = 20
REASONS = 100
TAKES = frozenset({State.CREATED, State.PENDING, State.FAILED})


@dataclass(slots=True)
class RecheckResult:
    """What was done, or in a dry run would be. states: how many of the matched are in each state."""

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[UUID]
    dry_run: bool
    more: bool
    refused: dict[UUID, str] = field(default_factory=dict)


def payments_bulk(
    *,
    where: PaymentFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    limit: int = MOST,
) -> RecheckResult:
    """Have the provider asked about the newest payments that match; what was paid is left out.

    Raises InputInvalid for an unknown action or an empty filter. Locks: one payment at a time.
    """
    if action != RECHECK:
        raise InputInvalid(f"action must be {RECHECK}")
    if where == PaymentFilter():
        raise InputInvalid("a filter must say something; name at least a state or a plan")
    limit = max(1, min(limit, MOST))
    found = list(where.query().values_list("pk", "state")[: limit + 1])
    result = RecheckResult(
        action=action,
        matched=len(found[:limit]),
        done=0,
        states=dict(Counter(state for _, state in found[:limit])),
        sample=[pk for pk, _ in found[:SAMPLE]],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if dry_run:
        return result
    for payment_id, state in found[:limit]:
        try:
            if state not in TAKES:
                raise InputInvalid(f"it is {state} already")
            payment_recheck(payment_id, by)
            result.done += 1
        except DomainError as exc:
            if len(result.refused) < REASONS:
                result.refused[payment_id] = exc.message
    audit_write(
        by, "payments.bulk_recheck", PAYMENT, "matching", matched=result.matched, done=result.done
    )
    return result

"""Closing gaps: what is done by itself because nobody had decided otherwise, and what a person asks for."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.compiled import rows_of
from lib import clock
from lib.errors import DomainError, InputInvalid, NotFound
from payments.models import Payment
from payments.services import payment_recheck
from payments.story import name_of
from subscriptions.access.gaps import REMEDIES, TITLES, Found, GapKind
from subscriptions.activation.acts import (
    activation_push,
    activation_reapply,
    activation_recreate,
    activation_release,
    activation_retry,
)
from subscriptions.activation.begin import activation_begin
from subscriptions.activation.rows import activation_lock, activation_of
from subscriptions.errors import GapClosed
from subscriptions.models import AccessGap, Activation, CutBy
from subscriptions.panel.errors import BREAKER
from subscriptions.story import event_write

GAP = "access gap"  # what the audit log calls it
NOTE_LIMIT = 200
PAUSE = timedelta(minutes=4)  # from the payment on: until then its own job goes on
RESUME_MOST = 500  # of one comparison: those that were tried least, so that none starves the others
MENDED = (GapKind.NO_ACTIVATION, GapKind.LEDGER_BEHIND, GapKind.OFF)
State, Reason = Activation.State, Activation.Reason
logger = logging.getLogger(__name__)

_WITHOUT_JOB = """
SELECT a.id FROM subscription_activation a
LEFT JOIN jobs_job j ON j.id = a.job_id AND j.state IN ('scheduled', 'available', 'running')
JOIN payment p ON p.id = a.payment_id AND p.state = 'completed'
LEFT JOIN subscriber s ON s.id = a.subscriber_id
WHERE a.state <> 'applied' AND a.created_at < %(before)s AND j.id IS NULL
    AND (a.state = 'pending' OR (a.state = 'failed' AND a.reason = 'away')
        OR (a.state = 'held' AND (s.status <> 'DISABLED' OR s.cut_by IN ('sweep', 'bulk'))))
ORDER BY a.attempts, a.id LIMIT %(most)s
"""


@transaction.atomic
def gap_heal(*, gap_id: int, by: Account) -> str:
    """Do what closes a gap; says what that is. The gap closes when it was seen to be over.

    Repeat: what runs already is joined. Raises NotFound, GapClosed; InputInvalid if a person has to
    look first; and what the act itself refuses.
    """
    gap = _lock(gap_id)
    remedy = REMEDIES.get(gap.kind, "")
    if not remedy:
        raise InputInvalid("there is no cure for this one: look at the payment, then dismiss it")
    _cure(gap, by)
    gap.healed_by = name_of(by)[:150]
    gap.save(update_fields=["healed_by"])
    _note(gap, "heal", by)
    return remedy


@transaction.atomic
def gap_dismiss(*, gap_id: int, note: str, by: Account) -> None:
    """Say that a gap is right as it is; it is not opened again. Raises NotFound, GapClosed, InputInvalid."""
    if not note.strip():
        raise InputInvalid("say why it is right as it is")
    gap = _lock(gap_id)
    gap.healed_at, gap.healed_by = clock.now(), name_of(by)[:150]
    gap.ending = AccessGap.Ending.DISMISSED
    gap.facts = {**gap.facts, "note": note.strip()[:NOTE_LIMIT]}
    gap.save(update_fields=["healed_at", "healed_by", "ending", "facts"])
    _note(gap, "dismiss", by)


def gaps_heal(*, gap_ids: Sequence[int], by: Account) -> tuple[int, list[str]]:
    """Heal many, each by itself. Returns how many, and why the others were refused."""
    healed, refused = 0, list[str]()
    for gap_id in gap_ids:
        try:
            gap_heal(gap_id=gap_id, by=by)
        except DomainError as exc:
            refused.append(f"{gap_id}: {exc.message}")
        else:
            healed += 1
    return healed, refused


def heal_unasked(found: Sequence[Found]) -> int:
    """Mend by itself what nobody has decided: a payment not noticed, a job that was never made, somebody
    whom our own sweep cut in the second in which he paid. Returns how many. Repeat: nothing twice."""
    count = 0
    for each in found:
        if each.kind not in MENDED:
            continue
        try:
            with transaction.atomic():
                count += _mend(each)
        except DomainError as exc:
            logger.warning("gap %s of payment %s stays: %s", each.kind, each.payment_id, exc)
    return count


def _mend(found: Found) -> bool:
    if found.kind == GapKind.NO_ACTIVATION:
        payment = Payment.objects.select_for_update(no_key=True).get(pk=found.payment_id)
        return activation_begin(payment)[1]
    if found.kind == GapKind.LEDGER_BEHIND:
        payment_recheck(found.payment_id, None)
        return True
    activation = _activation(found.payment_id)
    subscriber = activation.subscriber
    is_ours = subscriber is not None and subscriber.cut_by == CutBy.SWEEP
    is_expired = subscriber is not None and found.facts.get("status") == "EXPIRED"
    if not (is_ours or is_expired):
        return False
    activation_reapply(activation_id=activation.pk, by=None)
    return True


def activations_resume() -> int:
    """Try again what waits and has no job: lost, given up while the panel was away, or no longer held.

    Nothing while the panel is known to be away. Returns how many. Repeat: nothing twice.
    """
    if rows_of("SELECT 1 FROM jobs_breaker WHERE name = %s AND state <> 'closed'", [BREAKER]):
        return 0
    rows = sql.rows(_WITHOUT_JOB, {"before": clock.now() - PAUSE, "most": RESUME_MOST})
    return sum(_resume(activation_id) for (activation_id,) in rows)


@transaction.atomic
def _resume(activation_id: int) -> bool:
    activation = activation_lock(activation_id)
    if activation.state == State.APPLIED:
        return False
    if activation.state != State.PENDING:  # the reason stays, so that the same is not alerted again
        activation.state = State.PENDING
        activation.save(update_fields=["state"])
    activation_push(activation)
    return True


def _cure(gap: AccessGap, by: Account) -> None:
    kind = GapKind(gap.kind)
    if kind == GapKind.LEDGER_BEHIND:
        payment_recheck(gap.payment_id, by)
        return
    if kind == GapKind.NO_ACTIVATION:
        activation_begin(Payment.objects.select_for_update(no_key=True).get(pk=gap.payment_id))
        return
    activation = _activation(gap.payment_id)
    act = {
        GapKind.WAITING: activation_retry,
        GapKind.FAILED: _recreate_or_retry,
        GapKind.HELD: activation_release,
        GapKind.SHORT: activation_reapply,
        GapKind.OFF: activation_reapply,
        GapKind.GONE: activation_recreate,
    }[kind]
    act(activation_id=activation.pk, by=by)


def _recreate_or_retry(*, activation_id: int, by: Account) -> None:
    """A user who is gone is created again, for nothing else would help; the rest is tried again."""
    activation = activation_lock(activation_id)
    if activation.reason == Reason.MISSING and activation.subscriber is not None:
        activation_recreate(activation_id=activation_id, by=by)
    else:
        activation_retry(activation_id=activation_id, by=by)


def _activation(payment_id: UUID) -> Activation:
    activation = activation_of(payment_id)
    if activation is None:
        raise NotFound(f"the payment {payment_id} was not activated")
    return activation


def _lock(gap_id: int) -> AccessGap:
    """The open gap, after its payment, in the order that everybody locks."""
    payment_id = AccessGap.objects.filter(pk=gap_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        raise NotFound(f"there is no gap {gap_id}")
    Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    with suppress(NotFound):
        activation_lock(_activation(payment_id).pk)
    gap = AccessGap.objects.select_for_update(no_key=True).get(pk=gap_id)
    if gap.healed_at is not None:
        raise GapClosed
    return gap


def _note(gap: AccessGap, act: str, by: Account) -> None:
    audit_write(by, f"access.{act}", GAP, gap.pk, payment=str(gap.payment_id), kind=gap.kind)
    subscriber_id = Payment.objects.values_list("subscriber_id", flat=True).get(pk=gap.payment_id)
    if subscriber_id is not None:
        event_write(
            subscriber_id,
            "healed" if act == "heal" else "gap_dismissed",
            "staff",
            data={"gap": TITLES[gap.kind]},
            by=by,
            payment_id=gap.payment_id,
        )

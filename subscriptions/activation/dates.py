"""Until when a payment gives access: computed once, stored, and written as an absolute date."""

from datetime import datetime, timedelta

from django.db.models import Max

from jobs import sql
from jobs.rows import row_update
from lib import clock
from subscriptions.models import Activation

_SOON = timedelta(minutes=1)  # the panel takes no date of the past


def target_of(activation: Activation, served_until: datetime | None) -> datetime:
    """The date that an activation leads to; it is computed by the first call, and stored.

    Added to the latest of: the moment of payment (of release, if it was held), the end that the panel
    has, and what earlier payments of the same subscriber lead to but have not reached yet. A date
    that passed before the panel could be told is computed anew, for nobody was served until then.
    Locks: the caller holds the subscriber (if there is one) and the activation.
    """
    now = clock.now()
    target = activation.target_expire_at
    if target is not None and target > now + _SOON:
        return target
    began = activation.payment.completed_at or now
    if activation.reason == Activation.Reason.RELEASED or target is not None:
        began = now
    bases = [began, served_until, target_open(activation)]
    activation.base_expire_at = max(each for each in bases if each is not None)
    target = _to_ms(activation.base_expire_at + timedelta(days=activation.days))
    activation.target_expire_at = target
    row_update(activation, "base_expire_at", "target_expire_at")
    return target


def target_open(activation: Activation) -> datetime | None:
    """Where the other payments of the subscriber lead to that the panel does not know of yet."""
    if activation.subscriber_id is None:
        return None
    found = sql.row(
        """SELECT max(target_expire_at) FROM subscription_activation
        WHERE subscriber_id = %s AND id <> %s AND state <> %s""",
        [activation.subscriber_id, activation.pk, Activation.State.APPLIED.value],
    )
    return found[0] if found else None


def targets_open(subscriber_ids: list[int]) -> dict[int, datetime]:
    """{subscriber id: the latest date of payments that are not applied yet}, for those who have one.

    Whoever writes an end of his own to the panel adds to it, or an activation would undo it.
    """
    others = Activation.objects.filter(
        subscriber_id__in=subscriber_ids, target_expire_at__isnull=False
    ).exclude(state=Activation.State.APPLIED)
    rows = others.values_list("subscriber_id").annotate(latest=Max("target_expire_at"))
    return {subscriber_id: latest for subscriber_id, latest in rows if subscriber_id is not None}


def _to_ms(moment: datetime) -> datetime:
    """As the panel keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

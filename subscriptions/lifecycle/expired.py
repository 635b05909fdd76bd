"""The sweep over those whose time is over and whom the panel would still serve.

The panel expires people itself, within half a minute (its own sweep; source: panel 3.3.2). So this set
is empty as long as all is well: who is in it is looked at again, one by one, before anything is done.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.context import JobContext
from jobs.enqueue import enqueue_many
from jobs.models import Priority
from jobs.outcomes import Outcome
from jobs.registry import kind_get
from subscriptions.lifecycle.dues import packs_enqueue
from subscriptions.lifecycle.fates import FAILED, SKIPPED, items_decide
from subscriptions.lifecycle.kinds import SweepKind
from subscriptions.models import Sweep, SweepState

NAME = "subscriptions.disable_expired"
CUT = "subscriptions.cut_subscriber"
BATCH = 500
# Once decided, these need a person: a later run would only find them again, each quarter of an hour.
SETTLED = ["refused", "held_by_another", "other_person"]

# Who has paid is not even looked at; the index of open activations is small.
_CHOSEN = """
SELECT s.id, s.expire_at FROM subscriber s
WHERE s.status IN ('ACTIVE', 'LIMITED') AND s.missing_since IS NULL
    AND s.expire_at <= %(before)s AND s.panel_id IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM subscription_activation a
        WHERE a.subscriber_id = s.id AND a.state <> 'applied'
    )
    AND NOT EXISTS (
        SELECT FROM subscription_sweep_item i JOIN subscription_sweep w ON w.id = i.sweep_id
        WHERE i.subscriber_id = s.id AND i.expire_at = s.expire_at
            AND w.name = %(name)s AND i.reason = ANY(%(settled)s)
    )
"""
_OPEN = """
SELECT i.id, i.subscriber_id, i.job_id IS NULL, j.state FROM subscription_sweep_item i
LEFT JOIN jobs_job j ON j.id = i.job_id
WHERE i.sweep_id = %s AND i.fate = '' AND i.id > %s AND (j.id IS NULL OR j.state = 'dead')
ORDER BY i.id LIMIT %s
"""


def params(now: datetime) -> Mapping[str, Any]:
    """The values of the query."""
    return {"before": now - settings.EXPIRY_GRACE, "name": NAME, "settled": SETTLED}


def run(sweep: Sweep, context: JobContext | None) -> Outcome | dict[str, int]:
    """Give each open person of a running sweep a job in the person's own line.

    In that line stand the activations, too: a cut and an activation never overlap. Repeat-safe: who
    has a living job gets no second one; whose job gave up is counted as failed.
    """
    given, after = 0, 0
    while True:
        if context is not None:
            context.check()
        with transaction.atomic():
            locked = Sweep.objects.select_for_update(no_key=True).get(pk=sweep.pk)
            rows = sql.rows(_OPEN, [sweep.pk, after, BATCH])
            if locked.state != SweepState.RUNNING or not rows:
                return {"given": given}
            fresh = [(item_id, owner) for item_id, owner, is_fresh, _ in rows if is_fresh]
            _lost_close(sweep, [(row[0], row[3]) for row in rows if not row[2]])
            _give(fresh)
        given, after = given + len(fresh), rows[-1][0]


def _give(fresh: list[tuple[int, int]]) -> None:
    kind = kind_get(CUT)
    made = enqueue_many(
        (
            kind,
            {"item_id": item_id, "partition": f"subscriber:{owner}", "priority": Priority.LOW},
        )
        for item_id, owner in fresh
    )
    sql.run(
        """UPDATE subscription_sweep_item i SET job_id = f.job_id
        FROM unnest(%s::bigint[], %s::uuid[]) f (id, job_id) WHERE i.id = f.id""",
        [[item_id for item_id, _ in fresh], [job.id for job in made]],
    )


def _lost_close(sweep: Sweep, lost: list[tuple[int, str | None]]) -> None:
    """Those whose job ended without a word."""
    dead = [item_id for item_id, state in lost if state is not None]
    gone = [item_id for item_id, state in lost if state is None]
    if dead:
        items_decide(sweep.pk, dead, FAILED, "job_dead")
    if gone:
        items_decide(sweep.pk, gone, SKIPPED, "job_gone")
    if lost:  # theirs may have been the last cut, after which the others are told
        packs_enqueue()


EXPIRED = SweepKind(
    name=NAME,
    title="Disabling who is expired and still served",
    can_cut=True,
    chosen=_CHOSEN,
    params=params,
    run=run,
)

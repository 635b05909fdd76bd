"""One look at all servers: what the panel answered becomes rows, spans, alerts and lines of the feed.

The answer is had before the transaction. An answer that is older than what was written changes nothing;
no answer changes nothing either: unknown is not offline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from jobs import sql
from jobs.registry import kind_get
from monitoring.nodes import damping, telling
from monitoring.nodes.damping import Limits, Standing
from monitoring.nodes.models import Health, Node, NodeState
from monitoring.nodes.reading import COLUMNS, columns_set, health_of
from subscriptions.panel.types import PanelNode

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('nodes:look', 0))"
_STATE = (
    "health", "health_since", "seen_health", "seen_since", "lost_at", "flapping_since",
    "checked_at", "removed_at",
)  # fmt: skip
_REASON = 300
_BATCH = 500


@dataclass(slots=True)
class Looked:
    """What came of a look. is_stale: a later answer was written already."""

    at: datetime
    seen: int = 0
    is_stale: bool = False
    added: list[Node] = field(default_factory=list)
    removed: list[Node] = field(default_factory=list)
    turned: list[tuple[Node, Health]] = field(default_factory=list)  # with the state before
    again_in: timedelta | None = None

    def as_json(self) -> dict[str, object]:
        """For the result of a job."""
        return {
            "seen": self.seen,
            "stale": self.is_stale,
            "added": [row.name for row in self.added],
            "removed": [row.name for row in self.removed],
            "turned": {row.name: row.health for row, _ in self.turned},
        }


@transaction.atomic
def look_apply(
    told: Sequence[PanelNode], at: datetime, *, is_whole: bool = True, reason: str = ""
) -> Looked:
    """Write an answer of the moment `at`. The number of statements does not depend on how many there are,
    but for those whose state counts from now on.

    is_whole: who is not in it is no longer listed. reason: who did it, for the spans; else the panel's
    words. Repeat: the same. Locks: all looks take turns.
    """
    sql.run(_LOCK)
    looked = Looked(at, seen=len(told))
    last = Node.objects.aggregate(last=Max("checked_at"))["last"] if is_whole else None
    if last is not None and last > at:
        looked.is_stale = True
        return looked
    known = Node.objects.in_bulk(None if is_whole else [each.uuid for each in told])
    moved = _rows_write(told, known, looked)
    if is_whole:
        _rest_remove(told, known, looked)
    _spans_write(looked, reason)
    telling.told_write(looked.turned, looked.added, looked.removed)
    telling.gone_tell(looked.removed, left=len(told))
    telling.alerts_write(at, None if is_whole else [each.uuid for each in told])
    if moved:
        kind_get("monitoring.sync_locations").enqueue()
    if looked.added:
        kind_get("monitoring.sync_node_configs").enqueue()
    if looked.again_in is not None:
        kind_get("monitoring.check_nodes").enqueue(delay=looked.again_in + timedelta(seconds=1))
    return looked


def _rows_write(told: Sequence[PanelNode], known: Mapping[UUID, Node], looked: Looked) -> bool:
    """Upsert what is listed. Returns whether anybody has a country that was not theirs before."""
    limits, rows, moved = Limits.current(), [], False
    for each in sorted(told, key=lambda one: one.uuid):
        row = known.get(each.uuid)
        country = row.country_code if row else None
        if row is None:
            row = Node(uuid=each.uuid)
            standing = damping.first(health_of(each), _since(each, looked.at))
            looked.added.append(row)
        else:
            standing = _judged(row, each, limits, looked)
        columns_set(row, each)
        _stand(row, standing)
        row.checked_at, row.removed_at = looked.at, None
        moved = moved or country != row.country_code
        rows.append(row)
    Node.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["uuid"],
        update_fields=[*COLUMNS, *_STATE],
    )
    return moved


def _judged(row: Node, told: PanelNode, limits: Limits, looked: Looked) -> Standing:
    """How a known server stands after this answer; whatever changed is noted in `looked`."""
    if row.removed_at is not None:
        looked.added.append(row)
        return damping.first(health_of(told), looked.at)
    before = Standing(
        Health(row.health), row.health_since, Health(row.seen_health), row.seen_since,
        tuple(row.lost_at), row.flapping_since,
    )  # fmt: skip
    verdict = damping.judge(
        before, health_of(told), looked.at, limits, changed_at=told.status_changed_at
    )
    if verdict.standing.health != before.health:
        looked.turned.append((row, before.health))
    if verdict.look_in is not None:
        looked.again_in = min(verdict.look_in, looked.again_in or verdict.look_in)
    return verdict.standing


def _stand(row: Node, standing: Standing) -> None:
    row.health, row.health_since = standing.health, standing.since
    row.seen_health, row.seen_since = standing.seen, standing.seen_since
    row.lost_at, row.flapping_since = list(standing.losses), standing.flapping_since


def _since(told: PanelNode, at: datetime) -> datetime:
    """Since when a newcomer is as it is: what the panel says, unless its clock is ahead."""
    changed = told.status_changed_at
    return at if changed is None or changed > at else changed


def _rest_remove(told: Sequence[PanelNode], known: Mapping[UUID, Node], looked: Looked) -> None:
    listed = {each.uuid for each in told}
    gone = [row for pk, row in known.items() if pk not in listed and row.removed_at is None]
    if gone:
        Node.objects.filter(pk__in=[row.pk for row in gone]).update(
            removed_at=looked.at, flapping_since=None, lost_at=[]
        )
        looked.removed += gone


def _spans_write(looked: Looked, reason: str) -> None:
    """End the spans of those that turned or went, begin those of who turned or came."""
    ended = [(row, row.health_since) for row, _ in looked.turned]
    ended += [(row, looked.at) for row in looked.removed]
    if ended:
        sql.run(
            """UPDATE node_state s SET ended_at = greatest(s.began_at, f.at)
            FROM unnest(%s::uuid[], %s::timestamptz[]) f(node_id, at)
            WHERE s.node_id = f.node_id AND s.ended_at IS NULL""",
            [[row.pk for row, _ in ended], [at for _, at in ended]],
        )
    begun = [row for row, _ in looked.turned] + looked.added
    NodeState.objects.bulk_create(
        NodeState(
            node=row,
            health=row.health,
            began_at=row.health_since,
            reason=(reason or _why(row))[:_REASON],
        )
        for row in begun
    )


def _why(row: Node) -> str:
    """The panel's words, which may outlive a recovery."""
    if row.flapping_since is not None:
        return f"lost {len(row.lost_at)} times in a short while"
    return row.status_message if row.health in (Health.OFFLINE, Health.WARNING) else ""

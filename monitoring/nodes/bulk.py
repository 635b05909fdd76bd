"""Acting on many servers: count first (dry run), then a job for each that takes it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.enqueue import enqueue_many
from jobs.registry import kind_get
from lib.errors import DomainError, InputInvalid
from monitoring.nodes.acts import node_silence, nodes_check
from monitoring.nodes.models import Health, Node
from monitoring.nodes.screens.listing import NodeFilter
from monitoring.nodes.words import HEALTHS, NODE

MOST = 500
SAMPLE = 20
REASONS = 100
GONE = "no longer listed"
_SERVING = frozenset({Health.ONLINE, Health.OFFLINE, Health.WARNING})


def _words(healths: frozenset[Health]) -> frozenset[str]:
    return frozenset(HEALTHS[each][0] for each in healths)


# Act -> states in which it is possible, in the words of words.HEALTHS.
TAKES = {
    "check": _words(frozenset(Health)),
    "enable": _words(frozenset({Health.MAINTENANCE})),
    "disable": _words(_SERVING),
    "restart": _words(_SERVING),
    "silence": _words(frozenset(Health)),
}


@dataclass(slots=True)
class NodesResult:
    """What was done, or in a dry run would be. states: how many of the matched are in each."""

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[UUID]
    dry_run: bool
    more: bool
    refused: dict[UUID, str] = field(default_factory=dict)


def nodes_bulk(
    *,
    where: NodeFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    hours: int = 1,
    reason: str = "",
    limit: int = MOST,
) -> NodesResult:
    """Check, enable, disable, restart or silence the servers that match, in the order of the panel.

    hours: of a silence. Enabling, disabling and restarting are jobs, one for each, as the panel takes
    them; a check is one look for all. Raises InputInvalid.
    """
    if action not in TAKES:
        raise InputInvalid(f"action must be one of {', '.join(TAKES)}")
    limit = max(1, min(limit, MOST))
    found = list(where.query().only("pk", "name", "seen_health", "removed_at")[: limit + 1])
    rows = found[:limit]
    result = NodesResult(
        action=action,
        matched=len(rows),
        done=0,
        states=dict(Counter(map(_state, rows))),
        sample=[row.pk for row in rows[:SAMPLE]],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if not dry_run:
        _act(rows, result, by, hours, reason)
    return result


@transaction.atomic
def _act(rows: list[Node], result: NodesResult, by: Account, hours: int, reason: str) -> None:
    willing = []
    for row in rows:
        if _state(row) in TAKES[result.action]:
            willing.append(row)
        elif len(result.refused) < REASONS:
            result.refused[row.pk] = f"{row.name} is {_state(row)}"
    if result.action == "check" and willing:
        nodes_check(by=by)
        result.done = len(willing)
    elif result.action == "silence":
        result.done = _silence(willing, result, by, hours, reason)
    else:
        kind = kind_get("monitoring.operate_node")
        by_id = by.pk if by is not None else None
        enqueue_many(
            (
                kind,
                {"node_id": str(row.pk), "action": result.action, "by_id": by_id, "reason": reason},
            )
            for row in willing
        )
        result.done = len(willing)
    audit_write(
        by,
        f"nodes.bulk_{result.action}",
        NODE,
        "matching",
        matched=result.matched,
        done=result.done,
    )


def _silence(rows: list[Node], result: NodesResult, by: Account, hours: int, reason: str) -> int:
    done = 0
    for row in rows:
        try:
            node_silence(node_id=row.pk, span=timedelta(hours=hours), by=by, reason=reason)
            done += 1
        except DomainError as exc:
            result.refused[row.pk] = exc.message
    return done


def _state(row: Node) -> str:
    return GONE if row.removed_at is not None else HEALTHS[Health(row.seen_health)][0]

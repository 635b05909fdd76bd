"""Acting on many servers: count first (dry run), then a job for each that takes it."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.chosen import BulkResult, action_check, rows_choose
from jobs.enqueue import enqueue_many
from jobs.registry import kind_get
from lib.errors import DomainError
from monitoring.nodes.acts import node_silence, nodes_check
from monitoring.nodes.models import Health, Node
from monitoring.nodes.screens.listing import NodeFilter
from monitoring.nodes.words import HEALTHS, NODE

MOST = 500
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


def nodes_bulk(
    *,
    where: NodeFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    hours: int = 1,
    reason: str = "",
    limit: int = MOST,
) -> BulkResult[UUID]:
    """Check, enable, disable, restart or silence the servers that match, in the order of the panel.

    hours: of a silence. Enabling, disabling and restarting are jobs, one for each, as the panel takes
    them; a check is one look for all. Raises InputInvalid.
    """
    action_check(action, TAKES)
    rows, result = rows_choose(
        where.query().only("pk", "name", "seen_health", "removed_at"),
        action=action, limit=limit, most=MOST, dry_run=dry_run, key=_key, state=_state,
    )  # fmt: skip
    if not dry_run:
        _act(rows, result, by, hours, reason)
    return result


@transaction.atomic
def _act(rows: list[Node], result: BulkResult[UUID], by: Account, hours: int, reason: str) -> None:
    willing = []
    for row in rows:
        if _state(row) in TAKES[result.action]:
            willing.append(row)
        else:
            result.refuse({row.pk: f"{row.name} is {_state(row)}"})
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


def _silence(
    rows: list[Node], result: BulkResult[UUID], by: Account, hours: int, reason: str
) -> int:
    done = 0
    for row in rows:
        try:
            node_silence(node_id=row.pk, span=timedelta(hours=hours), by=by, reason=reason)
            done += 1
        except DomainError as exc:
            result.refuse({row.pk: exc.message})
    return done


def _key(row: Node) -> UUID:
    return row.pk


def _state(row: Node) -> str:
    return GONE if row.removed_at is not None else HEALTHS[Health(row.seen_health)][0]

"""What staff do to a server: through the panel, before any transaction; audited; looked at afterwards.

Enable and disable are safe to repeat. A restart is not, but does no harm. An answer that did not come says
so: the next look shows what became of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts.silences import silence_create
from monitoring.nodes.errors import (
    CostInvalid,
    NodeDisabled,
    NodeGone,
    NodeUnknown,
    PanelObjects,
    PanelSilent,
)
from monitoring.nodes.looking import look_apply
from monitoring.nodes.models import Health, Node
from monitoring.nodes.words import NODE
from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelMissing, PanelRefused, PanelWaits
from subscriptions.panel.types import PanelNode

REASON_LIMIT = 200
NOTE_LIMIT = 4000
SILENCE_MOST = timedelta(days=30)
_SOON = timedelta(seconds=6)  # a server that was told to start is up by then, or we look again


def node_get(node_id: UUID) -> Node:
    """One server, also one that is no longer listed. Raises NodeUnknown."""
    row = Node.objects.filter(pk=node_id).first()
    if row is None:
        raise NodeUnknown
    return row


def node_enable(*, node_id: UUID, by: Account, reason: str = "") -> Node:
    """Let a server serve. Repeat: nothing changes.

    Raises NodeUnknown, NodeGone, PanelSilent, PanelObjects.
    """
    return _switch(node_id, "enable", lambda panel: panel.node_enable(node_id), by, reason)


def node_disable(*, node_id: UUID, by: Account, reason: str = "") -> Node:
    """Take a server out of service: who is on it is cut off. Repeat: nothing changes.

    Raises NodeUnknown, NodeGone, PanelSilent, PanelObjects.
    """
    return _switch(node_id, "disable", lambda panel: panel.node_disable(node_id), by, reason)


def node_restart(*, node_id: UUID, by: Account, reason: str = "") -> Node:
    """Restart what serves on a server: its people are cut off for some seconds.

    Raises NodeUnknown, NodeGone, NodeDisabled, PanelSilent, PanelObjects.
    """
    why, row = _why(reason), _listed(node_id)
    if row.seen_health == Health.MAINTENANCE:
        raise NodeDisabled
    with _panel() as panel:
        panel.node_restart(node_id)
    with transaction.atomic():
        audit_write(by, "nodes.restart", NODE, node_id, name=row.name, **why)
        kind_get("monitoring.check_nodes").enqueue(delay=_SOON)
    return row


@transaction.atomic
def nodes_check(*, by: Account, node_id: UUID | None = None) -> None:
    """Have all servers looked at now: a look costs one question, whatever it is asked for."""
    name = "all" if node_id is None else node_get(node_id).name
    audit_write(by, "nodes.check", NODE, node_id or "all", name=name)
    kind_get("monitoring.check_nodes").enqueue()


@transaction.atomic
def node_silence(*, node_id: UUID, span: timedelta, by: Account, reason: str = "") -> Node:
    """Tell nobody of alerts of a server for a while. Raises NodeUnknown, InputInvalid."""
    if not timedelta(0) < span <= SILENCE_MOST:
        raise InputInvalid(f"a silence lasts up to {SILENCE_MOST.days} days")
    row = node_get(node_id)
    silence_create(
        rule="*",
        key=str(node_id),
        ends_at=clock.now() + span,
        reason=reason.strip() or f"Server {row.name}",
        by=by,
    )
    return row


@transaction.atomic
def node_edit(
    *, node_id: UUID, by: Account, note: str, monthly_cost: Decimal | None, cost_currency: str
) -> Node:
    """Change what only we know of a server. Repeat: nothing changes. Raises NodeUnknown, InputInvalid,
    CostInvalid. Locks: the row."""
    if len(note) > NOTE_LIMIT:
        raise InputInvalid(f"a note has at most {NOTE_LIMIT} characters")
    currency = cost_currency.strip().upper()
    if monthly_cost is not None and not 0 <= monthly_cost < 10**8:
        raise CostInvalid("a cost is a number from 0 on")
    if monthly_cost is not None and not (len(currency) == 3 and currency.isalpha()):
        raise CostInvalid("say the currency in three letters, such as EUR")
    row = Node.objects.select_for_update(no_key=True).filter(pk=node_id).first()
    if row is None:
        raise NodeUnknown
    given = {
        "note": note.strip(),
        "monthly_cost": monthly_cost,
        "cost_currency": currency if monthly_cost is not None else "",
    }
    changes = {
        name: [str(getattr(row, name) or ""), str(value or "")]
        for name, value in given.items()
        if getattr(row, name) != value
    }
    if changes:
        for name in changes:
            setattr(row, name, given[name])
        row.save(update_fields=list(changes))
        audit_write(by, "nodes.edit", NODE, row.pk, name=row.name, **changes)
    return row


def _switch(
    node_id: UUID,
    verb: str,
    ask: Callable[[PanelClient], PanelNode],
    by: Account,
    reason: str,
) -> Node:
    """Ask the panel, then write what it answers with the act: the page shows it at once."""
    why, row = _why(reason), _listed(node_id)
    at = clock.now()
    with _panel() as panel:
        told = ask(panel)
    with transaction.atomic():
        audit_write(
            by, f"nodes.{verb}", NODE, node_id, name=row.name, before=row.seen_health, **why
        )
        look_apply([told], at, is_whole=False, reason=_who(by, verb, why))
        kind_get("monitoring.check_nodes").enqueue(delay=_SOON)
    return node_get(node_id)


def _who(by: Account, verb: str, why: dict[str, Any]) -> str:
    name = by.get_username() if by is not None else "system"
    said = f": {why['reason']}" if why else ""
    return f"{verb}d by {name}{said}"


def _why(reason: str) -> dict[str, str]:
    reason = reason.strip()
    if len(reason) > REASON_LIMIT:
        raise InputInvalid(f"a reason has at most {REASON_LIMIT} characters")
    return {"reason": reason} if reason else {}


def _listed(node_id: UUID) -> Node:
    row = node_get(node_id)
    if row.removed_at is not None:
        raise NodeGone
    return row


@contextmanager
def _panel() -> Iterator[PanelClient]:
    """The panel; what goes wrong with it in words for people."""
    try:
        yield door.panel()
    except door.PanelOff as exc:
        raise PanelSilent(str(exc)) from None
    except PanelWaits as exc:
        raise PanelSilent(str(exc), retry_after=exc.retry_after) from None
    except PanelMissing:
        raise NodeGone from None
    except PanelRefused as exc:
        raise PanelObjects(f"the panel refused it: {exc.message}") from None
    except PanelError as exc:
        raise PanelSilent(f"the panel did not answer as it should: {exc}") from None

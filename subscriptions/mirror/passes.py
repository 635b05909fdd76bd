"""A pass over all users of the panel: page by page, each a transaction, so that a kill costs one page.

walk    pages in the order of numbers; whoever of ours is not in them is a suspect
confirm each suspect is asked for by name of number before anything is said of him

A comparing pass writes nothing to subscribers: it tells whether numbers and names are those that we know.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from jobs.alerts import attention
from lib import clock
from subscriptions.mirror import drifts, missing
from subscriptions.mirror.applying import (
    Applied,
    PanelIsAnother,
    refuse_another_panel,
    users_apply,
)
from subscriptions.mirror.comparing import compare
from subscriptions.mirror.identity import renamed_settle
from subscriptions.mirror.reading import Chunk, Mark, chunk_read
from subscriptions.mirror.rows import rows_named, rows_read
from subscriptions.models import MirrorPass, PanelState
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelRefused

logger = logging.getLogger(__name__)

WALKED = "walked"  # the cursor once all pages were read
SUSPECTS_KEPT = 5_000
CONFIRM_PACK = 100
DRIFT_PAGE = "/admin/subscriptions/drift/"
PASS_PAGE = "/admin/subscriptions/mirrorpass/"  # noqa: S105 - an address


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass ended, for the result of its job."""

    seen: int
    created: int
    changed: int
    missing: int
    strangers: int
    error: str


def pass_open() -> MirrorPass | None:
    """The pass that is under way."""
    return MirrorPass.objects.filter(finished_at=None).first()


def pass_is_due() -> bool:
    """Whether the last pass that went well is long enough ago."""
    last = MirrorPass.objects.filter(finished_at__isnull=False, error="").order_by("-id").first()
    return last is None or clock.now() - last.started_at >= settings.PANEL_FULL_SYNC


def pass_begin(client: PanelClient) -> MirrorPass:
    """Begin a pass. It only compares while the users have to be compared first (models/panel.py)."""
    total = _total(client)
    state = PanelState.objects.filter(pk=1).first()
    return MirrorPass.objects.create(
        dialect="" if state is None else state.dialect,
        panel_version="" if state is None else state.version[:20],
        is_comparing=state is not None and not state.is_identity_checked,
        total=total,
        started_at=clock.now(),
    )


def _total(client: PanelClient) -> int | None:
    """How many there are to come; a token need not have the scope to know."""
    try:
        return client.system_stats().users_total
    except PanelRefused as exc:
        logger.info("the panel does not tell how many users it has: %s", exc)
        return None


def pass_run(client: PanelClient, row: MirrorPass, is_over: Callable[[], bool]) -> Ended | None:
    """Go on with a pass until it ends, or is_over says so after a page (None: there is more).

    Raises PanelError; the pass goes on at the same page. Ends itself, in vain, if the panel is not
    the one that it began with.
    """
    is_first = not MirrorPass.objects.filter(finished_at__isnull=False, error="").exists()
    state = PanelState.objects.filter(pk=1).first()
    if state is not None and row.dialect != state.dialect:
        return _end(row, f"the panel changed from {row.dialect or 'unknown'} to {state.dialect}")
    if state is not None and not (state.is_identity_checked or row.is_comparing):
        return _end(row, f"the users have to be compared first: {state.held_reason}")
    try:
        while row.cursor != WALKED:
            chunk = chunk_read(client, Mark.parse(row.cursor))
            applied = _page(row, chunk, is_first=is_first)
            for ours, user in applied.renamed:
                renamed_settle(client, ours, user)
            if is_over():
                return None
    except PanelIsAnother as exc:
        client.contract.differs(str(exc), mixes_up=True)
        return _end(row, str(exc))
    if row.is_comparing:
        return _end(row, _verdict(row))
    if missing.is_unusual(row.missing, row.seen):
        return _end(row, _too_many(row))
    while row.suspects:
        _confirm(client, row)
        if is_over() and row.suspects:
            return None
    return _end(row, "")


def _page(row: MirrorPass, chunk: Chunk, *, is_first: bool) -> Applied:
    with transaction.atomic():
        if row.is_comparing:
            applied = _compare(chunk)
        else:
            applied = users_apply(chunk.users, chunk.read_at, is_import=is_first)
        seen = [user.id for user in chunk.users]
        suspects = missing.unseen(seen, chunk.after, chunk.until, chunk.read_at)
        row.seen += len(seen)
        row.created += applied.created
        row.changed += applied.changed
        row.strangers += applied.strangers
        row.missing += len(suspects)
        row.suspects = [*row.suspects, *suspects][:SUSPECTS_KEPT]
        row.cursor = WALKED if chunk.until is None else str(chunk.mark)
        row.save()
    return applied


def _compare(chunk: Chunk) -> Applied:
    """What a page would do. Only who would be bound otherwise is shown; nothing else is written."""
    seen = compare(chunk.users, rows_read([user.id for user in chunk.users]), chunk.read_at)
    refuse_another_panel(seen)
    named = rows_named([user.username for user in seen.new])
    moved = [(named[user.username], user) for user in seen.new if user.username in named]
    drifts.drifts_open(
        [
            drifts.Found(
                row["id"],
                drifts.IDENTITY,
                "us",
                {"panel_id": row["panel_id"], "username": row["username"]},
                {"panel_id": user.id, "username": user.username},
            )
            for row, user in [*seen.strangers, *moved]
        ]
    )
    return Applied(
        same=seen.same,
        changed=len(seen.changed),
        created=len(seen.new) - len(moved),
        strangers=len(seen.strangers) + len(moved),
    )


def _verdict(row: MirrorPass) -> str:
    """Whether everybody is who he was; empty: so it is."""
    lost = row.missing if missing.is_unusual(row.missing, row.seen) else 0
    if not row.strangers and not lost:
        return ""
    found = f"{row.strangers} users have another number and {row.missing} of ours were not seen"
    attention(
        group="panel:identity",
        title="Users of the panel are not those that we know",
        text=f"{found}. Nothing is written to the panel until a person has looked.",
        severity="critical",
        link=f"{DRIFT_PAGE}?field={drifts.IDENTITY}",
    )
    return found


def _too_many(row: MirrorPass) -> str:
    found = f"{row.missing} of ours are not among the {row.seen} users of the panel"
    attention(
        group="panel:missing",
        title="The panel lacks unusually many users",
        text=f"{found}. Nobody is taken for gone: look at the panel first.",
        severity="critical",
        link=PASS_PAGE,
    )
    return found


def _confirm(client: PanelClient, row: MirrorPass) -> None:
    pack, rest = row.suspects[:CONFIRM_PACK], row.suspects[CONFIRM_PACK:]
    found = missing.confirm(client, pack, clock.now())
    row.suspects = rest
    row.missing -= len(pack) - found.gone
    row.save(update_fields=["suspects", "missing"])


def _end(row: MirrorPass, error: str) -> Ended:
    row.finished_at, row.error, row.suspects = _now_after(row.started_at), error[:300], []
    row.save()
    level = logging.WARNING if error else logging.INFO
    logger.log(
        level,
        "pass over the panel: %s",
        error or "done",
        extra={
            "action": "mirror_pass",
            "seen": row.seen,
            "added": row.created,
            "changed": row.changed,
            "missing": row.missing,
        },
    )
    return Ended(row.seen, row.created, row.changed, row.missing, row.strangers, row.error)


def _now_after(started_at: datetime) -> datetime:
    return max(clock.now(), started_at)

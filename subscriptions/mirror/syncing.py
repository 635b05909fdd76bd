"""What one run of subscriptions.sync_users does: a pass if one is under way or due, else the newcomers."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from jobs import sql
from jobs.compiled import rows_of
from lib import clock
from subscriptions.mirror.applying import PanelIsAnother, users_apply
from subscriptions.mirror.identity import renamed_settle
from subscriptions.mirror.passes import pass_begin, pass_is_due, pass_open, pass_run
from subscriptions.mirror.reading import after, chunk_read
from subscriptions.models import MirrorPass
from subscriptions.panel.client import PanelClient
from subscriptions.panel.stored import panel_release

logger = logging.getLogger(__name__)

MORE = "more"
COMPARE_AGAIN = timedelta(minutes=15)


def sync(client: PanelClient, is_over: Callable[[], bool]) -> dict[str, Any]:
    """Bring the mirror a step further. {"more": True}: call again, there is more to read.

    is_over: asked after every page. Raises PanelError. Safe to repeat and to kill at any time.
    """
    client.metadata()  # so that an upgrade is seen before a page is read in the old dialect
    row = pass_open()
    if row is None and must_compare() and compared_lately():
        return {"error": client.contract.held()}
    if row is None and not (pass_is_due() or must_compare()):
        return newcomers(client, is_over)
    row = row or pass_begin(client)
    ended = pass_run(client, row, is_over)
    if ended is None:
        return {MORE: True, "seen": row.seen, "total": row.total}
    if row.is_comparing and not ended.error:
        panel_release(by=f"the mirror: {ended.seen} users compared")
    return asdict(ended)


def must_compare() -> bool:
    """Whether users have to be compared before anything is written to them."""
    return bool(rows_of("SELECT 1 FROM panel_state WHERE NOT is_identity_checked", []))


def compared_lately() -> bool:
    """Whether the users were compared in vain a moment ago: a person decides, or the next try."""
    since = clock.now() - COMPARE_AGAIN
    return MirrorPass.objects.filter(is_comparing=True, finished_at__gt=since).exists()


def newcomers(client: PanelClient, is_over: Callable[[], bool]) -> dict[str, Any]:
    """Whoever came after the last number that we know. Panels of v2.7 tell them by webhook and pass."""
    if not client.has_stream():
        return {"created": 0}
    last_id = sql.rows("SELECT coalesce(max(panel_id), 0) FROM subscriber")[0][0]
    created, mark = 0, after(last_id)
    while True:
        chunk = chunk_read(client, mark)
        try:
            applied = users_apply(chunk.users, chunk.read_at)
        except PanelIsAnother as exc:
            client.contract.differs(str(exc), mixes_up=True)
            return {"error": str(exc)}
        for row, user in applied.renamed:
            renamed_settle(client, row, user)
        created += applied.created
        mark = chunk.mark
        if chunk.until is None:
            return {"created": created}
        if is_over():
            return {MORE: True, "created": created}

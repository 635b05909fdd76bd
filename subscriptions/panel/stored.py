"""The contract with the panel as one row, shared by all processes (models/panel.py).

A process looks at it once a second at most; what it changes, it changes by one conditional UPDATE, so
that whoever notices first holds the writes of all, and one alert tells it.
"""

import logging
import threading
import time
from datetime import timedelta

from django.db import transaction

from jobs.alerts import attention
from jobs.compiled import Compiled
from lib import clock
from subscriptions.models import PanelState
from subscriptions.panel.contract import FRESH_S, changed
from subscriptions.panel.dialects import Dialect, PanelVersion

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_STATE = Compiled(lambda: PanelState.objects.filter(pk=1))
PAGE = "/admin/subscriptions/panelstate/1/change/"


class StoredContract:
    """subscriptions.panel.contract.Contract over the row. Safe to share among threads."""

    def __init__(self, forced: Dialect | None = None) -> None:
        """forced: speak this dialect whatever the version says (PANEL_DIALECT)."""
        self._forced = forced
        self._lock = threading.Lock()
        self._row: PanelState | None = None
        self._looked_at = float("-inf")

    def dialect(self) -> Dialect | None:
        """The dialect as last seen by anybody, unless that is too long ago."""
        if self._forced is not None:
            return self._forced
        row = self._look()
        if row is None or row.seen_at is None or not row.dialect:
            return None
        if abs(clock.now() - row.seen_at) > timedelta(seconds=FRESH_S):
            return None
        return Dialect(row.dialect)

    def held(self) -> str | None:
        """Why writes wait."""
        row = self._look()
        return None if row is None else row.held_reason or None

    def learn(self, version: PanelVersion) -> None:
        """Write down version and dialect. Another dialect than before holds all writes."""
        dialect = self._forced or version.dialect
        if dialect is not None and _is_seen_again(dialect, version):
            self._forget()
            return
        with transaction.atomic():
            row = _locked()
            before = Dialect(row.dialect) if row.dialect else None
            row.version, row.seen_at = version.text[:40], clock.now()
            if dialect is None:
                _hold(row, version.problem or "")
            elif before is None or before is dialect:
                row.dialect = dialect.value
            else:
                row.dialect = dialect.value
                row.is_identity_checked &= before.keys_by_uuid is dialect.keys_by_uuid
                _hold(row, changed(before, version))
            row.save()
        self._forget()

    def differs(self, what: str, *, mixes_up: bool = False) -> None:
        """Hold the writes of everybody; alert with the name of the field."""
        with transaction.atomic():
            row = _locked()
            row.is_identity_checked = row.is_identity_checked and not mixes_up
            _hold(row, what)
            row.save()
        self._forget()

    def _look(self) -> PanelState | None:
        with self._lock:
            is_held = self._row is not None and bool(self._row.held_reason)
            # Whoever waits for the release wants to see it at once.
            if is_held or time.monotonic() - self._looked_at > _LOOK_S:
                self._row = _STATE.one()
                self._looked_at = time.monotonic()
            return self._row

    def _forget(self) -> None:
        with self._lock:
            self._looked_at = float("-inf")


def _is_seen_again(dialect: Dialect, version: PanelVersion) -> bool:
    """Write the version down if the dialect is the one that is known: mostly it is, and no more changes."""
    return (
        PanelState.objects.filter(pk=1, dialect=dialect.value).update(
            version=version.text[:40], seen_at=clock.now()
        )
        == 1
    )


def _locked() -> PanelState:
    PanelState.objects.bulk_create([PanelState(pk=1)], ignore_conflicts=True)
    return PanelState.objects.select_for_update(no_key=True).get(pk=1)


def _hold(row: PanelState, reason: str) -> None:
    """Hold writes and say so, once: the first reason stays until it is released."""
    if row.held_reason:
        return
    row.held_reason, row.held_at = reason[:300], clock.now()
    logger.error("writes to the panel wait: %s", reason, extra={"action": "panel_held"})
    attention(
        group="panel:held",
        title="Nothing is written to the panel",
        text=f"The panel differs from the contract: {reason}. Paid activations wait too.",
        severity="critical",
        link=PAGE,
    )


def panel_release(*, by: str) -> bool:
    """Let writes go on. by: who found everything in order. False: nothing was held."""
    now = clock.now()
    released = PanelState.objects.exclude(held_reason="").update(
        held_reason="",
        held_at=None,
        is_identity_checked=True,
        released_at=now,
        released_by=by[:150],
    )
    if released:
        logger.info("writes to the panel go on", extra={"action": "panel_released", "by": by})
    return released == 1

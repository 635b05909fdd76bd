"""The watch: one loop that leads or stands by, keeps the rules before it, and looks when it is time."""

import logging
import threading
import time

from django.db import Error as DatabaseError
from django.db import connections

from monitoring.files.errors import LeadershipLost, RuleChanged
from monitoring.files.eye import eyes_join
from monitoring.files.leader import (
    EXTEND_S,
    Self,
    leader_extend,
    leader_take,
    leader_yield,
    watcher_beat,
    watcher_start,
    watcher_stop,
)
from monitoring.files.look import RuleView
from monitoring.files.models import Rule
from monitoring.files.watched import Watched

POLL_S = 1.0  # how soon an edited rule counts
BEAT_S = 5.0
PAUSE_S = 1.0  # after the database was away

logger = logging.getLogger("switchboard.files")


class _Ending(Exception):
    """Somebody asked for the end in the middle of a look; the next watcher makes it anew."""


class Watch:
    """Use `run` in the main thread and `end` to end it. All its database work is in that thread."""

    def __init__(self) -> None:
        # No Event: a signal handler that sets one may find its own thread holding the lock of it.
        self._is_ending = False
        self.me = Self.here()
        self._wake = threading.Event()
        self._fence: int | None = None
        self._watched: dict[int, Watched] = {}
        self._is_known = False  # our row in the table of watchers
        self._poll_at = self._extend_at = self._beat_at = 0.0

    def end(self) -> None:
        """Stop within POLL_S. Safe in a signal handler."""
        self._is_ending = True

    def run(self) -> None:
        """Until `end`. What goes wrong with the database is waited out."""
        while not self._is_ending:
            try:
                self._step()
            except _Ending:
                break
            except LeadershipLost:
                logger.warning("another watcher leads; standing by")
                self._step_down()
            except DatabaseError as exc:
                logger.warning("the database is away", extra={"reason": type(exc).__name__})
                self._step_down()
                connections.close_all()
                self._wake.wait(PAUSE_S)
            self._rest()
        self._leave()

    def _step(self) -> None:
        self._tick()
        for rule_id, watched in list(self._watched.items()):
            if watched.due_at > time.monotonic():
                continue
            try:
                watched.step(self._tick)
            except RuleChanged:
                self._drop(rule_id)
                self._poll_at = 0.0

    def _tick(self) -> None:
        """Housekeeping by the clock; also called within long looks. Raises LeadershipLost."""
        if self._is_ending:
            raise _Ending
        now = time.monotonic()
        if self._fence is None:
            if now >= self._poll_at:
                self._poll_at = now + POLL_S
                self._lead()
        elif now >= self._extend_at:
            if not leader_extend(self._fence):
                raise LeadershipLost
            self._extend_at = now + EXTEND_S
        if self._fence is not None and now >= self._poll_at:
            self._poll_at = now + POLL_S
            self._read_rules()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_S
            self._beat()

    def _lead(self) -> None:
        self._fence = leader_take(self.me)
        if self._fence is not None:
            logger.info("this watcher leads", extra={"fence": self._fence})
            self._extend_at = time.monotonic() + EXTEND_S
            self._poll_at = self._beat_at = 0.0

    def _beat(self) -> None:
        if not self._is_known:
            watcher_start(self.me)
            self._is_known = True
        watcher_beat(self.me, is_leading=self._fence is not None, rules=len(self._watched))

    def _read_rules(self) -> None:
        """Take on what is new or edited, let go of what is paused or deleted. One query."""
        assert self._fence is not None
        rules = {rule.pk: rule for rule in Rule.objects.filter(paused_at=None)}
        for rule_id, watched in list(self._watched.items()):
            if rule_id not in rules or rules[rule_id].version != watched.rule.version:
                self._drop(rule_id)
        for rule_id, rule in rules.items():
            if rule_id not in self._watched:
                self._watched[rule_id] = Watched(RuleView.of(rule), self._fence, self._wake)
                self._beat_at = 0.0
            self._watched[rule_id].scan(rule.scan_wanted_at)

    def _drop(self, rule_id: int) -> None:
        if (watched := self._watched.pop(rule_id, None)) is not None:
            watched.close()

    def _step_down(self) -> None:
        self._fence = None
        for rule_id in list(self._watched):
            self._drop(rule_id)
        self._beat_at = self._poll_at = 0.0

    def _rest(self) -> None:
        """Until something happens, or something is due."""
        moments = [self._poll_at, *(each.due_at for each in self._watched.values())]
        pause = min(moments) - time.monotonic()
        if pause > 0 and not self._is_ending:
            self._wake.wait(min(pause, POLL_S))
        self._wake.clear()

    def _leave(self) -> None:
        fence = self._fence
        self._step_down()
        try:
            if fence is not None:
                leader_yield(fence)
            if self._is_known:
                watcher_stop(self.me)
        except DatabaseError as exc:
            logger.warning("left without saying so", extra={"reason": type(exc).__name__})
        connections.close_all()
        eyes_join()

"""One rule as the watch has it before it: its directory, its eye, its window."""

import logging
import threading
import time
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from jobs.alerts import attention
from lib import clock
from monitoring.files.errors import DirectoryRefused
from monitoring.files.eye import Eye
from monitoring.files.hints import Hints
from monitoring.files.look import Look, Memory, Outcome, RuleView, recorder
from monitoring.files.models import Rule
from monitoring.files.places import Place
from monitoring.files.record import Mandate, mandate_check
from monitoring.files.sight import Tick

CHECK_S = 2.0  # how often a directory is asked whether it is still the same one
BLIND_RESCAN_S = 5.0  # without events of the kernel

logger = logging.getLogger("switchboard.files")


class Watched:
    """Made when the watch takes a rule on, closed when the rule changes or the watch ends."""

    def __init__(self, rule: RuleView, fence: int, wake: threading.Event) -> None:
        self.rule = rule
        self.hints = Hints(rule.debounce_ms, wake)
        self._mandate: Mandate = rule.mandate(fence)
        self._memory = Memory()
        self._wake = wake
        self._eye: Eye | None = None
        self._identity: tuple[int, int] | None = None
        self._device: int | None = None
        self._problem: str | None = None  # None: not known yet what the row says
        self._scan_wanted_at: datetime | None = None
        self._check_at = 0.0
        self._rescan_at = 0.0

    def close(self) -> None:
        if self._eye is not None:
            self._eye.close()
            self._eye = None

    def scan(self, wanted_at: datetime | None) -> None:
        """A person has asked for a look at everything."""
        if wanted_at is not None and wanted_at != self._scan_wanted_at:
            self._scan_wanted_at = wanted_at
            self.hints.add_whole(at_once=True)

    @property
    def due_at(self) -> float:
        """When there is something to do (time.monotonic())."""
        moments = [self._check_at, self.hints.due_at if self._eye else None]
        return min(moment for moment in moments if moment is not None)

    def step(self, tick: Tick) -> None:
        """Do what is due. Raises LeadershipLost, RuleChanged, errors of the database."""
        now = time.monotonic()
        if now >= self._check_at:
            self._check()
            self._check_at = time.monotonic() + CHECK_S
        due = self.hints.due_at
        if self._eye is not None and due is not None and time.monotonic() >= due:
            self._look(tick)

    def _check(self) -> None:
        """Is the directory there, and the one that the eye sees? Then also: is a rescan due?"""
        try:
            with Place(self.rule.directory) as place:
                identity, path = place.identity, str(place.path)
        except (OSError, DirectoryRefused) as exc:
            self._lose(_sentence(exc, self.rule.directory))
            return
        if self._device is not None and identity[0] != self._device:
            self._lose(
                f"{self.rule.directory} is on another filesystem than before: is it mounted? "
                "If it is meant to be, save the rule again."
            )
            return
        if identity != self._identity or self._eye is None:
            self.close()
            self._identity, self._device = identity, identity[0]
            self._eye = Eye(path, self.hints, recursive=self.rule.is_recursive)
            self._eye.start()  # it asks for the first look, once it hears
            self._rescan_at = time.monotonic() + _rescan_s()
        elif self._eye.problem:
            self._rescan_at = min(self._rescan_at, time.monotonic() + BLIND_RESCAN_S)
        if time.monotonic() >= self._rescan_at:
            self.hints.add_whole()
            self._rescan_at = time.monotonic() + _rescan_s()
        self._say("")

    def _lose(self, problem: str) -> None:
        """The directory cannot be used now. What lay in it is not taken for deleted."""
        self.close()
        self._identity = None
        self._say(problem)

    def _look(self, tick: Tick) -> None:
        window = self.hints.take()
        try:
            with Place(self.rule.directory) as place:
                if place.identity != self._identity:
                    self._again_whole()
                    return
                look = Look(
                    self.rule, place, self._memory,
                    record=recorder(self._mandate, window.opened_at), tick=tick,
                )  # fmt: skip
                outcome = look.whole() if window.paths is None else look.at(window.paths)
        except (OSError, DirectoryRefused) as exc:
            logger.info("a look was cut short", extra={"rule": self.rule.id, "reason": str(exc)})
            self._again_whole()
            return
        except BaseException:
            self.hints.add_whole()  # somebody tries again, perhaps we
            raise
        if window.paths is None:
            self._looked_whole(outcome)
        if outcome.is_again_whole:
            self.hints.add_whole()
        elif outcome.again:
            self.hints.add(outcome.again)

    def _again_whole(self) -> None:
        self.hints.add_whole()
        self._check_at = 0.0

    def _looked_whole(self, outcome: Outcome) -> None:
        """Write down that everything was looked at, and what is left out."""
        notes = []
        if outcome.strange:
            notes.append(
                f"Names left out, for they are not UTF-8 or longer than 1,024 bytes: {outcome.strange}."
            )
        if self._eye is not None and self._eye.problem:
            notes.append(
                f"Changes cannot be heard, so all of it is looked at every {BLIND_RESCAN_S:g} s: "
                f"{self._eye.problem}"
            )
        now = clock.now()
        found: dict[str, object] = {"scanned_at": now, "note": " ".join(notes)}
        if not self.rule.is_indexed:
            found["indexed_at"] = now
        with transaction.atomic():
            mandate_check(self._mandate)
            Rule.objects.filter(pk=self.rule.id).update(**found)
        self.rule = replace(self.rule, is_indexed=True)

    def _say(self, problem: str) -> None:
        """Tell what is wrong with the directory, when it changes; people are told as well."""
        if problem == self._problem:
            return
        with transaction.atomic():
            mandate_check(self._mandate)
            before = Rule.objects.values_list("problem", flat=True).get(pk=self.rule.id)
            if before != problem:
                Rule.objects.filter(pk=self.rule.id).update(
                    problem=problem, problem_at=clock.now() if problem else None
                )
                if problem:
                    attention(
                        group=f"files:{self.rule.id}",
                        title=f"{self.rule.name}: its directory cannot be watched",
                        text=problem,
                        link=f"/admin/files/rule/{self.rule.id}/change/",
                    )
        self._problem = problem
        if problem:
            logger.warning("a directory is away", extra={"rule": self.rule.id, "reason": problem})


def _sentence(exc: OSError | DirectoryRefused, directory: str) -> str:
    if isinstance(exc, DirectoryRefused):
        return f"{exc.message}.".capitalize()
    if isinstance(exc, FileNotFoundError):
        return f"{directory} is not there."
    return f"{directory} cannot be opened: {exc.strerror or type(exc).__name__}."


def _rescan_s() -> float:
    return float(settings.FILE_RESCAN.total_seconds())

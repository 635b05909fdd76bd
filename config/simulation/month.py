"""The month itself: step by step, then fair weather until all is settled, then the ledger."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from config.simulation import crowd, ledger
from config.simulation.acting import Acting
from config.simulation.evidence import Evidence
from config.simulation.options import Options, SimulationFailed
from config.simulation.passing import Passing
from config.simulation.processes import Processes
from config.simulation.weather import Weather
from jobs import sql
from jobs.models import ScheduleEntry
from jobs.registry import kind_get
from lib import clock
from subscriptions.models import Subscriber, SweepSettings

STEP = timedelta(hours=1)
TRIES = 3  # smaller steps within an hour, to the next try of what has failed
LEAST = timedelta(seconds=90)  # further than most tries and a message's wait for the one before it
LAST_STEPS = 8  # of fair weather, an hour each
BUSINESS = r"^(payments|subscriptions|telegram|jobs)\."  # schedules
WEBHOOKS_LOST = 0.1  # of the panel's
SETTLE_REAL_S = 60.0

_UNDONE = """
SELECT
    (SELECT count(*) FROM subscription_activation WHERE state = 'pending'),
    (SELECT count(*) FROM notification_queue WHERE status = 'pending'),
    (SELECT count(*) FROM subscription_notice WHERE state = 'due'),
    (SELECT count(*) FROM incoming_webhook WHERE state = 'received'),
    (SELECT count(*) FROM payment WHERE state = 'created')
"""


class Month:
    """One run on the database of this process, which is empty. say: a line for people."""

    def __init__(self, options: Options, logs: Path, say: Callable[[str], None]) -> None:
        self._options, self._logs, self._say = options, logs, say
        self._draw = Random(options.seed)  # noqa: S311 - the same month for the same seed

    def run(self) -> bool:
        """Says whether the ledger balances. Raises SimulationFailed, ClockFixed."""
        began_s = time.monotonic()
        with Processes(self._options, self._logs) as processes:
            self._processes = processes
            self._passing = Passing(processes)
            acting, weather = self._begin()
            self._live(acting, weather)
            self._end(weather)
            evidence = Evidence(processes.hand, acting.people, self._began)
            lasted = evidence.ended - self._began
            took = ledger.Took(
                lasted.total_seconds() / 3600,
                time.monotonic() - began_s,
                self._passing.steps,
                self._passing.spent,
            )
            lines = ledger.figures(evidence, acting, weather, processes.hand, took)
            return ledger.write(lines, ledger.findings(evidence), self._say)

    def _begin(self) -> tuple[Acting, Weather]:
        """Everybody is in the panel and in the mirror, and has a plan."""
        processes, options = self._processes, self._options
        hand = processes.hand
        hand.unlimited()
        hand.clock_set(clock.offset().total_seconds())
        plans = crowd.plans_make()
        # So many people end on some days that the brake would wait for a person, as it should.
        SweepSettings.objects.update_or_create(
            name="subscriptions.disable_expired",
            defaults={"most": options.subscribers, "share": 100, "times_usual": 999},
        )
        # What has nothing to do with subscribers would be most of the work of an hour that jumps by.
        ScheduleEntry.objects.exclude(name__regex=BUSINESS).update(paused_at=clock.now())
        crowd.seed(hand, options)
        kind_get("subscriptions.sync_users").enqueue()
        deadline = time.monotonic() + SETTLE_REAL_S
        while Subscriber.objects.count() < options.subscribers:
            if time.monotonic() > deadline:
                raise SimulationFailed(f"the mirror is not filled: {self._passing.what_is_open()}")
            time.sleep(0.05)
        people = crowd.people_read(hand, plans, self._draw)
        hand.panel_webhooks_to(
            processes.panel_hook,
            processes.secret,
            lost_share=WEBHOOKS_LOST,
            jitter_ms=50,
            seed=options.seed,
        )
        hand.call("PUT", "cryptopay/webhook", {"url": processes.provider_hook})
        self._began = clock.now()
        self._until = self._began + timedelta(days=options.days)
        acting = Acting(hand, people, plans, self._draw, self._until)
        acting.begin(self._began)
        weather = Weather(
            processes,
            self._draw,
            has_faults=options.has_faults,
            kills=options.kills,
            days=options.days,
        )
        return acting, weather

    def _live(self, acting: Acting, weather: Weather) -> None:
        hour, boundary = 0, self._began
        while boundary < self._until:
            hour, boundary = hour + 1, boundary + STEP
            weather.turn(hour)
            self._step(boundary, acting, weather)
            for _ in range(TRIES):
                moment = self._next_try(boundary + STEP)
                if moment is None:
                    break
                self._step(moment, acting, weather)
            if hour % 24 == 0:
                self._say(f"  day {hour // 24}: {sum(acting.counts.values()):,} acts so far")

    def _step(self, moment: datetime, acting: Acting, weather: Weather) -> None:
        """It is that moment: people act while the schedules run, and both are waited for."""
        passing = self._passing
        with passing.timed("moving the clock"):
            passing.to(moment)
        with passing.timed("people act"):
            acting.run_due()
        with passing.timed("waiting for the work"):
            passing.settle(weather.strike)
        with passing.timed("people act"):
            acting.look()

    def _next_try(self, before: datetime) -> datetime | None:
        due = self._passing.next_due()
        if due is None:
            return None
        moment = max(due + timedelta(seconds=1), clock.now() + LEAST)
        return moment if moment < before - LEAST else None

    def _end(self, weather: Weather) -> None:
        """Fair weather; nobody acts any more. Everything that was begun comes to its end."""
        weather.clear()
        for number in range(LAST_STEPS * 4):
            self._passing.to(clock.now() + STEP / 4)
            self._passing.settle()
            if number >= LAST_STEPS and not any(sql.row(_UNDONE) or ()):
                return
        self._say(f"  not settled: {sql.row(_UNDONE)}, {self._passing.what_is_open()}")

"""A long storm: `python -m tests.processes.chaos --minutes 10 --seed 7`.

Two clusters, their servers and their callers are struck at random while three callers enqueue without
pause. Afterwards all that was promised must be done, and the checker must find nothing. Prints each
strike, then a table; the exit status is 1 if anything did not hold, and the logs are kept then.
"""

import argparse
import random
import shutil
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.processes.invariants import LATE_S, LeaseWatch, states, violations
from tests.processes.jobs import OVER
from tests.processes.load import Load
from tests.processes.site import Site
from tests.processes.storm import Storm
from tests.processes.waiting import until

FAULTS = (
    "after_lease=kill:0.001 before_run=kill:0.0005 after_run=kill:0.0005 before_write=kill:0.001"
)
SETTLE_S = 300.0
PACE_S = 0.15  # of each caller; two workers less must still keep up
# Strikes after which Postgres or all of a cluster was away: a lease may be late through no fault.
STRIKES = {
    "kill": 60,
    "freeze": 4,
    "roll": 6,
    "flush": 6,
    "bounce_redis": 4,
    "drop_connections": 10,
    "bounce_postgres": 6,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--logs", type=Path, help="keep the logs there")
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes", flush=True)
    site = Site()
    try:
        site.start()
        breaches = _storm(site, given.seed, timedelta(minutes=given.minutes))
        if given.logs or breaches:
            _keep_logs(site, given.logs or Path.cwd() / f"chaos-{given.seed}")
    finally:
        site.close()
    for breach in breaches:
        print(f"BREACH  {breach}")
    print("breaches:", len(breaches))
    return 1 if breaches else 0


def _storm(site: Site, seed: int, span: timedelta) -> list[str]:
    storm = Storm(site, lambda name: site.cluster(name, SWITCHBOARD_FAULTS=FAULTS), seed)
    loads = [
        Load(site, "writes", keys=12, fails_each=40, every_s=PACE_S),
        Load(site, "loose", keys=0, pause_ms=5, every_s=PACE_S),
        Load(site, "steps", keys=6, kind="effects.step", fails_each=25, every_s=PACE_S),
    ]
    for load in loads:
        load.start()
    watch = LeaseWatch(site)
    watch.start()
    ends_at = time.monotonic() + span.total_seconds()
    while time.monotonic() < ends_at:
        strike = storm.random.choices(list(STRIKES), list(STRIKES.values()))[0]
        said = getattr(storm, strike)()
        taken = sum(len(load.ids) for load in loads)
        print(f"{time.strftime('%H:%M:%S')}  {said:26} {taken:7} taken", flush=True)
        storm.random.choice(loads).go_on(storm.random.randrange(10, 150))
    ids = [job_id for load in loads for job_id in load.stop().ids]
    breaches = _settle(site, storm, ids)
    watch.end()
    _print_table(site, storm.struck, ids, loads, watch)
    breaches += violations(site, ids)
    if watch.latest_s > LATE_S:
        breaches.append(f"a lease was kept {watch.latest_s:.1f} s past its end")
    return breaches


def _settle(site: Site, storm: Storm, ids: list[str]) -> list[str]:
    """Let the clusters finish what is left, and stop them. Returns what they did not manage."""
    others = "SELECT count(*) FROM jobs_job WHERE kind ~ '^effects' AND state <> 'dead'"
    try:
        storm.calm()
        until(lambda: set(states(site, ids)) <= OVER, "all that was promised is over", SETTLE_S)
        until(lambda: site.value(others) == 0, "what was taken without a word is too", SETTLE_S)
        for cluster in storm.clusters:
            assert cluster.stop() == 0, f"{cluster.name} stopped in time"
            cluster.assert_gone()
    except AssertionError as exc:
        return [str(exc)]
    return []


def _print_table(
    site: Site, struck: Counter[str], ids: list[str], loads: list[Load], watch: LeaseWatch
) -> None:
    print("\nstruck")
    for what, count in struck.most_common():
        print(f"  {what:26} {count:6}")
    print("promised", len(ids), "| refused packs", sum(load.refused for load in loads))
    print("now     ", states(site, ids))
    crashes = "SELECT count(*), sum(crash_count), max(crash_count) FROM jobs_jobrecord WHERE crash_count > 0"
    print("crashed  {} jobs, {} crashes, at most {} of one".format(*site.rows(crashes)[0]))
    reasons = "SELECT left(last_error, 60), count(*) FROM jobs_job WHERE state = 'dead' GROUP BY 1"
    for reason, count in site.rows(reasons):
        print(f"dead     {count} x {reason!r}")
    print(f"latest lease {watch.latest_s:.1f} s past its end")


def _keep_logs(site: Site, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    for log in [*site.scratch.glob("*.log"), *site.data_dir.glob("embedded/*.log")]:
        shutil.copy(log, where)
    print(f"logs are in {where}")


if __name__ == "__main__":
    sys.exit(main())

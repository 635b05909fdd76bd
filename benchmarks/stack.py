"""The stack suite: what everything together costs while nothing happens, PostgreSQL and Redis included.

`make run` without its demo: a web process, a pool of two workers, the watcher of files, both servers. The
sandbox that plays Telegram, the panel and Crypto Pay is told apart: in production they are others'.
"""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from tests.config.run.running import Running

SETTLE_S = 90.0  # what runs at once after a start has run
MEASURE_S = 300.0
LOOK_S = 1.0
MOST_MB, MOST_SHARE = 600.0, 0.03
# What stands in a command line, or is its program -> the role. The first that fits.
ROLES = (
    ("tests.sandbox", "sandbox"),
    ("config.run", "supervisor"),
    ("config.serve", "web"),
    ("watch_files", "files"),
    ("qcluster", "workers"),
    ("postgres", "PostgreSQL"),
    ("redis-server", "Redis"),
)
ROLE_NAMES = (*(role for _, role in ROLES), "else")
OURS = ("web", "workers", "files", "PostgreSQL", "Redis")


@dataclass(slots=True)
class Seen:
    """What one process has used since the first look at it."""

    role: str
    first_s: float
    last_s: float


@dataclass(slots=True)
class Watch:
    """CPU by role, also of processes that live for a moment only."""

    running: Running
    seen: dict[tuple[int, float], Seen] = field(default_factory=dict)
    has_begun: bool = False

    def look(self) -> None:
        """Ask all processes. One that is new was born since the last look, so it began at nothing."""
        for process in family_of(self.running):
            try:
                times, made = process.cpu_times(), process.create_time()
                key, used_s = (process.pid, made), times.user + times.system
                if key in self.seen:
                    self.seen[key].last_s = used_s
                else:
                    first_s = 0.0 if self.has_begun else used_s
                    self.seen[key] = Seen(role_of(process), first_s, used_s)
            except psutil.NoSuchProcess:
                continue
        self.has_begun = True

    def spent(self) -> dict[str, float]:
        """Seconds of CPU by role."""
        total: dict[str, float] = dict.fromkeys(ROLE_NAMES, 0.0)
        for each in self.seen.values():
            total[each.role] += each.last_s - each.first_s
        return total


def stack(options: Options) -> Table:
    """Memory (proportional set size: what is shared is counted once) and CPU of each role."""
    measure_s = 60.0 if options.quick else MEASURE_S
    running = Running(DEMO="0")
    try:
        running.ready()
        time.sleep(SETTLE_S)
        watch, noise = Watch(running), Noise()
        watch.look()
        before = jobs_ended(running)
        until = time.monotonic() + measure_s
        while time.monotonic() < until:
            time.sleep(LOOK_S)
            watch.look()
        spent, others = watch.spent(), noise.cores()
        ended = jobs_ended(running)
        memory = memory_of(running)
    finally:
        running.close()
    if missing := [role for role in OURS if not memory[role]]:
        raise BenchFailed(f"a part of the stack is missing: {', '.join(missing)}")
    share = sum(spent[role] for role in OURS) / measure_s
    total_mb = sum(memory[role] for role in OURS)
    ran = {kind: ended[kind] - before[kind] for kind in ended if ended[kind] > before[kind]}
    busiest = ", ".join(f"{kind} {count}" for kind, count in Counter(ran).most_common(8))
    return Table(
        suite="stack",
        title="The whole stack while nothing happens",
        columns=("part", "memory", "CPU of a core", "bar"),
        rows=(
            *(
                (role, f"{memory[role]:.0f} MB", f"{spent[role] / measure_s:.2%}", "")
                for role in OURS
            ),
            ("all of it", f"{total_mb:.0f} MB", f"{share:.2%}", "< 600 MB, < 3 %"),
            *(
                (f"besides: {role}", f"{memory[role]:.0f} MB", f"{spent[role] / measure_s:.2%}", "")
                for role in ("sandbox", "supervisor")
            ),
        ),
        notes=(
            f"{measure_s:.0f} s, beginning {SETTLE_S:.0f} s after the start. Memory is the proportional set "
            "size, so that what processes share is counted once; CPU is user and system time, also of "
            "processes that lived for less.",
            f"{sum(ran.values())} jobs ran meanwhile: {busiest}.",
            f"Others took {others:.2f} cores.",
        ),
        figures=(
            {
                "memory_mb": dict(memory),
                "cpu_s": dict(spent),
                "seconds": measure_s,
                "jobs": ran,
                "others_cores": others,
                "holds": total_mb < MOST_MB and share < MOST_SHARE,
            },
        ),
    )


def family_of(running: Running) -> list[psutil.Process]:
    """All of its processes. The servers descend from nobody, and their children tell nothing of us."""
    found = {process.pid: process for process in running.processes()}
    for process in list(found.values()):
        with suppress(psutil.NoSuchProcess):
            found |= {child.pid: child for child in process.children(recursive=True)}
    return list(found.values())


def role_of(process: psutil.Process) -> str:
    """By its command line, or by that of whoever started it: the pool writes titles over its own."""
    words = " ".join(process.cmdline()) or process.name()
    return next((role for sign, role in ROLES if sign in words), "else")


def memory_of(running: Running) -> dict[str, float]:
    """MB by role."""
    total: dict[str, float] = dict.fromkeys(ROLE_NAMES, 0.0)
    for process in family_of(running):
        try:
            total[role_of(process)] += process.memory_full_info().pss / 1e6
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def jobs_ended(running: Running) -> Counter[str]:
    """Ended attempts by kind, so far."""
    query = "SELECT kind, sum(count)::int FROM jobs_jobstat WHERE event = 'completed' GROUP BY kind"
    return Counter(dict(running.sql(query)))

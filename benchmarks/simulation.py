"""The simulation suite: a simulated month of 10,000 subscribers, with faults and killed workers.

It runs `manage.py simulate` as it is, sandbox and servers included, on this machine. Void if the ledger
does not balance.
"""

import re
import resource
import subprocess
import sys
import time

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.processes import BenchFailed
from benchmarks.report import Table

DAYS, SUBSCRIBERS, KILLS = 30, 10_000, 5
DAYS_QUICK, SUBSCRIBERS_QUICK, KILLS_QUICK = 3, 500, 1
BAR_S = 600
SHOWN = (
    "messages that arrived", "calls to telegram", "calls to remnawave", "calls to cryptopay",
    "payments: completed", "simulated time",
)  # fmt: skip
NOTES = (
    "Sandbox, PostgreSQL, Redis, the web process, four workers and the customers share the machine. The "
    "time is that of the whole command: servers, migrations and the ledger included.",
    "PostgreSQL does not wait for the disk in a simulation (synchronous_commit is off).",
)


def simulation(options: Options) -> Table:
    """About ten minutes; quick, about two. Raises BenchFailed when the ledger does not balance."""
    days, subscribers, kills = (
        (DAYS_QUICK, SUBSCRIBERS_QUICK, KILLS_QUICK)
        if options.quick
        else (DAYS, SUBSCRIBERS, KILLS)
    )
    began, used_s = time.perf_counter(), _used_s()
    done = subprocess.run(
        [
            sys.executable, "manage.py", "simulate", f"--days={days}",
            f"--subscribers={subscribers}", f"--kills={kills}",
        ],
        cwd=ROOT, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    took_s, used_s = time.perf_counter() - began, _used_s() - used_s
    if done.returncode:
        raise BenchFailed(f"the ledger does not balance:\n{done.stdout[-4000:]}")
    found = {name: _value(done.stdout, name) for name in SHOWN}
    bar = "" if options.quick else f"< {BAR_S} s"
    return Table(
        suite="simulation",
        title="A month of business",
        columns=("measure", "value", "bar"),
        rows=(
            (f"{days} days of {subscribers:,} subscribers", f"{took_s:.0f} s", bar),
            *((name, value, "") for name, value in found.items()),
            ("the ledger", "balances", "balances"),
            ("processor time of its processes, without the servers", f"{used_s:.0f} s", ""),
        ),
        notes=NOTES,
        figures=({"days": days, "subscribers": subscribers, "took_s": took_s, "used_s": used_s},),
    )


def _used_s() -> float:
    """Processor time of our children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _value(said: str, name: str) -> str:
    found = re.search(rf"^ +{re.escape(name)} {{2,}}(.+)$", said, re.MULTILINE)
    return found[1].strip() if found else ""

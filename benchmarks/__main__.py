"""Run the benchmarks: python -m benchmarks [SUITE ...] [--quick] [--only A,B] [--peers-only]."""

import argparse
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.access.suite import access
from benchmarks.admin_lists.suite import admin_lists
from benchmarks.bench_venv import ROOT
from benchmarks.broadcasts import broadcasts
from benchmarks.bulk import bulk
from benchmarks.conversations.suite import conversations
from benchmarks.daily_stats.suite import daily_stats
from benchmarks.dashboard.suite import dashboard
from benchmarks.export.suite import export
from benchmarks.files import files
from benchmarks.harness import Options
from benchmarks.idle_suite import idle
from benchmarks.inbox.suite import inbox
from benchmarks.jobs_suite import jobs
from benchmarks.lifecycle.suite import lifecycle
from benchmarks.machine import machine_facts
from benchmarks.payments import payments
from benchmarks.processes import BenchFailed
from benchmarks.report import Table, to_markdown, write_table
from benchmarks.retention.suite import retention
from benchmarks.simulation import simulation
from benchmarks.stack import stack
from benchmarks.subscriptions_import.suite import subscriptions_import
from benchmarks.telegram import telegram
from benchmarks.webhooks import webhooks

RESULTS = ROOT / "benchmarks" / "results"

SUITES: dict[str, Callable[[Options], Table]] = {
    "jobs": jobs,
    "idle": idle,
    "stack": stack,
    "telegram": telegram,
    "files": files,
    "inbox": inbox,
    "broadcasts": broadcasts,
    "webhooks": webhooks,
    "conversations": conversations,
    "subscriptions_import": subscriptions_import,
    "simulation": simulation,
    "payments": payments,
    "access": access,
    "bulk": bulk,
    "lifecycle": lifecycle,
    "export": export,
    "admin_lists": admin_lists,
    "daily_stats": daily_stats,
    "retention": retention,
    "dashboard": dashboard,
}


def main(arguments: list[str]) -> int:
    """Run the suites, print and write each table; 1 when a measurement is void."""
    # Without this a SIGTERM would leave the servers and workers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = _parser()
    wanted = parser.parse_args(arguments)
    if unknown := set(wanted.suites) - SUITES.keys():
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    options = Options(
        quick=wanted.quick,
        only=frozenset(filter(None, (name.strip() for name in wanted.only.split(",")))),
        peers_only=wanted.peers_only,
    )
    for name in wanted.suites or SUITES:
        facts, today = machine_facts(), datetime.now(UTC).date()
        try:
            table = SUITES[name](options)
        except BenchFailed as failure:
            print(f"{name}: {failure}", file=sys.stderr)
            return 1
        written = write_table(
            table, facts, folder=wanted.results, today=today, suffix=_suffix(options)
        )
        print(f"\n{to_markdown(table, facts, today)}")
        print("written:", *(path.name for path in written))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="one short run each")
    parser.add_argument("--only", default="", help="names of runners, separated by commas")
    parser.add_argument("--peers-only", action="store_true", help="leave our own out")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables")
    return parser


def _suffix(options: Options) -> str:
    """Keep partial figures from replacing those of a full run on the same day."""
    parts = [
        "-quick" if options.quick else "",
        "-partial" if options.only else "",
        "-peers" if options.peers_only else "",
    ]
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

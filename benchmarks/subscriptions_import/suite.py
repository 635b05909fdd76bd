"""The import suite: a million users of a panel into the mirror, and what passes after that cost.

The panel is the sandbox over real HTTP; the importing process is the code of subscriptions.sync_users.
Void if anybody is missing, or if a pass over an unchanged panel writes a row.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started
from tests.sandbox.fixture import Sandbox

USERS, USERS_QUICK = 1_000_000, 50_000
CHANGED = 10_000
BAR_S = 15 * 60
NOTES = (
    "Panel: the sandbox (one process), contract v3, pages of 1,000 by key; PostgreSQL with fsync on; one "
    "importing process. Sandbox, database and import share the machine.",
    "Memory: RSS of the importing process with Django, at a tenth, at half and at the end of the import.",
    f"Changed: the tags of {CHANGED:,} neighbours; the time is from the hints to the last row.",
)


def subscriptions_import(options: Options) -> Table:
    """About six minutes; quick, half of one. Raises BenchFailed when the mirror is not the panel."""
    users = USERS_QUICK if options.quick else USERS
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Sandbox() as sandbox:
            bench = Bench(servers, sandbox, workspace)
            with bench:
                noise = Noise()
                sandbox.panel.seed(
                    users,
                    expires_from_s=86_400,  # nobody ends meanwhile
                    disabled_share=0.03,
                    limited_share=0.03,
                )
                first = bench.walk(expected=users)
                again = bench.walk(expected=users)
                bench.must(
                    again["written"] == 0, f"an unchanged pass wrote {again['written']} rows"
                )
                hints = bench.change_and_hint()
                others = noise.cores()
    rate = users / first["took_s"]
    memory = ", ".join(f"{value:.0f} MB" for value in first["memory"])
    return Table(
        suite="subscriptions_import",
        title="Mirror of the panel",
        columns=("measure", "value", "bar"),
        rows=(
            (
                f"import of {users:,} users",
                f"{first['took_s']:.0f} s, {rate:,.0f}/s",
                f"< {BAR_S} s",
            ),
            ("memory at 10 %, 50 %, 100 %", memory, "flat"),
            ("a pass in which nothing changed", f"{again['took_s']:.0f} s", ""),
            ("rows that it wrote", f"{again['written']:,}", "0"),
            (
                f"{CHANGED:,} changed users, told by webhook, read back",
                f"{hints['took_s']:.1f} s",
                "",
            ),
            ("requests for it", f"{hints['requests']:,}", ""),
            ("rows that it wrote", f"{hints['written']:,}", f"{CHANGED:,}"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "import", "users": users, **first},
            {"part": "unchanged", **again},
            {"part": "hints", **hints},
            {"others_cores": others},
        ),
    )


class Bench:
    """A fresh database, a panel, and the process between them."""

    def __init__(self, servers: Servers, sandbox: Sandbox, workspace: Path) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "REMNAWAVE_URL": sandbox.panel_url,
            "REMNAWAVE_API_TOKEN": "token",
            "PANEL_RATE": "1000/s",
            "LOG_LEVEL": "ERROR",
        }
        self._sandbox = sandbox
        self._connection = servers.postgres()
        self._walker: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Bench":
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True)
        self._walker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.subscriptions_import.walker"],
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear("ready")
        return self

    def __exit__(self, *_: object) -> None:
        if self._walker is not None:
            assert self._walker.stdin is not None
            self._walker.stdin.close()
            try:
                self._walker.wait(5)
            except subprocess.TimeoutExpired:  # in the middle of a pass
                self._walker.kill()
                self._walker.wait()
        self._connection.close()

    def walk(self, *, expected: int) -> dict[str, Any]:
        """One pass: its time, its memory, and how many rows of subscribers were written."""
        before = self._one("SELECT pg_current_xact_id()::text::bigint")
        lines = self._part("pass")
        last, pages = lines[-1], [line["rss_mb"] for line in lines if line["event"] == "page"]
        self.must(not last["error"], f"the pass ended with: {last['error']}")
        self.must(last["seen"] == expected, f"{last['seen']} of {expected} users were seen")
        count = self._one("SELECT count(*) FROM subscriber")
        self.must(count == expected, f"{count} of {expected} users are in the mirror")
        memory = [pages[len(pages) // 10], pages[len(pages) // 2], pages[-1]]
        return {
            "took_s": last["took_s"],
            "memory": memory,
            "written": self._written_since(before),
        }

    def change_and_hint(self) -> dict[str, Any]:
        """Users are changed in the panel, webhooks name them, and they are read back."""
        for panel_id in range(1, CHANGED + 1):
            self._sandbox.panel.change(panel_id, tag="BENCH")
        self._connection.execute(
            f"INSERT INTO panel_hint (panel_id, at) SELECT generate_series(1, {CHANGED}), now()"
        )
        asked = self._sandbox.panel.stats()["received"]
        before = self._one("SELECT pg_current_xact_id()::text::bigint")
        last = self._part("read")[-1]
        self.must(last["read"] == CHANGED, f"{last['read']} of {CHANGED} hints were followed")
        written = self._written_since(before)
        self.must(written == CHANGED, f"{written} rows were written for {CHANGED} changes")
        requests = self._sandbox.panel.stats()["received"] - asked
        return {"took_s": last["took_s"], "requests": requests, "written": written}

    @staticmethod
    def must(is_so: bool, otherwise: str) -> None:
        """Raise BenchFailed unless it is so."""
        if not is_so:
            raise BenchFailed(otherwise)

    def _part(self, name: str) -> list[dict[str, Any]]:
        assert self._walker is not None
        assert self._walker.stdin is not None
        self._walker.stdin.write(f"{name}\n")
        self._walker.stdin.flush()
        return self._hear(name)

    def _hear(self, until: str) -> list[dict[str, Any]]:
        assert self._walker is not None
        assert self._walker.stdout is not None
        lines = []
        for line in self._walker.stdout:
            lines.append(json.loads(line))
            if lines[-1]["event"] == until:
                return lines
        raise BenchFailed("the importing process ended early")

    def _written_since(self, transaction: int) -> int:
        """Rows of subscribers that a transaction after that one wrote, whatever it wrote into them."""
        return self._one(
            f"SELECT count(*) FROM subscriber WHERE xmin::text::bigint > {transaction}"
        )

    def _one(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

"""The daily_stats suite: what the statistics of a night cost, by subscribers and payments.

As many payments as subscribers, over 60 days, each with its activation; a tenth of the people have a
line in the story since midnight; a week of messages, a fortnight of failed tries, servers and an audit
log beside them. The same is computed twice and must be the same.
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
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

DAYS = 60  # of payments
BAR_S = 30.0
NOTES = (
    "PostgreSQL with fsync on, statistics fresh, one connection; seconds of the calls themselves. The bar "
    "is for a whole first night: all money, the day, and the cohorts.",
    "All money: the financial days of all 60 days, which only a first night computes. Day: users by "
    "status out of the story (no count was taken, the dearest case), new, lost, revenue, first payments, "
    "run rate, servers, acts, errors, messages. Again: the same day once more. Earlier: the day before it.",
    "Cohorts: 13 months, who joined and paid, who paid and stayed. Report: made from rows of days, its "
    "cost does not depend on the shop.",
)
_PEOPLE = """
INSERT INTO subscriber (panel_id, username, status, expire_at, panel_created_at, traffic_limit_strategy,
    created_at)
SELECT n, 'u' || n, CASE WHEN n %% 20 = 0 THEN 'DISABLED' WHEN n %% 50 = 1 THEN 'LIMITED'
        WHEN n %% 4 = 3 THEN 'EXPIRED' ELSE 'ACTIVE' END,
    now() + make_interval(secs => CASE WHEN n %% 4 = 3 THEN -1 ELSE 1 END * 86400.0 * (1 + n %% 60)),
    now() - make_interval(secs => 86400.0 * 400 * n / %(size)s), 'NO_RESET', now()
FROM generate_series(1, %(size)s) n
"""
_PAYMENTS = """
INSERT INTO payment (id, external_id, provider, state, purpose, subscriber_id, plan_code, plan_title,
    period_days, currency_type, currency, amount, paid_asset, paid_amount, fee_asset, fee_amount,
    paid_usd_rate, paid_at, completed_at, refunded_at, failure, created_at, updated_at)
SELECT gen_random_uuid(), n::text, 'cryptobot', CASE WHEN n %% 100 = 0 THEN 'refunded' ELSE 'completed' END,
    'renewal', 1 + n * 7 %% %(size)s, 'plan-' || n %% 5, 'Plan ' || n %% 5, (ARRAY[7, 30, 90])[1 + n %% 3],
    'crypto', (ARRAY['USDT', 'EUR'])[1 + n %% 2], 5 + n %% 9, 'USDT', 5 + n %% 9, 'USDT', 0.15, 1, t, t,
    CASE WHEN n %% 100 = 0 THEN t + interval '1 hour' END, '', t, t
FROM generate_series(1, %(size)s) n
CROSS JOIN LATERAL (
    SELECT now() - make_interval(secs => 86400.0 * %(days)s * n / %(size)s) AS t
) m
"""
_ACTIVATIONS = """
INSERT INTO subscription_activation (payment_id, subscriber_id, days, base_expire_at, target_expire_at,
    state, applied_at, last_error, created_at)
SELECT id, subscriber_id, period_days, completed_at, completed_at + make_interval(days => period_days),
    'applied', completed_at, '', completed_at FROM payment
"""
_STORY = """
INSERT INTO subscriber_event (subscriber_id, at, kind, source, data, actor)
SELECT id, now() - make_interval(secs => 60 * (id %% 10)),
    (ARRAY['panel_moved', 'panel_disabled', 'panel_active'])[1 + id %% 3], 'panel',
    CASE id %% 3 WHEN 0 THEN jsonb_build_object('before', now() - interval '3 days')
        WHEN 1 THEN '{"before": "ACTIVE"}' ELSE '{"before": "LIMITED"}' END, ''
FROM subscriber WHERE id %% 10 = 0
"""
_REST = (
    "INSERT INTO mirror_pass (id, dialect, started_at, finished_at, error, panel_version, cursor)"
    " VALUES (gen_random_uuid(), 'v3', now() - interval '90 days', now() - interval '90 days', '', '', '')",
    """INSERT INTO notification_queue (telegram_id, message, status, sent_at, failed_at)
    SELECT n, repeat('x', 300), CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'sent' END,
        CASE WHEN n % 50 > 0 THEN t END, CASE WHEN n % 50 = 0 THEN t END
    FROM generate_series(1, 300000) n
    CROSS JOIN LATERAL (SELECT now() - make_interval(secs => 86400.0 * 7 * n / 300000) AS t) m""",
    """INSERT INTO jobs_jobattempt (id, job_id, attempt, fence, finished_at, outcome, error)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 1, now() - make_interval(secs => 86400.0 * n / 20000),
        'retried', E'Traceback\n  File "x.py"\nValueError: no user ' || n
    FROM generate_series(1, 60000) n""",
    """INSERT INTO jobs_auditentry (at, account_name, action, object_type, object_id, changes)
    SELECT now() - make_interval(secs => 86400.0 * 90 * n / 500000), 'olga', 'jobs.replay', 'job', n, '{}'
    FROM generate_series(1, 500000) n""",
)


def daily_stats(options: Options) -> Table:
    """About three minutes; quick, without the million. Raises BenchFailed if a figure is wrong."""
    sizes = (10_000, 100_000) if options.quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site = Site(servers, workspace)
            found = [(size, site.night(size)) for size in sizes]
    return Table(
        suite="daily_stats",
        title="A night of statistics, by the size of the shop",
        columns=(
            "subscribers and payments", "all money", "day", "again", "earlier", "cohorts", "report",
            "the night", "memory", "bar",
        ),
        rows=tuple((f"{size:,}", *_cells(figures), f"< {BAR_S:g} s") for size, figures in found),
        notes=NOTES,
        figures=tuple({"size": size, **figures} for size, figures in found),
    )  # fmt: skip


def _cells(figures: dict[str, Any]) -> tuple[str, ...]:
    steps = ("money_s", "day_s", "again_s", "earlier_s", "cohorts_s", "report_s")
    night = figures["money_s"] + figures["day_s"] + figures["cohorts_s"]
    return (
        *(f"{figures[name]:.2f} s" for name in steps),
        f"{night:.2f} s",
        f"{figures['rss_mb']:.0f} MB",
    )


class Site:
    """A migrated database, filled anew for each measurement."""

    def __init__(self, servers: Servers, workspace: Path) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "LOG_LEVEL": "WARNING",
        }
        self._connection = servers.postgres()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip

    def night(self, size: int) -> dict[str, Any]:
        """One measurement. Raises BenchFailed unless the figures are there, and the same twice."""
        self._fill(size)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.daily_stats.night"],
            cwd=ROOT, env=self._env, text=True, stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        figures: dict[str, Any] = json.loads(done.stdout)
        a_day = size / DAYS
        is_right = 0.99 * a_day - 2 < figures["payments"] < 1.01 * a_day + 2
        if not (is_right and figures["is_same"] and figures["active"] > size / 2):
            raise BenchFailed(f"the figures of the day are wrong: {figures}")
        return figures

    def _fill(self, size: int) -> None:
        run = self._connection.execute
        run(
            "TRUNCATE subscriber, payment, financial_day, daily_stat, report, cohort, mirror_pass,"
            " notification_queue, jobs_jobattempt, jobs_auditentry RESTART IDENTITY CASCADE"
        )
        run(_PEOPLE, {"size": size})
        run(_PAYMENTS, {"size": size, "days": DAYS})
        run(_ACTIVATIONS)
        run(_STORY.replace("%%", "%"))
        for statement in _REST:
            run(statement)
        run(
            "VACUUM ANALYZE subscriber, payment, subscription_activation, subscriber_event,"
            " notification_queue, jobs_auditentry"
        )

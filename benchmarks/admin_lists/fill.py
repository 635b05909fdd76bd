"""Tables of the size that is asked for, as a busy site has them: mostly settled rows, few rare ones.

Written by generate_series with the indexes put aside, which is many times faster than through the services.
"""

from dataclasses import dataclass

import psycopg

CHUNK = 1_000_000
ENDPOINT = "01934f2b-6c4e-7a10-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Filled:
    """How one table is filled: `insert` with %(first)s, %(last)s and %(count)s. before: what it hangs on."""

    table: str
    insert: str
    before: str = ""
    big: bool = False


_AUDIT = """
INSERT INTO jobs_auditentry (at, account_name, action, object_type, object_id, changes, correlation_id)
SELECT now() - make_interval(secs => %(count)s - n), 'operator_' || n %% 9,
    CASE WHEN n %% 1000 = 0 THEN 'queues.pause' ELSE 'jobs.replay' END,
    CASE WHEN n %% 1000 = 0 THEN 'queue' ELSE 'job' END, 'thing-' || n,
    jsonb_build_object('kind', 'telegram.deliver', 'n', n), 'request-' || n
FROM generate_series(%(first)s, %(last)s) n
"""
_QUEUE = """
INSERT INTO notification_queue (telegram_id, message, notification_type, status, attempts, scheduled_at,
    sent_at, failed_at, reason, created_at, priority)
SELECT 500000000 + n %% 1000000, 'Your subscription ends in 3 days.',
    CASE WHEN n %% 10000 = 0 THEN 'report_daily' ELSE 'subscription_expiring_3d' END,
    CASE WHEN n %% 500 = 0 THEN 'failed' ELSE 'sent' END, 1, at,
    CASE WHEN n %% 500 <> 0 THEN at END, CASE WHEN n %% 500 = 0 THEN at END,
    CASE WHEN n %% 500 = 0 THEN 'blocked' END, at, 2
FROM generate_series(%(first)s, %(last)s) n,
    LATERAL (SELECT now() - make_interval(secs => (%(count)s - n) * 0.05) AS at) t
"""
_PAYMENT = """
INSERT INTO payment (id, state, purpose, provider, external_id, subscriber_id, telegram_id, plan_code,
    plan_title, period_days, currency_type, currency, amount, paid_at, completed_at, paid_asset,
    paid_amount, fee_asset, fee_amount, paid_usd_rate, found_by, failed_at, created_at)
SELECT uuidv7(make_interval(secs => n - %(count)s)), CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'completed' END,
    'renewal', 'cryptobot', n::text, n %% 1000000, 500000000 + n %% 1000000,
    CASE WHEN n %% 100000 = 0 THEN 'rare' ELSE 'standard-1m' END, 'Standard, 1 month', 30, 'crypto',
    CASE WHEN n %% 100 = 0 THEN 'TON' ELSE 'USDT' END, 5, at, CASE WHEN n %% 50 <> 0 THEN at END, 'USDT', 5,
    'USDT', 0.15, 1.0003, CASE WHEN n %% 10000 = 0 THEN 'operator' ELSE 'webhook' END,
    CASE WHEN n %% 50 = 0 THEN at END, at
FROM generate_series(%(first)s, %(last)s) n,
    LATERAL (SELECT now() - make_interval(secs => %(count)s - n) AS at) t
"""
_SUBSCRIBER = """
INSERT INTO subscriber (panel_id, username, status, expire_at, telegram_id, email, tag, cut_by,
    traffic_limit_strategy, online_at, panel_created_at)
SELECT n, 'user_' || n,
    CASE WHEN n %% 500 = 0 THEN 'LIMITED' WHEN n %% 5 = 0 THEN 'EXPIRED' ELSE 'ACTIVE' END,
    now() + make_interval(mins => n %% 80000 - 40000), 500000000 + n, 'user_' || n || '@example.com',
    CASE WHEN n %% 10000 = 0 THEN 'VIP' ELSE '' END, CASE WHEN n %% 5000 = 0 THEN 'operator' ELSE '' END,
    'NO_RESET', now() - make_interval(mins => n %% 10000), now()
FROM generate_series(%(first)s, %(last)s) n
"""
_RECIPIENTS = """
INSERT INTO inbox_recipient (user_id, login) SELECT n, 'user_' || n FROM generate_series(1, 10000) n
"""
_NOTIFICATION = """
INSERT INTO inbox_notification (id, position, version, state, message, source, created_at, accepted_at,
    read_at, recalled_at, recipient_id)
SELECT uuidv7(make_interval(secs => (n - %(count)s) * 0.05)), n, n,
    CASE WHEN n %% 1000 = 0 THEN 'recalled' WHEN n %% 10 = 0 THEN 'unread' ELSE 'read' END,
    'Maintenance on Sunday', CASE WHEN n %% 5000 = 0 THEN 'billing' ELSE 'ops' END, at, at, at,
    CASE WHEN n %% 1000 = 0 THEN at END, r.first + n %% 10000
FROM generate_series(%(first)s, %(last)s) n,
    LATERAL (SELECT now() - make_interval(secs => (%(count)s - n) * 0.05) AS at) t,
    (SELECT min(id) AS first FROM inbox_recipient) r
"""
_HISTORY = """
INSERT INTO jobs_jobhistory (id, seq, kind, queue, priority, state, args, run_at, attempt, max_attempts,
    crash_count, fence, skip_ahead, debounced, created_at, started_at, finished_at, correlation_id)
SELECT uuidv7(make_interval(secs => (n - %(count)s) * 0.02)), n,
    CASE WHEN n %% 10000 = 0 THEN 'reports.send_daily_report' ELSE 'telegram.deliver' END, 'notifications', 2,
    CASE WHEN n %% 2000 = 0 THEN 'cancelled' ELSE 'completed' END, jsonb_build_object('message_id', n), at, 1,
    4, 0, 1, false, 0, at, at, at, 'request-' || n
FROM generate_series(%(first)s, %(last)s) n,
    LATERAL (SELECT now() - make_interval(secs => (%(count)s - n) * 0.02) AS at) t
"""
_ENDPOINT = f"""
INSERT INTO webhook_endpoint (id, title, url, event_types, secret)
VALUES ('{ENDPOINT}', 'Shop', 'https://shop.example/hook', '{{broadcast.completed}}', 'sealed');
INSERT INTO webhook_event (id, type, body, created_at)
VALUES ('{ENDPOINT}', 'broadcast.completed', '{{}}', now())
"""
_DELIVERY = f"""
INSERT INTO webhook_delivery (event_type, state, tries, attempts, next_attempt_at, last_attempt_at,
    last_status, last_error, finished_at, created_at, endpoint_id, event_id)
SELECT CASE WHEN n %% 10000 = 0 THEN 'broadcast.failed' ELSE 'broadcast.completed' END,
    CASE WHEN n %% 500 = 0 THEN 'failed' ELSE 'delivered' END, 1, 1, at, at,
    CASE WHEN n %% 500 = 0 THEN 500 ELSE 200 END, '', at, at, '{ENDPOINT}', uuidv7()
FROM generate_series(%(first)s, %(last)s) n,
    LATERAL (SELECT now() - make_interval(secs => (%(count)s - n) * 0.05) AS at) t
"""
TABLES = (
    Filled("jobs_auditentry", _AUDIT, big=True),
    Filled("notification_queue", _QUEUE, big=True),
    Filled("payment", _PAYMENT),
    Filled("subscriber", _SUBSCRIBER),
    Filled("inbox_notification", _NOTIFICATION, before=_RECIPIENTS),
    Filled("jobs_jobhistory", _HISTORY),
    Filled("webhook_delivery", _DELIVERY, before=_ENDPOINT),
)
# Those that no constraint needs: they are made anew when the rows are there.
_ASIDE = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relname = %s AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""


def fill(connection: psycopg.Connection, filled: Filled, count: int) -> None:
    """Put so many rows into a table, with fresh statistics afterwards."""
    for statement in (
        "SET session_replication_role = replica",  # no triggers, no foreign keys
        "SET synchronous_commit = off",
        "SET maintenance_work_mem = '1GB'",
        *filter(None, filled.before.split(";\n")),
    ):
        connection.execute(statement)
    aside = connection.execute(_ASIDE, [filled.table]).fetchall()
    for name, _ in aside:
        connection.execute(f"DROP INDEX {name}")
    for first in range(1, count + 1, CHUNK):
        last = min(first + CHUNK - 1, count)
        connection.execute(filled.insert, {"first": first, "last": last, "count": count})
    for _, definition in aside:
        connection.execute(definition)
    connection.execute(f"VACUUM ANALYZE {filled.table}")

"""Rules about money: payments that fail, and people who paid and are not served."""

from datetime import timedelta

from django.conf import settings

from jobs import sql
from lib import clock, durations
from monitoring.alerts.wording.catalogue import says
from monitoring.checks.rules.rule import Part, Reading, few

# What payers decide is no failure: an invoice that nobody paid, an order that a person gave up.
THEIR_OWN = ("expired", "given_up")
_ENDED = """
SELECT
    (SELECT count(*) FROM payment WHERE completed_at >= %(since)s AND completed_at <= %(now)s),
    (SELECT count(*) FROM payment WHERE failed_at >= %(since)s AND failed_at <= %(now)s
        AND state = 'failed' AND NOT failure = ANY(%(own)s)),
    (SELECT count(*) FROM payment WHERE failed_at >= %(since)s AND failed_at <= %(now)s
        AND state = 'failed' AND failure = ANY(%(own)s))
"""
_REASONS = """
SELECT failure, count(*) FROM payment
WHERE failed_at >= %(since)s AND failed_at <= %(now)s AND state = 'failed'
    AND NOT failure = ANY(%(own)s)
GROUP BY failure ORDER BY count(*) DESC, failure LIMIT 3
"""


def payment_failures() -> Reading:
    """The share of payments that ended lately which failed through no will of the payer.

    With RULE_PAYMENT_FAILURES_UNPAID, invoices that nobody paid count as failures as well.
    """
    now, window = clock.now(), settings.RULE_PAYMENT_FAILURES_WINDOW
    own = THEIR_OWN[1:] if settings.RULE_PAYMENT_FAILURES_UNPAID else THEIR_OWN
    given = {"since": now - window, "now": now, "own": list(own)}
    completed, failed, left = sql.rows(_ENDED, given)[0]
    ended, span = completed + failed, durations.words(window)
    least = settings.RULE_PAYMENT_FAILURES_LEAST
    share = 100 * failed / max(1, ended)
    if ended < least:
        said_so = f"{ended} payments ended in {span}; fewer than {least} tell nothing"
        return few(said_so, payments=share)
    reasons = sql.rows(_REASONS, given) if failed else []
    said = says(
        "payment_failures", share=share, failed=failed, ended=ended, window=window, unpaid=left,
        why=[(code or "unknown", count) for code, count in reasons] or None,
    )  # fmt: skip
    link = "/admin/payments/payment/?state=failed"
    return Reading(share, said.words().text, (Part("payments", share, said, link),))


_GAPS = """
SELECT kind, count(*), extract(epoch FROM %(now)s - min(found_at))::float8 FROM access_gap
WHERE healed_at IS NULL AND kind <> 'held' GROUP BY kind ORDER BY count(*) DESC, kind
"""


def paid_not_served() -> Reading:
    """People who paid and are not served as they paid. Those whom a person disabled do not count."""
    rows = sql.rows(_GAPS, {"now": clock.now()})
    count = sum(row[1] for row in rows)
    if not count:
        return Reading(0.0, "provider, ledger and panel agree")
    oldest = timedelta(seconds=max(0.0, *(row[2] for row in rows)))
    kinds = [(kind, n) for kind, n, _ in rows]
    said = says("paid_not_served", people=count, kinds=kinds, oldest=oldest)
    part = Part("access", count, said, "/admin/subscriptions/accessgap/")
    return Reading(count, said.words().text, (part,))

"""Forgetting what was resolved long ago."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock

PACK = 1000

# In the order in which rows hold on to each other.
_ALERTS = "SELECT id FROM alert WHERE resolved_at < %(before)s ORDER BY resolved_at LIMIT %(pack)s"
_COUNTS = """
SELECT (SELECT count(*) FROM alert WHERE resolved_at < %(before)s),
    (SELECT count(*) FROM alert_silence WHERE ends_at < %(before)s),
    (SELECT count(*) FROM alert_telling WHERE at < %(before)s)
"""
_FORGET = """
WITH old AS (SELECT unnest(%(ids)s::uuid[]) AS id),
events AS (DELETE FROM alert_event e USING old WHERE e.alert_id = old.id),
children AS (UPDATE alert c SET parent_id = NULL FROM old
    WHERE c.parent_id = old.id AND c.id <> ALL(%(ids)s::uuid[])),
silences AS (UPDATE alert_silence s SET alert_id = NULL FROM old WHERE s.alert_id = old.id)
DELETE FROM alert a USING old WHERE a.id = old.id
"""
_SILENCES = """
DELETE FROM alert_silence WHERE id IN (
    SELECT id FROM alert_silence WHERE ends_at < %(before)s ORDER BY id LIMIT %(pack)s)
"""
_TELLINGS = """
DELETE FROM alert_telling WHERE id IN (
    SELECT id FROM alert_telling WHERE at < %(before)s ORDER BY at LIMIT %(pack)s)
"""


def alerts_clean(*, dry_run: bool = False) -> dict[str, int]:
    """Delete what is older than ALERT_RETENTION_DAYS. Returns how many; a dry run only counts.

    Packs of a thousand, each a transaction. Open alerts stay, whatever their age.
    """
    before = clock.now() - timedelta(days=settings.ALERT_RETENTION_DAYS)
    given = {"before": before, "pack": PACK}
    if dry_run:
        alerts, silences, tellings = sql.rows(_COUNTS, given)[0]
        return {"alerts": alerts, "silences": silences, "tellings": tellings}
    done = {"alerts": 0, "silences": 0, "tellings": 0}
    while ids := [row[0] for row in sql.rows(_ALERTS, given)]:
        with transaction.atomic():
            sql.run(_FORGET, {"ids": ids})
        done["alerts"] += len(ids)
    for name, statement in (("silences", _SILENCES), ("tellings", _TELLINGS)):
        while count := sql.run(statement, given):
            done[name] += count
    return done

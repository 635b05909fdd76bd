"""Subscribers as recipients of notifications: who is in the panel can be written to.

The pair of a recipient is (number in the panel, username). Telegram id and language follow the panel and
us; a language that somebody has set for their inbox stays.
"""

from dataclasses import dataclass

from jobs import sql

WINDOW = 10_000  # ids of subscribers that one statement looks at

_SYNC = """
WITH differing AS (
    SELECT s.panel_id, s.username, s.telegram_id, s.language
    FROM subscriber s LEFT JOIN inbox_recipient r ON r.user_id = s.panel_id AND r.login = s.username
    WHERE s.id > %(after)s AND s.id <= %(until)s AND s.missing_since IS NULL AND s.panel_id IS NOT NULL
    AND (
        r.id IS NULL OR r.telegram_id IS DISTINCT FROM s.telegram_id
        OR (r.language = '' AND s.language <> '')
    )
    ORDER BY s.panel_id, s.username
), written AS (
    INSERT INTO inbox_recipient AS r (user_id, login, telegram_id, language)
    SELECT panel_id, username, telegram_id, language FROM differing
    ON CONFLICT (user_id, login) DO UPDATE SET telegram_id = EXCLUDED.telegram_id,
        language = CASE WHEN r.language = '' THEN EXCLUDED.language ELSE r.language END
    RETURNING (xmax = 0) AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""


@dataclass(frozen=True, slots=True)
class Synced:
    """How many recipients were made and changed; after: the last subscriber that was looked at."""

    made: int
    changed: int
    after: int


def recipients_sync(after: int) -> Synced | None:
    """Bring the recipients of the next subscribers in line; None if there are no more of them.

    Only rows that differ are written. Locks: those recipients, in the order of their pairs.
    """
    found = sql.row(
        "SELECT max(id) FROM (SELECT id FROM subscriber WHERE id > %s ORDER BY id LIMIT %s) s",
        [after, WINDOW],
    )
    until = found[0] if found else None
    if until is None:
        return None
    counted = sql.row(_SYNC, {"after": after, "until": until})
    made, changed = counted or (0, 0)
    return Synced(made, changed, until)

"""What would become of a notification if it were sent now: to whom at once, to whom later or never."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from jobs import sql
from lib import clock
from notifications.inbox.models import Notification, Recipient
from notifications.inbox.selectors.pods import connected
from notifications.inbox.shapes import Draft, Target

LISTED = 100  # people that are named
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Fate:
    """What one person would get. what: now, waits, deferred or muted. recipient None: not known yet."""

    target: Target
    recipient: Recipient | None
    devices: int
    what: str
    until: datetime | None
    replaces: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """fates: of the first LISTED people, counts: of all, by what; new: those who are not known yet."""

    people: int
    fates: list[Fate]
    counts: dict[str, int]
    devices: int
    new: int
    replaces: int


def forecast(draft: Draft) -> Forecast:
    """Look, change nothing. Four queries for each thousand people."""
    targets = list(draft.ids)
    fates: list[Fate] = []
    for start in range(0, len(targets), CHUNK):
        fates += _fates(draft, targets[start : start + CHUNK])
    return Forecast(
        people=len(fates),
        fates=fates[:LISTED],
        counts=dict(Counter(fate.what for fate in fates)),
        devices=sum(fate.devices for fate in fates if fate.what == "now"),
        new=sum(fate.recipient is None for fate in fates),
        replaces=sum(fate.replaces for fate in fates),
    )


def _fates(draft: Draft, targets: list[Target]) -> list[Fate]:
    wanted = set(targets)
    rows = Recipient.objects.filter(user_id__in={user_id for user_id, _ in targets})
    known = {key: row for row in rows if (key := (row.user_id, row.login)) in wanted}
    ids = [row.pk for row in known.values()]
    devices = connected(ids)
    quiet = {} if draft.priority == 0 else quiet_until(ids)
    replaced = _holding(ids, draft)
    return [_fate(draft, target, known.get(target), devices, quiet, replaced) for target in targets]


def _fate(
    draft: Draft,
    target: Target,
    row: Recipient | None,
    devices: dict[int, int],
    quiet: dict[int, datetime],
    replaced: set[int],
) -> Fate:
    if row is None:
        return Fate(target, None, 0, "waits", None, replaces=False)
    here = devices.get(row.pk, 0)
    if draft.source in row.muted_sources:
        return Fate(target, row, here, "muted", None, replaces=False)
    until = quiet.get(row.pk)
    what = "deferred" if until else "now" if here else "waits"
    return Fate(target, row, here, what, until, replaces=row.pk in replaced)


def quiet_until(ids: list[int]) -> dict[int, datetime]:
    """Until when each keeps quiet hours now; those who do not are missing."""
    rows = sql.rows(
        """SELECT id, until FROM inbox_recipient,
                  inbox_quiet_until(%s, quiet_from, quiet_to, time_zone) AS until
            WHERE id = ANY (%s) AND quiet_from IS NOT NULL AND until IS NOT NULL""",
        [clock.now(), ids],
    )
    return dict(rows)


def _holding(ids: list[int], draft: Draft) -> set[int]:
    """Who has something unread or deferred of the same source with the same collapse key."""
    if draft.collapse_key is None:
        return set()
    rows = Notification.objects.filter(
        recipient_id__in=ids,
        collapse_key=draft.collapse_key,
        source=draft.source,
        state__in=["unread", "deferred"],
    )
    return set(rows.values_list("recipient_id", flat=True))

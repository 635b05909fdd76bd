"""What a look at the panel teaches the mirror: written in the transaction that acts on it."""

from collections.abc import Iterable
from datetime import datetime

from subscriptions.lifecycle.sight import Gone, Look, Seen
from subscriptions.mirror.applying import Applied, user_apply, users_apply
from subscriptions.mirror.identity import gone_mark
from subscriptions.models import Subscriber
from subscriptions.panel.types import PanelUser


def correct(row: Subscriber, look: Look) -> None:
    """Bring the mirror in line with what was just seen; the row is locked by the caller.

    The row shows it afterwards. An unknown answer teaches nothing.
    """
    is_changed = False
    if isinstance(look, Gone):
        is_changed = gone_mark(row.pk)
    elif isinstance(look, Seen):
        is_changed = _is_changed(user_apply(look.user, look.read_at))
    if is_changed:
        row.refresh_from_db()


def correct_all(rows: dict[int, Subscriber], looks: Iterable[tuple[int, Look]]) -> None:
    """The same for many rows by id, each with its plan; three statements where nothing differs."""
    users: dict[int, PanelUser] = {}
    read_at: list[datetime] = []
    is_changed = False
    for subscriber_id, look in looks:
        if isinstance(look, Gone):
            is_changed |= gone_mark(subscriber_id)
        elif isinstance(look, Seen):
            users[look.user.id] = look.user
            read_at.append(look.read_at)
    if users:
        # The first look's time for all: what we wrote ourselves since then is not undone by any.
        applied = users_apply(list(users.values()), min(read_at))
        is_changed |= _is_changed(applied)
    if is_changed:
        rows.update(Subscriber.objects.select_related("plan").in_bulk(list(rows)))


def _is_changed(applied: Applied) -> bool:
    return bool(applied.changed or applied.created or applied.strangers)

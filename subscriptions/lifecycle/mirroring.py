"""What a look at the panel teaches the mirror: written in the transaction that acts on it."""

from lib import clock
from subscriptions.lifecycle.sight import Gone, Look, Unknown
from subscriptions.models import Subscriber


def correct(row: Subscriber, look: Look) -> None:
    """Bring the mirror in line with what was just seen; the row is locked by the caller.

    Only fields that differ are written. An unknown answer teaches nothing.
    """
    if isinstance(look, Unknown):
        return
    if isinstance(look, Gone):
        if row.missing_since is None:
            row.missing_since = clock.now()
            row.save(update_fields=["missing_since"])
        return
    user = look.user
    found = {
        "status": user.status.value,
        "expire_at": user.expire_at,
        "telegram_id": user.telegram_id,
        "used_traffic_bytes": user.used_bytes,
        "last_traffic_reset_at": user.last_traffic_reset_at,
    }
    changed = [name for name, value in found.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, found[name])
    if changed:
        row.mirrored_at = clock.now()
        row.save(update_fields=[*changed, "mirrored_at"])

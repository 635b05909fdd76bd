"""What a look at the panel teaches the mirror: written in the transaction that acts on it."""

from subscriptions.lifecycle.sight import Gone, Look, Unknown
from subscriptions.mirror.applying import user_apply
from subscriptions.mirror.identity import gone_mark
from subscriptions.models import Subscriber


def correct(row: Subscriber, look: Look) -> None:
    """Bring the mirror in line with what was just seen; the row is locked by the caller.

    The row shows it afterwards. An unknown answer teaches nothing.
    """
    if isinstance(look, Unknown):
        return
    if isinstance(look, Gone):
        gone_mark(row.pk)
    else:
        user_apply(look.user, look.read_at)
    row.refresh_from_db()

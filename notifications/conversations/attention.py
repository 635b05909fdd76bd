"""What of the conversations needs a person now, for the first page of the console."""

from django.urls import reverse

from jobs import sql
from lib import clock, durations
from lib.now import Attention, Severity, attention
from notifications.conversations.selectors.figures import notice_figures


@attention(order=14, permission="conversations.view_notice")
def late_timers() -> Attention | None:
    """Timers that should have rung."""
    figures = notice_figures()
    if figures.late_by is None or figures.is_off:
        return None
    return Attention(
        "smart notifications late",
        figures.waiting,
        Severity.CRITICAL,
        f"{reverse('admin:conversations_dialog_changelist')}?waiting=yes",
        f"Somebody should have been told {durations.words(figures.late_by)} ago. See whether the queue "
        "notifications is paused, or has no worker that lives.",
    )


@attention(order=15, permission="conversations.view_notice")
def unheard_notices() -> Attention | None:
    """Unread messages that no endpoint wanted to hear of, within the last hour."""
    found = sql.row(
        """SELECT coalesce(sum(count), 0)::bigint FROM conversation_stat
        WHERE event = 'skipped' AND reason = 'no_endpoint' AND at >= %s - interval '1 hour'""",
        [clock.now()],
    )
    count = int(found[0]) if found else 0
    return Attention(
        "unread messages that nobody is told of",
        count,
        Severity.NOTICE,
        f"{reverse('admin:conversations_notice_changelist')}?outcome=no_endpoint",
        "In the last hour. Add a webhook endpoint that asks for notification.pending.",
    )

"""The number of the Telegram lane on the first page of the console."""

from datetime import timedelta

from django.urls import reverse

from lib import durations
from lib.now import Figure, Severity, figure
from notifications.telegram.lane_state import lane_state

LATE = timedelta(minutes=1)


@figure(order=50, permission="telegram.view_queuedmessage")
def lane_rate() -> Figure:
    """How fast the lane sends, and what stops it. Some eight small queries."""
    state = lane_state()
    url = reverse("admin:telegram_queuedmessage_changelist")
    value = f"{state.sent / 60:.1f}/s"
    if state.obstacles and state.due:
        hint, severity = state.obstacles[0].text, Severity.CRITICAL
    elif state.waited is not None and state.waited >= LATE:
        hint = f"the oldest message is due for {durations.words(state.waited)}"
        severity = Severity.WARNING
    else:
        due = f"{state.counted:,}+" if state.due > state.counted else f"{state.due:,}"
        hint = f"in the last minute, of {state.rate}/s; {due} due"
        return Figure("Telegram lane", value, url=url, hint=hint)
    return Figure(
        "Telegram lane", value, severity, f"{url}?state=due", hint, runbook="telegram_late"
    )

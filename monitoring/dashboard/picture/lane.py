"""The Telegram lane: how fast it sends, what waits, and what stops it."""

from typing import Any

from django.urls import reverse

from notifications.telegram.lane_state import lane_state


def lane() -> dict[str, Any]:
    """{sent, per_second, rate, due, is_more, waited_s, obstacles: [text], link}. Some eight queries.

    sent: in the last minute; rate: messages a second that Telegram allows.
    """
    state = lane_state()
    return {
        "sent": state.sent,
        "per_second": round(state.sent / 60, 2),
        "rate": state.rate,
        "due": min(state.due, state.counted),
        "is_more": state.due > state.counted,
        "waited_s": None if state.waited is None else round(state.waited.total_seconds(), 1),
        "obstacles": [obstacle.text for obstacle in state.obstacles],
        "link": reverse("admin:telegram_queuedmessage_changelist"),
    }

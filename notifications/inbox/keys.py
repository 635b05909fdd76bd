"""Names in Redis. Outsiders read these keys, so they change only with a line in the CHANGELOG.

All of them begin with REDIS_PREFIX and a colon, unless it is empty.
"""

from django.conf import settings

_PREFIX: str = settings.INBOX_REDIS_PREFIX

CONTROL = f"{_PREFIX}inbox:control"  # channel to all pods
PODS = f"{_PREFIX}notif:pods:hb"  # hash: pod -> unix time of its last beat
STREAM_LENGTH = 100  # entries that a stream keeps


def channel(recipient_id: int) -> str:
    """Where the changes of one person's inbox are published."""
    return f"{_PREFIX}inbox:{recipient_id}"


def stream(user_id: int, login: str) -> str:
    """Stream of {nid: notification id}; the id of an entry is its stream_id."""
    return f"{_PREFIX}stream:user:{user_id}-{login}"


def payload(notification_id: str) -> str:
    """String: the notification as JSON, gone when its time is over."""
    return f"{_PREFIX}notification:{notification_id}"


def read_state(user_id: int, login: str) -> str:
    """Hash: notification id -> "read"."""
    return f"{_PREFIX}notification_state:{user_id}-{login}"


def retention(user_id: int, login: str) -> str:
    """String: for how many days the person's notifications are kept."""
    return f"{_PREFIX}notif:retention:{user_id}-{login}"

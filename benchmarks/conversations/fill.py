"""python -m benchmarks.conversations.fill COUNT SPREAD_S URL: timers that are due evenly over a while.

Each dialog gets two messages by the service that the API calls, so that each timer was begun anew once;
every eleventh dialog is read afterwards. Prints {"first_due", "last_due", "sends", "seconds", "read"}.

The clock of this process is moved for each message, so that its timer is due at the moment that we want.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import django

PACK = 200  # messages in a transaction; what is measured comes later
READ_EACH = 11  # one dialog in so many is read, and must not be told of
SLACK_S = 10.0


def main(count: int, spread_s: float, url: str) -> None:
    """Fill and report."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.db import transaction

    from lib import clock
    from notifications.conversations.events import PENDING
    from notifications.conversations.messages import message_send, messages_read
    from notifications.webhooks.endpoints import endpoint_create
    from notifications.webhooks.models import Endpoint

    if not Endpoint.objects.exists():
        endpoint_create(title="bench", url=url, event_types=[PENDING], by=None)
    total = count + count // (READ_EACH - 1)
    dialogs = dialogs_make(total)

    def send_all(first_due: datetime | None, text: str) -> None:
        for start in range(0, total, PACK):
            with transaction.atomic():
                for n in range(start, min(start + PACK, total)):
                    span = timedelta()
                    if first_due is not None:
                        due = first_due + timedelta(seconds=spread_s * n / total)
                        span = due - settings.NOTIFICATION_DELAY - datetime.now(UTC)
                    with clock.shift(span):
                        message_send(dialog_id=dialogs[n], sender_id="anna", text=text)

    began = time.monotonic()
    send_all(None, "first")
    first_s = time.monotonic() - began
    first_due = datetime.now(UTC) + timedelta(seconds=1.6 * first_s + SLACK_S)
    send_all(first_due, "second")
    seconds = time.monotonic() - began
    with transaction.atomic():
        for n in range(0, total, READ_EACH):
            messages_read(dialog_id=dialogs[n], user_id="boris")
    if datetime.now(UTC) > first_due - timedelta(seconds=1):
        raise SystemExit("filling took so long that the first timers are due already")
    last_due = first_due + timedelta(seconds=spread_s)
    print(
        json.dumps(
            {
                "first_due": first_due.timestamp(),
                "last_due": last_due.timestamp(),
                "sends": 2 * total,
                "seconds": seconds,
                "read": len(range(0, total, READ_EACH)),
            }
        )
    )


def dialogs_make(total: int) -> list[UUID]:
    """Their keys; anna and boris are in each. Django is ready by now."""
    from lib import clock
    from notifications.conversations.models import Dialog, Participant

    now = clock.now()
    dialogs = Dialog.objects.bulk_create(
        [Dialog(title=f"bench {n}", active_at=now) for n in range(total)], batch_size=2000
    )
    Participant.objects.bulk_create(
        [
            Participant(dialog=each, user_id=who, joined_at=now)
            for each in dialogs
            for who in ("anna", "boris")
        ],
        batch_size=5000,
    )
    return [each.pk for each in dialogs]


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])

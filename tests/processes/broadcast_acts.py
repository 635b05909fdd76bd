"""What an operator does to broadcasts, in a process of its own.

`python -m tests.processes.broadcast_acts cancel <id> expanding 10000` cancels as soon as it has come that
far, and tells what was sent by then.
"""

import json
import sys
import threading
from uuid import UUID

import django

django.setup()

from django.db.models import F  # noqa: E402

from notifications.broadcasts.models import Broadcast, LedgerRow  # noqa: E402
from notifications.broadcasts.services import (  # noqa: E402
    broadcast_cancel,
    broadcast_pause,
    broadcast_resume,
)
from notifications.inbox.models import Notification  # noqa: E402

ACTS = {"cancel": broadcast_cancel, "pause": broadcast_pause, "resume": broadcast_resume}


def main(act: str, broadcast_id: UUID, phase: str, least: int) -> None:
    """Wait until so many are in the ledger (expanding) or have their fate, act, tell."""
    Broadcast.objects.filter(pk=broadcast_id).exists()  # the connection is there
    print("ready", flush=True)
    pause = threading.Event()
    field = "total" if phase == "expanding" else "reached"
    while (
        not Broadcast.objects.annotate(reached=F("sent") + F("failed") + F("unknown"))
        .filter(pk=broadcast_id, **{f"{field}__gte": least})
        .exists()
    ):
        pause.wait(0.002)
    row = ACTS[act](broadcast_id=broadcast_id, by=None)
    print(
        json.dumps(
            {
                "status": row.status,
                "phase": row.phase,
                "notifications": Notification.objects.count(),
                "sent": LedgerRow.objects.filter(broadcast_id=broadcast_id, fate="sent").count(),
                "sending": LedgerRow.objects.filter(
                    broadcast_id=broadcast_id, fate="sending"
                ).count(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]), sys.argv[3], int(sys.argv[4]))

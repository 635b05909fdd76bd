"""What the hub asks Postgres, gathered."""

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime
from uuid import UUID

from django.db import connection

from notifications.inbox import reading, recipients, stream, tickets
from notifications.inbox.hub.gather import Gather
from notifications.inbox.shapes import Changes, ReadResult, Snapshot, Target

SYNC_LIMIT = 100


class Loader:
    """One `Gather` per question. Each may raise what Django's database raises."""

    def __init__(self, executor: Executor) -> None:
        self.recipients: Gather[Target, int] = Gather(executor, _recipients)
        self.tickets: Gather[tuple[UUID, datetime], bool] = Gather(executor, tickets.tickets_use)
        self.snapshots: Gather[int, Snapshot] = Gather(executor, _snapshots, at_most=100, lanes=2)
        self.changes: Gather[tuple[int, int], Changes] = Gather(executor, _changes, lanes=2)
        self.reads: Gather[tuple[int, UUID], ReadResult] = Gather(
            executor, reading.read_many, wait_s=0, lanes=2
        )


def positions(recipient_ids: Sequence[int]) -> dict[int, int]:
    """Where these inboxes stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, last_position FROM inbox_recipient WHERE id = ANY(%s)",
            [list(recipient_ids)],
        )
        return dict(cursor.fetchall())


def _recipients(targets: Sequence[Target]) -> list[int]:
    found = recipients.recipients_find(list(dict.fromkeys(targets)))
    return [found[target] for target in targets]


def _snapshots(recipient_ids: Sequence[int]) -> list[Snapshot]:
    found = stream.snapshot(list(dict.fromkeys(recipient_ids)), limit=SYNC_LIMIT)
    return [found[recipient_id] for recipient_id in recipient_ids]


def _changes(wanted: Sequence[tuple[int, int]]) -> list[Changes]:
    """The same person may be asked about from several positions: a statement for each round of people."""
    answers: dict[tuple[int, int], Changes] = {}
    left = list(dict.fromkeys(wanted))
    while left:
        turn = dict(left)  # one position per person
        found = stream.changes_since(list(turn.items()))
        answers.update({pair: found[pair[0]] for pair in turn.items()})
        left = [pair for pair in left if pair not in answers]
    return [answers[pair] for pair in wanted]

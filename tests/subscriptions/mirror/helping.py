"""What tests of the mirror say often."""

from typing import Any

from jobs import sql
from jobs.outcomes import Done, Outcome
from jobs.testing import job_perform
from lib import clock
from subscriptions.mirror.passes import Ended, pass_begin, pass_run
from subscriptions.models import Subscriber, SubscriberEvent
from subscriptions.panel.client import PanelClient


def never() -> bool:
    """A job that has all the time in the world."""
    return False


def whole_pass(client: PanelClient) -> Ended:
    """A pass from its beginning to its end."""
    client.metadata()
    ended = pass_run(client, pass_begin(client), never)
    assert ended is not None
    return ended


def perform(kind: str, **args: Any) -> Any:
    """The result of a job that ends well."""
    outcome: Outcome = job_perform(kind, **args)
    assert isinstance(outcome, Done), outcome
    return outcome.result


def versions() -> dict[int, tuple[str, str]]:
    """Where each row of the mirror stands: it differs after every write, also one of equal values."""
    return {
        row[0]: (row[1], row[2])
        for row in sql.rows("SELECT id, xmin::text, ctid::text FROM subscriber")
    }


def story(username: str) -> list[str]:
    """The kinds of the lines of somebody's story, oldest first."""
    found = SubscriberEvent.objects.filter(subscriber__username=username).order_by("id")
    return list(found.values_list("kind", flat=True))


def known(username: str) -> Subscriber:
    """The row of somebody who is not gone, or else of who was."""
    rows = Subscriber.objects.filter(username=username)
    return rows.filter(missing_since=None).first() or rows.get()


def make(panel_id: int | None, **columns: Any) -> Subscriber:
    """A subscriber as an earlier pass may have left him."""
    now = clock.now()
    given = {
        "username": f"user_{panel_id}",
        "status": "ACTIVE",
        "expire_at": now,
        "mirrored_at": now,
        "panel_id": panel_id,
        **columns,
    }
    return Subscriber.objects.create(**given)

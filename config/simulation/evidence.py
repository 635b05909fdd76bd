"""What everybody says at the end: the sandbox, which is nobody's friend, and our own tables."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any
from uuid import UUID

from config.simulation.hand import Hand, Shown
from config.simulation.people import Person
from lib import clock
from notifications.telegram.models import QueuedMessage
from payments.models import Payment, Review
from subscriptions.models import Activation, Notice

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lasting:
    """An end that somebody had in the panel, from one moment to another."""

    end: datetime
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Write:
    """A request of ours that the panel carried out, whether its answer arrived or not."""

    at: datetime
    call: str
    body: dict[str, Any]


class Evidence:
    """Everything is read once, after the last step. began, ended: of the simulated time."""

    def __init__(self, hand: Hand, people: dict[int, Person], began: datetime) -> None:
        self.people, self.began, self.ended = people, began, clock.now()
        self.users: dict[int, Shown] = {user["id"]: user for user in hand.users()}
        self.invoices: dict[int, Shown] = {each["invoice_id"]: each for each in hand.paid()}
        self.messages = hand.messages()
        self.writes: dict[int, list[Write]] = defaultdict(list)
        for write in hand.writes():
            if write["status"] < 400:
                found = Write(
                    datetime.fromtimestamp(write["panel_at"], UTC),
                    write["call"],
                    write["body"] or {},
                )
                for user_id in write["user_ids"]:
                    self.writes[user_id].append(found)

    @cached_property
    def payments(self) -> dict[UUID, Payment]:
        return {row.pk: row for row in Payment.objects.all()}

    @cached_property
    def activations(self) -> dict[UUID, Activation]:
        """By their payment."""
        rows = Activation.objects.select_related("subscriber")
        return {row.payment_id: row for row in rows}

    @cached_property
    def reviews(self) -> list[Review]:
        return list(Review.objects.all())

    @cached_property
    def notices(self) -> dict[tuple[int, str, datetime], Notice]:
        """By subscriber, stage and end."""
        return {(row.subscriber_id, row.stage, row.expire_at): row for row in Notice.objects.all()}

    @cached_property
    def queue(self) -> list[QueuedMessage]:
        return list(QueuedMessage.objects.order_by("pk"))

    def ends(self, person: Person) -> list[Lasting]:
        """Which ends he had, and when: by the panel's own journal, not by our tables."""
        dated: list[tuple[datetime, datetime]] = []
        if person.first_end is not None:
            dated.append((self.began, person.first_end))
        for write in self.writes.get(person.panel_id, []):
            if text := write.body.get("expireAt"):
                end = datetime.fromisoformat(text)
                if not dated or dated[-1][1] != end:
                    dated.append((write.at, end))
        over = person.deleted_at or FAR
        moments = [*dated, (over, over)]
        return [Lasting(end, since, until) for (since, end), (until, _) in pairwise(moments)]

    def end_at(self, person: Person, moment: datetime) -> datetime | None:
        """The end that he had at a moment."""
        for lasting in self.ends(person):
            if lasting.since <= moment < lasting.until:
                return lasting.end
        return None

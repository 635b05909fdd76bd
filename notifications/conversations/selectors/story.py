"""The story of a dialog: each message, and what became of telling the others of it."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.models import WAITING, Job
from notifications.conversations.models import Dialog, Message, Notice, Participant
from notifications.conversations.selectors.listing import messages_page
from notifications.conversations.tasks import notify_unread
from notifications.conversations.timers import timer_key
from notifications.webhooks.models import Delivery

PAGE = 30
PEOPLE_MOST = 500
NOTICES_MOST = 3000  # of one page

# What became of telling one person of one message, beside the fates and reasons of a notice.
WAITS, FOLDED, UNKNOWN = "waits", "folded", "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of telling one person of one message. `later`: the message that stands for it."""

    user_id: str
    name: str  # a fate, a reason, or one of the words above
    at: datetime | None = None  # when the timer rang, or will
    later: int | None = None
    notice: Notice | None = None
    deliveries: dict[str, int] = field(default_factory=dict)  # {state: how many endpoints}


@dataclass(frozen=True, slots=True)
class Told:
    """A message with what became of it."""

    message: Message
    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that runs: its job, and when it rings."""

    job_id: UUID
    run_at: datetime
    message_id: str


@dataclass(frozen=True, slots=True)
class Story:
    """A dialog as its page shows it."""

    people: list[Participant]
    timers: dict[str, Timer]  # by person
    told: list[Told]
    before: int | None  # where older messages begin


def dialog_story(dialog: Dialog, *, before: int | None = None) -> Story:
    """The latest messages before a position, with what became of each. Five queries."""
    people = list(Participant.objects.filter(dialog=dialog).order_by("pk")[:PEOPLE_MOST])
    messages, older = messages_page(dialog.pk, before=before, size=PAGE)
    timers = _timers(dialog.pk, people)
    notices = _notices(dialog.pk, messages)
    deliveries = _deliveries(notices)
    told = [
        Told(each, list(_outcomes(each, people, timers, notices, deliveries))) for each in messages
    ]
    return Story(people, timers, told, older)


def _timers(dialog_id: UUID, people: Iterable[Participant]) -> dict[str, Timer]:
    """The timers that wait, by person."""
    keys = {
        f"{notify_unread.name}:{timer_key(dialog_id, each.user_id)}": each.user_id
        for each in people
        if each.pending_position is not None
    }
    if not keys:
        return {}
    jobs = Job.objects.filter(debounce_key__in=list(keys), state__in=WAITING)
    return {
        keys[str(job.debounce_key)]: Timer(job.pk, job.run_at, job.args["message_id"])
        for job in jobs.only("debounce_key", "run_at", "args")
    }


def _notices(dialog_id: UUID, messages: list[Message]) -> dict[str, list[Notice]]:
    """The notices of these messages and of later ones, by person, in the order of the messages."""
    found: dict[str, list[Notice]] = {}
    if messages:
        rows = Notice.objects.filter(dialog_id=dialog_id, position__gte=messages[-1].position)
        for row in rows.order_by("position")[:NOTICES_MOST]:
            found.setdefault(row.user_id, []).append(row)
    return found


def _deliveries(notices: dict[str, list[Notice]]) -> dict[UUID, dict[str, int]]:
    """{event id: {state: how many endpoints}}"""
    ids = [row.event_id for rows in notices.values() for row in rows if row.event_id]
    found: dict[UUID, dict[str, int]] = {}
    if ids:
        rows = Delivery.objects.filter(event_id__in=ids).values_list("event_id", "state")
        for event_id, state in rows:
            states = found.setdefault(event_id, {})
            states[state] = states.get(state, 0) + 1
    return found


def _outcomes(
    message: Message,
    people: list[Participant],
    timers: dict[str, Timer],
    notices: dict[str, list[Notice]],
    deliveries: dict[UUID, dict[str, int]],
) -> Iterable[Outcome]:
    for person in people:
        if person.user_id != message.sender_id and _was_there(person, message):
            yield _outcome(message, person, timers.get(person.user_id), notices, deliveries)


def _was_there(person: Participant, message: Message) -> bool:
    """Did the message concern this person? Who came back is taken as new."""
    return person.joined_at <= message.sent_at and (
        person.left_at is None or person.left_at > message.sent_at
    )


def _outcome(
    message: Message,
    person: Participant,
    timer: Timer | None,
    notices: dict[str, list[Notice]],
    deliveries: dict[UUID, dict[str, int]],
) -> Outcome:
    rows = notices.get(person.user_id, [])
    place = bisect_left([row.position for row in rows], message.position)
    notice = rows[place] if place < len(rows) else None
    given: dict[str, Any] = {"user_id": person.user_id}
    if notice is not None and notice.position == message.position:
        event = deliveries.get(notice.event_id, {}) if notice.event_id else {}
        name = notice.reason or notice.fate
        return Outcome(**given, name=name, at=notice.at, notice=notice, deliveries=event)
    if notice is not None:
        return Outcome(**given, name=FOLDED, at=notice.at, later=notice.position)
    if person.pending_position == message.position or (
        timer is not None and timer.message_id == str(message.pk)
    ):
        return Outcome(**given, name=WAITS, at=timer.run_at if timer else None)
    if person.pending_position is not None and person.pending_position > message.position:
        return Outcome(**given, name=FOLDED, later=person.pending_position)
    return Outcome(**given, name=UNKNOWN)

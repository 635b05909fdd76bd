"""What became of one notification, and if nobody has seen it: why not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from notifications.inbox.errors import NotificationUnknown
from notifications.inbox.models import Client, Notification, Push, State


@dataclass(frozen=True, slots=True)
class Screen:
    """A socket that a notification reached. device: the name that the client gave itself, if known."""

    client_id: str
    pod_id: str
    device: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a notification.

    what: accepted, muted, deferred, placed (went out after it was deferred), pushed, updated, acked,
    expired, recalled, replaced or fallback (sent to Telegram). text: the same for people.
    """

    at: datetime
    what: str
    text: str
    devices: list[Screen] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Story:
    """All about one notification. why_not: empty if it was pushed or read. screens: sockets it reached."""

    row: Notification
    moments: list[Moment]
    why_not: str
    screens: int


def story(notification_id: UUID) -> Story:
    """Three queries on indexes. Raises NotificationUnknown."""
    row = (
        Notification.objects.select_related("recipient", "sender")
        .filter(pk=notification_id)
        .first()
    )
    if row is None:
        raise NotificationUnknown(f"There is no notification {notification_id}.")
    open_now = {str(each.pk): each for each in Client.objects.filter(recipient_id=row.recipient_id)}
    pushes = list(Push.objects.filter(notification_id=row.pk).order_by("at", "id"))
    moments = sorted([*_fates(row), *_pushes(pushes, open_now)], key=lambda each: each.at)
    reached = {screen.client_id for each in moments for screen in each.devices}
    why = "" if pushes or row.read_at else _why_not(row, len(open_now))
    return Story(row, moments, why, len(reached))


def timeline(notification_id: UUID) -> list[Moment]:
    """What happened to a notification, oldest first. Raises NotificationUnknown."""
    return story(notification_id).moments


def why_not(notification_id: UUID) -> str:
    """Why no screen has shown it; empty if one has. Raises NotificationUnknown."""
    return story(notification_id).why_not


def moment_of(position: int) -> datetime:
    """When a position was taken: it is milliseconds, or a little later after a burst."""
    return datetime.fromtimestamp(position / 1000, UTC)


def _fates(row: Notification) -> list[Moment]:
    """What the row itself tells; for one moment in the order in which it happens."""
    sender = f" from {row.sender.get_username()}" if row.sender else ""
    accepted = f"Accepted{sender}, source {row.source}."
    found: list[tuple[datetime | None, str, str]] = [(row.accepted_at, "accepted", accepted)]
    if row.state == State.MUTED:
        text = f"The person has muted the source {row.source}: kept, never shown."
        found.append((row.accepted_at, "muted", text))
    if row.deliver_at is not None:
        text = f"Held back until {_clock(row.deliver_at)}: the person has quiet hours."
        found.append((row.accepted_at, "deferred", text))
        if row.position is not None:
            found.append((moment_of(row.position), "placed", "Quiet hours are over: sent out."))
    found += [
        (row.updated_at, "updated", f"Changed; this is edition {row.edition}."),
        (row.cleared_at, "expired", "Nobody had read it when its time was over."),
        (row.fell_back_at, "fallback", "Still unread: passed on to Telegram."),
        (row.read_at, "acked", "Read."),
    ]
    if row.state == State.REPLACED:
        found.append(
            (row.recalled_at, "replaced", f"A newer one took its place ({row.collapse_key}).")
        )
    else:
        found.append((row.recalled_at, "recalled", "Taken back."))
    return [Moment(at, what, text) for at, what, text in found if at is not None]


def _pushes(pushes: list[Push], open_now: dict[str, Client]) -> list[Moment]:
    moments = []
    for push in pushes:
        screens = [_screen(told, push.pod_id, open_now) for told in push.devices]
        names = ", ".join(screen.device or "a nameless one" for screen in screens)
        count = f"{len(screens)} screen{'s' if len(screens) != 1 else ''}"
        text = f"Shown on {count} of {push.pod_id}: {names}."
        moments.append(Moment(push.at, "pushed", text, screens))
    return moments


def _screen(told: str, pod_id: str, open_now: dict[str, Client]) -> Screen:
    """told: a client id, and after a blank the name of its device if the hub wrote one."""
    client_id, _, device = told.partition(" ")
    known = open_now.get(client_id)
    return Screen(client_id, pod_id, device or (known.device if known else ""))


def _why_not(row: Notification, open_now: int) -> str:
    match row.state:
        case State.MUTED:
            return f"The person has muted the source {row.source}."
        case State.DEFERRED:
            return f"The person has quiet hours until {_clock(row.deliver_at)}."
        case State.AUTO_CLEARED:
            return f"No screen was open before it expired at {_clock(row.expires_at)}."
        case State.RECALLED:
            return "It was taken back before a screen was open."
        case State.REPLACED:
            return "A newer one took its place before a screen was open."
    until = f"it waits until {_clock(row.expires_at)}."
    if not open_now:
        return f"No screen of the person is open; {until}"
    one = "1 screen is" if open_now == 1 else f"{open_now} screens are"
    return f"{one} open and none has said yet that it came; {until}"


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "an unknown time"

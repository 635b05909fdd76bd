"""Making dialogs, and who takes part in them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from notifications.conversations.errors import DialogFull
from notifications.conversations.models import Dialog, Participant
from notifications.conversations.people import (
    dialog_lock,
    participant_lock,
    refused,
    title_check,
    user_check,
    users_check,
)

MOST_PARTICIPANTS = 500
DIALOG = "dialog"  # what the audit log calls it


@transaction.atomic
def dialog_create(*, participants: Iterable[str], title: str = "") -> Dialog:
    """Make a dialog of these people (who is named twice counts once).

    Raises ConversationInvalid, DialogFull.
    """
    people = users_check(participants)
    if not people:
        raise refused("participants", "must name at least one person")
    _room_check(len(people))
    now = clock.now()
    dialog = Dialog.objects.create(title=title_check(title), active_at=now, created_at=now)
    Participant.objects.bulk_create(
        Participant(dialog=dialog, user_id=each, joined_at=now) for each in people
    )
    return dialog


@transaction.atomic
def participants_add(*, dialog_id: UUID, user_ids: Sequence[str]) -> list[Participant]:
    """Let people take part from now on; who left comes back and has nothing unread.

    Repeat: who is there stays as they are. Locks: the dialog. Raises ConversationInvalid,
    DialogUnknown, DialogFull. Returns all that were named.
    """
    people = users_check(user_ids)
    if not people:
        raise refused("participants", "must name at least one person")
    dialog, now = dialog_lock(dialog_id), clock.now()
    rows = Participant.objects.filter(dialog=dialog)
    known = set(rows.filter(user_id__in=people).values_list("user_id", flat=True))
    fresh = [each for each in people if each not in known]
    away = rows.filter(user_id__in=people, left_at__isnull=False)
    coming = away.count()
    _room_check(rows.filter(left_at=None).count() + coming + len(fresh))
    here = {"joined_at": now, "last_read_position": dialog.last_position}
    away.update(left_at=None, is_archived=False, unread=0, **here)
    Participant.objects.bulk_create(
        Participant(dialog=dialog, user_id=each, **here) for each in fresh
    )
    return list(rows.filter(user_id__in=people).order_by("pk"))


@transaction.atomic
def participant_leave(*, dialog_id: UUID, user_id: str) -> None:
    """Leave a dialog: no messages are counted and nothing is told from now on.

    Repeat: who has left stays away. Locks: the participant. Raises DialogUnknown, NotAParticipant.
    """
    user_id = user_check(user_id)
    if Participant.objects.filter(
        dialog_id=dialog_id, user_id=user_id, left_at__isnull=False
    ).exists():
        return
    row = participant_lock(dialog_id, user_id)
    row.left_at = clock.now()
    row.unread, row.pending_position, row.pending_since = 0, None, None
    row.save(update_fields=["left_at", "unread", "pending_position", "pending_since"])


@transaction.atomic
def participant_archive(*, dialog_id: UUID, user_id: str, is_archived: bool) -> Participant:
    """Put a dialog away for one person, or take it out again. A new message takes it out, too.

    Repeat-safe. Locks: the participant. Raises DialogUnknown, NotAParticipant.
    """
    row = participant_lock(dialog_id, user_check(user_id))
    row.is_archived = is_archived
    row.save(update_fields=["is_archived"])
    return row


@transaction.atomic
def participant_notify(
    *, dialog_id: UUID, user_id: str, is_enabled: bool, by: Account = None
) -> Participant:
    """Switch notifications of one dialog on or off for one person; holds for timers that run, too.

    by: who at the console did it; what backends do for their people is not audited.
    Repeat-safe. Locks: the participant. Raises DialogUnknown, NotAParticipant.
    """
    row = participant_lock(dialog_id, user_check(user_id))
    if row.notifications_enabled != is_enabled:
        row.notifications_enabled = is_enabled
        row.save(update_fields=["notifications_enabled"])
        if by is not None:
            action = "conversations.unmute" if is_enabled else "conversations.mute"
            audit_write(by, action, DIALOG, dialog_id, user_id=row.user_id)
    return row


@transaction.atomic
def dialog_archive(*, dialog_id: UUID, is_archived: bool, by: Account) -> None:
    """Put a dialog away for all who take part, or take it out for all.

    Repeat-safe. Locks: the dialog, then its participants. Raises DialogUnknown.
    """
    dialog = dialog_lock(dialog_id)
    now = clock.now()
    Participant.objects.filter(dialog=dialog, left_at=None).exclude(is_archived=is_archived).update(
        is_archived=is_archived
    )
    if is_archived:
        dialog.archived_at = now
    else:
        # Else the next sweep would put it away again, unused as it is.
        dialog.archived_at, dialog.active_at = None, now
    dialog.save(update_fields=["archived_at", "active_at"])
    action = "conversations.archive" if is_archived else "conversations.unarchive"
    audit_write(by, action, DIALOG, dialog.pk)


def _room_check(count: int) -> None:
    if count > MOST_PARTICIPANTS:
        raise DialogFull(f"a dialog has at most {MOST_PARTICIPANTS} participants", count=count)

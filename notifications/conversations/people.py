"""Ids of people as the backends that own them write them, and who takes part where."""

from collections.abc import Iterable
from uuid import UUID

from jobs.storable import is_storable
from notifications.conversations.errors import (
    ConversationInvalid,
    DialogUnknown,
    NotAParticipant,
)
from notifications.conversations.models import Dialog, Participant
from notifications.conversations.models.dialog import TEXT_LIMIT, TITLE_LIMIT, USER_LIMIT


def user_check(user_id: str, field: str = "user_id") -> str:
    """The id as it is kept. Raises ConversationInvalid."""
    found = user_id.strip()
    if not found or len(found) > USER_LIMIT or not is_storable(found):
        raise refused(field, f"must have 1 to {USER_LIMIT} characters")
    return found


def users_check(user_ids: Iterable[str], field: str = "participants") -> list[str]:
    """The ids, each once, in their order. Raises ConversationInvalid."""
    return list(dict.fromkeys(user_check(each, field) for each in user_ids))


def title_check(title: str) -> str:
    """The title of a dialog. Raises ConversationInvalid."""
    if len(title) > TITLE_LIMIT or not is_storable(title):
        raise refused("title", f"must have at most {TITLE_LIMIT} characters that can be stored")
    return title


def text_check(text: str) -> str:
    """The text of a message. Raises ConversationInvalid."""
    if not text.strip() or len(text) > TEXT_LIMIT or not is_storable(text):
        raise refused("text", f"must have 1 to {TEXT_LIMIT} characters that can be stored")
    return text


def refused(field: str, why: str) -> ConversationInvalid:
    """One field that cannot be used."""
    return ConversationInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])


def dialog_get(dialog_id: UUID) -> Dialog:
    """The dialog. Raises DialogUnknown."""
    found = Dialog.objects.filter(pk=dialog_id).first()
    if found is None:
        raise DialogUnknown
    return found


def dialog_lock(dialog_id: UUID) -> Dialog:
    """The dialog, locked: nobody sends or joins meanwhile. Raises DialogUnknown."""
    found = Dialog.objects.select_for_update(no_key=True).filter(pk=dialog_id).first()
    if found is None:
        raise DialogUnknown
    return found


def participant_lock(dialog_id: UUID, user_id: str) -> Participant:
    """Who is in the dialog now, locked. Raises DialogUnknown, NotAParticipant."""
    rows = Participant.objects.select_for_update(no_key=True)
    found = rows.filter(dialog_id=dialog_id, user_id=user_id, left_at=None).first()
    if found is None:
        dialog_get(dialog_id)
        raise NotAParticipant(f"{user_id} does not take part in this dialog")
    return found

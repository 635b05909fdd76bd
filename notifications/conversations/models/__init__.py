"""The rows of the conversations. Locks: the dialog before its participants."""

from notifications.conversations.models.dialog import Dialog, Message, Participant
from notifications.conversations.models.notice import Fate, Notice, Reason, Stat

__all__ = ["Dialog", "Fate", "Message", "Notice", "Participant", "Reason", "Stat"]

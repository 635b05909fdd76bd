"""Addresses of the conversations."""

from django.urls import URLPattern, path

from notifications.conversations.api import dialogs, messages, participants

_ONE = f"{dialogs.PATH}/<uuid:dialog_id>"

urlpatterns: list[URLPattern] = [
    path(dialogs.PATH, dialogs.DialogsApi.as_view()),
    path(_ONE, dialogs.DialogApi.as_view()),
    path(f"{_ONE}/messages", messages.MessagesApi.as_view()),
    path(f"{_ONE}/read", messages.ReadApi.as_view()),
    path(f"{_ONE}/leave", participants.LeaveApi.as_view()),
    path(f"{_ONE}/archive", participants.ArchiveApi.as_view()),
    path(f"{_ONE}/unarchive", participants.UnarchiveApi.as_view()),
    path(f"{_ONE}/participants", participants.ParticipantsApi.as_view()),
    path(f"{_ONE}/participants/<path:user_id>", participants.ParticipantApi.as_view()),
]

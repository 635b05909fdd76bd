"""The page of one dialog: what was said, who was told of it and who was not, and why."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern

from jobs.admin.pages import deed
from jobs.models import AuditEntry
from notifications.conversations import dialogs
from notifications.conversations.admin.pages import ConversationsConsole, number_of
from notifications.conversations.models import Dialog
from notifications.conversations.selectors.story import dialog_story

OPERATE = "conversations.operate_dialog"


class DialogPages(ConversationsConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:dialog_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.dialog, "change"),
            self.at(f"{one}live/", self.dialog_live, "live"),
            self.at(f"{one}archive/", self.archive, "archive"),
            self.at(f"{one}unarchive/", self.unarchive, "unarchive"),
            self.at(f"{one}mute/", self.mute, "mute"),
            self.at(f"{one}unmute/", self.unmute, "unmute"),
        ]

    def dialog(self, request: HttpRequest, dialog_id: UUID) -> HttpResponse:
        """The page. Its queries are few and do not depend on how much was said."""
        row = _get(dialog_id)
        return self.show(
            request,
            "dialog",
            f"Dialog {row.title or f'…{str(row.pk)[-8:]}'}",
            acts=_acts(row),
            **_story(request, row),
        )

    def dialog_live(self, request: HttpRequest, dialog_id: UUID) -> HttpResponse:
        """The story, for the page that is open already (htmx)."""
        context = {**_story(request, _get(dialog_id)), "here": request.GET.get("here", "")}
        return TemplateResponse(request, "admin/conversations/_story.html", context)

    @deed(OPERATE)
    def archive(self, request: HttpRequest, dialog_id: UUID) -> str:
        dialogs.dialog_archive(dialog_id=dialog_id, is_archived=True, by=request.user)
        return "The dialog is put away for all; the next message brings it back."

    @deed(OPERATE)
    def unarchive(self, request: HttpRequest, dialog_id: UUID) -> str:
        dialogs.dialog_archive(dialog_id=dialog_id, is_archived=False, by=request.user)
        return "The dialog is back on the list of all who take part."

    @deed(OPERATE)
    def mute(self, request: HttpRequest, dialog_id: UUID) -> str:
        return self._switch(request, dialog_id, is_enabled=False)

    @deed(OPERATE)
    def unmute(self, request: HttpRequest, dialog_id: UUID) -> str:
        return self._switch(request, dialog_id, is_enabled=True)

    @staticmethod
    def _switch(request: HttpRequest, dialog_id: UUID, *, is_enabled: bool) -> str:
        user_id = request.POST.get("user_id", "")
        dialogs.participant_notify(
            dialog_id=dialog_id, user_id=user_id, is_enabled=is_enabled, by=request.user
        )
        return f"Notifications of this dialog are {'on' if is_enabled else 'off'} for {user_id}."


def _get(dialog_id: UUID) -> Dialog:
    row = Dialog.objects.filter(pk=dialog_id).first()
    if row is None:
        raise Http404(f"there is no dialog {dialog_id}")
    return row


def _story(request: HttpRequest, row: Dialog) -> dict[str, Any]:
    before = number_of(request.GET.get("before", ""))
    return {"dialog": row, "story": dialog_story(row, before=before), "is_latest": before is None}


def _acts(row: Dialog) -> list[AuditEntry]:
    """What people did to the dialog, newest first."""
    found = AuditEntry.objects.filter(object_type=dialogs.DIALOG, object_id=str(row.pk))
    return list(found.order_by("-id")[:20])

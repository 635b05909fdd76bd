"""Addresses of the broadcasts."""

from django.urls import URLPattern, path

from notifications.broadcasts.api import actions, audiences, broadcasts, looks

_ONE = f"{broadcasts.PATH}/<uuid:broadcast_id>"
_AUDIENCES = "v1/admin/notifications/audiences"

_ACTIONS = {
    "send-now": actions.SendNowApi,
    "pause": actions.PauseApi,
    "resume": actions.ResumeApi,
    "cancel": actions.CancelApi,
    "resend-missing": actions.ResendMissingApi,
    "schedule": actions.ScheduleApi,
    "clone": actions.CloneApi,
    "recall": actions.RecallApi,
    "test-send": actions.TestSendApi,
}

urlpatterns: list[URLPattern] = [
    path(broadcasts.PATH, broadcasts.BroadcastsApi.as_view()),
    path(_ONE, broadcasts.BroadcastApi.as_view()),
    *(path(f"{_ONE}/actions/{name}", view.as_view()) for name, view in _ACTIONS.items()),
    path(f"{_ONE}/progress", looks.ProgressApi.as_view()),
    path(f"{_ONE}/ledger", looks.LedgerApi.as_view()),
    path(f"{_ONE}/dry-run", looks.DryRunApi.as_view()),
    path(f"{_ONE}/preview", looks.PreviewApi.as_view()),
    path(_AUDIENCES, audiences.AudiencesApi.as_view()),
    path(f"{_AUDIENCES}/imports/<uuid:upload_id>", audiences.AudienceImportApi.as_view()),
    path(f"{_AUDIENCES}/count", audiences.AudienceCountApi.as_view()),
]

"""Addresses of the bulk operations."""

from django.urls import URLPattern, path

from subscriptions.api import bulk

_ONE = f"{bulk.PATH}/<uuid:operation_id>"
_ACTS = {
    "pause": ("Pause a bulk operation", "No further pack is begun.", 200),
    "resume": ("Go on with a paused bulk operation", "", 200),
    "cancel": (
        "Cancel a bulk operation for good",
        "Whoever was not begun is skipped. A pack on its way to the panel is finished and counted.",
        200,
    ),
    "retry_failed": ("Try those that failed again", "A new operation for them.", 202),
    "undo": (
        "Take a bulk operation back",
        "A new operation, for whoever was not changed since. Not for delete and reset_traffic.",
        202,
    ),
}

urlpatterns: list[URLPattern] = [
    path(bulk.PATH, bulk.BulkOperationsApi.as_view()),
    path(f"{bulk.PATH}/preview", bulk.BulkPreviewApi.as_view()),
    path(f"{bulk.PATH}/upload", bulk.BulkUploadApi.as_view()),
    path(_ONE, bulk.BulkOperationApi.as_view()),
    path(f"{_ONE}/items", bulk.BulkItemsApi.as_view()),
    *(
        path(
            f"{_ONE}/actions/{act.replace('_', '-')}",
            bulk.act_view(act, summary, description, status).as_view(),
        )
        for act, (summary, description, status) in _ACTS.items()
    ),
]

"""Addresses of the file watch."""

from django.urls import URLPattern, path

from monitoring.files.api.batches import (
    FileBatchApi,
    FileBatchesApi,
    FileBatchFilesApi,
    FileBatchRetryApi,
    WatchedFilesApi,
)
from monitoring.files.api.rules import (
    FileRuleActionApi,
    FileRuleApi,
    FileRuleMatchesApi,
    FileRulesApi,
    FileRuleTryApi,
    FileWatchersApi,
)

_BASE = "api/v1/file-watch"
_RULE = f"{_BASE}/rules/<int:rule_id>"
_BATCH = f"{_BASE}/batches/<uuid:batch_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_BASE}/rules", FileRulesApi.as_view()),
    path(f"{_BASE}/rules/try", FileRuleTryApi.as_view()),
    path(_RULE, FileRuleApi.as_view()),
    path(f"{_RULE}/matches", FileRuleMatchesApi.as_view()),
    *(
        path(f"{_RULE}/actions/{action}", FileRuleActionApi.as_view(), {"action": action})
        for action in ("pause", "resume", "scan")
    ),
    path(f"{_BASE}/batches", FileBatchesApi.as_view()),
    path(_BATCH, FileBatchApi.as_view()),
    path(f"{_BATCH}/files", FileBatchFilesApi.as_view()),
    path(f"{_BATCH}/actions/retry", FileBatchRetryApi.as_view()),
    path(f"{_BASE}/files", WatchedFilesApi.as_view()),
    path(f"{_BASE}/watchers", FileWatchersApi.as_view()),
]

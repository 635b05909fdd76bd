"""Addresses of exports, and of the links that are given out."""

from django.urls import URLPattern, path

from reports.exports.api import downloads, exports

_ONE = f"{exports.PATH}/<uuid:export_id>"

urlpatterns: list[URLPattern] = [
    path(exports.PATH, exports.ExportsApi.as_view()),
    path(f"{exports.PATH}/types", exports.ExportTypesApi.as_view()),
    path(f"{exports.PATH}/estimate", exports.ExportEstimateApi.as_view()),
    path(_ONE, exports.ExportApi.as_view()),
    path(f"{_ONE}/download", downloads.ExportDownloadApi.as_view(), name="export-download"),
    path(f"{_ONE}/actions/cancel", exports.ExportCancelApi.as_view()),
    path(f"{_ONE}/actions/revoke", exports.ExportRevokeApi.as_view()),
    path("exports/<str:token>", downloads.LinkedPage.as_view(), name="export-linked"),
    path("exports/<str:token>/file", downloads.LinkedFileApi.as_view(), name="export-linked-file"),
]

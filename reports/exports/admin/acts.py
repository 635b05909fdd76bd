"""What can be done to one export in the console; each calls a service, which audits."""

from uuid import UUID

from django.http import Http404, HttpRequest

from jobs.admin.pages import deed
from lib.errors import NotFound
from reports.exports import services
from reports.exports.models import Export
from reports.exports.ordering import VIEW


def or_404(export_id: UUID) -> Export:
    """The row of a page."""
    try:
        return services.export_get(export_id)
    except NotFound as exc:
        raise Http404(exc.message) from None


class ExportActs:
    """The service asks whose export it is, so that viewing is all that the address takes."""

    @deed(VIEW)
    def cancel(self, request: HttpRequest, export_id: UUID) -> str:
        services.export_cancel(export_id=export_id, by=request.user)
        return "The export is cancelled; no file comes of it."

    @deed(VIEW)
    def revoke(self, request: HttpRequest, export_id: UUID) -> str:
        services.export_revoke(export_id=export_id, by=request.user)
        return "The link is revoked. The page shows a new one; the old one opens nothing any more."

    @deed(VIEW)
    def delete(self, request: HttpRequest, export_id: UUID) -> str:
        services.export_delete(export_id=export_id, by=request.user)
        return (
            "The file is deleted. What was ordered stays in the list, so it can be ordered again."
        )

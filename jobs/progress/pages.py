"""`/progress/<uuid>`: the page of a long operation, for whoever has the link and may look."""

from typing import Any
from uuid import UUID

from csp.decorators import csp_replace
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from jobs.progress.registry import Kind, OperationUnknown, operation_find
from jobs.progress.snapshot import Progress, snapshot_body, whole_rate
from jobs.progress.viewers import is_known, may
from lib import clock


@method_decorator(csp_replace({"script-src": ["'self'"], "style-src": ["'self'"]}), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class ProgressPage(View):
    """The page; a stranger logs in first. It shows its first numbers without any script."""

    def get(self, request: HttpRequest, operation_id: UUID) -> HttpResponse:
        if not is_known(request.user):
            return redirect_to_login(request.get_full_path())
        try:
            kind, progress = operation_find(operation_id)
        except OperationUnknown as exc:
            raise Http404(exc.message) from None
        if not may(request.user, kind.permission):
            raise PermissionDenied
        return TemplateResponse(
            request, "progress/page.html", live_context(request, kind, progress)
        )


def live_context(request: HttpRequest, kind: Kind, progress: Progress) -> dict[str, Any]:
    """What templates/progress/_live.html needs, on this page or on one of the admin."""
    rate_per_s, eta_s = whole_rate(progress)
    body = snapshot_body(progress, rate_per_s=rate_per_s, eta_s=eta_s)
    acts = [
        {"name": name, "title": act.title, "sentence": act.sentence, "tone": act.tone}
        for name, act in kind.acts.items()
        if may(request.user, act.permission)
    ]
    live = {"now": clock.now(), "snapshot": body, "acts": acts}
    return {"operation": progress, "progress_live": live}

"""`/ops/`: the page of the live dashboard, for a screen on the wall and for a phone."""

from typing import Any

from csp.decorators import csp_replace
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from monitoring.dashboard.frames import everything
from monitoring.dashboard.viewers import may_view


@method_decorator(csp_replace({"script-src": ["'self'"], "style-src": ["'self'"]}), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class OpsPage(View):
    """The page; a stranger logs in first. The first picture comes with it, so nothing flashes up."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Costs a session, an account and what `everything` costs."""
        user: Any = request.user
        if not (user.is_authenticated and user.is_staff):
            return redirect_to_login(request.get_full_path())
        if not may_view(user):
            raise PermissionDenied
        return TemplateResponse(request, "ops/page.html", {"live": everything()})

"""The admin site: first what needs a person now, then everything else."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from config import runbook
from config.now import now_context

if TYPE_CHECKING:  # unfold brings no types, and its site is Django's with more on top
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite


class SwitchboardAdminSite(UnfoldAdminSite):
    """django-unfold's site with our index. `admin:now` draws its upper part again, every 15 s."""

    index_title = "Now"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The start page. Costs what the registered figures and sources of attention cost."""
        return super().index(request, {**now_context(request), **(extra_context or {})})

    def extra_urls(self) -> list[URLPattern]:
        """unfold's hook for pages of a site."""
        return [path("now/", self.admin_view(self.now), name="now"), *runbook.urls(self)]

    def now(self, request: HttpRequest) -> TemplateResponse:
        """Only what changes, for the page that is open already."""
        return TemplateResponse(request, "admin/now.html", now_context(request))


def environment(request: HttpRequest) -> list[str]:
    """The badge that tells a development console from the real one."""
    del request
    return ["Development", "info"]

"""The start page, which is the live console of the inbox, and the description of the API."""

from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_page, never_cache
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from notifications.inbox.live.viewer import may_view

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Drawing the schema takes most of a second, so a stranger may not have it drawn at will.
_SCHEMA_KEPT_S = 0 if settings.DEBUG else 300
# What the page does, as data-may-...: staff with the permission, or anybody with OPEN_IDENTITY.
_ACTS = {
    "may_send": "inbox.send_notification",
    "may_change": "inbox.change_notification",
    "may_open": "inbox.issue_ticket",
}


@method_decorator(csp_replace({"script-src": ["'self'"], "style-src": ["'self'"]}), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class StartPage(TemplateView):
    """The live console for staff; for a stranger, where to go from here."""

    template_name = "inbox/console.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sandbox = urlsplit(settings.TELEGRAM_API_URL)
        user = self.request.user
        return {
            **super().get_context_data(**kwargs),
            "version": settings.VERSION,
            "open_identity": settings.OPEN_IDENTITY,
            "may_view": may_view(user),
            **{
                name: settings.OPEN_IDENTITY or user.has_perm(permission)
                for name, permission in _ACTS.items()
            },
            "sandbox_url": f"{sandbox.scheme}://{sandbox.netloc}/"
            if settings.DEBUG and sandbox.hostname in _LOOPBACK
            else "",
        }


schema = cache_page(_SCHEMA_KEPT_S, key_prefix=f"schema-{settings.VERSION}")(
    SpectacularAPIView.as_view()
)
docs = SpectacularSwaggerView.as_view(url_name="api-schema")
landing = StartPage.as_view()

"""The start page, and the description of the API."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.views.decorators.cache import cache_page
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Drawing the schema takes most of a second, so a stranger may not have it drawn at will.
_SCHEMA_KEPT_S = 0 if settings.DEBUG else 300


class LandingPage(TemplateView):
    """Where to go from here, for a stranger and for staff."""

    template_name = "landing.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sandbox = urlsplit(settings.TELEGRAM_API_URL)
        return {
            **super().get_context_data(**kwargs),
            "version": settings.VERSION,
            "open_identity": settings.OPEN_IDENTITY,
            "sandbox_url": f"{sandbox.scheme}://{sandbox.netloc}/"
            if settings.DEBUG and sandbox.hostname in _LOOPBACK
            else "",
        }


schema = cache_page(_SCHEMA_KEPT_S, key_prefix=f"schema-{settings.VERSION}")(
    SpectacularAPIView.as_view()
)
docs = SpectacularSwaggerView.as_view(url_name="api-schema")
landing = LandingPage.as_view()

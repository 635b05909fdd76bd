"""Breakers: which outside services are held to be down, since when and why; opened and closed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.pages import ConsoleAdmin, deed
from jobs.console import breaker_set
from jobs.models import Breaker
from jobs.selectors.breakers import breakers_list
from lib.errors import NotFound


@admin.register(Breaker)
class BreakerAdmin(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("<str:name>/open/", self.open, "open"),
            self.at("<str:name>/close/", self.close, "close"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        return self.show(request, "breakers", "Breakers", breakers=breakers_list())

    @deed("jobs.operate_breaker")
    def open(self, request: HttpRequest, name: str) -> str:
        _known(name)
        breaker_set(name=name, is_open=True, by=request.user)
        return f"The breaker {name} is open: nothing is asked of the service for an hour."

    @deed("jobs.operate_breaker")
    def close(self, request: HttpRequest, name: str) -> str:
        _known(name)
        breaker_set(name=name, is_open=False, by=request.user)
        return f"The breaker {name} is closed: calls go through again."


def _known(name: str) -> None:
    """Raise NotFound for a name that neither code nor a row knows: it would make a row."""
    if name not in {view.breaker.name for view in breakers_list()}:
        raise NotFound(f"there is no breaker {name}")

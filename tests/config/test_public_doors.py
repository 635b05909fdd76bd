"""Every address that anybody may call has a limit: that of the REST API, or one that is named here."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from config.api.throttling import AccountThrottle

# Not of the REST API -> what limits it.
LIMITED_OTHERWISE = {
    "": "a page without a query for strangers",
    "health": "no query, no disk",
    "ready": "two small queries; who is told 503 is not asked for more",
    "metrics": "METRICS_ALLOWED, or a token",
    "webhooks/cryptobot/": "payments.intake.flood: unsigned bodies are not written down at will",
    "webhooks/remnawave/": "payments.intake.flood",
    "webhooks/telegram/": "payments.intake.flood",
    "ops/": "staff only",
    "exports/<str:token>": "a signed link that expires",
    "progress/<uuid:operation_id>": "staff, or the one who began it",
}


def doors(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """(route, pattern) of all addresses but the admin's, whose login has a limit (test_login.py)."""
    for each in patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            if route != "admin/":
                yield from doors(each.url_patterns, route)
        else:
            yield route, each


def view_of(pattern: URLPattern) -> type[Any] | None:
    found: type[Any] | None = getattr(pattern.callback, "cls", None)
    return found


def test_every_door_has_a_limit() -> None:
    unlimited = []
    for route, pattern in doors(get_resolver().url_patterns):
        view = view_of(pattern)
        if view is not None and issubclass(view, APIView):
            if AccountThrottle not in view.throttle_classes:
                unlimited.append(route)
        elif route not in LIMITED_OTHERWISE:
            unlimited.append(route)
    assert unlimited == []


def test_the_list_names_no_door_that_is_gone() -> None:
    there = {route for route, _ in doors(get_resolver().url_patterns)}
    assert sorted(set(LIMITED_OTHERWISE) - there) == []

"""A view names the permission it takes; one that names none is closed."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from config.pages import docs, schema
from jobs.api.access import HasAnyPermission


def test_who_holds_the_permission_may(caller: Callable[..., Client]) -> None:
    assert caller("config.view_ops").get("/api/echo").status_code == 200


def test_who_holds_another_is_told_which_one_is_needed(caller: Callable[..., Client]) -> None:
    answer = caller("config.view_metrics").get("/api/echo")
    assert answer.status_code == 403
    assert "config.view_ops" in answer.json()["detail"]


def test_a_view_that_names_no_permission_is_closed_to_all(
    account: Callable[..., User], client: Client, probe_api: None
) -> None:
    client.force_login(account("root", is_superuser=True))
    assert client.get("/api/unnamed").status_code == 403


def test_each_method_may_need_its_own(caller: Callable[..., Client], client: Client) -> None:
    allowed = caller("config.view_ops")
    assert client.get("/api/per-method").status_code == 200
    assert client.head("/api/per-method").status_code == 200
    assert client.post("/api/per-method").status_code == 401
    assert allowed.post("/api/per-method").status_code == 200


def test_a_method_that_was_forgotten_is_closed(caller: Callable[..., Client]) -> None:
    assert caller("config.view_ops").delete("/api/per-method").status_code == 403


def test_every_view_of_the_site_names_its_permission() -> None:
    documentation = {schema, docs}
    unnamed = [
        path
        for path, callback in _api_views(get_resolver("config.urls"))
        if callback not in documentation and not _names_one(callback.cls)
    ]
    assert unnamed == []


def _names_one(view: Any) -> bool:
    """One permission, or several of which any will do; both are checked before the view runs."""
    if hasattr(view, "required_permission"):
        return True
    return HasAnyPermission in view.permission_classes and bool(view.any_permission)


def _api_views(resolver: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _api_views(pattern, path)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, APIView):
                yield path, pattern.callback

"""Who may open which door of payments and subscriptions over HTTP: every address, every method."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

OURS = ("payments.", "subscriptions.")
SAMPLE = {"uuid": "01934f2b-6c4e-7a10-8000-000000000001", "int": "1", "slug": "x", "str": "x"}
METHODS = ("get", "post", "put", "patch", "delete")


def views(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    """(address with samples in place of parameters, view) for all that is mounted."""
    for each in resolver.url_patterns:
        if not isinstance(each.pattern, RoutePattern):
            continue
        route = before + filled(each)
        if isinstance(each, URLResolver):
            yield from views(each, route)
        else:
            yield route, each.callback


def filled(each: URLPattern | URLResolver) -> str:
    text = str(each.pattern)
    for name, converter in each.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        kind = {"string": "str"}.get(kind, kind)
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            text = text.replace(written, SAMPLE.get(kind, "x"))
    return text


def module_of(view: Any) -> str:
    found = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    return str(getattr(found, "__module__", ""))


def is_ours(route: str, view: Any) -> bool:
    """The pages of many rows stand in jobs.admin, so addresses of the console tell by themselves."""
    if route.startswith("admin/"):
        return route.startswith(("admin/payments/", "admin/subscriptions/"))
    return module_of(view).startswith(OURS)


DOORS = sorted({f"/{route}" for route, view in views(get_resolver()) if is_ours(route, view)})
REST = [door for door in DOORS if door.startswith("/api/")]
CONSOLE = [door for door in DOORS if door.startswith("/admin/")]
HOOKS = [door for door in DOORS if door.startswith("/webhooks/")]


def test_all_doors_are_found() -> None:
    assert len(REST) > 15
    assert len(CONSOLE) > 50
    assert sorted(HOOKS) == ["/webhooks/cryptobot/", "/webhooks/remnawave/"]
    assert set(DOORS) == {*REST, *CONSOLE, *HOOKS}


@pytest.mark.parametrize("door", REST)
def test_a_stranger_and_one_without_permissions_do_nothing_over_rest(
    client: Client, account: Callable[..., User], door: str
) -> None:
    """405 is the other answer: the address has no such method, whoever asks."""
    client.defaults["REMOTE_ADDR"] = (
        f"10.77.0.{REST.index(door)}"  # refusals of an address are limited
    )
    answers = {method: getattr(client, method)(door).status_code for method in METHODS}
    assert set(answers.values()) <= {401, 405}, answers
    assert 401 in answers.values()
    client.force_login(account("nobody"))
    answers = {method: getattr(client, method)(door).status_code for method in METHODS}
    assert set(answers.values()) <= {403, 405}, answers
    assert 403 in answers.values()


@pytest.mark.parametrize("door", CONSOLE)
def test_staff_without_permissions_do_nothing_in_the_console(
    client: Client, db: None, door: str
) -> None:
    for method in ("get", "post"):
        assert getattr(client, method)(door).status_code == 302  # to the login
    client.force_login(User.objects.create(username="staff", is_staff=True))
    for method in ("get", "post"):
        assert getattr(client, method)(door).status_code == 403, method


@pytest.mark.parametrize("door", CONSOLE)
def test_who_may_only_look_changes_nothing_in_the_console(
    client: Client, db: None, door: str
) -> None:
    """A POST that is let through ends in a redirect, done or refused; a look is a page."""
    reader = User.objects.create(username="reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)
    answer = client.post(door)
    if door.endswith("/act/done/"):  # tells what the last act did, and acts on nothing
        assert answer.status_code == 302
        return
    assert answer.status_code in {200, 403, 404, 405}, door

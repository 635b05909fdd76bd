"""Who opens a socket: by the cookie of a session, by a token in a header, or by a ticket in the address.

A ticket is for a browser that has no session here: a backend asks for one with its token
(POST /api/v1/progress/<id>/tickets) and hands it on. It opens sockets of this one operation, for
TICKET_S seconds, with the permission that the account has at that moment. It can only look.
"""

from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import parse_cookie
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from lib import clock

TICKET_S = 60
_SALT = "progress.ticket"


def is_known(user: Any) -> bool:
    """Whether anything may be told to this account at all."""
    return bool(settings.OPEN_IDENTITY or user.is_authenticated)


def may(user: Any, permission: str) -> bool:
    """Whether this account holds the permission; with OPEN_IDENTITY everybody does."""
    return bool(settings.OPEN_IDENTITY or user.has_perm(permission))


def ticket_issue(*, operation_id: UUID, user_id: int) -> tuple[str, datetime]:
    """(text of a ticket, until when it opens sockets)."""
    expires_at = clock.now() + timedelta(seconds=TICKET_S)
    body = [str(operation_id), user_id, expires_at.timestamp()]
    return signing.dumps(body, salt=_SALT), expires_at


def socket_user(scope: dict[str, Any], operation_id: UUID, *, is_opening: bool = True) -> Any:
    """The account behind a WebSocket request; AnonymousUser if none. Asks the database.

    is_opening: a ticket that has run out opens nothing, but what it has opened stays open.
    """
    tickets = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("ticket")
    if tickets:
        return _of_ticket(tickets[0], operation_id, is_opening=is_opening)
    return account_of(scope)


def account_of(scope: dict[str, Any]) -> Any:
    """The account behind any WebSocket request, by its token or its session; AnonymousUser if none."""
    kind, _, token = _header(scope, b"authorization").partition(" ")
    if kind.lower() in {"bearer", "token"}:
        return _of_token(token.strip())
    key = parse_cookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return AnonymousUser()
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    asking: Any = SimpleNamespace(session=store, META={})
    return get_user(asking)


def _of_ticket(text: str, operation_id: UUID, *, is_opening: bool) -> Any:
    try:
        operation, user_id, expires = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return AnonymousUser()
    is_late = is_opening and expires <= clock.now().timestamp()
    if operation != str(operation_id) or is_late:
        return AnonymousUser()
    found = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    return found or AnonymousUser()


def _of_token(token: str) -> Any:
    if not (token.isascii() and token.isalnum() and len(token) <= 128):
        return AnonymousUser()  # knox would ask the database, which refuses some bytes
    try:
        user, _ = TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return AnonymousUser()
    return user


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")

"""Who is asking: a machine with a token, a person with a session, or anybody with OPEN_IDENTITY."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from knox.auth import TokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

from config.accounts import open_identity

_PREFIXES = frozenset({b"bearer", b"token"})
_TOKEN = re.compile(rb"\w{20,128}", re.ASCII)


class ServiceTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`, or `Token <token>` as knox's own clients write it.

    knox keeps only a hash of the token and decides whether it holds.
    """

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() not in _PREFIXES:
            return None
        if len(parts) == 1 and settings.OPEN_IDENTITY:
            return None  # "Bearer $TOKEN" of a shell that has no TOKEN, and needs none
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed("Write: Authorization: Bearer <token>.")
        if not _TOKEN.fullmatch(parts[1]):  # knox would ask the database, which refuses some bytes
            raise exceptions.AuthenticationFailed("Invalid token.")
        found: tuple[User, Any] = TokenAuthentication().authenticate_credentials(parts[1])
        return found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """A person who is logged in to the admin; whatever changes something needs the CSRF token.

    The token may come as X-CSRFToken (Django's name) or X-CSRF-Token (the broadcast contract).
    """

    def authenticate_header(self, request: Request) -> str:
        return "Session"  # without it a stranger would be answered 403 instead of 401

    def enforce_csrf(self, request: Request) -> None:
        other_name = request.META.get("HTTP_X_CSRF_TOKEN")
        if other_name:
            request.META.setdefault(settings.CSRF_HEADER_NAME, other_name)
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as exc:
            raise exceptions.PermissionDenied(str(exc.detail), code="csrf_failed") from None


class OpenIdentityAuthentication(authentication.BaseAuthentication):
    """Lets anybody in as `open-identity`. Only with OPEN_IDENTITY=1, which production refuses."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        return (open_identity(), None) if settings.OPEN_IDENTITY else None

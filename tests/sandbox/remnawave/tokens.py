"""API tokens. Any token is good until told otherwise; a JWT ends with its exp.

A token that begins with "revoked" gets 401 from the start: handy where nobody can ask the control
endpoints first. "admin" is the session of a person, which alone may see the tokens.
"""

import base64
import binascii
from typing import Any

import orjson

from tests.sandbox.remnawave.errors import forbidden, unauthorized
from tests.sandbox.service import ControlInvalid

STATES = ("ok", "unknown", "deleted")
REVOKED_PREFIX = "revoked"


class TokenBook:
    """What is known about tokens beyond themselves."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._states: dict[str, str] = {}
        self._scopes: dict[str, frozenset[str]] = {}

    def put(self, token: str, state: str, scopes: list[str] | None) -> None:
        """Say what a token is worth. Raises ControlInvalid."""
        if state not in STATES:
            raise ControlInvalid(f"state must be one of {', '.join(STATES)}")
        self._states[token] = state
        if scopes is None:
            self._scopes.pop(token, None)
        else:
            self._scopes[token] = frozenset(scopes)

    def check(self, header: str | None, resource: str, action: str, now_s: float) -> None:
        """Raises PanelError: 401 without a good token, 403 for a deleted one or a missing scope.

        action is "read" or "write".
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token or token.startswith(REVOKED_PREFIX):
            raise unauthorized()
        state = self._states.get(token, "ok")
        ends_at = expiry(token)
        if state == "unknown" or (ends_at is not None and ends_at <= now_s):
            raise unauthorized()
        scopes = self._scopes.get(token)
        wanted = {"*", f"{resource}:*", f"{resource}:{action}"}
        if state == "deleted" or (scopes is not None and not scopes & wanted):
            raise forbidden()


def expiry(token: str) -> float | None:
    """exp of a JWT in unix seconds; None for any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, orjson.JSONDecodeError, ValueError):
        return None
    ends_at = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends_at) if isinstance(ends_at, int | float) else None

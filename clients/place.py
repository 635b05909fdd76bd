"""Whom the command clients speak for and to, from the environment.

DEV_USER_ID and DEV_LOGIN name a person (1, test_user), DEV_URL the site (http://127.0.0.1:8000, or
the port of PORT), DEV_TOKEN is needed where OPEN_IDENTITY is off: a token of a service account with
inbox.issue_ticket (client) or inbox.send_notification (sender).
"""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Place:
    """url is without a slash at its end; an empty token means that the site asks for none."""

    url: str
    user_id: int
    login: str
    token: str

    @property
    def name(self) -> str:
        """The person as the inbox names them: "1-test_user"."""
        return f"{self.user_id}-{self.login}"

    @property
    def websocket_url(self) -> str:
        """The address of /ws, by the scheme that belongs to url's."""
        return f"ws{self.url.removeprefix('http')}/ws"

    @property
    def headers(self) -> dict[str, str]:
        """What REST asks for."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def place_read() -> Place:
    """Read the environment. Ends the program with a sentence when a value is wrong."""
    port = os.environ.get("PORT") or "8000"
    url = (os.environ.get("DEV_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise SystemExit(f"DEV_URL must begin with http:// or https://, and is {url!r}.")
    user_id = os.environ.get("DEV_USER_ID") or "1"
    if not user_id.isascii() or not user_id.isdigit():
        raise SystemExit(f"DEV_USER_ID must be a whole number, and is {user_id!r}.")
    login = os.environ.get("DEV_LOGIN") or "test_user"
    return Place(url, int(user_id), login, os.environ.get("DEV_TOKEN", ""))

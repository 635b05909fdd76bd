"""A client of the panel, as thin as can be: an ordinary library over HTTP."""

from typing import Any

import requests

TOKEN = "sandbox-token"


class PanelApi:
    """One connection with a token."""

    def __init__(self, base: str, token: str = TOKEN) -> None:
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, http_method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """path is what follows /api/."""
        return self.http.request(
            http_method, f"{self.base}/api/{path}", json=body, params=query, timeout=10
        )

    def get(self, path: str, **query: Any) -> Any:
        """The response of a GET that must succeed."""
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]

    def change(self, http_method: str, path: str, body: Any = None) -> Any:
        """The response of a write that must succeed; None if the answer has no body."""
        answer = self.ask(http_method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json()["response"] if answer.content else None

    def refused(self, http_method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and code of an error of the panel's rules."""
        answer = self.ask(http_method, path, body)
        return answer.status_code, answer.json().get("errorCode")

"""An app that talks to Crypto Pay in the sandbox as any client does: over HTTP."""

from typing import Any

import requests

from tests.sandbox.fixture import Sandbox

TOKEN = "41207:AAsandbox-secret"


class PayApp:
    """One app with one pooled connection."""

    def __init__(self, sandbox: Sandbox, token: str = TOKEN) -> None:
        self.sandbox = sandbox
        self.token = token
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Crypto-Pay-API-Token"] = token

    def call(self, method: str, **parameters: Any) -> requests.Response:
        return self.http.post(self.url(method), json=parameters, timeout=10)

    def result(self, method: str, **parameters: Any) -> Any:
        """What a call gives that must succeed."""
        answer = self.call(method, **parameters)
        assert answer.status_code == 200, answer.text
        envelope = answer.json()
        assert set(envelope) == {"ok", "result"}
        return envelope["result"]

    def refusal(self, method: str, **parameters: Any) -> tuple[int, str]:
        """Status and name of a call that must fail."""
        answer = self.call(method, **parameters)
        envelope = answer.json()
        assert envelope["ok"] is False
        assert envelope["error"]["code"] == answer.status_code
        return answer.status_code, envelope["error"]["name"]

    def order(self, **changes: Any) -> dict[str, Any]:
        """Make an invoice of 499 RUB; a change to None takes a parameter away."""
        given = {
            "currency_type": "fiat",
            "fiat": "RUB",
            "amount": "499",
            "payload": "order-1",
            **changes,
        }
        made: dict[str, Any] = self.result(
            "createInvoice", **{name: value for name, value in given.items() if value is not None}
        )
        return made

    def read(self, **filters: Any) -> list[dict[str, Any]]:
        """Items of getInvoices."""
        items: list[dict[str, Any]] = self.result("getInvoices", **filters)["items"]
        return items

    def url(self, method: str) -> str:
        return f"{self.sandbox.cryptopay_url}/api/{method}"

"""The words of a test for what people and Crypto Pay do: `sandbox.pay`."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any


class PayHand:
    """Pays invoices and lets webhooks go, through the control endpoints of a running sandbox."""

    def __init__(self, call: Callable[..., dict[str, Any]]) -> None:
        self._call = call

    def invoice(self, invoice_id: int) -> dict[str, Any]:
        """An invoice as Crypto Pay shows it. Raises SandboxFailed for one that is gone."""
        return self._call("GET", f"cryptopay/invoices/{invoice_id}")

    def invoices(
        self, *, status: str | None = None, payload: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Invoices, the newest first; at most 10,000 at once."""
        query = {"status": status, "payload": payload, "limit": limit}
        found: list[dict[str, Any]] = self._call("GET", "cryptopay/invoices", query=query)[
            "invoices"
        ]
        return found

    def pay(
        self,
        invoice_id: int,
        *,
        asset: str | None = None,
        amount: Decimal | str | None = None,
        late: bool = False,
        duplicates: int = 0,
        delay_s: float = 0,
        silent: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """Pay an invoice and return it.

        asset: another coin than asked for. amount: in that coin, else what is due. late: although it
        is expired. The webhook goes to webhooks_to, if that is set: duplicates more times, delay_s
        later (by the sandbox's clock), never if silent. more: swap, anonymous, comment.
        """
        return self.pay_all(
            [invoice_id],
            asset=asset,
            amount=amount,
            late=late,
            duplicates=duplicates,
            delay_s=delay_s,
            silent=silent,
            **more,
        )[0]

    def pay_all(self, invoice_ids: Iterable[int], **order: Any) -> list[dict[str, Any]]:
        """Pay many in one call, all of them or none; the words are those of pay."""
        if order.get("amount") is not None:
            order["amount"] = str(order["amount"])
        answer = self._call("POST", "cryptopay/pay", {"invoice_ids": list(invoice_ids), **order})
        paid: list[dict[str, Any]] = answer["invoices"]
        return paid

    def forget(self, invoice_id: int) -> None:
        """Delete an invoice, as somebody could who holds the token."""
        self._call("DELETE", f"cryptopay/invoices/{invoice_id}")

    def webhooks_to(self, url: str, *, held: bool = False) -> dict[str, Any]:
        """Send webhooks there from now on, "" for nowhere; held: only when deliver() says so.

        Switches a webhook on again that was given up. Returns its state.
        """
        return self._call("PUT", "cryptopay/webhook", {"url": url, "held": held})

    def webhook(self) -> dict[str, Any]:
        """{"url", "is_held", "is_switched_off", "waiting", "due", "on_the_way", ...}."""
        return self._call("GET", "cryptopay/webhook")

    def deliver(self, invoice_id: int | None = None, *, update_id: int = 1) -> dict[str, Any]:
        """Send all that is due, wait for the answers, and return {"sent", ...} as webhook does.

        invoice_id: send the event of this invoice once more besides.
        """
        order = {} if invoice_id is None else {"invoice_id": invoice_id, "update_id": update_id}
        state = self._call("POST", "cryptopay/deliver", order)
        sent = state["sent"]
        while state["due"] or state["on_the_way"]:
            state = self._call("POST", "cryptopay/deliver", {})
            sent += state["sent"]
        return state | {"sent": sent}

    def deliveries(self, invoice_id: int | None = None) -> list[dict[str, Any]]:
        """Attempts, oldest first: invoice_id, update_id, attempt, at, status, error, next_at."""
        found: list[dict[str, Any]] = self._call(
            "GET", "cryptopay/deliveries", query={"invoice_id": invoice_id}
        )["attempts"]
        return found

    def network(self, name: str) -> None:
        """Be "mainnet" or "testnet": tokens of the other one get 401."""
        self._call("PUT", "cryptopay/network", {"network": name})

    def app(self, app_id: int, **states: bool) -> dict[str, Any]:
        """Bar an app or open it: revoked (401), suspended (423), transfers (allowed or not)."""
        return self._call("PUT", f"cryptopay/apps/{app_id}", states)

    def strangers(self, user_ids: Iterable[int]) -> None:
        """These users never opened the bot: nothing can be transferred to them."""
        self._call("PUT", "cryptopay/strangers", {"user_ids": list(user_ids)})

    def stats(self) -> dict[str, Any]:
        """received, by_method, by_status, peak_per_s (by method, real seconds), webhook."""
        return self._call("GET", "cryptopay/stats")

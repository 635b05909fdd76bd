"""The calls of Crypto Pay that we use."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from lib import http
from payments.providers.cryptobot.answers import result_of
from payments.providers.cryptobot.errors import CryptoPayAway, CryptoPayUnknown
from payments.providers.cryptobot.reading import (
    ShapeInvalid,
    balance_read,
    invoice_read,
    profile_read,
    rate_read,
    rows_read,
)
from payments.providers.cryptobot.types import (
    AppProfile,
    Balance,
    ExchangeRate,
    Invoice,
    InvoiceOrder,
    InvoiceStatus,
)

SERVICE = "cryptobot"
TOKEN_HEADER = "Crypto-Pay-API-Token"  # noqa: S105 - the name of a header
IDS_LIMIT = 300  # of one call: "up to a few hundred"
PAGE_LIMIT = (
    1000  # of the service; without `count` it gives 100 and does not say that there are more
)
MAX_BODY_BYTES = 16 * 1024 * 1024  # a full page, each invoice with a payload of 4 KB and long texts


class CryptoPayClient:
    """One app at one network. Source: Crypto Pay API 1.5.2 (2026-03-18).

    Every method makes one HTTP call and raises the errors of payments.providers.cryptobot.errors; none
    retries, none waits for a pace (gate.py does). Reads are safe to repeat. Safe to share among threads
    and over a fork. The token is in no error and no log.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        longest_life: timedelta,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 20.0,
        pool_size: int = 4,
        observe: Callable[[http.Call], None] | None = None,
    ) -> None:
        """base_url is what stands before /api/<method>. No invoice lives longer than longest_life."""
        if not token or re.search(r"[^\x21-\x7e]", token):
            raise ValueError("the token of Crypto Pay is missing or holds what no token has")
        self._longest_life = longest_life
        self._door = http.HttpDoor(
            SERVICE,
            f"{base_url.rstrip('/')}/api",
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            pool_size=pool_size,
            max_body_bytes=MAX_BODY_BYTES,
            headers={TOKEN_HEADER: token},
            secrets=(token, token.partition(":")[2]),
            observe=observe,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._door.close()

    def me(self) -> AppProfile:
        """Whose token it is, and of which network: the check of a token. Changes nothing."""
        with _shapes_of_a_read("getMe"):
            return profile_read(self._read("getMe", {}))

    def invoice_create(self, order: InvoiceOrder) -> Invoice:
        """Make an invoice that somebody can pay. There is no idempotency key: never repeat blindly.

        After CryptoPayUnknown it may exist: look for its payload first (gate.invoice_find).
        """
        result = self._call("createInvoice", self._parameters(order), is_write=True)
        try:
            return invoice_read(result)
        except ShapeInvalid as exc:
            raise CryptoPayUnknown(f"createInvoice gave no invoice: {exc}") from None

    def invoices(
        self,
        ids: Collection[int] | None = None,
        status: InvoiceStatus | None = None,
        *,
        fiat: str | None = None,
        asset: str | None = None,
        offset: int = 0,
        count: int = PAGE_LIMIT,
    ) -> list[Invoice]:
        """Some invoices, in the order of the service, which is not documented (newest first, as seen).

        ids: at most IDS_LIMIT; none of them asks nothing. One that is missing from the answer is gone.
        status: only active and paid can be asked for. A single unreadable invoice spoils the answer:
        left out, it would look gone.
        """
        if ids is not None and not ids:
            return []
        if ids is not None and len(ids) > IDS_LIMIT:
            raise ValueError(f"ask for at most {IDS_LIMIT} invoices at once")
        if offset < 0 or not 1 <= count <= PAGE_LIMIT:
            raise ValueError(f"offset starts at 0, count is 1 to {PAGE_LIMIT}")
        parameters: dict[str, Any] = {
            "invoice_ids": None if ids is None else ",".join(map(str, ids)),
            "status": status,
            "fiat": fiat,
            "asset": asset,
            "offset": offset,
            "count": count,
        }
        with _shapes_of_a_read("getInvoices"):
            return [invoice_read(row) for row in rows_read(self._read("getInvoices", parameters))]

    def invoice_delete(self, invoice_id: int) -> None:
        """Delete an invoice, so that nobody can pay it any more. Deleting again does no harm.

        It may be paid in the same moment: after a failure, read it. CryptoPayRefused: not there, or
        no longer active.
        """
        self._call("deleteInvoice", {"invoice_id": invoice_id}, is_write=True)

    def exchange_rates(self) -> list[ExchangeRate]:
        """What coins cost now; rates that are marked as not valid are left out."""
        with _shapes_of_a_read("getExchangeRates"):
            found = [rate_read(row) for row in rows_read(self._read("getExchangeRates", {}))]
        return [rate for rate in found if rate is not None]

    def balance(self) -> list[Balance]:
        """What the app holds, by coin."""
        with _shapes_of_a_read("getBalance"):
            return [balance_read(row) for row in rows_read(self._read("getBalance", {}))]

    def _parameters(self, order: InvoiceOrder) -> dict[str, Any]:
        life = min(order.expires_in or self._longest_life, self._longest_life)
        return {
            "currency_type": "fiat" if order.fiat else "crypto",
            "fiat": order.fiat,
            "asset": order.asset,
            # A comma-separated text: a JSON array is answered with 500 APP_ERROR.
            "accepted_assets": ",".join(order.accepted_assets) or None,
            "amount": f"{order.amount:f}",
            "swap_to": order.swap_to,
            "description": order.description or None,
            "hidden_message": order.hidden_message or None,
            "paid_btn_name": order.paid_button,
            "paid_btn_url": order.paid_button_url if order.paid_button else None,
            "payload": order.payload,
            "allow_comments": order.allow_comments,
            "allow_anonymous": order.allow_anonymous,
            "expires_in": max(1, int(life.total_seconds())),
        }

    def _read(self, method: str, parameters: Mapping[str, Any]) -> Any:
        return self._call(method, parameters, is_write=False)

    def _call(self, method: str, parameters: Mapping[str, Any], *, is_write: bool) -> Any:
        # POST with JSON for all of them: a query string would stand in logs.
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            answer = self._door.request("POST", method, json=given, label=method)
        except http.Unreachable as exc:
            raise CryptoPayAway(exc.reason) from exc
        except http.HttpFailure as exc:
            raise (CryptoPayUnknown if is_write else CryptoPayAway)(exc.reason) from exc
        return result_of(answer, self._door.mask, is_write=is_write)


@contextmanager
def _shapes_of_a_read(method: str) -> Iterator[None]:
    """An answer that is not by contract is as good as none."""
    try:
        yield
    except ShapeInvalid as exc:
        raise CryptoPayAway(f"{method} answered otherwise than agreed: {exc}") from None

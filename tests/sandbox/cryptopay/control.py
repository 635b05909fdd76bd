"""/_sandbox/cryptopay/: read back invoices, pay them, and say where webhooks go."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.cryptopay.apps import NETWORKS
from tests.sandbox.cryptopay.invoices import Invoice
from tests.sandbox.cryptopay.payment import PayOrder, paid_by
from tests.sandbox.cryptopay.world import World
from tests.sandbox.replies import json_reply, known_only, read_object, whole
from tests.sandbox.service import ControlInvalid

READ_LIMIT = 10_000
_PAY_FIELDS = {
    "invoice_ids", "asset", "amount", "late", "swap", "anonymous", "comment",
    "duplicates", "delay_s", "silent",
}  # fmt: skip
_APP_FIELDS = {"revoked", "suspended", "transfers"}
LONGEST_DELAY_S = 366 * 86_400


def routes(world: World) -> list[BaseRoute]:
    control = Control(world)
    return [
        Route("/invoices", control.invoices),
        Route("/invoices/{invoice_id:int}", control.invoice, methods=["GET", "DELETE"]),
        Route("/pay", control.pay, methods=["POST"]),
        Route("/webhook", control.webhook, methods=["GET", "PUT"]),
        Route("/deliver", control.deliver, methods=["POST"]),
        Route("/deliveries", control.deliveries),
        Route("/network", control.network, methods=["GET", "PUT"]),
        Route("/apps/{app_id:int}", control.app, methods=["PUT"]),
        Route("/strangers", control.strangers, methods=["PUT"]),
        Route("/stats", control.stats),
    ]


@dataclass(frozen=True, slots=True)
class Event:
    """How the webhook of a payment goes out."""

    delay_s: float
    duplicates: int
    is_silent: bool


class Control:
    """The endpoints. Wrong input raises ControlInvalid, which the app answers with 400."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def invoices(self, request: Request) -> Response:
        """?status=&payload=&offset=&limit=, newest first; payload must be the same."""
        query = request.query_params
        status, payload = query.get("status", ""), query.get("payload")
        limit, offset = whole(query, "limit"), whole(query, "offset") or 0
        now = self._world.clock.timestamp()
        found = (
            invoice
            for invoice in self._world.invoices.newest_first()
            if (not status or invoice.status(now) == status)
            and (payload is None or invoice.payload == payload)
        )
        most = READ_LIMIT if limit is None else min(max(limit, 0), READ_LIMIT)
        page = islice(found, max(offset, 0), max(offset, 0) + most)
        return json_reply(
            {
                "invoices": [self._world.shape(invoice.invoice_id) for invoice in page],
                "kept": len(self._world.invoices),
                "deleted": self._world.invoices.deleted,
            }
        )

    async def invoice(self, request: Request) -> Response:
        """GET, or DELETE as if the app had deleted it."""
        invoice = self._known(request.path_params["invoice_id"])
        shape = self._world.shape(invoice.invoice_id)
        if request.method == "DELETE":
            self._world.invoices.delete(invoice)
        return json_reply(shape)

    async def pay(self, request: Request) -> Response:
        """Pay some invoices, all or none of them.

        {"invoice_ids": [1], "asset", "amount", "late", "swap", "anonymous", "comment"}, and for the
        webhook "duplicates", "delay_s", and "silent": true for one that is never sent. {"orders": [...]}
        carries out many such orders, each for itself; one that is refused has an "error".
        """
        body = await read_object(request, {*_PAY_FIELDS, "orders"})
        if "orders" not in body:
            return json_reply(self._paid(body))
        orders = body.pop("orders")
        if (
            body
            or not isinstance(orders, list)
            or not all(isinstance(each, dict) for each in orders)
        ):
            raise ControlInvalid("orders must be a list of objects, and stand alone")
        return json_reply({"orders": [self._paid_or_refused(each) for each in orders]})

    def _paid_or_refused(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._paid(known_only(body, _PAY_FIELDS))
        except ControlInvalid as error:
            return {"error": str(error)}

    def _paid(self, body: dict[str, Any]) -> dict[str, Any]:
        order, event = _pay_order(body), _event(body)
        ids = body.get("invoice_ids")
        if not isinstance(ids, list) or not all(type(number) is int for number in ids):
            raise ControlInvalid("invoice_ids must be a list of numbers")
        chosen = [self._known(number) for number in dict.fromkeys(ids)]
        now = self._world.clock.timestamp()
        paid = [paid_by(invoice, order, now) for invoice in chosen]
        for invoice, way in zip(chosen, paid, strict=True):
            invoice.paid = way
        self._world.invoices.changed()
        updates = [
            None if event.is_silent else self._announce(invoice, event) for invoice in chosen
        ]
        return {
            "invoices": [self._world.shape(invoice.invoice_id) for invoice in chosen],
            "update_ids": updates,
        }

    async def webhook(self, request: Request) -> Response:
        """PUT {"url": "http://...", "held": true}: held sends only when /deliver says so."""
        if request.method == "PUT":
            order = await read_object(request, {"url", "held"})
            url, is_held = order.get("url"), order.get("held", False)
            if not isinstance(url, str) or (url and not url.startswith(("http://", "https://"))):
                raise ControlInvalid("url must begin with http:// or https://, or be empty")
            self._world.deliveries.send_to(url, is_held=_flag("held", is_held))
        return json_reply(self._world.deliveries.as_json())

    async def deliver(self, request: Request) -> Response:
        """Send what is due and wait for the answers; {"invoice_id", "update_id"} sends one again."""
        order = await read_object(request, {"invoice_id", "update_id"})
        if order:
            number, update = order.get("invoice_id"), order.get("update_id", 1)
            if type(number) is not int or type(update) is not int:
                raise ControlInvalid("invoice_id and update_id must be whole numbers")
            self._known(number)
            self._world.deliveries.again(number, update)
        sent = await self._world.deliveries.deliver_due()
        return json_reply({"sent": sent, **self._world.deliveries.as_json()})

    async def deliveries(self, request: Request) -> Response:
        """?invoice_id=: the last attempts, oldest first."""
        number = whole(request.query_params, "invoice_id")
        return json_reply({"attempts": self._world.deliveries.attempts_of(number)})

    async def network(self, request: Request) -> Response:
        """PUT {"network": "testnet"}."""
        if request.method == "PUT":
            network = (await read_object(request, {"network"})).get("network")
            if network not in NETWORKS:
                raise ControlInvalid(f"network must be one of {', '.join(NETWORKS)}")
            self._world.apps.network = network
        return json_reply({"network": self._world.apps.network})

    async def app(self, request: Request) -> Response:
        """PUT {"revoked": true}, {"suspended": true} or {"transfers": true}."""
        order = await read_object(request, _APP_FIELDS)
        app = self._world.apps.app(request.path_params["app_id"])
        app.is_revoked = _flag("revoked", order.get("revoked", app.is_revoked))
        app.is_suspended = _flag("suspended", order.get("suspended", app.is_suspended))
        app.can_transfer = _flag("transfers", order.get("transfers", app.can_transfer))
        return json_reply(
            {
                "app_id": app.app_id,
                "revoked": app.is_revoked,
                "suspended": app.is_suspended,
                "transfers": app.can_transfer,
            }
        )

    async def strangers(self, request: Request) -> Response:
        """PUT {"user_ids": [1]}: those who never opened the bot."""
        ids = (await read_object(request, {"user_ids"})).get("user_ids")
        if not isinstance(ids, list) or not all(type(number) is int for number in ids):
            raise ControlInvalid("user_ids must be a list of numbers")
        self._world.transfers.strangers = set(ids)
        return json_reply({"user_ids": ids})

    async def stats(self, request: Request) -> Response:
        return json_reply(
            {**self._world.traffic.as_json(), "webhook": self._world.deliveries.as_json()}
        )

    def _known(self, invoice_id: int) -> Invoice:
        invoice = self._world.invoices.find(invoice_id)
        if invoice is None:
            raise ControlInvalid(f"there is no invoice {invoice_id}")
        return invoice

    def _announce(self, invoice: Invoice, event: Event) -> int | None:
        return self._world.deliveries.announce(
            invoice.invoice_id, delay_s=event.delay_s, duplicates=event.duplicates
        )


def _pay_order(body: dict[str, Any]) -> PayOrder:
    amount = body.get("amount")
    try:
        exact = None if amount is None else Decimal(str(amount))
    except InvalidOperation:
        raise ControlInvalid("amount must be a number, best written as a text") from None
    if exact is not None and not (exact.is_finite() and 0 < exact < Decimal("1e15")):
        raise ControlInvalid("amount must be above 0 and below 1e15")
    return PayOrder(
        asset=str(body.get("asset") or ""),
        amount=exact,
        is_late=_flag("late", body.get("late", False)),
        is_swapped=_flag("swap", body.get("swap", True)),
        is_anonymous=_flag("anonymous", body.get("anonymous", True)),
        comment=str(body.get("comment") or ""),
    )


def _event(body: dict[str, Any]) -> Event:
    duplicates, delay_s = body.get("duplicates", 0), body.get("delay_s", 0)
    if type(duplicates) is not int or not 0 <= duplicates <= 100:
        raise ControlInvalid("duplicates must be a whole number up to 100")
    if isinstance(delay_s, bool) or not isinstance(delay_s, int | float):
        raise ControlInvalid("delay_s must be a number of seconds")
    if not 0 <= delay_s <= LONGEST_DELAY_S:
        raise ControlInvalid("delay_s must be between 0 and a year")
    return Event(delay_s, duplicates, _flag("silent", body.get("silent", False)))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ControlInvalid(f"{name} must be true or false")
    return value

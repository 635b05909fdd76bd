"""The methods of Crypto Pay that are served, by contract of API 1.5.2 (2026-03-18)."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from tests.sandbox.cryptopay.apps import App
from tests.sandbox.cryptopay.errors import ApiError, app_error, bad_request
from tests.sandbox.cryptopay.invoices import Invoice
from tests.sandbox.cryptopay.orders import read_life, read_payload, read_terms
from tests.sandbox.cryptopay.params import Parameters
from tests.sandbox.cryptopay.prices import COINS_USD, currencies, exchange_rates, in_usd, written
from tests.sandbox.cryptopay.shapes import fee_of, invoice_shape, iso
from tests.sandbox.cryptopay.world import World

PAGE = 100
PAGE_LIMIT = 1000
OPENING_BALANCE = {"USDT": Decimal(1000), "TON": Decimal(0)}
STATS_LIMIT_S = 90 * 86_400.0
COMMENT_LIMIT = 1024
SPEND_ID_LIMIT = 64

Method = Callable[[World, App, Parameters], Any]


def get_me(world: World, app: App, parameters: Parameters) -> Any:
    return app.profile(world.apps.network)


def create_invoice(world: World, app: App, parameters: Parameters) -> Any:
    terms, payload = read_terms(app.app_id, parameters), read_payload(parameters)
    life_s = read_life(parameters)
    now = world.clock.timestamp()
    return invoice_shape(world.invoices.add(terms, payload, now, life_s), now, app.site)


def get_invoices(world: World, app: App, parameters: Parameters) -> Any:
    offset = parameters.whole("offset", 0, app_error())
    count = parameters.whole("count", PAGE, app_error())
    if offset < 0:
        raise ApiError(500, "INTERNAL_SERVER_ERROR")
    if not 1 <= count <= PAGE_LIMIT:
        raise app_error()
    status = parameters.text("status")
    if status not in {"", "active", "paid"}:
        raise app_error()
    currencies_asked = {*parameters.codes("asset"), *parameters.codes("fiat")}
    now = world.clock.timestamp()
    found = (
        invoice
        for invoice in _asked(world, app, parameters)
        if (not status or invoice.status(now) == status)
        and (not currencies_asked or invoice.terms.currency in currencies_asked)
    )
    page = islice(found, offset, offset + count)
    return {"items": [invoice_shape(invoice, now, app.site) for invoice in page]}


def _asked(world: World, app: App, parameters: Parameters) -> Any:
    """Those whose ids are given, unknown ones left out; all if none are."""
    written_ids = parameters.codes("invoice_ids")
    if not written_ids:
        return world.invoices.newest_first(app.app_id)
    try:
        ids = sorted({int(written_id) for written_id in written_ids}, reverse=True)
    except ValueError:
        raise app_error() from None
    found = (world.invoices.find(invoice_id, app.app_id) for invoice_id in ids)
    return (invoice for invoice in found if invoice is not None)


def delete_invoice(world: World, app: App, parameters: Parameters) -> Any:
    number = parameters.whole("invoice_id", 0, bad_request("INVOICE_ID_INVALID"))
    invoice = world.invoices.find(number, app.app_id)
    if invoice is None:
        raise bad_request("INVOICE_NOT_FOUND")
    if invoice.paid is not None:
        raise bad_request("INVOICE_ALREADY_PAID")
    world.invoices.delete(invoice)
    return True


def get_balance(world: World, app: App, parameters: Parameters) -> Any:
    held = {coin: OPENING_BALANCE.get(coin, Decimal(0)) for coin in COINS_USD}
    for invoice in world.invoices.newest_first(app.app_id):
        if invoice.paid is not None:
            held[invoice.paid.asset] += invoice.paid.amount - fee_of(invoice.paid)
    for transfer in world.transfers.of(app.app_id):
        held[transfer["asset"]] -= Decimal(transfer["amount"])
    return [
        {"currency_code": coin, "available": written(amount), "onhold": "0"}
        for coin, amount in held.items()
    ]


def get_exchange_rates(world: World, app: App, parameters: Parameters) -> Any:
    return exchange_rates()


def get_currencies(world: World, app: App, parameters: Parameters) -> Any:
    return currencies()


def get_stats(world: World, app: App, parameters: Parameters) -> Any:
    now = world.clock.timestamp()
    end_at = _moment(parameters, "end_at", now)
    start_at = _moment(parameters, "start_at", end_at - 86_400)
    if end_at - start_at > STATS_LIMIT_S:
        raise bad_request("INTERVAL_TOO_BIG")
    made = [
        invoice
        for invoice in world.invoices.newest_first(app.app_id)
        if start_at <= invoice.created_at <= end_at
    ]
    paid = [invoice for invoice in made if invoice.paid is not None]
    return {
        "volume": written(sum(map(_worth, paid), Decimal(0))),
        "conversion": written(Decimal(100 * len(paid)) / max(len(made), 1)),
        "unique_users_count": len(paid),
        "created_invoice_count": len(made),
        "paid_invoice_count": len(paid),
        "start_at": iso(start_at),
        "end_at": iso(end_at),
    }


def _worth(invoice: Invoice) -> Decimal:
    return in_usd(invoice.terms.currency, Decimal(invoice.terms.amount))


def _moment(parameters: Parameters, name: str, default: float) -> float:
    given = parameters.text(name)
    try:
        return datetime.fromisoformat(given).timestamp() if given else default
    except (ValueError, OverflowError):
        raise app_error() from None


def transfer(world: World, app: App, parameters: Parameters) -> Any:
    if not app.can_transfer:
        raise ApiError(403, "METHOD_DISABLED")
    asset = parameters.text("asset")
    if asset not in COINS_USD:
        raise bad_request("ASSET_INVALID")
    amount = parameters.amount("amount", bad_request("AMOUNT_INVALID"))
    user_id = parameters.whole("user_id", 0, bad_request("USER_ID_INVALID"))
    spend_id, comment = parameters.text("spend_id"), parameters.text("comment")
    if not 0 < len(spend_id) <= SPEND_ID_LIMIT or len(comment) > COMMENT_LIMIT:
        raise app_error()
    if world.transfers.is_known(app.app_id, spend_id):
        raise bad_request("SPEND_ID_ALREADY_USED")
    if user_id <= 0 or user_id in world.transfers.strangers:
        raise bad_request("USER_NOT_FOUND")
    if in_usd(asset, amount) < 1:
        raise bad_request("AMOUNT_TOO_SMALL")
    if in_usd(asset, amount) > 25_000:
        raise bad_request("AMOUNT_TOO_BIG")
    held = {row["currency_code"]: row["available"] for row in get_balance(world, app, parameters)}
    if Decimal(held[asset]) < amount:
        raise bad_request("INSUFFICIENT_FUNDS")
    made = {
        "user_id": user_id,
        "asset": asset,
        "amount": written(amount),
        "status": "completed",
        "completed_at": iso(world.clock.timestamp()),
    }
    return world.transfers.add(
        app.app_id, spend_id, made | ({"comment": comment} if comment else {})
    )


def get_transfers(world: World, app: App, parameters: Parameters) -> Any:
    offset = parameters.whole("offset", 0, app_error())
    count = parameters.whole("count", PAGE, app_error())
    if offset < 0 or not 1 <= count <= PAGE_LIMIT:
        raise app_error()
    asset, spend_id = parameters.text("asset"), parameters.text("spend_id")
    ids = set(parameters.codes("transfer_ids"))
    found = [
        row
        for row in world.transfers.of(app.app_id)
        if asset in {"", row["asset"]}
        and spend_id in {"", row["spend_id"]}
        and (not ids or str(row["transfer_id"]) in ids)
    ]
    return {"items": found[offset : offset + count]}


def unknown_method(world: World, app: App, parameters: Parameters) -> Any:
    raise ApiError(405, "METHOD_NOT_FOUND")


METHODS: dict[str, Method] = {
    "getme": get_me,
    "createinvoice": create_invoice,
    "getinvoices": get_invoices,
    "deleteinvoice": delete_invoice,
    "getbalance": get_balance,
    "getexchangerates": get_exchange_rates,
    "getcurrencies": get_currencies,
    "getstats": get_stats,
    "transfer": transfer,
    "gettransfers": get_transfers,
}

"""The page behind the link of an invoice, where a person pays by a click and sees it go its way."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.cryptopay.invoices import Invoice
from tests.sandbox.cryptopay.payment import PayOrder, due, paid_by
from tests.sandbox.cryptopay.prices import COINS_USD, written
from tests.sandbox.cryptopay.shapes import iso
from tests.sandbox.cryptopay.world import World
from tests.sandbox.service import ControlInvalid

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}}
button{{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.6rem}}</style>
<h1>{title}</h1><p>{description}</p>{body}
<p><small>Crypto Pay of the sandbox: no money moves.</small></p></html>"""


def routes(world: World) -> list[BaseRoute]:
    page = PayPage(world)
    return [Route("/cryptopay/pay/{name}", page.answer, methods=["GET", "POST"])]


class PayPage:
    """GET shows the invoice, POST pays it with ?asset=."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        invoice = self._world.invoices.by_hash(request.path_params["name"])
        if invoice is None:
            body = "<p>It was deleted, or the sandbox was started anew.</p>"
            return _page("There is no such invoice", "", body, status=404)
        if request.method == "POST":
            try:
                self._pay(invoice, request.query_params.get("asset", ""))
            except ControlInvalid as error:
                return _page("Not paid", str(error), "", status=409)
            return RedirectResponse(request.url.path, status_code=303)
        return self._show(invoice)

    def _pay(self, invoice: Invoice, asset: str) -> None:
        accepted = _accepted(invoice)
        if asset not in accepted:
            raise ControlInvalid(f"This invoice takes {', '.join(accepted)}.")
        invoice.paid = paid_by(invoice, PayOrder(asset=asset), self._world.clock.timestamp())
        self._world.invoices.changed()
        self._world.deliveries.announce(invoice.invoice_id, delay_s=0, duplicates=0)

    def _show(self, invoice: Invoice) -> Response:
        terms = invoice.terms
        status = invoice.status(self._world.clock.timestamp())
        body = f"<p>This invoice is {status}.</p>"
        if status == "active":
            body = "".join(
                f'<form method="post" action="?asset={asset}"><button>Pay '
                f"{written(due(terms, asset))} {asset}</button></form>"
                for asset in _accepted(invoice)
            )
            if invoice.expires_at is not None:
                body += f"<p>Open until {iso(invoice.expires_at)}</p>"
        elif invoice.paid is not None:
            paid = invoice.paid
            body = f"<p>Paid: {written(paid.amount)} {paid.asset} at {iso(paid.at)}.</p>"
            body += f"<p>{escape(terms.hidden_message)}</p>"
            if terms.paid_btn_url:
                body += f'<p><a href="{escape(terms.paid_btn_url)}">Back</a></p>'
        return _page(f"{terms.amount} {terms.currency}", terms.description, body)


def _accepted(invoice: Invoice) -> tuple[str, ...]:
    if invoice.terms.currency_type == "crypto":
        return (invoice.terms.currency,)
    return invoice.terms.accepted_assets or tuple(COINS_USD)


def _page(title: str, description: str, body: str, status: int = 200) -> Response:
    text = _PAGE.format(title=escape(title), description=escape(description), body=body)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})

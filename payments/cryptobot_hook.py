"""What Crypto Pay sends us: proved by its signature, believed only after Crypto Pay was asked."""

from collections.abc import Mapping

from django.conf import settings

from jobs.faults import fault
from jobs.outcomes import Outcome, Snooze
from payments import fitting
from payments.intake.sources import BodyUnreadable, Described, Processed, Source, source_register
from payments.models import IncomingWebhook, Intake, ReviewReason
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.errors import CryptoPayBusy, UpdateInvalid
from payments.providers.cryptobot.reading import update_read
from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_ok
from payments.providers.cryptobot.types import Invoice
from payments.questions import question_open
from payments.settling import invoice_settle
from payments.tasks import process_webhook
from payments.writing import delivery_settled

NAME = "cryptobot"
PATH = "webhooks/cryptobot/"
INVOICE_PAID = "invoice_paid"


class ProviderDisagrees(Exception):
    """The webhook says paid, but Crypto Pay itself does not (yet)."""


def register() -> None:
    """Make Crypto Pay a source of webhooks, whatever is switched on."""
    source_register(
        Source(
            name=NAME,
            title="Crypto Pay",
            path=f"/{PATH}",
            verify=verify,
            describe=describe,
            process=process,
            kind=process_webhook,
            headers=(SIGNATURE_HEADER, "content-type", "user-agent"),
            secret_setting="CRYPTOBOT_TOKEN",  # noqa: S106 - the name of a setting
        )
    )


def verify(body: bytes, headers: Mapping[str, str]) -> bool | None:
    """Whether Crypto Pay has signed it; None without a token."""
    if not settings.CRYPTOBOT_TOKEN:
        return None
    return signature_ok(body, headers.get(SIGNATURE_HEADER), settings.CRYPTOBOT_TOKEN)


def describe(body: bytes) -> Described:
    """update_id is not unique, so two deliveries of one event are told by the invoice."""
    try:
        update = update_read(body)
    except UpdateInvalid as exc:
        raise BodyUnreadable(str(exc)) from None
    if update is None:
        return Described("payment", "other")
    number = update.invoice.invoice_id
    return Described(
        "payment",
        INVOICE_PAID,
        key=f"invoice:{number}",
        object_ref=f"invoice:{number}",
    )


def process(row: IncomingWebhook) -> Processed | Outcome:
    """Ask Crypto Pay how the invoice really stands, and settle its payment, unless that is done.

    Raises ProviderDisagrees while Crypto Pay does not say paid.
    """
    update = update_read(bytes(row.body))
    if update is None:
        return Processed(note="An update of another type; there is nothing to do.")
    done = delivery_settled(row.pk, NAME, update.invoice.invoice_id)
    if done is not None:  # the poll was quicker
        return Processed(object_ref=f"payment:{done}", is_noted=True)
    try:
        invoice = gate.invoice_read(update.invoice.invoice_id)
    except CryptoPayBusy as exc:
        if exc.retry_after is None:
            raise
        return Snooze(exc.retry_after, "Crypto Pay asks to wait")
    if invoice is None or not invoice.is_paid:
        said = "does not know it" if invoice is None else f"says {invoice.status}"
        raise ProviderDisagrees(f"invoice {update.invoice.invoice_id}: Crypto Pay {said}")
    settled = invoice_settle(NAME, invoice, webhook_id=row.pk)
    if settled is None:
        return _unknown(row, invoice)
    if settled.is_new:
        fault("payment.settled")
    return Processed(object_ref=f"payment:{settled.payment.pk}", is_noted=True)


def _unknown(row: IncomingWebhook, invoice: Invoice) -> Processed:
    question_open(
        key=f"invoice:{invoice.invoice_id}",
        reason=ReviewReason.UNKNOWN_INVOICE,
        facts=fitting.facts(None, invoice),
        webhook=row,
    )
    return Processed(Intake.UNMATCHED, note="No order of ours has this invoice.")

"""Payments with real processes: the web process dies after its 200, workers die amid their work."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from http.client import HTTPConnection

import orjson
import pytest

from lib.ids import uuid7
from payments.providers.cryptobot.client import CryptoPayClient
from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_of
from payments.providers.cryptobot.types import InvoiceOrder
from tests.processes.cluster import Cluster
from tests.processes.pod import PATIENCE_S, Pod
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

TOKEN = "41207:AASample-secret_part"
COUNT = 50
ORDERS = 4
KILLED = {"payments.make_invoice", "payments.process_webhook"}
Start = Callable[..., Cluster]


@pytest.fixture(autouse=True)
def own_money(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is open, and nothing stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows("TRUNCATE payment, payment_event, incoming_webhook, payment_review CASCADE")
    # What the rooms above do with completed payments is not looked at here.
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'subscriptions.%' OR kind LIKE 'payments.%'")
    site.rows(
        "DELETE FROM jobs_uniquekey u WHERE NOT EXISTS (SELECT FROM jobs_job WHERE id = job_id)"
    )
    site.rows("DELETE FROM jobs_breakerevent")
    site.rows("DELETE FROM jobs_breaker")


@pytest.fixture
def provider(sandbox: Sandbox) -> dict[str, str]:
    """The environment of processes that speak to the sandbox."""
    return {"CRYPTOBOT_API_URL": sandbox.cryptopay_url, "CRYPTOBOT_TOKEN": TOKEN}


def paid_orders_make(site: Site, sandbox: Sandbox) -> list[int]:
    """So many open invoices with their payments, as order_create and its job leave them."""
    client = CryptoPayClient(sandbox.cryptopay_url, TOKEN, longest_life=timedelta(hours=24))
    numbers = []
    for _ in range(COUNT):
        payment_id = uuid7()
        order = InvoiceOrder(payload=str(payment_id), amount=Decimal(5), asset="USDT")
        numbers.append(client.invoice_create(order).invoice_id)
        site.rows(
            """INSERT INTO payment (id, external_id, state, purpose, plan_code, plan_title,
                period_days, currency_type, currency, amount, checked_at)
            VALUES (%s, %s, 'pending', 'new', 'standard-1m', 'Standard', 30, 'crypto', 'USDT', 5,
                now())""",
            [payment_id, str(numbers[-1])],
        )
    client.close()
    return numbers


def send(pod: Pod, body: bytes) -> int:
    connection = HTTPConnection("127.0.0.1", pod.port, timeout=PATIENCE_S)
    try:
        connection.request(
            "POST",
            "/webhooks/cryptobot/",
            body,
            {"Content-Type": "application/json", SIGNATURE_HEADER: signature_of(body, TOKEN)},
        )
        return connection.getresponse().status
    finally:
        connection.close()


def update_of(sandbox: Sandbox, number: int) -> bytes:
    return orjson.dumps(
        {
            "update_id": 1,
            "update_type": "invoice_paid",
            "request_date": "2026-11-22T12:00:00.000Z",
            "payload": sandbox.pay.invoice(number),
        }
    )


def states(site: Site, table: str) -> dict[str, int]:
    return dict(site.rows(f"SELECT state, count(*) FROM {table} GROUP BY state"))


def orders_wait(site: Site) -> None:
    """Orders whose invoices are to be made."""
    for _ in range(ORDERS):
        payment_id = uuid7()
        site.rows(
            """INSERT INTO payment (id, state, purpose, plan_code, plan_title, period_days,
                currency_type, currency, amount) VALUES (%s, 'created', 'new', 'standard-1m',
                'Standard', 30, 'crypto', 'TON', 3)""",
            [payment_id],
        )
        site.call("enqueue", "payments.make_invoice", payment_id=str(payment_id))


def crashed(site: Site) -> set[str]:
    """The kinds whose jobs were running when a worker died."""
    return {kind for (kind,) in site.rows("SELECT kind FROM jobs_jobrecord WHERE crash_count > 0")}


def test_no_invoice_and_no_payment_is_lost_or_doubled_whatever_is_killed(
    site: Site, start: Start, sandbox: Sandbox, provider: dict[str, str]
) -> None:
    numbers = paid_orders_make(site, sandbox)
    sandbox.pay.pay_all(numbers, silent=True)
    pod = Pod(site, "money", **provider).wait_ready()
    assert {send(pod, update_of(sandbox, number)) for number in numbers} == {200}
    pod.kill()  # nobody has looked at one of them yet
    assert states(site, "payment") == {"pending": COUNT}
    assert states(site, "incoming_webhook") == {"received": COUNT}

    # Workers die when an invoice is made and not noted, and when a payment is settled and not noted.
    orders_wait(site)
    faults = "invoice.made=kill payment.settled=kill"
    dying = start("dying", 2, SWITCHBOARD_FAULTS=faults, REMNAWAVE_URL="", **provider)
    until(lambda: crashed(site) >= KILLED, "workers died at both")
    dying.end()

    start("living", 2, REMNAWAVE_URL="", **provider)
    until(
        lambda: states(site, "payment") == {"completed": COUNT, "pending": ORDERS},
        "all are completed, and all invoices made",
    )
    until(lambda: states(site, "incoming_webhook") == {"processed": COUNT}, "all are processed")
    told = site.rows(
        "SELECT payment_id, count(*) FROM payment_event WHERE kind = 'completed' GROUP BY 1"
    )
    assert len(told) == COUNT
    assert {count for _, count in told} == {1}
    asked = [row for row in sandbox.pay.invoices() if row["asset"] == "TON"]
    assert len({row["payload"] for row in asked}) == len(asked) == ORDERS

"""Payments with real processes: the web process dies after its 200, workers die while they settle."""

import os
import signal
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


def orders_make(site: Site, sandbox: Sandbox) -> list[int]:
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


def test_no_paid_invoice_is_lost_or_doubled_whatever_is_killed(
    site: Site, start: Start, sandbox: Sandbox, provider: dict[str, str]
) -> None:
    numbers = orders_make(site, sandbox)
    sandbox.pay.pay_all(numbers, silent=True)
    pod = Pod(site, "money", **provider).wait_ready()
    assert {send(pod, update_of(sandbox, number)) for number in numbers} == {200}
    pod.kill()  # nobody has looked at one of them yet
    assert states(site, "payment") == {"pending": COUNT}
    assert states(site, "incoming_webhook") == {"received": COUNT}
    sandbox.fault(service="cryptopay", method="getInvoices", kind="latency", latency_ms=150)
    cluster = start("money", 2, REMNAWAVE_URL="", **provider)
    until(lambda: states(site, "payment").get("completed", 0) > 3, "some are completed")
    os.kill(cluster.roles()["worker"][0], signal.SIGKILL)
    sandbox.clear_faults()
    until(lambda: states(site, "payment") == {"completed": COUNT}, "all are completed")
    until(lambda: states(site, "incoming_webhook") == {"processed": COUNT}, "all are processed")
    told = site.rows(
        "SELECT payment_id, count(*) FROM payment_event WHERE kind = 'completed' GROUP BY 1"
    )
    assert len(told) == COUNT
    assert {count for _, count in told} == {1}

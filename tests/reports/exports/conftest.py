"""Exports into a directory of the test, ordered and written as people and workers do."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from config.accounts import token_issue
from jobs.testing import drain
from reports.exports.models import Export
from reports.exports.services import export_open, export_order

VIEWS = (
    "subscriptions.view_subscriber",
    "payments.view_payment",
    "nodes.view_node",
    "jobs.view_auditentry",
)
ALL = ("exports.view_export", "exports.add_export", *VIEWS)
Ordered = Callable[..., Export]
Machine = Callable[..., Client]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where the files lie."""
    settings.EXPORT_DIR = tmp_path / "exports"
    settings.ADMIN_TELEGRAM_IDS = [77]
    return tmp_path / "exports"


@pytest.fixture
def olga(account: Callable[..., User]) -> User:
    """She may order everything."""
    return account("olga", *ALL, is_staff=True)


@pytest.fixture
def written(db: None) -> Ordered:
    """Order a file and let a worker write it: written("users", format="jsonl").

    Of the audit log the lines about jobs, if a test does not say otherwise: an order is a line itself.
    """

    def make(name: str, **order: Any) -> Export:
        if name == "audit":
            order.setdefault("filters", {"object_type": "job"})
        export = export_order(type=name, **order)
        drain()
        export.refresh_from_db()
        return export

    return make


def content(export: Export) -> bytes:
    """The file, unpacked."""
    assert export.state == "done", (export.state, export.error)
    body = b"".join(export_open(export, by=None))
    return gzip.decompress(body) if export.is_gzipped else body


def table(export: Export) -> list[dict[str, str]]:
    """The rows of a CSV file, by the names of its first line."""
    return list(csv.DictReader(io.StringIO(content(export).decode("utf-8-sig"), newline="")))


def objects(export: Export) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in content(export).splitlines()]


@pytest.fixture
def machine(account: Callable[..., User]) -> Machine:
    """A client with a token and these permissions."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make

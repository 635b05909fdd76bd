"""Every act of the console leaves a line in the audit log, with the name of who did it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "jobs", "notifications", "payments", "subscriptions", "monitoring", "reports")
# What people have done by a job, and what the log calls it.
ASKED = [
    ("payments_financialday_compute", "payments.compute"),
    ("retention_retentionrun_prepare", "retention.prepare"),
    ("subscriptions_subscribercount_sync", "panel.read"),
    ("subscriptions_accessgap_compare", "access.compare"),
]


def deeds() -> Iterator[tuple[str, ast.FunctionDef]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and any(
                    isinstance(each, ast.Call) and ast.unparse(each.func) == "deed"
                    for each in node.decorator_list
                ):
                    yield f"{path.relative_to(ROOT)}:{node.name}", node


def test_no_act_of_the_console_drops_who_asked() -> None:
    found = dict(deeds())
    assert len(found) > 80
    assert [name for name, node in found.items() if "del request" in ast.unparse(node)] == []


@pytest.mark.parametrize(("address", "action"), ASKED)
def test_what_is_asked_of_a_job_is_in_the_log(
    account: Callable[..., User], client: Client, address: str, action: str
) -> None:
    client.force_login(account("olga", is_staff=True, is_superuser=True))
    client.post(reverse(f"admin:{address}"))
    assert AuditEntry.objects.get(action=action).account_name == "olga"

"""Exports at the console: ordered, looked at, ordered again."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.testing import drain
from reports.exports.listing import exports_page
from reports.exports.models import Export
from reports.exports.services import export_order
from tests.console import Person
from tests.reports.exports.conftest import ALL, Ordered, content
from tests.reports.exports.rows import act, paid, payment, subscriber

HOME = "/admin/exports/export/"
ORDER = f"{HOME}order/"


@pytest.fixture
def admin(person: Person) -> Client:
    return person("olga", *ALL)


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def test_an_order_leads_to_its_page_and_file(admin: Client) -> None:
    paid(7)
    payment()
    form = {"type": "payments", "act": "order", "format": "csv", "f-state": ["completed"]}
    answer = admin.post(ORDER, {**form, "columns": ["id", "amount"], "gzip": "on", "tell": "77"})
    export = Export.objects.get()
    assert answer["Location"] == f"{HOME}{export.pk}/change/"
    assert (export.filters, export.columns) == ({"state": ["completed"]}, ["id", "amount"])
    assert (export.is_gzipped, export.tell_telegram_id) == (True, 77)
    drain()
    page = text(admin.get(answer["Location"]))
    assert "Download payments_all_" in page
    assert "state completed" in page
    download: Any = admin.get(f"/api/v1/exports/{export.pk}/download")
    assert len(b"".join(download.streaming_content)) == int(download["Content-Length"])
    assert download["Content-Type"] == "application/gzip"
    export.refresh_from_db()
    assert content(export).decode().startswith("id,amount\n")


def test_looking_first_shows_rows_and_orders_nothing(admin: Client) -> None:
    subscriber(1)
    answer = admin.post(ORDER, {"type": "users", "act": "look", "format": "csv"})
    assert answer.status_code == 200
    assert "user_1" in text(answer)
    assert "An estimate of the database" in text(answer)
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"since": "2026-11-02", "until": "2026-11-01"}, "must be after the beginning"),
        ({"since": "yesterday-ish"}, "Write 2026-11-22"),
        ({"bom": "on", "format": "jsonl"}, "for CSV only"),
        ({"f-node": "no-uuid"}, "takes a UUID"),
        ({"columns": ["password"]}, "Select a valid choice"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field(
    admin: Client, given: dict[str, str], why: str
) -> None:
    answer = admin.post(ORDER, {"type": "users", "act": "order", "format": "csv", **given})
    assert answer.status_code == 422
    assert why in text(answer)
    assert not Export.objects.exists()


def test_too_many_orders_are_refused_in_words(admin: Client) -> None:
    form = {"type": "audit", "act": "order", "format": "csv"}
    for _ in range(5):
        assert admin.post(ORDER, form).status_code == 302
    answer = admin.post(ORDER, form)
    assert (answer.status_code, "wait, or cancel one" in text(answer)) == (422, True)


def test_ordering_again_fills_in_everything(admin: Client, written: Ordered) -> None:
    filters = {"status": ["ACTIVE"], "auto_renew": False, "tag": ["A", "B"], "telegram_id": 5}
    export = written("users", filters=filters, columns=["id"], format="jsonl", gzip=True)
    page = text(admin.get(f"{HOME}{export.pk}/change/"))
    query = page.split("order/?", 1)[1].split('"', 1)[0].replace("&amp;", "&")
    again = admin.get(f"{ORDER}?{query}")
    form = again.context["order"]
    assert form.is_valid(), form.errors
    assert form.filters() == {**filters, "telegram_id": "5"}
    assert form.cleaned_data["columns"] == ["id"]
    assert (form.cleaned_data["format"], form.cleaned_data["gzip"]) == ("jsonl", True)


def test_the_list_costs_one_query_for_its_rows(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("users", "audit", "payments"):
        export_order(type=name)
    admin.get(HOME)
    with django_assert_max_num_queries(
        12
    ):  # session, account, permissions, the sidebar; one for rows
        page = admin.get(f"{HOME}?type=audit")
    assert [row.type for row in page.context["page"].rows] == ["audit"]


def test_pages_of_the_list(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_page, "__kwdefaults__", {"after": None, "size": 2})
    rows = [export_order(type="audit").pk for _ in range(3)][::-1]
    first = admin.get(HOME)
    assert [row.pk for row in first.context["page"].rows] == rows[:2]
    second = admin.get(f"{HOME}{first.context['following']}")
    assert [row.pk for row in second.context["page"].rows] == rows[2:]


def test_an_empty_list_says_what_to_do(admin: Client, person: Person) -> None:
    assert "Order a file" in text(admin.get(HOME))
    assert "No export matches" in text(admin.get(f"{HOME}?state=failed"))
    assert "exports.add_export" in text(person("sam", "exports.view_export").get(HOME))


def test_deeds_are_done_and_refused_in_words(admin: Client, person: Person) -> None:
    export = export_order(type="audit")
    sam = person("sam", "exports.view_export")
    refused = sam.post(f"{HOME}{export.pk}/cancel/", follow=True)
    assert "Refused: This needs the permission" in text(refused)
    boss = person("pia", *ALL, "exports.operate_export")
    assert boss.get(f"{HOME}{export.pk}/cancel/").status_code == 405
    boss.post(f"{HOME}{export.pk}/cancel/")
    export.refresh_from_db()
    assert export.state == "cancelled"


def test_who_may_not_order_gets_no_page(person: Person) -> None:
    assert person("sam", "exports.view_export").get(ORDER).status_code == 403
    blind = person("tim", "exports.view_export", "exports.add_export", "jobs.view_auditentry")
    assert blind.get(f"{ORDER}?type=users").status_code == 403
    assert blind.get(ORDER).context["source"].name == "audit"


@pytest.mark.parametrize(
    ("path", "name", "filters"),
    [
        ("/admin/subscriptions/subscriber/?status=ACTIVE&tag=VIP", "users",
         {"status": ["ACTIVE"], "tag": ["VIP"]}),
        ("/admin/payments/payment/?state=completed&currency=usdt", "payments",
         {"state": ["completed"], "currency": ["USDT"]}),
        ("/admin/jobs/auditentry/?who=olga&since=2026-11-01", "audit", {"who": "olga"}),
    ],
)  # fmt: skip
def test_a_list_offers_to_export_what_matches(
    admin: Client, path: str, name: str, filters: dict[str, object]
) -> None:
    act()
    page = text(admin.get(path))
    address = page.split(f'href="{ORDER}', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(address).query)
    assert (query["type"], json.loads(query["filters"][0])) == ([name], filters)
    form = admin.get(f"{ORDER}{address}").context["order"]
    assert form.is_valid(), form.errors
    assert form.filters() == filters
    assert ("since" in query) == (name == "audit")


def test_the_progress_page_tells_how_far_it_is(admin: Client) -> None:
    export = export_order(type="audit")
    Export.objects.update(state="running", rows=50, rows_expected=200)
    look = admin.get(f"/api/v1/progress/{export.pk}").json()
    assert (look["percent"], look["unit"], look["actions"]) == (25.0, "rows", ["cancel"])
    Export.objects.update(state="failed", error="no room")
    look = admin.get(f"/api/v1/progress/{export.pk}").json()
    assert (look["stage"], look["reasons"][0]["text"], look["actions"]) == ("over", "no room", [])

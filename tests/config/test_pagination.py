"""Lists by cursor: newest first, each row once, nothing counted."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.usefixtures("probe_api", "clean_redis")


@pytest.fixture
def rows() -> list[int]:
    """The ids of seven rows, newest first, and no others."""
    Group.objects.all().delete()
    made = Group.objects.bulk_create([Group(name=f"group {number}") for number in range(7)])
    return sorted((row.pk for row in made), reverse=True)


def page(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/groups", query)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def ids(body: dict[str, Any]) -> list[int]:
    return [item["id"] for item in body["items"]]


def test_pages_follow_each_other_newest_first_to_the_end(client: Client, rows: list[int]) -> None:
    first = page(client, limit=3)
    second = page(client, limit=3, cursor=first["next_cursor"])
    third = page(client, limit=3, cursor=second["next_cursor"])
    assert ids(first) + ids(second) + ids(third) == rows
    assert third["next_cursor"] is None


def test_a_full_last_page_has_no_next(client: Client, rows: list[int]) -> None:
    assert page(client, limit=7)["next_cursor"] is None


def test_rows_that_appear_meanwhile_repeat_nothing(client: Client, rows: list[int]) -> None:
    first = page(client, limit=3)
    Group.objects.create(name="newcomer")
    assert ids(page(client, limit=10, cursor=first["next_cursor"])) == rows[3:]


def test_rows_that_vanish_meanwhile_skip_nothing(client: Client, rows: list[int]) -> None:
    first = page(client, limit=3)
    Group.objects.filter(pk=rows[2]).delete()
    assert ids(page(client, limit=10, cursor=first["next_cursor"])) == rows[3:]


def test_a_page_is_one_query_and_counts_nothing(
    client: Client, rows: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1) as queries:
        page(client, limit=2)
    assert "count(" not in queries.captured_queries[0]["sql"].lower()


def test_an_empty_list_is_a_page(client: Client) -> None:
    Group.objects.all().delete()
    assert page(client) == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "ten", "1.5", "9999999999", "٣"])
def test_a_limit_out_of_range_is_refused_by_name(client: Client, limit: str) -> None:
    answer = client.get("/api/groups", {"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("cursor", ["x", "not base64!", "bm9uZQ", "%00", "äöü", "A" * 5000])
def test_a_cursor_that_we_did_not_give_is_refused_by_name(client: Client, cursor: str) -> None:
    answer = client.get("/api/groups", {"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"

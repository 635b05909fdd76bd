"""JSON in and out: what is read, what is refused, and how values look."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import Client
from django.utils.functional import lazystr
from pytest_django.fixtures import Settings

from config.api.rendering import dumps

pytestmark = pytest.mark.usefixtures("probe_api")


def send(client: Client, body: bytes, content_type: str = "application/json") -> tuple[int, str]:
    """(status, code) of a body that is sent as it stands."""
    answer = client.post("/api/raw", body, content_type=content_type)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'"\xff"',
        b'{"a": "\\u0000"}',
        b'{"a": [{"b\\u0000": 1}]}',
        b"[" * 1500,
    ],
)
def test_a_body_that_cannot_be_read_is_malformed(client: Client, body: bytes) -> None:
    assert send(client, body) == (400, "malformed")


def test_an_escaped_backslash_is_no_nul(client: Client) -> None:
    assert send(client, rb'{"a": "\\u0000"}') == (200, "")


def test_a_body_may_be_as_large_as_the_view_says(client: Client) -> None:
    text = b'"' + b"x" * 1998 + b'"'
    assert send(client, text) == (200, "")
    assert send(client, text + b" ") == (413, "too_large")


def test_no_view_takes_more_than_the_site(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert send(client, b'"12345678"') == (200, "")
    assert send(client, b'"123456789"') == (413, "too_large")


def test_a_body_longer_than_it_says_is_not_read(client: Client) -> None:
    answer = client.post(
        "/api/raw", b'"' + b"x" * 5000 + b'"', content_type="application/json", CONTENT_LENGTH="10"
    )
    assert answer.status_code in {400, 413}


def test_only_json_is_taken(client: Client) -> None:
    assert send(client, b"a=1", "application/x-www-form-urlencoded") == (
        415,
        "unsupported_media_type",
    )


@pytest.mark.unit
def test_values_look_the_same_everywhere() -> None:
    value = {
        "at": datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        "amount": Decimal("10.50"),
        "span": timedelta(seconds=1.5),
        "id": UUID(int=7),
        "text": lazystr("later"),
        "set": {1},
        3: None,
    }
    assert dumps(value) == (
        b'{"at":"2026-11-22T10:00:00Z","amount":"10.50","span":1.5,'
        b'"id":"00000000-0000-0000-0000-000000000007","text":"later","set":[1],"3":null}'
    )


@pytest.mark.unit
def test_a_value_without_a_form_is_a_bug() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        dumps({"x": object()})

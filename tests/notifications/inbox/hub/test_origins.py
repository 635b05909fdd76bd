"""Which pages may open a socket."""

import pytest
from pytest_django.fixtures import Settings

from notifications.inbox.origins import origin_ok

pytestmark = pytest.mark.unit


def _ok(origin: str | None, host: str = "app.example") -> bool:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return origin_ok({"headers": headers})


@pytest.mark.parametrize(
    ("origin", "host"),
    [(None, "app.example"), ("https://app.example", "app.example"),
     ("http://app.example:8000", "app.example:8000"), ("https://APP.example/", "app.example"),
     ("https://app.example", "app.example:443"), ("http://[::1]:8000", "[::1]:8000")],
)  # fmt: skip
def test_our_own_pages_and_programs_may(origin: str | None, host: str) -> None:
    assert _ok(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [("https://evil.example", "app.example"), ("null", "app.example"), ("", "app.example"),
     ("http://app.example:8001", "app.example:8000"), ("file://app.example", "app.example"),
     ("https://app.example.evil", "app.example"), ("https://evil/app.example", "app.example"),
     ("http://[", "app.example"), ("http://app.example:x", "app.example"),
     ("https://app.example", "app.example:x")],
)  # fmt: skip
def test_other_pages_may_not(origin: str, host: str) -> None:
    assert not _ok(origin, host)


def test_pages_that_we_name_may(settings: Settings) -> None:
    settings.WS_ORIGINS = ["https://shop.example/"]
    assert _ok("https://shop.example")
    assert not _ok("http://shop.example")
    settings.WS_ORIGINS = ["*"]
    assert _ok("https://anything.example")

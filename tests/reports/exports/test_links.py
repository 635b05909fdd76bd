"""The link that works without a login: for one export, for a time, until it is revoked."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import AsyncRequestFactory, Client

from jobs.models import AuditEntry
from jobs.testing import drain
from lib import clock
from reports.exports.api.downloads import LinkedFileApi
from reports.exports.errors import LinkDead
from reports.exports.links import link_token
from reports.exports.models import Export
from reports.exports.services import export_delete, export_revoke, link_of, link_open
from tests.reports.exports.conftest import Ordered, content
from tests.reports.exports.rows import act


@pytest.fixture
def export(written: Ordered) -> Export:
    act()
    return written("audit")


def test_the_file_comes_to_whoever_holds_the_link(export: Export, client: Client) -> None:
    answer: Any = client.get(f"/exports/{link_token(export)}/file")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == content(export)
    assert answer["Content-Disposition"] == f'attachment; filename="{export.file_name}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Length"] == str(export.bytes)
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    (line,) = AuditEntry.objects.filter(action="exports.download", changes__by_link=True)
    assert line.object_id == str(export.pk)


def test_the_page_of_a_link_gives_nothing_out_by_itself(export: Export, client: Client) -> None:
    answer = client.get(f"/exports/{link_token(export)}")
    assert answer.status_code == 200
    assert f"/exports/{link_token(export)}/file" in answer.content.decode()
    assert b"olga" not in answer.content
    assert answer["X-Robots-Tag"] == "noindex"
    export.refresh_from_db()
    assert export.downloads == 0


def test_a_link_is_the_same_until_it_is_revoked(export: Export) -> None:
    before = link_token(export)
    assert link_token(Export.objects.get(pk=export.pk)) == before
    fresh = export_revoke(export_id=export.pk, by=None)
    with pytest.raises(LinkDead):
        link_open(before)
    assert link_open(link_token(fresh)) == export


def test_a_link_dies_with_its_day(export: Export) -> None:
    token = link_token(export)
    with clock.shift(timedelta(hours=23, minutes=59)):
        assert link_open(token) == export
    with clock.shift(timedelta(hours=24, seconds=1)), pytest.raises(LinkDead):
        link_open(token)


def test_a_longer_life_of_the_row_does_not_prolong_a_link(export: Export) -> None:
    token = link_token(export)
    Export.objects.update(expires_at=clock.now() + timedelta(days=30))
    with clock.shift(timedelta(hours=25)), pytest.raises(LinkDead):
        link_open(token)


@pytest.mark.parametrize(
    "forge",
    [
        lambda token, export: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token, export: "",
        lambda token, export: "x:y",
        lambda token, export: signing.Signer(salt="other").sign_object([export.pk.hex, 1, 2**40]),
        lambda token, export: signing.Signer(salt="exports.link").sign_object("no list"),
        lambda token, export: signing.Signer(salt="exports.link").sign_object([1, 2, 3]),
        lambda token, export: signing.Signer(salt="exports.link").sign_object(["zz", 1, 2**40]),
        lambda token, export: signing.Signer(salt="exports.link").sign_object(
            [export.pk.hex, 9, 2**40]
        ),
    ],
    ids=["tampered", "empty", "nonsense", "other salt", "text", "numbers", "no id", "version"],
)
def test_a_forged_link_opens_nothing(export: Export, forge: Callable[[str, Export], str]) -> None:
    with pytest.raises(LinkDead):
        link_open(forge(link_token(export), export))


def test_a_dead_link_says_what_to_do(export: Export, client: Client) -> None:
    token = link_token(export)
    export_delete(export_id=export.pk, by=None)
    page = client.get(f"/exports/{token}")
    assert (page.status_code, b"opens nothing any more" in page.content) == (410, True)
    file = client.get(f"/exports/{token}/file")
    assert (file.status_code, file.json()["code"]) == (410, "export_link_dead")


def test_a_deleted_file_is_taken_away_by_a_job(export: Export, folder: Path) -> None:
    export_delete(export_id=export.pk, by=None)
    assert (folder / export.storage_name).exists()
    drain()
    assert not (folder / export.storage_name).exists()


def test_a_file_that_somebody_removed_is_gone_in_words(
    export: Export, folder: Path, client: Client
) -> None:
    (folder / export.storage_name).unlink()
    answer = client.get(f"/exports/{link_token(export)}/file")
    assert (answer.status_code, answer.json()["code"]) == (410, "export_file_gone")
    export.refresh_from_db()
    assert export.downloads == 0


def test_only_a_done_export_has_a_link(export: Export) -> None:
    assert link_of(export, to_file=True).endswith("/file")
    export.state = "expired"
    assert link_of(export) == ""


def test_the_asgi_server_streams_piece_by_piece(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.exports.stores.PIECE", 16)
    token = link_token(export)
    request = AsyncRequestFactory().get(f"/exports/{token}/file")
    answer: Any = LinkedFileApi.as_view()(request, token=token)

    async def fetch() -> list[bytes]:
        return [piece async for piece in answer.streaming_content]

    pieces = asyncio.run(fetch())
    assert answer.is_async
    assert len(pieces) > 1
    assert b"".join(pieces) == content(export)


def test_a_caller_that_goes_away_closes_the_file(export: Export) -> None:
    token = link_token(export)
    request = AsyncRequestFactory().get(f"/exports/{token}/file")
    answer: Any = LinkedFileApi.as_view()(request, token=token)
    answer.close()

    async def fetch() -> list[bytes]:
        return [piece async for piece in answer.streaming_content]

    assert asyncio.run(fetch()) == []


def test_nobody_else_is_told_of_the_link(
    export: Export, account: Callable[..., User], client: Client
) -> None:
    client.force_login(account("sam", "exports.view_export", is_staff=True))
    page = client.get(f"/admin/exports/export/{export.pk}/change/")
    assert page.status_code == 200
    assert link_token(export) not in page.content.decode()

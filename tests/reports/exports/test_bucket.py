"""Files in a bucket, by moto's server: an implementation of S3 that is not ours."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from jobs.testing import drain
from lib import clock
from reports.exports import stores
from reports.exports.cleaning import exports_clean
from reports.exports.errors import FileGone, StoreAway
from reports.exports.models import Export
from reports.exports.services import export_delete, export_open, export_order
from tests.reports.exports.conftest import Ordered, content
from tests.reports.exports.rows import act

BUCKET = "files"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(address: str, settings: Settings) -> Iterator[Any]:
    settings.EXPORT_STORAGE = "s3"
    settings.EXPORT_S3_BUCKET = BUCKET
    settings.EXPORT_S3_ENDPOINT = address
    settings.EXPORT_S3_ACCESS_KEY = settings.EXPORT_S3_SECRET_KEY = "tests"
    stores.store_forget()
    made = boto3.resource(
        "s3", endpoint_url=address, aws_access_key_id="tests", aws_secret_access_key="tests",
        region_name="us-east-1",
    ).create_bucket(Bucket=BUCKET)  # fmt: skip
    yield made
    stores.store_forget()
    made.objects.delete()
    made.delete()


def keys(bucket: Any) -> list[str]:
    return [item.key for item in bucket.objects.all()]


def test_a_file_goes_up_comes_back_and_is_deleted(bucket: Any, written: Ordered) -> None:
    act("=1")
    export = written("audit", gzip=True)
    assert keys(bucket) == [f"exports/{export.storage_name}"]
    assert b"'=1" in content(export)
    assert list(stores.partials()) == []
    export_delete(export_id=export.pk, by=None)
    drain()
    assert keys(bucket) == []


def test_it_is_read_piece_by_piece(
    bucket: Any, written: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    act()
    export = written("audit")
    monkeypatch.setattr(stores, "PIECE", 16)
    pieces = list(export_open(export, by=None))
    assert max(map(len, pieces)) <= 16
    assert len(b"".join(pieces)) == export.bytes


def test_expired_files_and_orphans_go(bucket: Any, written: Ordered) -> None:
    export = written("audit")
    bucket.put_object(Key="exports/notes.txt", Body=b"kept")
    bucket.put_object(Key=f"exports/{export.pk}-9.csv", Body=b"orphan")
    with clock.shift(timedelta(hours=25)):
        cleaned = exports_clean()
    assert (cleaned.expired, cleaned.orphans) == (1, 1)
    assert keys(bucket) == ["exports/notes.txt"]


def test_a_lost_object_is_gone_in_words(bucket: Any, written: Ordered) -> None:
    export = written("audit")
    bucket.objects.delete()
    with pytest.raises(FileGone):
        export_open(export, by=None)


def test_a_bucket_that_refuses_is_told_without_its_words(bucket: Any, settings: Settings) -> None:
    settings.EXPORT_S3_BUCKET = "nobody-has-it"
    stores.store_forget()
    export = export_order(type="audit")
    drain()
    export.refresh_from_db()
    assert (export.state, export.error) == ("running", "the bucket refuses: NoSuchBucket")


def test_a_bucket_that_is_away_is_tried_again(
    bucket: Any, settings: Settings, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXPORT_S3_ENDPOINT = f"http://127.0.0.1:{closed_port}"
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda *_, **__: 0)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    stores.store_forget()
    with pytest.raises(StoreAway, match="does not answer: EndpointConnectionError"):
        list(stores.store().files())
    export = export_order(type="audit")
    drain()
    export.refresh_from_db()
    assert export.error.startswith("the bucket does not answer")
    settings.EXPORT_S3_ENDPOINT = str(bucket.meta.client.meta.endpoint_url)
    stores.store_forget()
    with clock.shift(timedelta(seconds=10)):
        drain()
    assert Export.objects.get().state == "done"
    assert len(keys(bucket)) == 1

"""Files of exports in a bucket, by django-storages. Only where EXPORT_STORAGE is s3 this is loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from storages.backends.s3 import S3Storage

from reports.exports import stores
from reports.exports.errors import FileGone, StoreAway
from reports.exports.stores import Pieces, Stored


class Bucket:
    """A store whose files are objects under EXPORT_S3_PREFIX.

    Large files go up in parts; what a killed upload left is never shown, and a rule of the bucket should
    take it away (docs/exports.md). Reading goes by pieces: django-storages itself would fetch it whole.
    """

    def __init__(self) -> None:
        self._storage: Any = S3Storage(
            bucket_name=settings.EXPORT_S3_BUCKET,
            location=settings.EXPORT_S3_PREFIX,
            endpoint_url=settings.EXPORT_S3_ENDPOINT or None,
            region_name=settings.EXPORT_S3_REGION,
            access_key=settings.EXPORT_S3_ACCESS_KEY,
            secret_key=settings.EXPORT_S3_SECRET_KEY,
            default_acl=None,
            file_overwrite=True,
            object_parameters={"ContentType": "application/octet-stream"},
            client_config=_client_config(),
        )

    def put(self, path: Path, name: str) -> None:
        with _Asking(), path.open("rb") as file:
            self._storage.save(name, File(file, name))
        path.unlink()

    def pieces(self, name: str) -> Pieces:
        with _Asking():
            found = self._storage.bucket.Object(self._key(name)).get()
        return _Body(found["Body"])

    def remove(self, name: str) -> bool:
        with _Asking():
            is_there: bool = self._storage.exists(name)
            self._storage.delete(name)
        return is_there

    def files(self) -> Iterator[Stored]:
        prefix = self._key("")
        with _Asking():
            for item in self._storage.bucket.objects.filter(Prefix=prefix):
                yield Stored(item.key.removeprefix(prefix), item.size, item.last_modified)

    def _key(self, name: str) -> str:
        prefix = settings.EXPORT_S3_PREFIX.strip("/")
        return f"{prefix}/{name}" if prefix else name


class _Asking:
    """What the client raises, as ours. Its texts may hold addresses and keys, so only kinds are told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, exc: Any, trace: Any) -> None:
        if exc is None:
            return
        if isinstance(exc, ClientError):
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if code in {"NoSuchKey", "404"}:
                raise FileGone("The file is not in the bucket any more.") from None
            raise StoreAway(f"the bucket refuses: {code}") from None
        if isinstance(exc, BotoCoreError):
            raise StoreAway(f"the bucket does not answer: {type(exc).__name__}") from None
        if kind.__module__.startswith(("boto3.", "s3transfer.", "urllib3.")):
            raise StoreAway(f"the upload failed: {kind.__name__}") from None


def _client_config() -> Any:
    return Config(
        signature_version="s3v4",
        connect_timeout=5,
        read_timeout=30,
        retries={"max_attempts": 4, "mode": "standard"},
        s3={"addressing_style": "path" if settings.EXPORT_S3_ENDPOINT else "auto"},
        # Stores that only look like Amazon's know no newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


class _Body:
    """An object of a bucket piece by piece."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> "_Body":
        return self

    def __next__(self) -> bytes:
        with _Asking():
            piece: bytes = self._body.read(stores.PIECE)
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        self._body.close()

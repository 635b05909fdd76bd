"""The names of a file between its upload and the click that uses them: for half an hour, in the cache.

If the cache loses them, the file is uploaded again: nothing has begun by then.
"""

import secrets
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.core.cache import cache

KEPT_S = 1800
_PLACE = "subscriptions:upload:{}"
_FILE = "subscriptions:file:{}"


def upload_keep(names: Mapping[str, Sequence[str]], title: str, user_id: Any) -> str:
    """Keep a selection for the person who uploaded it. Returns its key."""
    key = secrets.token_urlsafe(16)
    kept = {"names": names, "title": title, "user": str(user_id)}
    cache.set(_PLACE.format(key), zlib.compress(orjson.dumps(kept)), KEPT_S)
    return key


def upload_names(key: str, user_id: Any) -> dict[str, list[str]] | None:
    """The selection of a key; None if it is not kept, or is somebody else's."""
    kept = _read(key)
    if kept is None or kept["user"] != str(user_id):
        return None
    names: dict[str, list[str]] = kept["names"]
    return names


def upload_title(key: str) -> str:
    """What was uploaded, for people."""
    kept = _read(key)
    return str(kept["title"]) if kept else ""


def file_keep(body: bytes, name: str, user_id: Any) -> str:
    """Keep a whole file for the person who uploaded it. Returns its key."""
    key = secrets.token_urlsafe(16)
    kept = {"body": zlib.compress(body), "name": name, "user": str(user_id)}
    cache.set(_FILE.format(key), kept, KEPT_S)
    return key


def file_is_kept(key: str) -> bool:
    """Whether a file is there to be taken: the cache may be away."""
    return cache.get(_FILE.format(key[:64])) is not None


def file_take(key: str, user_id: Any) -> tuple[bytes, str] | None:
    """The file of a key and its name, once; None if it is not kept, or is somebody else's."""
    place = _FILE.format(key[:64])
    kept = cache.get(place)
    if kept is None or kept["user"] != str(user_id):
        return None
    cache.delete(place)
    return zlib.decompress(kept["body"]), str(kept["name"])


def _read(key: str) -> dict[str, Any] | None:
    packed = cache.get(_PLACE.format(key[:64]))
    if packed is None:
        return None
    kept: dict[str, Any] = orjson.loads(zlib.decompress(packed))
    return kept

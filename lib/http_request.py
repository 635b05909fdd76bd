"""A request as the outgoing door sends it, put together from what its callers give.

Addresses, headers and bodies come out as `requests` would write them; a test compares the two. A
door that leads to one service parses its address once.
"""

import base64
import json as jsonlib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

from urllib3.exceptions import LocationParseError
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata
from urllib3.util.url import parse_url

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"

_SCHEMES = ("http", "https")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_~.-]*")  # nothing in it has to be encoded
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEADER_NAME = re.compile(r"[^:\s][^:\r\n]*")
_HEADER_VALUE = re.compile(r"(?:\S[^\r\n]*)?")
_encoded_json = jsonlib.JSONEncoder(allow_nan=False).encode

_Named = dict[str, tuple[str, str]]  # headers: a name in small letters -> the name, the value


class Unsendable(ValueError):
    """No request can be made of the arguments. The text says why and holds nothing of them."""


class Place(NamedTuple):
    """Where a request goes. host has the brackets of IPv6; target is the path with its query, encoded."""

    scheme: str
    host: str
    port: int | None
    target: str
    authorization: str | None = None  # of a user and a password in the address


class Request(NamedTuple):
    """A request, ready to be sent. method is in capitals."""

    method: str
    place: Place
    headers: dict[str, str]
    body: bytes | None


class Letterhead:
    """What all requests of a door have in common: the address they are below, and headers."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        """base_url is empty if the door leads anywhere. Nothing is checked yet."""
        self.base_url = base_url.rstrip("/")
        self._headers = headers
        self._named: _Named | None = None
        self._base: Place | None = None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None,
        json: Any,
        data: Mapping[str, Any] | bytes | None,
        files: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Request:
        """The request to a path below the base, or to a whole URL if there is none.

        Raises Unsendable, UnicodeError.
        """
        method = method.upper()
        place = self._place(path, params)
        if self._named is None:
            self._named = _named(self._headers)
        named = self._named | _named(headers)
        body, kind = _body(json, data, files)
        if body is not None:
            named["content-length"] = ("Content-Length", str(len(body)))
        elif method not in {"GET", "HEAD"}:
            named.setdefault("content-length", ("Content-Length", "0"))
        if kind is not None:
            named.setdefault("content-type", ("Content-Type", kind))
        if place.authorization is not None:
            named["authorization"] = ("Authorization", place.authorization)
        return Request(method, place, dict(named.values()), body)

    def _place(self, path: str, params: Mapping[str, Any] | None) -> Place:
        if not self.base_url:
            return _place(path, params)
        path = path.lstrip("/")
        if _PLAIN_PATH.fullmatch(path) and "?" not in self.base_url and "#" not in self.base_url:
            if self._base is None:
                self._base = _place(f"{self.base_url}/", None)
            scheme, host, port, target, authorization = self._base
            target += path
            if "/." not in target:  # "." and ".." lead elsewhere
                query = _form(params) if params else ""
                target = f"{target}?{query}" if query else target
                return Place(scheme, host, port, target, authorization)
        return _place(f"{self.base_url}/{path}", params)


def _place(url: str, params: Mapping[str, Any] | None) -> Place:
    """Where an http or https URL leads. Raises Unsendable."""
    try:
        parts = parse_url(url.lstrip())
    except LocationParseError:
        parts = None
    if parts is None:
        raise Unsendable("the address is not valid")
    if parts.scheme not in _SCHEMES:
        raise Unsendable("the address must begin with http:// or https://")
    if not parts.host or parts.host.startswith(("*", ".")):
        raise Unsendable("the address has no valid host")
    queries = [parts.query or "", _form(params) if params else ""]
    query = "&".join(each for each in queries if each)
    target = _plain(parts.path or "/") + (f"?{_plain(query)}" if query else "")
    authorization = _authorization(parts.auth) if parts.auth else None
    return Place(parts.scheme, parts.host, parts.port or None, target, authorization)


def _plain(encoded: str) -> str:
    """Without escapes of characters that need none."""

    def shown(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0]

    return _ESCAPE.sub(shown, encoded) if "%" in encoded else encoded


def _authorization(userinfo: str) -> str | None:
    user, colon, password = userinfo.partition(":")
    if not colon or not (user or password):
        return None
    try:
        pair = f"{unquote(user)}:{unquote(password)}".encode("latin-1")
    except UnicodeEncodeError:
        pair = None
    if pair is None:
        raise Unsendable("the user in the address cannot be told")
    return f"Basic {base64.b64encode(pair).decode()}"


def _form(values: Mapping[str, Any]) -> str:
    """Names and values as in a query. A value of None is left out, a list is written one by one."""
    return urlencode([(name, each) for name, value in values.items() for each in _each(value)])


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        value = (value,)
    return (each for each in value if each is not None)


def _named(headers: Mapping[str, str]) -> _Named:
    """The headers by their names without regard to case. Raises Unsendable."""
    result: _Named = {}
    for name, value in headers.items():
        is_valid = (
            name.isascii()
            and _HEADER_NAME.fullmatch(name)
            and _HEADER_VALUE.fullmatch(value)
            and (value.isascii() or max(value) <= "\xff")  # Latin-1 is what headers are sent in
        )
        if not is_valid:
            raise Unsendable("a header is not valid")
        result[name.lower()] = (name, value)
    return result


def _body(
    json: Any, data: Mapping[str, Any] | bytes | None, files: Mapping[str, Any] | None
) -> tuple[bytes | None, str | None]:
    """The body and its Content-Type: files, or else data, or else json. Raises Unsendable."""
    if files:
        if isinstance(data, bytes):
            raise Unsendable("files go with fields, not with bytes")
        parts: list[tuple[str, bytes] | RequestField] = list(_fields(data or {}))
        parts += [_file(name, given) for name, given in files.items()]
        return encode_multipart_formdata(parts)
    if data:
        if isinstance(data, bytes):
            return data, None
        return _form(data).encode(), _FORM
    if json is None:
        return None, None
    try:
        return _encoded_json(json).encode(), _JSON
    except ValueError:  # not a number, or a circle
        pass
    raise Unsendable("the JSON cannot be written")


def _fields(data: Mapping[str, Any]) -> Iterable[tuple[str, bytes]]:
    for name, value in data.items():
        for each in _each(value):
            yield name, each if isinstance(each, bytes) else str(each).encode()


def _file(name: str, given: Any) -> RequestField:
    """given: the content, or (filename, content), with its type and with headers if wanted."""
    kind = headers = None
    if isinstance(given, tuple | list):
        filename, content, *more = given
        kind, headers = (*more, None, None)[:2]
    else:
        known = getattr(given, "name", None)  # that of an opened file; a number has no name
        filename = (PurePath(known).name if isinstance(known, str) else "") or name
        content = given
    if hasattr(content, "read"):
        content = content.read()
    field = RequestField(name=name, data=content, filename=filename, headers=headers)
    field.make_multipart(content_type=kind)
    return field

"""One signed request, and what came back. Below it are the checked connections of lib.dial.

Past lib.http because an answer is wanted whatever it is: the beginning of a body of any size, and a
failure as a value. Redirects are answers, cookies are not kept, nothing is repeated.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from lib import dial
from lib.http import USER_AGENT

KEPT_BYTES = 20_000  # of an answer's body
_DRAINED_BYTES = 256 * 1024  # read to its end, so that the connection can be used again
_CONNECT_S = 5.0
_HOSTS = 64  # whose connections are kept
_PER_HOST = 64  # the most that an endpoint may have in flight


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request. status None: no answer, and error says why in a few words."""

    status: int | None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    duration_s: float = 0.0
    is_refused: bool = False  # the name leads to an address that nothing is sent to


class Wire:
    """Sends requests over connections that are kept. Shared by threads."""

    def __init__(self, permits: Callable[[str], bool]) -> None:
        """permits: may this IP address be dialled? It is asked for each address of each name."""
        self._permits = permits
        self._session = dial.open_session(
            hosts=_HOSTS, connections=_PER_HOST, headers={}, ca_bundle=None
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Reply:
        """Send one POST. timeout_s ends all of it, however slowly the answer drips; never raises
        for what the other side does."""
        began = time.monotonic()
        trace = dial.Trace(
            min(_CONNECT_S, timeout_s), timeout_s, began + timeout_s, self._permits, lambda _: "***"
        )
        with dial.tracing(trace):
            reply = self._exchange(url, body, headers, trace)
        return Reply(
            reply.status,
            reply.error,
            reply.headers,
            reply.body,
            time.monotonic() - began,
            reply.is_refused,
        )

    def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], trace: dial.Trace
    ) -> Reply:
        status: int | None = None
        try:
            request = _request(url, body, headers)
            response = self._adapter(url).send(
                request, stream=True, timeout=(trace.connect_timeout_s, trace.read_timeout_s)
            )
            status = response.status_code
            try:
                return Reply(status, headers=response.headers, body=_beginning(response))
            finally:
                response.close()
        except dial.DialFailed as exc:
            return Reply(None, exc.reason, is_refused=exc.forbidden)
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as exc:
            if status is not None:  # the head arrived: the receiver has had its say
                return Reply(status, "the body of the answer broke off")
            return Reply(None, _reason(exc, trace))

    def _adapter(self, url: str) -> BaseAdapter:
        return self._session.get_adapter(url)


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """Put together by hand: a session would spend more time on it than the exchange takes."""
    request = requests.PreparedRequest()
    request.method = "POST"
    request.prepare_url(url, None)
    request.headers = CaseInsensitiveDict(
        {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",  # what is kept of an answer must be readable
            "Content-Length": str(len(body)),
            **headers,
        }
    )
    request.body = body
    return request


def _beginning(response: requests.Response) -> bytes:
    """The first KEPT_BYTES of a body. What is far longer is cut off with its connection."""
    kept = bytearray()
    left = _DRAINED_BYTES
    while left > 0:
        chunk = response.raw.read(min(left, 64 * 1024), decode_content=False)
        if not chunk:
            break
        left -= len(chunk)
        kept += chunk[: KEPT_BYTES - len(kept)]
    return bytes(kept)


def _reason(exc: Exception, trace: dial.Trace) -> str:
    causes = list(_causes(exc))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time" if trace.written else "connect timeout"
    if trace.written:
        return "the connection was cut before the answer"
    if isinstance(exc, requests.exceptions.SSLError):
        told = max((getattr(cause, "verify_message", "") for cause in causes), key=len)
        return f"TLS failed: {told}" if told else "TLS failed"
    if isinstance(exc, requests.exceptions.InvalidURL | UnicodeError):
        return "no request can be made of this address"
    return "the connection was lost before the request"


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


_lock = threading.Lock()
_opened: tuple[int, Wire] | None = None


def shared_wire(permits: Callable[[str], bool]) -> Wire:
    """The one of this process; a forked child opens its own."""
    global _opened  # noqa: PLW0603 - connections are kept per process
    with _lock:
        if _opened is None or _opened[0] != os.getpid():
            _opened = (os.getpid(), Wire(permits))
        return _opened[1]

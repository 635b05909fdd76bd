"""The outgoing door: every HTTP call of ours to somebody else goes through an HttpDoor.

What may go wrong, told apart by what it means for a repeat:

    HttpFailure            no usable answer; `service`, `reason` (our words, never a URL)
      Unreachable          no byte of the request was written: it surely did not arrive
        AddressRefused     the name leads to an address that this door does not dial
      OutcomeUnknown       the request was written, at least in part: it may have arrived
      BadAnswer            it was answered, but unusably: too large, not JSON; `status`

Every status is an answer, also 404 and 503; judging it is the client's part. What the door does
not do: retry (a second POST may be a second payment), follow redirects (a 3xx is an answer), keep
cookies, read proxies or passwords from the environment.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import DecodeError, HTTPError, SSLError

from lib import dial
from lib.addresses import is_public
from lib.context import correlation_id
from lib.http_outcomes import (
    AddressRefused,
    Answer,
    BadAnswer,
    Call,
    HttpFailure,
    OutcomeUnknown,
    Unreachable,
)
from lib.http_request import Letterhead, Place, Request, Unsendable

__all__ = [
    "AddressRefused",
    "Answer",
    "BadAnswer",
    "Call",
    "HttpDoor",
    "HttpFailure",
    "OutcomeUnknown",
    "Unreachable",
]

USER_AGENT = "Switchboard/1"
CORRELATION_HEADER = "X-Correlation-ID"
MAX_BODY_BYTES = 2 * 1024 * 1024

_SENDABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CHUNK_BYTES = 64 * 1024
_HOSTS = 32  # of a door without a base URL: hosts whose connections are kept

logger = logging.getLogger(__name__)


@dataclass
class _Opened:
    """The connections of a process; pool is that of a door to one service, once it was used."""

    pid: int
    lines: dial.Lines
    pool: HTTPConnectionPool | None = None


class HttpDoor:
    """Calls to one service (or, without a base URL, to addresses that people gave us).

    Safe to share among threads, and to inherit over a fork: the child gets connections of its own.
    """

    def __init__(
        self,
        service: str,
        base_url: str = "",
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        total_timeout_s: float = 60.0,
        pool_size: int = 10,
        max_body_bytes: int = MAX_BODY_BYTES,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        public_only: bool = False,
        ca_bundle: str | None = None,
        observe: Callable[[Call], None] | None = None,
    ) -> None:
        """Open the door; nothing is connected yet.

        read_timeout_s is the longest silence; total_timeout_s ends the call however slowly it goes
        on. pool_size is the number of idle connections kept. secrets never appear in a log or an
        error, be they in the path or anywhere else. public_only refuses private, loopback,
        link-local, reserved and metadata addresses when dialling, after the name was looked up.
        ca_bundle is a file of trusted certificates, instead of the usual ones, for a service that
        signs its own. observe is told every finished call; what it raises is logged, no more.
        """
        self.service = service
        self._connect_s, self._read_s, self._total_s = (
            connect_timeout_s,
            read_timeout_s,
            total_timeout_s,
        )
        self._pool_size = pool_size
        self._max_body_bytes = max_body_bytes
        self._letterhead = Letterhead(
            base_url,
            {
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": USER_AGENT,
                **(headers or {}),
            },
        )
        self._secrets = {
            form: "***" for secret in secrets if secret for form in {secret, quote(secret, safe="")}
        }
        self._permits = is_public if public_only else _anything
        self._ca_bundle = ca_bundle
        self._observe = observe
        self._opened: _Opened | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections. The door can be used again."""
        if self._opened is not None:
            self._opened.lines.close()
            self._opened = None

    def mask(self, text: str) -> str:
        """The text with the secrets of this door hidden: for words of the service that are kept."""
        return _masked(text, self._secrets)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | bytes | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        label: str | None = None,
    ) -> Answer:
        """Make one call and return its answer, whatever the status.

        path is below the base URL, or a whole http(s) URL for a door without one. label stands for
        the path in logs and metrics; give one when the path holds ids or something secret.
        Raises Unreachable, OutcomeUnknown, BadAnswer; ValueError if no request can be made of the
        arguments. Not repeated by the door; whether a repeat is safe depends on what is called.
        """
        request, refusal = self._prepare(
            method,
            path,
            params=params,
            json=json,
            data=data,
            files=files,
            headers={**self._correlation(), **(headers or {})},
        )
        if request is None:
            raise ValueError(f"{self.service}: no request can be made of this ({refusal})")
        trace, shown = self._trace(request, label)
        started = time.monotonic()
        # A failure is carried as a value and raised here: raised inside, it would hold the one
        # of urllib3 as its context, and there is the URL.
        with dial.tracing(trace):
            outcome = self._exchange(request, trace)
        self._report(method, shown, outcome, (time.monotonic() - started) * 1000)
        if isinstance(outcome, HttpFailure):
            raise outcome
        return outcome

    def _correlation(self) -> dict[str, str]:
        value = correlation_id.get()
        # It may stem from a stranger's request header, so only what is harmless goes out.
        return {CORRELATION_HEADER: value} if _SENDABLE_ID.fullmatch(value) else {}

    def _prepare(self, method: str, path: str, **parts: Any) -> tuple[Request | None, str]:
        """The request, or why there can be none."""
        if self._letterhead.base_url and "://" in path.partition("?")[0]:
            raise ValueError(f"{self.service}: this door leads to one service only")
        try:
            return self._letterhead.request(method, path, **parts), ""
        except Unsendable as exc:
            return None, str(exc)
        except UnicodeError:
            return None, "a text cannot be encoded"

    def _pool(self, place: Place) -> HTTPConnectionPool:
        opened = self._opened
        if opened is None or opened.pid != os.getpid():
            lines = dial.Lines(
                hosts=1 if self._letterhead.base_url else _HOSTS,
                connections=self._pool_size,
                timeout_s=self._read_s,
                ca_bundle=self._ca_bundle,
            )
            opened = self._opened = _Opened(os.getpid(), lines)
        if opened.pool is not None:
            return opened.pool
        pool = opened.lines.pool(place.scheme, place.host, place.port)
        if self._letterhead.base_url:
            opened.pool = pool
        return pool

    def _trace(self, request: Request, label: str | None) -> tuple[dial.Trace, str]:
        target = request.place.target
        secrets = self._secrets
        shown = label if label is not None else _masked(target.partition("?")[0], secrets)
        hidden = {target: shown, **secrets} if len(target) > 1 else secrets
        deadline = time.monotonic() + self._total_s
        return dial.Trace(
            self._connect_s,
            self._read_s,
            deadline,
            self._permits,
            lambda text: _masked(text, hidden),
        ), shown

    def _exchange(self, request: Request, trace: dial.Trace) -> Answer | HttpFailure:
        status = 0
        try:
            with self._pool(request.place).urlopen(
                request.method,
                request.place.target,
                request.body,
                request.headers,
                retries=dial.NO_RETRY,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            ) as response:
                status, headers = response.status, response.headers
                body = self._read(response)
                if body is None:
                    reason = f"the answer is larger than {self._max_body_bytes} bytes"
                    return BadAnswer(self.service, reason, status=status)
        except dial.DialFailed as exc:
            kind = AddressRefused if exc.forbidden else Unreachable
            return kind(self.service, exc.reason)
        except DecodeError:
            return BadAnswer(self.service, "the answer is not what it says", status=status)
        except (HTTPError, OSError) as exc:
            return self._failure(exc, trace)
        return Answer(self.service, status, headers, body)

    def _read(self, response: BaseHTTPResponse) -> bytes | None:
        """The body, unpacked; None if it is too large. Read to its end, its connection is kept."""
        length = response.length_remaining
        if length is not None and "content-encoding" not in response.headers:
            return response.read() if length <= self._max_body_bytes else None
        body = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_body_bytes:
                return None
        return bytes(body)

    def _failure(self, exc: Exception, trace: dial.Trace) -> HttpFailure:
        if trace.written:
            slow = any(isinstance(cause, TimeoutError) for cause in _causes(exc))
            reason = "no answer in time" if slow else "the connection was cut before the answer"
            return OutcomeUnknown(self.service, reason)
        if isinstance(exc, SSLError):
            told = max((getattr(cause, "verify_message", "") for cause in _causes(exc)), key=len)
            return Unreachable(self.service, f"TLS failed: {told}" if told else "TLS failed")
        return Unreachable(self.service, "the connection was lost before the request")

    def _report(
        self, method: str, path: str, outcome: Answer | HttpFailure, spent_ms: float
    ) -> None:
        status: int | None = getattr(outcome, "status", None)
        failure = outcome.code if isinstance(outcome, HttpFailure) else None
        smooth = failure is None and status is not None and status < 400
        level = logging.DEBUG if smooth else logging.INFO
        if logger.isEnabledFor(level):
            logger.log(
                level,
                "%s %s %s: %s",
                self.service,
                method,
                path,
                failure or status,
                extra={
                    "action": "http_call",
                    "service": self.service,
                    "method": method,
                    "path": path,
                    "status": status,
                    "failure": failure,
                    "duration_ms": round(spent_ms, 1),
                    "correlation_id": correlation_id.get(),
                },
            )
        if self._observe is not None:
            try:
                self._observe(Call(self.service, method, path, status, failure, spent_ms))
            except Exception:  # the call itself is over: its outcome must reach the caller
                logger.exception("the observer of %s failed", self.service)


def _masked(text: str, hidden: Mapping[str, str]) -> str:
    for secret, stand_in in hidden.items():
        text = text.replace(secret, stand_in)
    return text


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _anything(_: str) -> bool:
    return True

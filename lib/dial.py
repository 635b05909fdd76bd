"""Under the outgoing door: connections that know whether a request was written, and to whom.

urllib3 alone answers "connection refused", "reset before the answer" and "TLS handshake timed out"
with exceptions that do not tell whether the other side may have seen the request. So each call
carries a Trace (in a context variable; one call runs in one thread), and our connection classes
note on it the moment when the first byte is handed to the socket. They also

- resolve a name once, check each address, and dial the checked address itself, so that a second
  DNS answer cannot lead elsewhere (Host header, SNI and certificate check keep the name);
- share the connect timeout among the addresses of a name, so that a dead IPv6 route leaves time
  for IPv4;
- end the whole exchange at the deadline, however slowly the answer drips;
- write head and body in one piece, if they are short;
- do not reuse a connection that was idle for long: behind NAT it may be dead without notice.

Written against urllib3 2.8 and requests 2.34. Without a Trace nothing connects.
"""

import errno
import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util import Retry, Timeout
from urllib3.util.ssl_ import create_urllib3_context

MAX_IDLE_S = 30.0
_MAX_ADDRESSES = 4  # of one name; more would leave too little time for each
_HELD_BYTES = 16 * 1024  # of a request; what is longer is written as it comes
NO_RETRY = Retry(False, redirect=False)


class DialFailed(Exception):
    """No connection was made."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.forbidden = forbidden


@dataclass
class Trace:
    """One call: what it may do and how far it came. `deadline` is on the monotonic clock."""

    connect_timeout_s: float
    read_timeout_s: float
    deadline: float
    permits: Callable[[str], bool]  # may this IP address be dialled?
    mask: Callable[[str], str]  # hides secrets in a text meant for a log
    written: bool = False

    def patience_s(self, longest: float) -> float:
        """The time until the deadline, at most `longest`. Raises TimeoutError when none is left."""
        left = min(longest, self.deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("deadline")
        return left


current: ContextVar[Trace] = ContextVar("http_trace")


@contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """Let connections made or used in the block belong to this call."""
    token = current.set(trace)
    try:
        yield
    finally:
        current.reset(token)


def connect(host: str, port: int, trace: Trace, options: Any = None) -> socket.socket:
    """A TCP connection to the first permitted address of a host that answers. Raises DialFailed.

    The time of the name lookup is the resolver's own and is not bounded here.
    """
    addresses = _resolve(host, port)
    permitted = [entry for entry in addresses if trace.permits(entry[4][0])][:_MAX_ADDRESSES]
    if not permitted:
        raise DialFailed("the address is not public", forbidden=True)
    give_up = time.monotonic() + trace.patience_s(trace.connect_timeout_s)
    failure = DialFailed("connect timeout")
    for position, (family, kind, protocol, _, address) in enumerate(permitted):
        share = (give_up - time.monotonic()) / (len(permitted) - position)
        if share <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(share)
            sock.connect(address)
        except OSError as exc:
            sock.close()
            failure = DialFailed(_connect_reason(exc))
        else:
            return sock
    raise failure


def _resolve(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:  # UnicodeError: a label is empty or too long for DNS
        raise DialFailed("name not found") from exc


def _connect_reason(exc: OSError) -> str:
    if isinstance(exc, TimeoutError):
        return "connect timeout"
    if exc.errno == errno.ECONNREFUSED:
        return "connection refused"
    return "no route" if exc.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH} else "connect failed"


class _Reader(io.RawIOBase):
    """The bytes of an answer; each read waits no longer than the call's patience."""

    def __init__(self, sock: socket.socket, source: io.RawIOBase, trace: Trace) -> None:
        self._sock, self._source, self._trace = sock, source, trace
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._trace.patience_s(self._trace.read_timeout_s))
        count: int | None = self._source.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _Reader(sock, self.fp.detach(), current.get())
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        # http.client takes a head that breaks off for a whole one: a "200" with nothing in it.
        if self._reader.ended:
            raise http.client.RemoteDisconnected("the connection was cut in the head")


class _Connection(HTTPConnection):
    response_class = _Response
    _used_at = 0.0
    _held: bytes | None = None  # the head, while its request is put together

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._used_at < MAX_IDLE_S and super().is_connected

    def _new_conn(self) -> socket.socket:
        self._used_at = time.monotonic()
        return connect(self._dns_host, self.port, current.get(), self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._held = b""
        try:
            super().request(*args, **kwargs)
            if self._held:
                self._write(self._held)
        finally:
            self._held = None

    def send(self, data: Any) -> None:
        if self._held is not None:
            if len(self._held) + len(data) <= _HELD_BYTES:
                self._held += data
                return
            held, self._held = self._held, b""
            if held:
                self._write(held)
        self._write(data)

    def _write(self, data: Any) -> None:
        trace = current.get()
        if self.sock is None:
            self.connect()  # first, so that a failure to connect counts as nothing written
        self._used_at = time.monotonic()
        self.sock.settimeout(trace.patience_s(trace.read_timeout_s))
        trace.written = True
        super().send(data)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS: the handshake is part of connecting."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_CLASSES: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}


class Lines:
    """The connections of one process to whatever hosts it calls. Safe to share among threads."""

    def __init__(
        self, *, hosts: int, connections: int, timeout_s: float, ca_bundle: str | None
    ) -> None:
        """Keep pools for up to `hosts` hosts, each with up to `connections` idle connections."""
        # Each call is timed by its Trace: of this, urllib3 only makes a default for the socket.
        timeout = Timeout(connect=timeout_s, read=timeout_s)
        self._pools = PoolManager(hosts, maxsize=connections, timeout=timeout, retries=NO_RETRY)
        self._pools.pool_classes_by_scheme = _CLASSES
        self._ca_bundle = ca_bundle
        self._trust: ssl.SSLContext | None = None

    def pool(self, scheme: str, host: str, port: int | None) -> HTTPConnectionPool:
        """The pool of a host. scheme is http or https; without a port it is that of the scheme."""
        options: dict[str, Any] = {}
        if scheme == "https":
            # Certificates are read once, not for each connection: that took 14 ms.
            if self._trust is None:
                self._trust = _trust(self._ca_bundle)
            options = {"ssl_context": self._trust}
        return self._pools.connection_from_host(host, port, scheme, pool_kwargs=options)

    def close(self) -> None:
        """Close the idle connections."""
        self._pools.clear()


def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Trust a file or directory of certificates, or else those that certifi knows."""
    place = ca_bundle or certifi.where()
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    is_directory = Path(place).is_dir()
    context.load_verify_locations(**{"capath" if is_directory else "cafile": place})
    return context


class DialAdapter(HTTPAdapter):
    """The transport of `requests` on our connections. Never retries."""

    def __init__(self, *, hosts: int, connections: int) -> None:
        """Keep pools for up to `hosts` hosts, each with up to `connections` idle connections."""
        super().__init__(pool_connections=hosts, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _CLASSES


def open_session(
    *, hosts: int, connections: int, headers: Mapping[str, str], ca_bundle: str | None
) -> requests.Session:
    """A session that reads nothing from the environment (proxies, .netrc) and keeps no cookies."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers = CaseInsensitiveDict(
        {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", **headers}
    )
    if ca_bundle is not None:
        session.verify = ca_bundle
    adapter = DialAdapter(hosts=hosts, connections=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Masked(logging.Filter):
    """urllib3 writes whole request paths into its log lines, and some paths hold a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        trace = current.get(None)
        if trace is not None:
            record.msg, record.args = trace.mask(record.getMessage()), ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.response"):
    logging.getLogger(_name).addFilter(_Masked())

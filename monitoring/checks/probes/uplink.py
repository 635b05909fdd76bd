"""Looking at our own way out: does anything on the internet answer at all?"""

import socket
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from lib import http
from monitoring.checks.asking import ask_all
from monitoring.checks.verdicts import LookFailed


def uplink_look() -> dict[str, Any]:
    """{"answered": 2, "asked": 3}: the way out works as long as one of the addresses answers.

    Raises LookFailed with what each of them said.
    """
    timeout_s = 0.8 * settings.SERVICE_CHECK_TIMEOUT.total_seconds()  # we are waited for, too
    looks = {each: partial(_reach, each, timeout_s) for each in settings.UPLINK_PROBES}
    verdicts = ask_all(looks, timeout_s=timeout_s)
    answered = sum(verdict.is_ok for verdict in verdicts.values())
    if not answered:
        said = "; ".join(f"{name}: {verdict.error}" for name, verdict in verdicts.items())
        raise LookFailed(said[:500])
    return {"answered": answered, "asked": len(verdicts)}


def _reach(address: str, timeout_s: float) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme == "tcp":
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), timeout_s).close()
        except OSError as exc:
            raise LookFailed(exc.strerror or str(exc) or type(exc).__name__) from None
        return {}
    door = http.HttpDoor(
        "uplink",
        connect_timeout_s=timeout_s,
        read_timeout_s=timeout_s,
        total_timeout_s=timeout_s,
        pool_size=1,
    )
    with door:
        try:
            door.request("GET", address)
        except http.BadAnswer:  # too large, but there
            return {}
        except http.HttpFailure as exc:
            raise LookFailed(exc.reason) from None
    return {}

"""What an answer means: for the delivery, for its endpoint, and for when to come again. No I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from notifications.webhooks.wire import Reply

LONGEST_WAIT = timedelta(hours=24)  # a receiver that asks for more is asked again after this
_DIGITS = 9  # more are no span that anybody means

Outcome = Literal["delivered", "failed", "throttled"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of one reply.

    throttled: asked to wait by 429 with Retry-After, which spends no try. wait: not before, for the
    whole endpoint. is_down: it did not answer, or with a 5xx, which is what opens its breaker.
    is_gone: 410, never send anything again.
    """

    outcome: Outcome
    error: str = ""
    wait: timedelta | None = None
    is_down: bool = False
    is_gone: bool = False


def judge(reply: Reply, now: datetime) -> Verdict:
    """The verdict on a reply that came at `now`. Source: Standard Webhooks 1.0.0, "Operational
    considerations"; the codes by RFC 9110."""
    status = reply.status
    if status is None:
        return Verdict("failed", reply.error, is_down=True)
    if 200 <= status < 300:
        return Verdict("delivered")
    if status == 410:
        return Verdict("failed", "410 Gone: the receiver wants no more of it", is_gone=True)
    if 300 <= status < 400:
        return Verdict("failed", f"{status}: redirects are not followed; enter the final address")
    wait = retry_after(reply.headers.get("Retry-After"), now) if status in {429, 503} else None
    if status == 429 and wait is not None:
        return Verdict("throttled", f"429: asked to wait {wait.total_seconds():.0f} s", wait)
    return Verdict("failed", f"answered {status}", wait, is_down=status >= 500)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The span of a Retry-After header, at most a day: seconds or an HTTP date (RFC 9110, 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:_DIGITS]) if len(text) <= _DIGITS else 10**_DIGITS
        return min(timedelta(seconds=seconds), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for numbers that no calendar has
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_WAIT)

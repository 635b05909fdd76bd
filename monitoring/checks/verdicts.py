"""What one look at a service found, and how a look says that it failed."""

from dataclasses import dataclass, field
from typing import Any


class LookFailed(Exception):
    """The service does not answer as it should; the text says how, without secrets."""

    is_refusal = False


class LookRefused(LookFailed):
    """The service answers, but not to us: the token is wrong, or the account is stopped."""

    is_refusal = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """latency_ms: how long the look took, also one that failed. facts: what the service said of itself."""

    is_ok: bool
    latency_ms: float
    error: str = ""
    is_refusal: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

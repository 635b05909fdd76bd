"""What comes out of an outgoing call: an answer or a failure. The tree is drawn in lib/http.py."""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class HttpFailure(Exception):
    """The call gave no usable answer."""

    code = "failure"

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason


class Unreachable(HttpFailure):
    """Nothing was sent: the service could not be connected to."""

    code = "unreachable"


class AddressRefused(Unreachable):
    """Nothing was sent: the address is not on the public internet."""

    code = "address_refused"


class OutcomeUnknown(HttpFailure):
    """The request was sent, but no complete answer came; it may have been carried out."""

    code = "outcome_unknown"


class BadAnswer(HttpFailure):
    """The answer cannot be used; the request was received."""

    code = "bad_answer"

    def __init__(self, service: str, reason: str, *, status: int) -> None:
        super().__init__(service, reason)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A complete answer. Header names are looked up without regard to case."""

    service: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises BadAnswer."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            reason = "the answer is not JSON"
        raise BadAnswer(self.service, reason, status=self.status)

    @property
    def text(self) -> str:
        """The body as UTF-8; what is not, is replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Call:
    """A finished call, as told to a door's observer. `failure` is the code of an HttpFailure."""

    service: str
    method: str
    path: str
    status: int | None
    failure: str | None
    duration_ms: float

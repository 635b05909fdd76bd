"""What may go wrong between us and the panel, told apart by what the caller has to do.

PanelError
  PanelWaits         nothing was asked: later. A job that lets it through is put off, unspent
    PanelDown        the breaker is open: the panel is known to be away
    PanelBusy        all places are taken, the rate is used up, or a proxy answered 429
    PanelHeld        the panel differs from the contract; writes wait for a person or the next check
  PanelAway          it surely was not done: connection refused, 503, or a read that failed
  PanelFailed        the panel says that it failed inside (500 with a code); nothing was changed
  PanelUnknown       a write was sent and how it ended is not known: read back, then decide
  PanelRefused       never again as it is: `status`, `code`, and what the panel says
    PanelMissing     there is no such thing, said by the panel itself and by nobody in between
    PanelDenied      the token: wrong, expired, or without the scope

Only PanelMissing is proof that a user is gone. Nothing else may cut anybody.
"""

from datetime import timedelta

from jobs.breakers import BreakerOpen

BREAKER = "remnawave"


class PanelError(Exception):
    """The panel did not do what it was asked for."""


class PanelWaits(PanelError, BreakerOpen):
    """Nothing was asked of the panel; later it may be."""

    def __init__(self, reason: str, retry_after: timedelta) -> None:
        Exception.__init__(self, f"the panel waits: {reason}")
        self.reason = reason
        self.retry_after = retry_after


class PanelDown(PanelWaits):
    """The panel is known to be away."""


class PanelBusy(PanelWaits):
    """As much is asked of the panel as it allows."""


class PanelHeld(PanelWaits):
    """The panel differs from the contract that we know."""

    def __init__(self, reason: str, retry_after: timedelta = timedelta(minutes=1)) -> None:
        super().__init__(reason, retry_after)


class PanelAway(PanelError):
    """The panel cannot be reached or does not work; nothing was changed."""


class PanelFailed(PanelError):
    """The panel failed inside and changed nothing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class PanelUnknown(PanelError):
    """The request was sent, but how it ended is not known."""


class PanelRefused(PanelError):
    """The panel refused. `code` is its own (A019), or validation, unauthorized, forbidden."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class PanelMissing(PanelRefused):
    """There is no such thing in the panel."""


class PanelDenied(PanelRefused):
    """The token is not good enough."""

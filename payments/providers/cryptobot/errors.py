"""What Crypto Pay may answer instead of doing it, told apart by what the caller has to do.

CryptoPayError
  CryptoPayRefused       it said no, and would say so again; `code` and `name` as it wrote them
    TokenRefused         401: the token is wrong, or of the other network; tell a person
    AppSuspended         423: the app was stopped by Crypto Pay; tell a person
  CryptoPayAway          surely nothing was done (reads always end so): ask again later
    CryptoPayBusy        429: everybody waits for `retry_after`, if it named one
  CryptoPayUnknown       a write may have been carried out: look before repeating it
  CryptoPayNotConfigured there is no CRYPTOBOT_TOKEN; nothing was asked

The list of names is not published (seen ones: contract of 2026-11, section 6), so `name` is a text.
`is_service_failure` and `retry_after` are what jobs and breakers read of an error.
"""

from datetime import timedelta
from typing import ClassVar


class CryptoPayError(Exception):
    """Crypto Pay did not do what it was asked for."""

    is_service_failure: bool = False
    retry_after: timedelta | None = None

    def __init__(self, reason: str = "") -> None:
        sentence = (self.__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{sentence[:-1]}: {reason}" if reason else sentence)
        self.reason = reason


class CryptoPayRefused(CryptoPayError):
    """Crypto Pay refused."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}".strip())
        self.code = code
        self.name = name


class TokenRefused(CryptoPayRefused):
    """The token is not accepted."""


class AppSuspended(CryptoPayRefused):
    """The app is suspended."""


class CryptoPayAway(CryptoPayError):
    """Crypto Pay cannot be reached or does not work; nothing was done."""

    is_service_failure = True


class CryptoPayBusy(CryptoPayAway):
    """Crypto Pay asks to wait."""

    def __init__(self, retry_after: timedelta | None) -> None:
        super().__init__("" if retry_after is None else f"{retry_after.total_seconds():g} s")
        self.retry_after = retry_after
        # A pause that it names is an answer; without one the breaker finds the pace.
        self.is_service_failure = retry_after is None


class CryptoPayUnknown(CryptoPayError):
    """The request was sent, but how it ended is not known."""

    is_service_failure = True


class CryptoPayNotConfigured(CryptoPayError):
    """There is no CRYPTOBOT_TOKEN."""


class InvoiceOrderInvalid(ValueError):
    """An invoice that Crypto Pay would not make; the text says why. Nothing was asked."""


class UpdateInvalid(ValueError):
    """The body of a webhook is no update of Crypto Pay; the text says why."""

    code: ClassVar[str] = "update_invalid"

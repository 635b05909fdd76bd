"""What may go wrong in the domain, as values that every door can show.

    DomainError                409, the rule that forbids it
      NotFound                 404
      InputInvalid             422, says which field and why
      TooLarge                 413
      Unavailable              503, with Retry-After

A subclass sets `code` (stable, for programs); its text is for people and may change.
"""

from datetime import timedelta
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule of the domain forbids this."""

    code: ClassVar[str] = "conflict"
    status: ClassVar[int] = 409

    def __init__(self, message: str | None = None, **extra: Any) -> None:
        self.message = message or (self.__doc__ or "").strip().splitlines()[0]
        self.extra = extra
        super().__init__(self.message)


class NotFound(DomainError):
    """There is no such thing, or you may not see it."""

    code = "not_found"
    status = 404


class InputInvalid(DomainError):
    """The input does not have the form that is asked for."""

    code = "invalid"
    status = 422


class TooLarge(DomainError):
    """The input is larger than the limit."""

    code = "too_large"
    status = 413


class Unavailable(DomainError):
    """Not possible now; try again later."""

    code = "unavailable"
    status = 503

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: timedelta = timedelta(seconds=5),
        **extra: Any,
    ) -> None:
        super().__init__(message, **extra)
        self.retry_after = retry_after

"""The refusals of Crypto Pay: a code, which is also the HTTP status, and a name.

The list is not published. Those that clients have seen stand in the contract (section 6); the
others are named by analogy: INVOICE_NOT_FOUND, INVOICE_ALREADY_PAID, <PARAMETER>_INVALID, _TOO_LONG.
"""


class ApiError(Exception):
    """A call that Crypto Pay refuses."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(name)
        self.code = code
        self.name = name


def bad_request(name: str) -> ApiError:
    return ApiError(400, name)


def app_error() -> ApiError:
    """What malformed values get, be it a list for a text or a negative count."""
    return ApiError(500, "APP_ERROR")

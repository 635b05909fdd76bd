"""The refusals of the Bot API, with the wording that clients match on.

Source: tdlib/telegram-bot-api 10.0 (2026-05-07) and tdlib/td (2026-07-17).
"""


class ApiError(Exception):
    """A call that Telegram refuses: HTTP status, description and, for some, parameters."""

    def __init__(
        self, code: int, description: str, parameters: dict[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(reason: str) -> ApiError:
    """400; reason begins with a small letter, as the server writes it behind the prefix."""
    return ApiError(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> ApiError:
    """403: the chat is closed to this bot."""
    return ApiError(403, f"Forbidden: {reason}")


def too_many_requests(retry_after_s: int) -> ApiError:
    """429 with whole seconds to wait, in the text and in parameters."""
    return ApiError(
        429,
        f"Too Many Requests: retry after {retry_after_s}",
        {"retry_after": retry_after_s},
    )


def cannot_parse_entities(reason: str) -> ApiError:
    """400 for markup that does not parse; reason keeps its capital letter."""
    return bad_request(f"can't parse entities: {reason}")

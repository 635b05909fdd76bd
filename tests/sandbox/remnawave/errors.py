"""The error bodies of the panel: each origin of an error has a shape of its own."""

from typing import Any

from tests.sandbox.remnawave.times import iso

# Code -> status and words. Whatever is not here is a 500 in the panel.
_CODES = {
    "A011": (404, "Node not found"),
    "A018": (500, "Create user error"),
    "A019": (400, "User username already exists"),
    "A020": (400, "User short UUID already exists"),
    "A025": (404, "User not found"),
    "A029": (400, "User already disabled"),
    "A030": (400, "User already enabled"),
    "A039": (500, "Update user error"),
    "A054": (409, "Enabled nodes not found"),
    "A063": (404, "User with specified params not found"),
    "A089": (500, "LIMITED and EXPIRED statuses are not allowed to be set manually."),
    "A118": (404, "Internal squad not found"),
    "A149": (400, "Node is disabled"),
    "A204": (404, "HWID device not found"),
    "A226": (404, "Metadata not found"),
    "A235": (400, "Invalid date range"),
    "E000": (403, "Forbidden"),
}


class PanelError(Exception):
    """A refusal in the panel's own words."""

    def __init__(self, status: int, body: dict[str, Any], *, is_stamped: bool = False) -> None:
        super().__init__(str(body))
        self.status = status
        self._body = body
        self._is_stamped = is_stamped

    def body(self, path: str, now_ms: int) -> dict[str, Any]:
        """Errors of the panel's rules carry time and path, those of its framework do not."""
        if self._is_stamped:
            return {"timestamp": iso(now_ms), "path": path, **self._body}
        return self._body


def refused(code: str) -> PanelError:
    """An error of the panel's rules, by its code."""
    status, message = _CODES[code]
    return PanelError(status, {"message": message, "errorCode": code}, is_stamped=True)


def invalid(issues: list[dict[str, Any]] | None) -> PanelError:
    """Input of a wrong form. None: a query string that is no JSON, which lists no issues."""
    body: dict[str, Any] = {"statusCode": 400, "message": "Validation failed"}
    if issues is not None:
        body["errors"] = issues
    return PanelError(400, body)


def malformed(words: str) -> PanelError:
    """A body that is no JSON."""
    return PanelError(400, {"message": words, "error": "Bad Request", "statusCode": 400})


def unauthorized() -> PanelError:
    return PanelError(401, {"message": "Unauthorized", "statusCode": 401})


def forbidden() -> PanelError:
    return PanelError(
        403, {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403}
    )


def no_route(http_method: str, path: str) -> PanelError:
    return PanelError(
        404,
        {"message": f"Cannot {http_method} {path}", "error": "Not Found", "statusCode": 404},
    )


def crashed() -> PanelError:
    return PanelError(500, {"statusCode": 500, "message": "Internal server error"})

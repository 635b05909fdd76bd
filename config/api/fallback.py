"""Errors that no view of the API made: unknown path, refused host, broken middleware."""

from django.http import HttpRequest, HttpResponseBase

from config.api.problems import problem
from config.middleware import Middleware

API_PREFIXES = ("/api/", "/v1/", "/webhooks/")
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
_DETAILS = {
    400: "The request cannot be understood.",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not know that method.",
}


class ProblemMiddleware(Middleware):
    """Turns an HTML error under the API into a problem; with DEBUG Django would show code."""

    def called(self, request: HttpRequest) -> HttpResponseBase:
        return _readable(request, super().called(request))

    async def awaited(self, request: HttpRequest) -> HttpResponseBase:
        return _readable(request, await super().awaited(request))


def _readable(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    if status < 400 or not request.path.startswith(API_PREFIXES):
        return response
    if not response.get("Content-Type", "").startswith("text/html"):
        return response
    detail = _DETAILS.get(status, "An error of ours. It was logged with this correlation id.")
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    return problem(request, status, detail=detail, headers=headers)

"""The doors through which others tell us what happened: one view, made for each source."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs.faults import fault
from payments.intake.sources import source_get
from payments.intake.taking import intake_take
from payments.models import IncomingWebhook, Intake

_RETRY_AFTER_S = 60


def intake_view(source: str) -> Callable[[HttpRequest], HttpResponse]:
    """A view that takes in the deliveries of a source.

    200: it is written down (also a duplicate, or one about nothing that we know: sending it again
    would change nothing). 401: wrong signature. 413: too large. 429: too many without a signature
    that can be proved.
    """

    @csrf_exempt
    @require_POST
    def take(request: HttpRequest) -> HttpResponse:
        most = source_get(source).max_body_bytes
        body = _body(request, most)
        if body is None:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        headers = {name.lower(): value for name, value in request.headers.items()}
        address = request.META.get("REMOTE_ADDR") or ""
        row = intake_take(source, body=body, headers=headers, remote_address=address)
        fault("intake.stored")
        return _answer(row)

    return take


def _body(request: HttpRequest, most: int) -> bytes | None:
    """The raw body; None if it is larger than `most`, of which no more is read."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdigit() and int(announced) > most:
        return None
    body = request.read(most + 1)
    return None if len(body) > most else body


def _answer(row: IncomingWebhook | None) -> HttpResponse:
    if row is None:
        return HttpResponse(
            status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(_RETRY_AFTER_S)}
        )
    # What is signed but not readable would not become readable by being sent again.
    is_refused = row.state == Intake.REJECTED and not row.is_valid
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED if is_refused else HTTPStatus.OK)

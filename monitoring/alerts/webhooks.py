"""The door for Telegram: presses of buttons under messages about alerts."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from monitoring.alerts.hook import NAME
from payments.intake.webhooks import intake_view

_take = intake_view(NAME)


@csrf_exempt
def telegram(request: HttpRequest) -> HttpResponse:
    """200: it is written down and being done. 403: not the secret that we gave Telegram, or none is set.

    Telegram tries again what is not answered with 2xx, with growing delays, for a day.
    """
    if not settings.TELEGRAM_WEBHOOK_SECRET:
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    answer = _take(request)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        answer.status_code = HTTPStatus.FORBIDDEN
    return answer

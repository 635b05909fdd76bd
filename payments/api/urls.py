"""Addresses of the payments, and the door of Crypto Pay."""

from django.urls import URLPattern, path

from payments.api import payments
from payments.cryptobot_hook import NAME, PATH
from payments.intake.webhooks import intake_view

_PAYMENT = "api/v1/payments/<uuid:payment_id>"

urlpatterns: list[URLPattern] = [
    path(PATH, intake_view(NAME), name="webhook-cryptobot"),
    path("api/v1/payments", payments.PaymentsApi.as_view()),
    path(_PAYMENT, payments.PaymentApi.as_view()),
    path(f"{_PAYMENT}/recheck", payments.PaymentRecheckApi.as_view()),
]

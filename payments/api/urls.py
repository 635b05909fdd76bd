"""Addresses of the payments, and the door of Crypto Pay."""

from django.urls import URLPattern, path

from payments.cryptobot_hook import NAME, PATH
from payments.intake.webhooks import intake_view

urlpatterns: list[URLPattern] = [
    path(PATH, intake_view(NAME), name="webhook-cryptobot"),
]

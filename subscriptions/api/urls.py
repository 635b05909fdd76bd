"""Addresses of the subscriptions, and the door of the panel."""

from django.urls import URLPattern, path

from payments.intake.webhooks import intake_view
from subscriptions.api import bulk_urls, plans, subscribers
from subscriptions.mirror.hook import NAME, PATH

_SUBSCRIBER = "api/v1/subscribers/<int:subscriber_id>"
_PLAN = "api/v1/plans/<str:code>"

urlpatterns: list[URLPattern] = [
    path("api/v1/plans", plans.PlansApi.as_view()),
    path(_PLAN, plans.PlanApi.as_view()),
    path(f"{_PLAN}/orders", plans.PlanOrdersApi.as_view()),
    path("api/v1/subscribers", subscribers.SubscribersApi.as_view()),
    path(_SUBSCRIBER, subscribers.SubscriberApi.as_view()),
    path(f"{_SUBSCRIBER}/events", subscribers.SubscriberStoryApi.as_view()),
    path(f"{_SUBSCRIBER}/orders", subscribers.SubscriberOrdersApi.as_view()),
    *bulk_urls.urlpatterns,
    path(PATH, intake_view(NAME), name="webhook-remnawave"),
]

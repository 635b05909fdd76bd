"""The addresses of services and rules."""

from django.urls import URLPattern, path

from monitoring.checks.api import rules, services

urlpatterns: list[URLPattern] = [
    path("api/v1/services", services.ServicesApi.as_view()),
    path("api/v1/services/check", services.ServicesCheckApi.as_view()),
    path("api/v1/services/<slug:name>", services.ServiceApi.as_view()),
    path("api/v1/services/<slug:name>/outages", services.ServiceOutagesApi.as_view()),
    path("api/v1/rules", rules.RulesApi.as_view()),
    path("api/v1/rules/<slug:name>", rules.RuleApi.as_view()),
]

"""Rules: each with its value of now beside its threshold; switched off and changed here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.pages import deed
from lib import clock
from lib.errors import InputInvalid
from monitoring.checks.admin.forms import RuleForm
from monitoring.checks.admin.pages import ChecksConsole
from monitoring.checks.models import RuleState
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.selectors.rules import rules_view
from monitoring.checks.services import rule_change, rule_get

PILLS = (
    ("", "All"),
    (RuleCondition.OVER, "Over"),
    (RuleCondition.OK, "Fine"),
    (RuleCondition.IDLE, "Nothing to measure"),
    (RuleCondition.UNKNOWN, "Cannot be measured"),
    (RuleCondition.OFF, "Switched off"),
)


@admin.register(RuleState)
class RuleAdmin(ChecksConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("live/", self.live, "live"),
            self.at("<slug:name>/change/", self.change, "change"),
            self.at("<slug:name>/on/", self.switch_on, "on"),
            self.at("<slug:name>/off/", self.switch_off, "off"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All rules. A few queries."""
        del extra_context
        return self.show(request, "rules", "Rules and thresholds", **_listed(request))

    def live(self, request: HttpRequest) -> HttpResponse:
        """The rows, for the page that is open already (htmx)."""
        return self.part(
            request, "_rules", now=clock.now(), here=self._here(request), **_listed(request)
        )

    @deed("checks.operate_rulestate")
    def change(self, request: HttpRequest, name: str) -> str:
        rule = rule_get(name)
        form = RuleForm(rule, request.POST)
        if not form.is_valid():
            raise InputInvalid(form.first_error())
        rule_change(name=name, by=request.user, **form.changes())
        return f"{rule.title}: changed. It counts from the next measuring on, within a minute."

    @deed("checks.operate_rulestate")
    def switch_on(self, request: HttpRequest, name: str) -> str:
        rule_change(name=name, by=request.user, is_on=True)
        return f"{rule_get(name).title}: switched on."

    @deed("checks.operate_rulestate")
    def switch_off(self, request: HttpRequest, name: str) -> str:
        rule_change(name=name, by=request.user, is_on=False)
        return f"{rule_get(name).title}: switched off. Its value is still measured."

    def _here(self, request: HttpRequest) -> str:
        query = request.GET.urlencode()
        return f"{self.home()}?{query}" if query else self.home()


def _listed(request: HttpRequest) -> dict[str, Any]:
    wanted = request.GET.get("condition", "")
    condition = wanted if wanted in RuleCondition.values else ""
    return {"views": rules_view(condition=condition), "condition": condition, "pills": PILLS}

"""Rules: which directories are watched, by whom, how they stand; making, editing and trying one."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.asked import number_of
from jobs.admin.pages import check, deed
from lib.errors import DomainError, InputInvalid
from monitoring.files.actions import actions
from monitoring.files.admin.forms import RuleForm, beginning
from monitoring.files.admin.pages import FilesConsole, links, text_of
from monitoring.files.drafts import RuleDraft
from monitoring.files.models import Rule
from monitoring.files.selectors.batches import batches_page
from monitoring.files.selectors.matches import Matches, rule_matches
from monitoring.files.selectors.rules import CONDITIONS, rule_troubles, rule_view, rules_page
from monitoring.files.selectors.watchers import silence, watchers_view
from monitoring.files.services import (
    rule_create,
    rule_delete,
    rule_edit,
    rule_pause,
    rule_resume,
    rule_scan,
)

LATEST = 10


@admin.register(Rule)
class RuleAdmin(FilesConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("add/", self.add, "add"),
            self.at("watchers/", self.watchers, "watchers"),
            self.at("<int:rule_id>/change/", self.rule, "change"),
            self.at("<int:rule_id>/edit/", self.edit, "edit"),
            self.at("<int:rule_id>/try/", self.try_it, "try"),
            self.at("<int:rule_id>/pause/", self.pause, "pause"),
            self.at("<int:rule_id>/resume/", self.resume, "resume"),
            self.at("<int:rule_id>/scan/", self.scan, "scan"),
            self.at("<int:rule_id>/delete/", self.delete, "delete"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        asked = {name: text_of(request, name) for name in ("q", "condition", "action")}
        views, after = rules_page(
            wanted=asked["q"],
            condition=asked["condition"],
            action=asked["action"],
            after=number_of(request.GET.get("after", "")),
        )
        return self.show(
            request,
            "rules",
            "File rules",
            rules=views,
            asked=asked,
            conditions=CONDITIONS,
            actions=actions(),
            watchers=watchers_view(),
            silence=silence(),
            **links(request, asked, after),
        )

    def watchers(self, request: HttpRequest) -> HttpResponse:
        """Who watches, for the page that is open already (htmx)."""
        return self.part(request, "_watchers", watchers=watchers_view(), silence=silence())

    def rule(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """One rule: how it stands, its latest batches, files that are not taken."""
        rule = _get(rule_id)
        batches, _ = batches_page(rule_id=rule.pk, size=LATEST)
        return self.show(
            request,
            "rule",
            f"File rule {rule.name}",
            view=rule_view(rule),
            rule=rule,
            batches=batches,
            troubles=rule_troubles(rule),
            silence=silence(),
            about=CONDITIONS,
        )

    def add(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: make the rule, or try it first."""
        check(request, "files.add_rule")
        form = RuleForm(request.POST or None, initial=beginning(None))
        if request.method != "POST":
            return self._form(request, form)
        return self._save(request, form, None)

    def edit(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        check(request, "files.change_rule")
        rule = _get(rule_id)
        form = RuleForm(request.POST or None, initial=beginning(rule))
        if request.method != "POST":
            return self._form(request, form, rule)
        return self._save(request, form, rule)

    def try_it(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """What a rule would mean now. Only looks."""
        rule = _get(rule_id)
        try:
            matches = rule_matches(RuleDraft.of(rule), rule_id=rule.pk)
        except InputInvalid as exc:
            matches = Matches([], 0, 0, [], 0, is_cut=False, problem=f"{exc.message}.")
        return self.show(request, "try", f"What {rule.name} means now", rule=rule, found=matches)

    @deed("files.operate_rule")
    def pause(self, request: HttpRequest, rule_id: int) -> str:
        rule_pause(rule_id=rule_id, by=request.user)
        return "It is paused. What changes from now on is found when somebody resumes it."

    @deed("files.operate_rule")
    def resume(self, request: HttpRequest, rule_id: int) -> str:
        rule_resume(rule_id=rule_id, by=request.user)
        return "It is watched again; what changed meanwhile is found now."

    @deed("files.operate_rule")
    def scan(self, request: HttpRequest, rule_id: int) -> str:
        rule_scan(rule_id=rule_id, by=request.user)
        return "The watcher looks at everything now."

    @deed("files.delete_rule")
    def delete(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        rule_delete(rule_id=rule_id, by=request.user)
        messages.success(
            request, "The rule is deleted with its history. The files are still there."
        )
        return HttpResponseRedirect(self.home())

    def _save(self, request: HttpRequest, form: RuleForm, rule: Rule | None) -> HttpResponse:
        if not form.is_valid():
            return self._form(request, form, rule)
        if request.POST.get("go") == "try":
            found = rule_matches(form.draft, rule_id=rule.pk if rule else None)
            return self._form(request, form, rule, found)
        try:
            saved = self._write(request, form, rule)
        except DomainError as exc:
            form.refuse(exc.message)
            return self._form(request, form, rule)
        messages.success(request, "Saved; a watcher takes it on within a second.")
        return HttpResponseRedirect(reverse("admin:files_rule_change", args=[saved.pk]))

    def _write(self, request: HttpRequest, form: RuleForm, rule: Rule | None) -> Rule:
        if rule is None:
            return rule_create(form.draft, by=request.user)
        version = number_of(request.POST.get("version", ""))
        return rule_edit(rule_id=rule.pk, draft=form.draft, version=version, by=request.user)

    def _form(
        self,
        request: HttpRequest,
        form: RuleForm,
        rule: Rule | None = None,
        found: Matches | None = None,
    ) -> HttpResponse:
        return self.show(
            request,
            "rule_form",
            f"Edit {rule.name}" if rule else "New file rule",
            status=422 if form.errors else 200,
            form=form,
            rule=rule,
            version=request.POST.get("version") or (rule.version if rule else ""),
            found=found,
        )


def _get(rule_id: int) -> Rule:
    rule = Rule.objects.filter(pk=rule_id).first() if rule_id < 2**63 else None
    if rule is None:
        raise Http404(f"there is no file rule {rule_id}")
    return rule

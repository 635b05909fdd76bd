"""Alerts in the console: the list, open ones by default, and the story of one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import or_404, uuid_of
from jobs.admin.lists import turning
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.admin.pages import deed
from jobs.chosen import BulkResult
from jobs.models import AuditEntry
from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts import acting, selectors, silences
from monitoring.alerts.admin.forms import AlertFilterForm, SilenceForForm
from monitoring.alerts.admin.pages import AlertConsole
from monitoring.alerts.bulk import MOST, alerts_bulk
from monitoring.alerts.checking import recheck_kind
from monitoring.alerts.models import Alert
from monitoring.alerts.selectors import AlertFilter
from monitoring.alerts.words import STATES, state_of, telling_say

OPERATE = "alerts.operate_alert"
ACTS = 12
_OPEN = frozenset(STATES) - {"resolved"}
DEEDS = {
    "acknowledge": ManyDeed(
        verb="Acknowledge",
        done="acknowledged",
        takes=_OPEN,
        means="You have them: they are neither told, reminded of nor escalated any more.",
    ),
    "silence_1h": ManyDeed(
        verb="Silence for 1 h",
        done="silenced",
        takes=_OPEN,
        means="Nobody is told of them for an hour. What is open then is told.",
    ),
    "silence_8h": ManyDeed(
        verb="Silence for 8 h",
        done="silenced",
        takes=_OPEN,
        means="Nobody is told of them for eight hours. What is open then is told.",
    ),
    "silence_24h": ManyDeed(
        verb="Silence for 24 h",
        done="silenced",
        takes=_OPEN,
        means="Nobody is told of them for a day. What is open then is told.",
    ),
    "resolve": ManyDeed(
        verb="Resolve",
        done="resolved",
        takes=_OPEN,
        means="You say that they are over. What is not is raised again by the next look.",
        tone="danger",
    ),
}


def quick_of(username: str) -> tuple[tuple[str, str], ...]:
    """What people look for most, as a query of the list."""
    return (
        ("Open", ""),
        ("Nobody has taken", "state=untaken"),
        ("Critical", "severity=critical"),
        ("Mine", urlencode({"assigned": username})),
        ("Silenced", "state=silenced"),
        ("Hidden", "state=hidden"),
        ("Resolved", "state=resolved"),
        ("All", "state=all"),
    )


def _about(result: BulkResult[UUID]) -> dict[str, Any]:
    ids = tuple(result.sample)
    return {"sample": selectors.alerts_page(AlertFilter(ids=ids)).alerts if ids else []}


@admin.register(Alert)
class AlertAdmin(ManyPages, AlertConsole):
    many = Many(
        noun="alert",
        permission=OPERATE,
        deeds=DEEDS,
        most=MOST,
        where=AlertFilter,
        since="opened_from",
        until="opened_to",
        filter_form=AlertFilterForm,
        key=uuid_of,
        bulk=alerts_bulk,
        about=_about,
        asked=lambda sent: {"note": sent.get("note", "").strip()[:500]},
    )

    def pages(self) -> list[URLPattern]:
        one = "<uuid:alert_id>/"
        acts = ("acknowledge", "silence", "unsilence", "resolve", "assign", "escalate", "recheck")
        return [
            *super().pages(),
            self.at(f"{one}change/", self.alert, "change"),
            *(self.at(f"{one}{name}/", getattr(self, name), name) for name in acts),
            self.at(f"{one}note/", self.note, "note"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. One query for its rows, three for what is open and the names of rules."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = AlertFilterForm(request.GET)
        page = None
        if form.is_valid():
            after = uuid_of(request.GET.get("after", ""))
            page = selectors.alerts_page(form.where(), after=after)
            if after is None and page.after is None:  # all there are, on one page
                page = replace(page, alerts=selectors.worst_first(page.alerts))
        return self.show(
            request,
            "alerts",
            "Alerts",
            counts=selectors.counts_open(),
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in quick_of(request.user.get_username())
            ],
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def alert(self, request: HttpRequest, alert_id: UUID) -> HttpResponse:
        """The page of one: what it is, what to do, everything that happened, and who was told."""
        row = or_404(selectors.alert_get, alert_id)
        story = selectors.story_of(row)
        return self.show(
            request,
            "alert",
            row.title,
            alert=row,
            state=state_of(row),
            meaning=STATES[state_of(row)],
            telling=telling_say(row),
            story=story,
            told=selectors.told_of(story),
            children=selectors.children_of(row),
            past=selectors.past_of(row),
            silences=selectors.silences_of(row),
            runbook=runbook_of(row.runbook),
            recheck=recheck_kind(row),
            people=people(),
            acts=AuditEntry.objects.filter(
                object_type=acting.ALERT, object_id=str(row.pk)
            ).order_by("-id")[:ACTS],
        )

    @deed(OPERATE)
    def acknowledge(self, request: HttpRequest, alert_id: UUID) -> str:
        row = acting.alert_acknowledge(alert_id=alert_id, by=request.user)
        return f"{row.acked_by} has it. It is neither reminded of nor escalated."

    @deed(OPERATE)
    def silence(self, request: HttpRequest, alert_id: UUID) -> str:
        form = SilenceForForm(request.POST)
        if not form.is_valid():
            raise InputInvalid(str(next(iter(form.errors.values()))[0]))
        until = clock.now() + timedelta(hours=form.cleaned_data["hours"])
        silences.alert_silence(
            alert_id=alert_id, until=until, reason=form.cleaned_data["reason"], by=request.user
        )
        return f"Nobody is told of it until {until:%Y-%m-%d %H:%M} UTC."

    @deed(OPERATE)
    def unsilence(self, request: HttpRequest, alert_id: UUID) -> str:
        silences.alert_unsilence(alert_id=alert_id, by=request.user)
        return "The silence is taken back."

    @deed(OPERATE)
    def resolve(self, request: HttpRequest, alert_id: UUID) -> str:
        note = request.POST.get("reason", "").strip()
        acting.alert_resolve(alert_id=alert_id, note=note, by=request.user)
        return "Resolved. If it is not over, the next look raises it again."

    @deed(OPERATE)
    def assign(self, request: HttpRequest, alert_id: UUID) -> str:
        name = request.POST.get("to", "")
        to = User.objects.filter(username=name).first() if name else None
        if name and to is None:
            raise InputInvalid("there is nobody of that name")
        acting.alert_assign(alert_id=alert_id, to=to, by=request.user)
        return f"It is given to {to.get_username()}." if to else "It is given to nobody."

    @deed(OPERATE)
    def escalate(self, request: HttpRequest, alert_id: UUID) -> str:
        acting.alert_escalate(alert_id=alert_id, by=request.user)
        return "The chats of escalation are told now."

    @deed(OPERATE)
    def recheck(self, request: HttpRequest, alert_id: UUID) -> str:
        acting.alert_recheck(alert_id=alert_id, by=request.user)
        return "It is being looked at again. Load the page in a moment to see what came of it."

    @deed(OPERATE)
    def note(self, request: HttpRequest, alert_id: UUID) -> str:
        acting.alert_note(alert_id=alert_id, note=request.POST.get("note", ""), by=request.user)
        return "The note is kept."


def people() -> list[str]:
    """Who may have an alert: active staff with the permission to see it."""
    codename = acting.VIEW.partition(".")[2]
    may = Q(is_superuser=True) | Q(groups__permissions__codename=codename)
    may |= Q(user_permissions__codename=codename)
    found = User.objects.filter(may, is_active=True, is_staff=True).distinct()
    return list(found.order_by("username").values_list("username", flat=True)[:200])


def runbook_of(anchor: str) -> str:
    """The address of a section of the runbook; empty if there is no such page."""
    try:
        return reverse("admin:runbook_section", args=[anchor]) if anchor else ""
    except NoReverseMatch:
        return ""


def _found(wanted: str) -> str:
    """The address of what a person searched: an alert by id, or all whose words match."""
    alert_id = uuid_of(wanted)
    if alert_id is not None and Alert.objects.filter(pk=alert_id).exists():
        return reverse("admin:alerts_alert_change", args=[alert_id])
    query = urlencode({"words": wanted[:100], "state": selectors.ANY})
    return f"{reverse('admin:alerts_alert_changelist')}?{query}"

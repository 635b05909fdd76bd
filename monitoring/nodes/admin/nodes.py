"""Servers in the console: the list, one of them, the map, acts on one and on many."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.admin.pages import check, deed
from jobs.chosen import BulkResult
from lib.errors import InputInvalid
from monitoring.nodes import acts, locating
from monitoring.nodes.admin.forms import NodeFilterForm, OursForm, PlaceForm
from monitoring.nodes.admin.pages import NodeConsole
from monitoring.nodes.bulk import MOST, TAKES, nodes_bulk
from monitoring.nodes.errors import NodeUnknown
from monitoring.nodes.models import Node
from monitoring.nodes.screens.atlas import VIEWS, atlas_get
from monitoring.nodes.screens.listing import NodeFilter, nodes_page, totals_now
from monitoring.nodes.screens.page import node_screen
from monitoring.nodes.words import FIELDS, NODE

OPERATE, CHANGE = "nodes.operate_node", "nodes.change_node"
SILENCES = {"1": "1 hour", "4": "4 hours", "24": "1 day", "168": "7 days"}
# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Not serving", "state=troubled"),
    ("Silent", "state=silent"),
    ("Online", "state=online"),
    ("Maintenance", "state=maintenance"),
    ("No longer listed", "state=gone"),
)
DEEDS = {
    "check": ManyDeed(
        verb="Check now",
        done="being looked at",
        takes=TAKES["check"],
        means="The panel is asked once, and says of all servers how they are.",
    ),
    "restart": ManyDeed(
        verb="Restart",
        done="told to restart",
        takes=TAKES["restart"],
        means="People on them are cut off for some seconds. A job for each, as the panel takes them.",
        tone="danger",
    ),
    "disable": ManyDeed(
        verb="Disable",
        done="being taken out of service",
        takes=TAKES["disable"],
        means="Whoever is connected to them is cut off, and no alert is raised. A job for each.",
        tone="danger",
    ),
    "enable": ManyDeed(
        verb="Enable",
        done="being put into service",
        takes=TAKES["enable"],
        means="They serve again within seconds. A job for each.",
    ),
    "silence": ManyDeed(
        verb="Silence",
        done="silenced",
        takes=TAKES["silence"],
        means="Alerts of them are still written down, but told to nobody.",
    ),
}


def _about(result: BulkResult[UUID]) -> dict[str, Any]:
    ids = tuple(result.sample)
    return {
        "sample": nodes_page(NodeFilter(ids=ids)).lines if ids else [],
        "silences": SILENCES,
    }


def _asked(sent: QueryDict) -> dict[str, Any]:
    hours = sent.get("hours", "")
    return {"hours": int(hours) if hours in SILENCES else 1, "reason": sent.get("reason", "")}


@admin.register(Node)
class NodeAdmin(ManyPages, NodeConsole):
    many = Many(
        noun=NODE,
        permission=OPERATE,
        deeds=DEEDS,
        most=MOST,
        where=NodeFilter,
        filter_form=NodeFilterForm,
        key=uuid_of,
        bulk=nodes_bulk,
        about=_about,
        asked=_asked,
    )

    def pages(self) -> list[URLPattern]:
        one = "<uuid:node_id>/"
        return [
            *super().pages(),
            self.at("map/", self.map, "map"),
            self.at("check/", self.check_all, "check_all"),
            self.at(f"{one}change/", self.node, "change"),
            self.at(f"{one}check/", self.check_one, "check"),
            self.at(f"{one}enable/", self.enable, "enable"),
            self.at(f"{one}disable/", self.disable, "disable"),
            self.at(f"{one}restart/", self.restart, "restart"),
            self.at(f"{one}silence/", self.silence, "silence"),
            self.at(f"{one}place/", self.place, "place"),
            self.at(f"{one}unplace/", self.unplace, "unplace"),
            self.at(f"{one}edit/", self.edit, "edit"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. The number of queries does not depend on how many there are."""
        del extra_context
        form = NodeFilterForm(request.GET)
        after = request.GET.get("after", "")
        page = nodes_page(form.where(), after=after) if form.is_valid() else None
        return self.show(
            request,
            "nodes",
            "Servers",
            totals=totals_now(),
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in QUICK
            ],
            page=page,
            form=form,
            chips=form.chips(),
            number=2 if after else 1,
            following=_following(form, page.after if page else ""),
            share=request.build_absolute_uri(f"{request.path}?{form.query()}".rstrip("?")),
        )

    def map(self, request: HttpRequest) -> HttpResponse:
        """The world with the servers in it. Four queries."""
        wanted = request.GET.get("view", "")
        view = wanted if wanted in VIEWS else next(iter(VIEWS))
        return self.show(
            request, "map", "Map of servers", atlas=atlas_get(view), views=VIEWS, view=view
        )

    def node(self, request: HttpRequest, node_id: UUID) -> HttpResponse:
        """One server."""
        try:
            screen = node_screen(node_id)
        except NodeUnknown as exc:
            raise Http404(exc.message) from None
        return self.show(
            request,
            "node",
            f"Server {screen.row.name}",
            screen=screen,
            row=screen.row,
            line=screen.line,
            fields=FIELDS,
            silences=SILENCES,
            is_listed=screen.row.removed_at is None,
            may_operate=request.user.has_perm(OPERATE),
            may_change=request.user.has_perm(CHANGE),
        )

    @deed(OPERATE)
    def check_all(self, request: HttpRequest) -> str:
        acts.nodes_check(by=request.user)
        return "The panel is being asked. Load the page again in a moment."

    @deed(OPERATE)
    def check_one(self, request: HttpRequest, node_id: UUID) -> str:
        acts.nodes_check(by=request.user, node_id=node_id)
        return "The panel is being asked. Load the page again in a moment."

    @deed(OPERATE)
    def enable(self, request: HttpRequest, node_id: UUID) -> str:
        row = acts.node_enable(node_id=node_id, by=request.user, reason=_reason(request))
        return f"{row.name} is being put into service. It is looked at again in some seconds."

    @deed(OPERATE)
    def disable(self, request: HttpRequest, node_id: UUID) -> str:
        row = acts.node_disable(node_id=node_id, by=request.user, reason=_reason(request))
        return f"{row.name} is out of service."

    @deed(OPERATE)
    def restart(self, request: HttpRequest, node_id: UUID) -> str:
        row = acts.node_restart(node_id=node_id, by=request.user, reason=_reason(request))
        return f"{row.name} is told to restart. It is looked at again in some seconds."

    @deed(OPERATE)
    def silence(self, request: HttpRequest, node_id: UUID) -> str:
        check(request, "alerts.operate_alert")
        hours = request.POST.get("hours", "")
        if hours not in SILENCES:
            raise InputInvalid("choose for how long")
        row = acts.node_silence(
            node_id=node_id,
            span=timedelta(hours=int(hours)),
            by=request.user,
            reason=_reason(request),
        )
        return f"For {SILENCES[hours]} nobody is told of alerts of {row.name}."

    @deed(CHANGE)
    def place(self, request: HttpRequest, node_id: UUID) -> str:
        given = _valid(PlaceForm(request.POST))
        row = locating.node_place(
            node_id=node_id,
            latitude=given["latitude"],
            longitude=given["longitude"],
            city=given["city"],
            by=request.user,
        )
        return f"{row.name} stands there from now on, whatever its country is."

    @deed(CHANGE)
    def unplace(self, request: HttpRequest, node_id: UUID) -> str:
        row = locating.node_unplace(node_id=node_id, by=request.user)
        return f"{row.name} stands where its country is."

    @deed(CHANGE)
    def edit(self, request: HttpRequest, node_id: UUID) -> str:
        given = _valid(OursForm(request.POST))
        row = acts.node_edit(
            node_id=node_id,
            by=request.user,
            note=given["note"],
            monthly_cost=given["monthly_cost"],
            cost_currency=given["cost_currency"],
        )
        return f"Saved what we know of {row.name}."


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")


def _valid(form: forms.Form) -> dict[str, Any]:
    """What a form gives; the first error in words otherwise. Raises InputInvalid."""
    if form.is_valid():
        return form.cleaned_data
    name, errors = next(iter(form.errors.items()))
    raise InputInvalid(f"{form.fields[name].label}: {errors[0]}")


def _following(form: NodeFilterForm, after: str) -> str:
    if not after:
        return ""
    here = urlencode({"after": after})
    return f"?{form.query()}&{here}" if form.given() else f"?{here}"

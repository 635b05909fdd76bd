"""Sending: a page that says who would get it, then now or at a time. Each such page sends once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.many import once_make, once_take
from jobs.admin.pages import check
from lib import clock
from lib.errors import DomainError
from notifications.broadcasts.admin.broadcast_page import reach_context
from notifications.broadcasts.admin.pages import (
    SEND,
    BroadcastConsole,
    broadcast_or_404,
    sentence,
    telegram_off,
)
from notifications.broadcasts.drafting import EDITABLE, moment_rule
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.services import broadcast_schedule, broadcast_send_now
from notifications.inbox.admin.preferences_form import zones

_ONCE = "broadcasts_send_once"
_AHEAD = timedelta(days=366)


class SendForm(forms.Form):
    """Now, or at a time on the clock of a place. A valid form that says later has `moment`, in UTC."""

    when = forms.ChoiceField(
        choices=[("now", "Now"), ("later", "At a time")], initial="now", widget=forms.RadioSelect
    )
    at = forms.DateTimeField(
        label="Day and time there",
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "Write a day and a time, such as 2026-11-23 12:00."},
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        widget=forms.TextInput({"list": "zones", "autocomplete": "off", "data-zone": ""}),
    )

    moment: datetime | None = None

    def clean_time_zone(self) -> str:
        """A zone that the database of time zones has."""
        name: str = self.cleaned_data["time_zone"].strip()
        if name not in zones():
            raise forms.ValidationError("Choose a zone of the list, such as Europe/Berlin.")
        return name

    def clean(self) -> dict[str, Any]:
        """Bring the time to UTC. A time that the clocks there skip is refused."""
        given = super().clean() or {}
        if given.get("when") != "later" or self.errors:
            return given
        if not given.get("at"):
            self.add_error("at", "Say when it is to start.")
            return given
        # A form gives a time in the zone of the site; what was meant is the clock of the place.
        there = given["at"].replace(tzinfo=ZoneInfo(given["time_zone"]))
        is_good, wish = moment_rule(there)
        if not is_good:
            self.add_error("at", f"This {wish}.")
            return given
        moment = there.astimezone(ZoneInfo("UTC"))
        if moment.astimezone(ZoneInfo(given["time_zone"])).replace(tzinfo=None) != there.replace(
            tzinfo=None
        ):
            self.add_error("at", "The clocks there skip this time: summer time begins.")
        elif moment <= clock.now():
            self.add_error("at", "This moment is over. Choose a later one, or send it now.")
        elif moment > clock.now() + _AHEAD:
            self.add_error("at", "This is more than a year ahead.")
        self.moment = moment
        return given


class SendPages(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        return [
            *super().pages(),
            self.at("<uuid:broadcast_id>/send/", self.send, "send"),
        ]

    def send(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """GET: the dry run, and the question when. POST: it is sent or scheduled."""
        check(request, SEND)
        row = broadcast_or_404(broadcast_id)
        page = reverse("admin:broadcasts_broadcast_change", args=[row.pk])
        if row.status not in EDITABLE:
            messages.error(request, f"It is {row.status} already.")
            return HttpResponseRedirect(page)
        if request.method != "POST":
            return self._send_look(request, row, SendForm(initial=_beginning(row)))
        form = SendForm(request.POST)
        if not form.is_valid():
            return self._send_look(request, row, form)
        if not once_take(request, _ONCE):
            messages.warning(
                request,
                "Nothing was sent: that page was used before, or is out of date. Look again.",
            )
            return self._send_look(request, row, form)
        try:
            self._go(request, row, form)
        except DomainError as exc:
            messages.error(request, f"Refused: {sentence(exc.message)}")
            return self._send_look(request, row, form)
        return HttpResponseRedirect(page)

    def _go(self, request: HttpRequest, row: Broadcast, form: SendForm) -> None:
        if form.cleaned_data["when"] == "now":
            broadcast_send_now(broadcast_id=row.pk, by=request.user)
            messages.success(request, "It is on its way.")
            return
        zone = form.cleaned_data["time_zone"]
        broadcast_schedule(
            broadcast_id=row.pk, scheduled_at=form.moment, time_zone=zone, by=request.user
        )
        there = f"{form.cleaned_data['at']:%Y-%m-%d %H:%M} {zone}"
        messages.success(request, f"It starts by itself at {there}.")

    def _send_look(self, request: HttpRequest, row: Broadcast, form: SendForm) -> HttpResponse:
        try:
            reach: dict[str, Any] = reach_context(row)
        except DomainError as exc:
            reach = {"error": sentence(exc.message)}
        return self.show(
            request,
            "send",
            f"Send “{row.title}”",
            status=422 if form.errors else 200,
            row=row,
            form=form,
            zones=zones(),
            telegram_off=telegram_off(row),
            once=once_make(request, _ONCE),
            **reach,
        )


def _beginning(row: Broadcast) -> dict[str, Any]:
    """A broadcast that is scheduled shows its time, on the clock of its zone."""
    if row.scheduled_at is None:
        return {"time_zone": row.time_zone}
    there = row.scheduled_at.astimezone(ZoneInfo(row.time_zone)).replace(tzinfo=None)
    return {"when": "later", "at": there, "time_zone": row.time_zone}

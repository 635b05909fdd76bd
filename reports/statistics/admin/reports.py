"""Reports in the console: the list, one as a page with charts, who gets them, and sending again."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import number_of, or_404
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from lib.errors import InputInvalid
from notifications.telegram.preview import preview_make
from reports.statistics import services
from reports.statistics.admin.forms import (
    ChatForm,
    MakeForm,
    ReportFilterForm,
    SubscriptionForm,
    wrong,
)
from reports.statistics.admin.pages import StatisticsConsole
from reports.statistics.models import LANGUAGES, Report, ReportKind, ReportSubscription
from reports.statistics.reporting.making import REPORT, latest_period
from reports.statistics.reporting.telling import report_say
from reports.statistics.screens.charts import screen_between
from reports.statistics.screens.listing import deliveries_of, report_get, reports_page

OPERATE = "statistics.operate_report"
ACTS = 12
FORTNIGHT = timedelta(days=13)  # before a day: one day alone says little in a chart
KEPT = "statistics_send_to"  # the chat that a person used last
QUICK = (("All", ""), ("Daily", "kind=daily"), ("Weekly", "kind=weekly"), ("Not sent", "told=no"))


@admin.register(Report)
class ReportAdmin(StatisticsConsole):
    def pages(self) -> list[URLPattern]:
        one = "<int:report_id>/"
        return [
            self.at("make/", self.make, "make"),
            self.at("subscribe/", self.subscribe, "subscribe"),
            self.at("unsubscribe/", self.unsubscribe, "unsubscribe"),
            self.at(f"{one}change/", self.report, "change"),
            self.at(f"{one}send/", self.send, "send"),
            self.at(f"{one}send-to/", self.send_to, "send_to"),
            self.at(f"{one}renew/", self.renew, "renew"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, and who gets them. Two queries, however many reports there are."""
        del extra_context
        form = ReportFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = reports_page(form.where(), after=number_of(request.GET.get("after", "")))
        given = "&".join(f"{name}={value}" for name, value in form.given().items())
        after = page.after if page else None
        return self.show(
            request,
            "reports",
            "Reports",
            form=form,
            chips=form.chips(),
            quick=[(label, query, query == given) for label, query in QUICK],
            page=page,
            following=f"?{form.query()}&{urlencode({'after': after})}".replace("?&", "?")
            if after
            else "",
            number=2 if request.GET.get("after") else 1,
            share=request.build_absolute_uri(),
            admins=settings.ADMIN_TELEGRAM_IDS,
            admin_language=dict(LANGUAGES)[settings.TELEGRAM_LANGUAGE],
            subscriptions=list(ReportSubscription.objects.order_by("title", "chat_id")),
            subscription_form=SubscriptionForm(
                initial={"language": settings.TELEGRAM_LANGUAGE, "daily": True, "weekly": True}
            ),
            make_form=MakeForm(initial={"kind": ReportKind.DAILY}),
            latest={kind.label: latest_period(kind) for kind in ReportKind},
        )

    def report(self, request: HttpRequest, report_id: int) -> HttpResponse:
        """The page of one: its figures as they were told, charts, the messages, and whom it reached."""
        row = or_404(report_get, report_id)
        first, last = (date.fromisoformat(row.payload[name]) for name in ("first", "last"))
        screen = screen_between(first if first != last else last - FORTNIGHT, last)
        return self.show(
            request,
            "report",
            f"{row.get_kind_display().capitalize()} report",
            report=row,
            payload=row.payload,
            now_=row.payload["now"],
            screen=screen,
            currency=next(iter(row.payload["currencies"]), ""),
            texts=[
                (name, [preview_make(text, "HTML") for text in report_say(row, code)])
                for code, name in LANGUAGES
            ],
            deliveries=deliveries_of(row.pk),
            chats=len(services.recipients(row.kind)),
            send_form=ChatForm(initial=self._myself(request)),
            acts=AuditEntry.objects.filter(object_type=REPORT, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
        )

    def _myself(self, request: HttpRequest) -> dict[str, Any]:
        """The chat that this person sent to last; else the first of the admins."""
        admins = settings.ADMIN_TELEGRAM_IDS
        first = {
            "chat_id": admins[0] if admins else None,
            "language": settings.TELEGRAM_LANGUAGE,
        }
        kept: dict[str, Any] = request.session.get(KEPT) or first
        return kept

    @deed(OPERATE)
    def make(self, request: HttpRequest) -> HttpResponse | str:
        form = MakeForm(request.POST)
        if not form.is_valid():
            raise InputInvalid(wrong(form))
        kind, period = form.cleaned_data["kind"], form.cleaned_data["period"]
        report = services.report_ask(
            kind=kind, period=period, is_told=form.cleaned_data["is_told"], by=request.user
        )
        return HttpResponseRedirect(reverse("admin:statistics_report_change", args=[report.pk]))

    @deed(OPERATE)
    def send(self, request: HttpRequest, report_id: int) -> str:
        made = services.report_send(report=or_404(report_get, report_id), by=request.user)
        return f"Sent again to {_chats(len(made))}."

    @deed(OPERATE)
    def send_to(self, request: HttpRequest, report_id: int) -> str:
        form = ChatForm(request.POST)
        if not form.is_valid():
            raise InputInvalid(wrong(form))
        given = form.cleaned_data
        request.session[KEPT] = given
        services.report_send(
            report=or_404(report_get, report_id),
            by=request.user,
            chat_id=given["chat_id"],
            language=given["language"],
        )
        return f"Sent to chat {given['chat_id']}."

    @deed(OPERATE)
    def renew(self, request: HttpRequest, report_id: int) -> str:
        services.report_renew(report=or_404(report_get, report_id), by=request.user)
        return "The report is written anew; what was sent before stays in the chats."

    @deed(OPERATE)
    def subscribe(self, request: HttpRequest) -> str:
        form = SubscriptionForm(request.POST)
        if not form.is_valid():
            raise InputInvalid(wrong(form))
        row = services.subscription_set(by=request.user, **form.cleaned_data)
        wants = [
            name
            for name, is_on in (("daily", row.wants_daily), ("weekly", row.wants_weekly))
            if is_on
        ]
        return f"{row} gets {' and '.join(wants)} reports." if wants else f"{row} gets no reports."

    @deed(OPERATE)
    def unsubscribe(self, request: HttpRequest) -> str:
        chat_id = request.POST.get("chat_id", "")
        number = number_of(chat_id.removeprefix("-"))
        if number is None:
            raise InputInvalid("name the chat")
        chat = -number if chat_id.startswith("-") else number
        services.subscription_end(chat_id=chat, by=request.user)
        return f"What was said of chat {chat} is forgotten."


def _chats(count: int) -> str:
    return "1 chat" if count == 1 else f"{count} chats"

"""What staff do to one subscriber: each a POST with a reason, done by a service that audits it."""

from django.http import HttpRequest
from django.urls import URLPattern

from jobs.admin.asked import number_of, or_404
from jobs.admin.pages import deed
from lib.errors import InputInvalid
from notifications.telegram.services import message_queue
from payments.models import Purpose
from subscriptions import services
from subscriptions.activation.acts import (
    activation_recreate,
    activation_release,
    activation_retry,
)
from subscriptions.activation.orders import order_for
from subscriptions.activation.plans import plan_find
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.admin.person_page import EDIT, INVOICE, OPERATE, WRITE
from subscriptions.models import Activation, Subscriber
from subscriptions.rereading import subscriber_reread
from subscriptions.screens.person import person_get

ACTIVATE = "subscriptions.operate_activation"
MESSAGE_MOST = 4096
_DONE = {
    "retry": "It is being tried now. Load the page again in a moment.",
    "release": "The hold is lifted; access is being switched on.",
    "recreate": "The user is being created again.",
}
_ACTIVATE = {
    "retry": activation_retry,
    "release": activation_release,
    "recreate": activation_recreate,
}


class PersonActs(SubscriptionConsole):
    def act_pages(self) -> list[URLPattern]:
        one = "<int:subscriber_id>/"
        return [
            self.at(f"{one}extend/", self.extend, "extend"),
            self.at(f"{one}enable/", self.enable, "enable"),
            self.at(f"{one}disable/", self.disable, "disable"),
            self.at(f"{one}reset-traffic/", self.reset_traffic, "reset_traffic"),
            self.at(f"{one}order/", self.order, "order"),
            self.at(f"{one}message/", self.message, "message"),
            self.at(f"{one}edit/", self.edit, "edit"),
            self.at(f"{one}reread/", self.reread, "reread"),
            self.at(
                f"{one}activations/<int:activation_id>/<slug:act>/", self.activation, "activation"
            ),
        ]

    @deed(OPERATE)
    def extend(self, request: HttpRequest, subscriber_id: int) -> str:
        days = number_of(request.POST.get("days", ""))
        if days is None:
            raise InputInvalid("say by how many days")
        row = services.subscriber_extend(
            subscriber_id=subscriber_id, days=days, by=request.user, reason=_reason(request)
        )
        return f"{row.username} is paid for until {row.expire_at:%Y-%m-%d %H:%M} UTC now."

    @deed(OPERATE)
    def enable(self, request: HttpRequest, subscriber_id: int) -> str:
        row = services.subscriber_enable(
            subscriber_id=subscriber_id, by=request.user, reason=_reason(request)
        )
        return f"The panel serves {row.username} again."

    @deed(OPERATE)
    def disable(self, request: HttpRequest, subscriber_id: int) -> str:
        row = services.subscriber_disable(
            subscriber_id=subscriber_id, reason=_reason(request), by=request.user
        )
        return f"{row.username} is served no longer, until a person enables the access again."

    @deed(OPERATE)
    def reset_traffic(self, request: HttpRequest, subscriber_id: int) -> str:
        row = services.subscriber_reset_traffic(
            subscriber_id=subscriber_id, by=request.user, reason=_reason(request)
        )
        return f"The used traffic of {row.username} is zero now."

    @deed(INVOICE)
    def order(self, request: HttpRequest, subscriber_id: int) -> str:
        row = or_404(_subscriber, subscriber_id)
        code, _, currency = request.POST.get("price", "").partition(" ")
        plan = plan_find(code)
        payment = order_for(row, plan, currency, Purpose.RENEWAL, by=request.user, source="staff")
        return (
            f"An invoice for {payment.plan_title} is being made. "
            "Load the page again in a moment: its link is below, ready to copy."
        )

    @deed(WRITE)
    def message(self, request: HttpRequest, subscriber_id: int) -> str:
        row = or_404(_subscriber, subscriber_id)
        if not row.telegram_id:
            raise InputInvalid("no Telegram account is known, so nothing can be sent")
        text = request.POST.get("text", "").strip()
        if not text:
            raise InputInvalid("write something first")
        message_queue(
            telegram_id=row.telegram_id,
            message=text,
            notification_type="support",
            parse_mode=None,
            priority=1,
            by=request.user,
        )
        return "The message is queued; the story below tells when it arrived."

    @deed(EDIT)
    def edit(self, request: HttpRequest, subscriber_id: int) -> str:
        code = request.POST.get("plan", "")
        services.subscriber_edit(
            subscriber_id=subscriber_id,
            by=request.user,
            plan=plan_find(code) if code else None,
            auto_renew=request.POST.get("auto_renew") == "on",
            renew_currency=request.POST.get("renew_currency", ""),
            language=request.POST.get("language", ""),
            time_zone=request.POST.get("time_zone", ""),
            note=request.POST.get("note", ""),
        )
        return "Saved."

    @deed(OPERATE)
    def reread(self, request: HttpRequest, subscriber_id: int) -> str:
        if subscriber_reread(subscriber_id=subscriber_id, by=request.user):
            return "The panel said something else than this page: it shows what is so now."
        return "The panel says the same as this page."

    @deed(ACTIVATE)
    def activation(
        self, request: HttpRequest, subscriber_id: int, activation_id: int, act: str
    ) -> str:
        is_his = Activation.objects.filter(pk=activation_id, subscriber_id=subscriber_id).exists()
        is_new = Activation.objects.filter(
            pk=activation_id,
            subscriber_id__isnull=True,
            payment_id__in=[each.pk for each in or_404(person_get, subscriber_id).payments],
        ).exists()
        if act not in _ACTIVATE or not (is_his or is_new):
            raise InputInvalid("there is no such activation of this subscriber")
        _ACTIVATE[act](activation_id=activation_id, by=request.user)
        return _DONE[act]


def _reason(request: HttpRequest) -> str:
    """Why, which every act is asked for. Raises InputInvalid."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise InputInvalid("say why: whoever reads this in a month will ask")
    return reason


def _subscriber(subscriber_id: int) -> Subscriber:
    return person_get(subscriber_id).row

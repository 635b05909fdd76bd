"""The page of one subscriber: what is wrong on top, then everything that happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import or_404
from jobs.models import AuditEntry
from lib.errors import DomainError
from notifications.telegram.templates import LANGUAGES
from payments.models import State
from subscriptions.activation.plans import plans_all
from subscriptions.admin.pages import SubscriptionConsole, moment_of
from subscriptions.rereading import devices_of
from subscriptions.screens.person import Person, person_get
from subscriptions.screens.timeline import GROUPS, story_of
from subscriptions.screens.trouble import Trouble, troubles

ACTS = 8
OPERATE = "subscriptions.operate_subscriber"
INVOICE = "payments.enqueue_payment"
WRITE = "telegram.send_message"
EDIT = "subscriptions.change_subscriber"


@dataclass(frozen=True, slots=True)
class Button:
    """A button that helps; panel: the form further down that it opens instead of acting at once."""

    label: str
    url: str
    sentence: str
    icon: str
    reason: str = ""
    panel: str = ""


@dataclass(frozen=True, slots=True)
class Helped:
    """A trouble with its button; may: whether this member of staff may press it."""

    trouble: Trouble
    button: Button | None
    may: bool


class PersonPages(SubscriptionConsole):
    def person_pages(self) -> list[URLPattern]:
        return [self.at("<int:subscriber_id>/change/", self.person, "change")]

    def person(self, request: HttpRequest, subscriber_id: int) -> HttpResponse:
        """One subscriber. The number of queries does not depend on how much has happened."""
        person = or_404(person_get, min(subscriber_id, 2**63 - 1))
        group = request.GET.get("story", "")
        group = group if group in GROUPS else ""
        before = moment_of(request.GET.get("before", ""))
        story = story_of(person, group=group, before=before)
        return self.show(
            request,
            "person",
            f"Subscriber {person.row.username}",
            person=person,
            row=person.row,
            helped=[_help(request, person, each) for each in troubles(person)],
            story=story,
            groups=[("", "Everything"), *GROUPS.items()],
            group=group,
            older=_older(group, story.before),
            plans=list(plans_all()),
            languages=LANGUAGES,
            payments=[(each, person.activations.get(each.pk)) for each in person.payments],
            open_invoices=[each for each in person.payments if each.state == State.PENDING],
            acts=_acts(person),
            devices=_devices(request, subscriber_id),
            may_operate=request.user.has_perm(OPERATE),
            may_invoice=request.user.has_perm(INVOICE),
            may_write=request.user.has_perm(WRITE),
            may_edit=request.user.has_perm(EDIT),
        )


def _older(group: str, before: Any) -> str:
    if before is None:
        return ""
    given = {"story": group, "before": before.isoformat()}
    return f"?{urlencode({name: value for name, value in given.items() if value})}#story"


def _acts(person: Person) -> Iterable[AuditEntry]:
    rows = AuditEntry.objects.filter(object_type="subscriber", object_id=str(person.row.pk))
    return rows.order_by("-id")[:ACTS]


def _devices(request: HttpRequest, subscriber_id: int) -> dict[str, Any]:
    """The devices, if they are asked for: the panel is asked, so a page does not do it unasked."""
    if request.GET.get("devices") != "1":
        return {"asked": False}
    try:
        return {"asked": True, "rows": devices_of(subscriber_id)}
    except DomainError as exc:
        return {"asked": True, "error": exc.message}


def _help(request: HttpRequest, person: Person, trouble: Trouble) -> Helped:
    if not trouble.act:
        return Helped(trouble, None, may=False)
    permission, button = _button(person, trouble)
    return Helped(trouble, button, may=request.user.has_perm(permission))


def _button(person: Person, trouble: Trouble) -> tuple[str, Button]:
    """The permission and the button of an act."""
    key, here = trouble.key, person.row.pk
    activate = "subscriptions.operate_activation"
    made: dict[str, tuple[str, Button]] = {}
    if trouble.act == "heal":
        from subscriptions.access.gaps import REMEDIES  # noqa: PLC0415 - only of gaps

        url = reverse("admin:subscriptions_accessgap_heal", args=[key.pk])
        remedy = REMEDIES[key.kind]
        sentence = f"{remedy}: this runs at once, and the line goes once it was seen to be over."
        return "subscriptions.operate_accessgap", Button("Heal", url, sentence, "healing")
    if trouble.act in {"retry", "release", "recreate"}:
        words = {
            "retry": ("Try again", "The activation is tried at once, whatever its ladder says."),
            "release": ("Lift the hold", "The access is switched on, and the paid time begins."),
            "recreate": ("Create the user again", "Name and paid date stay; the link is new."),
        }[trouble.act]
        url = reverse("admin:subscriptions_subscriber_activation", args=[here, key.pk, trouble.act])
        return activate, Button(words[0], url, words[1], "replay")
    if trouble.act == "recheck":
        url = reverse("admin:payments_payment_recheck", args=[key.pk])
        sentence = "Crypto Pay is asked how the invoice stands. Paid: access is switched on."
        return "payments.operate_payment", Button("Ask Crypto Pay", url, sentence, "sync")
    made = {
        "compare": (
            "subscriptions.operate_accessgap",
            Button(
                "Compare now",
                reverse("admin:subscriptions_accessgap_compare"),
                "Provider, ledger and panel are compared; what nobody decided is mended.",
                "difference",
            ),
        ),
        "reset_traffic": (
            OPERATE,
            Button(
                "Reset traffic",
                reverse("admin:subscriptions_subscriber_reset_traffic", args=[here]),
                "The used traffic is set to zero in the panel, which serves again at once.",
                "restart_alt",
                reason="Why",
            ),
        ),
        "enable": (
            OPERATE,
            Button(
                "Enable",
                reverse("admin:subscriptions_subscriber_enable", args=[here]),
                "The panel serves again; payments that were held are given, too.",
                "check_circle",
                reason="Why",
            ),
        ),
        "extend": (OPERATE, Button("Extend", "", "", "event_available", panel="act-extend")),
        "order": (INVOICE, Button("Make an invoice", "", "", "receipt_long", panel="act-order")),
    }
    return made[trouble.act]

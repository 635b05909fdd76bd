"""The forms of the console: each says beside the field what is wrong."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from lib import clock, durations
from payments.models import CurrencyType
from subscriptions.access.selectors import gap_kinds
from subscriptions.mirror.drifts import IDENTITY
from subscriptions.mirror.owners import NAMES
from subscriptions.models import (
    BulkKind,
    BulkState,
    CutBy,
    PanelStatus,
    Plan,
    TrafficStrategy,
)
from subscriptions.screens.listing import ENDING, NEWEST

GONE, SERVED = "gone", "served"
GIB = 1024**3
ONLINE = timedelta(minutes=2)  # the mirror is behind the panel, which says 30 s
_YES_NO = [("", "either"), ("yes", "yes"), ("no", "no")]
_SEEN = {
    "online": ("online_since", ONLINE, "online now"),
    "24h": ("online_since", timedelta(days=1), "in the last 24 hours"),
    "7d": ("online_since", timedelta(days=7), "in the last 7 days"),
    "not-7d": ("offline_since", timedelta(days=7), "not for 7 days"),
    "not-30d": ("offline_since", timedelta(days=30), "not for 30 days"),
}


class EndField(MomentField):
    """A moment before or after now: as MomentField, or "in 3d"."""

    def clean(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text.startswith("in "):
            return super().clean(value)
        try:
            return clock.now() + durations.parse(text.removeprefix("in ").strip())
        except (durations.DurationInvalid, OverflowError):
            raise forms.ValidationError(
                "Write 2026-11-22, 2026-11-22 14:00 (UTC), today, or a span such as in 3d."
            ) from None


def _text(label: str, placeholder: str = "", longest: int = 64) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)


def _number(label: str) -> forms.IntegerField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=2**63 - 1, widget=widget
    )


def _moment(label: str, placeholder: str) -> EndField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return EndField(label=label, required=False, widget=widget)


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices)


class WordedForm(FilterForm):
    """A filter whose chips say a choice as people read it."""

    def chips(self) -> list[dict[str, str]]:
        found = super().chips()
        given = self.given()
        for chip, name in zip(found, given, strict=True):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                choices: Any = field.choices
                chip["value"] = dict(choices).get(given[name], given[name])
        return found


class SubscriberFilterForm(WordedForm):
    """Which subscribers a list shows."""

    status = _choice(
        "Status",
        [
            ("", "any status"),
            *PanelStatus.choices,
            (SERVED, "active or out of traffic"),
            (GONE, "gone from the panel"),
        ],
    )
    plan = _choice("Plan", [])
    tag = _text("Tag", "TRIAL", 16)
    cut_by = _choice("Cut off by", [("", "anybody"), *((k, v) for k, v in CutBy.choices if k)])
    expires_from = _moment("Ends after (UTC)", "today, 2026-11-22")
    expires_before = _moment("Ends before (UTC)", "in 3d, 2026-11-25")
    seen = _choice("Online", [("", "whenever"), *((k, each[2]) for k, each in _SEEN.items())])
    telegram = _choice(
        "Telegram",
        [("", "either"), ("yes", "has one"), ("no", "has none"), ("away", "not reachable")],
    )
    auto_renew = _choice("Auto-renewal", _YES_NO)
    reminded = _choice("Reminded of this end", _YES_NO)
    invoice = _choice("Open invoice", _YES_NO)
    node = _text("Last node (UUID)", "8a1e4f0c-…", 36)
    name = _text("Name begins with", "anna")
    telegram_id = _number("Telegram id")
    panel_id = _number("Number in the panel")
    email = _text("Email", "anna@example.com")
    sort = _choice(
        "Order", [("", "as fits"), (NEWEST, "newest first"), (ENDING, "soonest end first")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = self.fields["plan"]
        assert isinstance(plan, forms.ChoiceField)
        plan.choices = [("", "any plan"), *Plan.objects.values_list("code", "title")]

    def clean_node(self) -> str:
        """A UUID, told beside the field if it is none."""
        text: str = self.cleaned_data["node"].strip()
        return str(forms.UUIDField().clean(text)) if text else ""

    def where(self) -> dict[str, Any]:
        """A valid form as subscriptions/filtering.py takes it: spans are moments now."""
        given = self.cleaned_data
        where: dict[str, Any] = {
            "plan": [given["plan"]] if given["plan"] else None,
            "tag": [given["tag"]] if given["tag"] else None,
            "cut_by": [given["cut_by"]] if given["cut_by"] else None,
            "expires_from": _iso(given["expires_from"]),
            "expires_before": _iso(given["expires_before"]),
            "auto_renew": _flag(given["auto_renew"]),
            "is_reminded": _flag(given["reminded"]),
            "has_open_invoice": _flag(given["invoice"]),
            "node": given["node"] or None,
            "name": given["name"].strip() or None,
            "telegram_id": given["telegram_id"],
            "panel_id": given["panel_id"],
            "email": given["email"].strip() or None,
        }
        if given["status"] == GONE:
            where["is_missing"] = True
        elif given["status"] == SERVED:
            where["status"] = [PanelStatus.ACTIVE.value, PanelStatus.LIMITED.value]
        elif given["status"]:
            where["status"] = [given["status"]]
        if given["seen"]:
            part, span, _ = _SEEN[given["seen"]]
            where[part] = _iso(clock.now() - span)
        if given["telegram"] == "away":
            where["is_reachable"] = False
        elif given["telegram"]:
            where["has_telegram"] = given["telegram"] == "yes"
        return {name: value for name, value in where.items() if value is not None}

    def sorting(self) -> str:
        """The order: as chosen, or by the end where the filter is about the end."""
        given = self.cleaned_data
        by_end = given["expires_from"] or given["expires_before"]
        return given["sort"] or (ENDING if by_end else NEWEST)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _flag(text: str) -> bool | None:
    return None if not text else text == "yes"


class GapFilterForm(WordedForm):
    """Which differences between provider, ledger and panel a list shows."""

    which = _choice("Which", [("", "open"), ("closed", "closed")])
    kind = _choice("What differs", [("", "anything"), *gap_kinds()])
    payment = _text("Payment", "its id", 36)

    def clean_payment(self) -> UUID | None:
        """The id of a payment, told beside the field if it is none."""
        text: str = self.cleaned_data["payment"].strip()
        found: UUID | None = forms.UUIDField().clean(text) if text else None
        return found


class OperationFilterForm(WordedForm):
    """Which bulk operations a list shows."""

    kind = _choice("What", [("", "anything"), *BulkKind.choices])
    state = _choice("State", [("", "any state"), *BulkState.choices])
    source = _choice(
        "From",
        [
            ("", "anywhere"),
            ("admin", "the console"),
            ("api", "the API"),
            ("csv", "a CSV file"),
            ("file", "a dropped file"),
        ],
    )
    who = _text("Begun by", "olga", 150)


class DriftFilterForm(WordedForm):
    """Which differences between the panel and us a list shows."""

    which = _choice("Which", [("", "open"), ("settled", "settled")])
    field = _choice("Field", [])
    subscriber = _number("Subscriber")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["field"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "any"), (IDENTITY, "who it is"), *((n, n) for n in sorted(NAMES))]


class PlanForm(forms.Form):
    """A plan, as it is sold from now on."""

    code = forms.SlugField(
        label="Code (in orders for ever)", max_length=40, widget=forms.TextInput({"class": "mono"})
    )
    title = forms.CharField(label="Title, English", max_length=120)
    title_ru = forms.CharField(label="Title, Russian", max_length=120, required=False)
    period_days = forms.IntegerField(label="Days of a period", min_value=1, max_value=3650)
    traffic_gb = forms.IntegerField(
        label="Traffic in GB (0: no limit)", min_value=0, max_value=1_000_000, initial=0
    )
    traffic_limit_strategy = forms.ChoiceField(
        label="The panel resets traffic", choices=TrafficStrategy.choices
    )
    resets_traffic = forms.BooleanField(
        label="Where the panel never resets it, we do on the 1st", required=False, initial=True
    )
    device_limit = forms.IntegerField(
        label="Devices (empty: as the panel says)", min_value=0, max_value=1000, required=False
    )
    tag = forms.RegexField(
        r"^[A-Z0-9_]{0,16}$",
        label="Tag in the panel",
        required=False,
        max_length=16,
        error_messages={"invalid": "Up to 16 capitals, digits or _."},
    )
    squads = forms.CharField(
        label="Squads (UUIDs; empty: those that one has stay)",
        required=False,
        widget=forms.Textarea({"rows": 2, "class": "mono"}),
    )
    position = forms.IntegerField(
        label="Position in lists", initial=0, min_value=-1000, max_value=1000
    )
    is_active = forms.BooleanField(label="May be bought anew", required=False, initial=True)

    def clean_squads(self) -> list[UUID]:
        """The UUIDs, one after another."""
        found = []
        for word in self.cleaned_data["squads"].replace(",", " ").split():
            try:
                found.append(UUID(word))
            except ValueError:
                raise forms.ValidationError(f"{word[:40]} is no UUID.") from None
        return found

    def fields_of(self) -> dict[str, Any]:
        """A valid form as subscriptions.activation.plans takes it, without the code."""
        given = dict(self.cleaned_data)
        given.pop("code", None)
        given["traffic_limit_bytes"] = given.pop("traffic_gb") * GIB
        return given

    @classmethod
    def of(cls, plan: Plan) -> "PlanForm":
        """The form with what a plan is now; its code stays."""
        initial = {name: getattr(plan, name) for name in cls.base_fields if name != "traffic_gb"}
        initial["traffic_gb"] = plan.traffic_limit_bytes // GIB
        initial["squads"] = "\n".join(map(str, plan.squads))
        form = cls(initial=initial)
        del form.fields["code"]
        return form


class PriceForm(forms.Form):
    """What a plan costs from now on, in one currency."""

    currency = forms.RegexField(
        r"^[A-Za-z0-9]{2,12}$",
        label="Currency",
        max_length=12,
        error_messages={"invalid": "The code of a coin or of a fiat, such as USDT or EUR."},
        widget=forms.TextInput({"placeholder": "USDT", "autocomplete": "off"}),
    )
    amount = forms.DecimalField(
        label="Amount", min_value=Decimal("0.000000000001"), max_digits=30, decimal_places=12
    )
    currency_type = forms.ChoiceField(label="It is", choices=CurrencyType.choices)
    accepted_assets = forms.CharField(
        label="Coins taken (fiat only; empty: all)",
        required=False,
        widget=forms.TextInput({"placeholder": "USDT TON", "autocomplete": "off"}),
    )

    def clean_accepted_assets(self) -> list[str]:
        """The codes, one after another."""
        text: str = self.cleaned_data["accepted_assets"]
        return text.replace(",", " ").upper().split()

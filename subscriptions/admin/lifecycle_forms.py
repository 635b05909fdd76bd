"""The forms of the pages about sweeps and notices: each says beside the field what is wrong."""

from decimal import Decimal

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from subscriptions.lifecycle.kinds import sweep_kinds
from subscriptions.lifecycle.reasons import NOTICES
from subscriptions.lifecycle.selectors import NoticeFilter, SweepFilter
from subscriptions.models import NoticeState, Stage, SweepSettings, SweepState

SINCE = {"placeholder": "today, 2h, 2026-11-22 14:00"}
BEFORE = {"placeholder": "2026-11-22 15:00"}
_PLAIN = {"autocomplete": "off"}


def _moment(label: str, attrs: dict[str, str]) -> MomentField:
    return MomentField(label=label, required=False, widget=forms.TextInput(attrs))


def _kinds() -> list[tuple[str, str]]:
    return [("", "any sweep"), *((kind.name, kind.title) for kind in sweep_kinds())]


class SweepFilterForm(FilterForm):
    """Which sweeps a list shows."""

    name = forms.ChoiceField(label="Sweep", required=False, choices=_kinds)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any state"), *SweepState.choices]
    )
    started_from = _moment("Begun since (UTC)", SINCE)
    started_to = _moment("Begun before (UTC)", BEFORE)

    def where(self) -> SweepFilter:
        """The filter of a valid form."""
        return SweepFilter(**self.cleaned_data)


class NoticeFilterForm(FilterForm):
    """Which notices a list shows."""

    stage = forms.ChoiceField(
        label="Stage", required=False, choices=[("", "any stage"), *Stage.choices]
    )
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any state"), *NoticeState.choices]
    )
    reason = forms.ChoiceField(
        label="Why not", required=False, choices=[("", "any reason"), *NOTICES.items()]
    )
    username = forms.CharField(
        label="Username", required=False, max_length=36, widget=forms.TextInput(_PLAIN)
    )
    telegram_id = forms.IntegerField(
        label="Telegram id",
        required=False,
        min_value=-(2**63),
        max_value=2**63 - 1,
        widget=forms.TextInput({**_PLAIN, "inputmode": "numeric"}),
    )
    created_from = _moment("Written since (UTC)", SINCE)
    created_to = _moment("Written before (UTC)", BEFORE)

    def where(self) -> NoticeFilter:
        """The filter of a valid form."""
        return NoticeFilter(**self.cleaned_data)


class LimitsForm(forms.Form):
    """What holds a sweep."""

    most = forms.IntegerField(label="More people than", min_value=0, max_value=10_000_000)
    share = forms.DecimalField(
        label="A larger share than (%)",
        min_value=Decimal(0),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
    )
    times_usual = forms.DecimalField(
        label="More times the usual than",
        min_value=Decimal(1),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
    )
    least = forms.IntegerField(
        label="Share and usual do not count below", min_value=0, max_value=10_000_000
    )

    @classmethod
    def of(cls, limits: SweepSettings) -> "LimitsForm":
        """The form with what is set now."""
        return cls(initial={name: getattr(limits, name) for name in cls.base_fields})

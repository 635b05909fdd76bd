"""The forms of servers: each says beside the field what is wrong."""

from decimal import Decimal
from typing import Any

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from monitoring.nodes.countries import country_name
from monitoring.nodes.screens.listing import GONE, QUIET, TROUBLED, NodeFilter, choices_of
from monitoring.nodes.words import HEALTHS

STATES = [
    ("", "any"),
    (TROUBLED, "offline or connecting"),
    (QUIET, "online and silent"),
    *((health.value, words) for health, (words, _) in HEALTHS.items()),
    (GONE, "no longer listed"),
]


class NodeFilterForm(FilterForm):
    """Which servers a list shows."""

    q = forms.CharField(
        label="Name or address contains",
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "nl-1", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    country = forms.ChoiceField(label="Country", required=False)
    provider = forms.ChoiceField(label="Provider", required=False)
    tag = forms.ChoiceField(label="Tag", required=False)
    created_from = MomentField(
        label="Known since (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "today, 7d, 2026-11-22"}),
    )
    created_to = MomentField(
        label="Known before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-11-22 15:00"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in choices_of().items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            given = str(self.data.get(name, ""))
            values = sorted({*found, given} - {""})
            says = country_name if name == "country" else str
            field.choices = [("", "any"), *((value, says(value)) for value in values)]

    def chips(self) -> list[dict[str, str]]:
        """With choices as people read them."""
        found = super().chips()
        for chip, (name, value) in zip(found, self.given().items(), strict=True):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                chip["value"] = str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
        return found

    def where(self) -> NodeFilter:
        """The filter of a valid form."""
        return NodeFilter(**{name: self.cleaned_data[name] for name in self.fields})


class PlaceForm(forms.Form):
    """Where a server stands."""

    latitude = forms.FloatField(label="Latitude", min_value=-90, max_value=90)
    longitude = forms.FloatField(label="Longitude", min_value=-180, max_value=180)
    city = forms.CharField(label="City", required=False, max_length=100)


class OursForm(forms.Form):
    """What only we know of a server."""

    note = forms.CharField(label="Note for staff", required=False, max_length=4000, strip=True)
    monthly_cost = forms.DecimalField(
        label="Costs per month",
        required=False,
        min_value=Decimal(0),
        max_digits=10,
        decimal_places=2,
    )
    cost_currency = forms.CharField(label="Currency", required=False, max_length=3)

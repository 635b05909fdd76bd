"""The form of a broadcast that a person writes: its texts, where it goes, and to whom."""

import json
import re
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from jobs.admin.forms import JsonObjectField
from lib import clock
from notifications.broadcasts.admin.forms import CHANNELS
from notifications.broadcasts.admin.pages import sentence
from notifications.broadcasts.audiences.registry import audience_check, audience_kinds, conditions
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.models import Audience, Broadcast

LISTS_SHOWN = 200
_BETWEEN = re.compile(r"[\s,;]+")
TEXTS = ("title", "title_ru", "body", "body_ru", "parse_mode")
PARSE_MODES = (("", "plain text"), ("HTML", "Telegram's HTML: <b>, <i>, <a href>…"))


def _area(rows: int, **attrs: str) -> forms.Textarea:
    return forms.Textarea({"rows": rows, **attrs})


class AudienceForm(forms.Form):
    """To whom. A valid form has an audience: the JSON that the services take."""

    audience_type = forms.ChoiceField(
        label="To whom", initial="all_users", widget=forms.RadioSelect
    )
    match = forms.ChoiceField(
        label="Who fits",
        required=False,
        initial="all",
        choices=[("all", "all of these hold"), ("any", "any of these holds")],
    )
    conditions = forms.CharField(
        label="Conditions (JSON)",
        required=False,
        max_length=20_000,
        widget=_area(4, spellcheck="false", **{"class": "mono", "data-conditions": ""}),
    )
    ids = forms.CharField(
        label="User ids, with spaces, commas or lines between them",
        required=False,
        max_length=2_500_000,
        widget=_area(4, spellcheck="false", placeholder="1001\n1002\n1003"),
    )
    audience_id = forms.ChoiceField(label="List", required=False)

    audience: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["audience_type"]
        assert isinstance(kinds, forms.ChoiceField)
        kinds.choices = [(name, kind.title) for name, kind in audience_kinds().items()]
        lists = self.fields["audience_id"]
        assert isinstance(lists, forms.ChoiceField)
        rows = Audience.objects.order_by("-id").only("name", "members")[:LISTS_SHOWN]
        lists.choices = [("", "choose a list"), *((str(row.pk), str(row)) for row in rows)]

    def clean(self) -> dict[str, Any]:
        """Build the audience. What the registry refuses is told beside the part that it is about."""
        given = super().clean() or {}
        kind = given.get("audience_type")
        if not kind:
            return given
        field = {"segment": "conditions", "ids": "ids", "csv": "audience_id"}.get(
            kind, "audience_type"
        )
        if field in self.errors:
            return given
        try:
            self.audience = audience_check(self._audience(kind, given))
        except AudienceInvalid as exc:
            self.add_error(field, sentence(exc.message.removeprefix("audience: ")))
        except forms.ValidationError as exc:
            self.add_error(field, exc)
        return given

    def _audience(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        if kind == "segment":
            return {
                "type": kind,
                "match": given.get("match") or "all",
                "conditions": _conditions(given.get("conditions", "")),
            }
        if kind == "ids":
            return {"type": kind, "ids": _ids(given.get("ids", ""))}
        if kind == "csv":
            if not given.get("audience_id"):
                raise forms.ValidationError("Choose a list, or import one.")
            return {"type": kind, "audience_id": given["audience_id"]}
        return {"type": kind}


class ComposeForm(AudienceForm):
    """A broadcast."""

    title = forms.CharField(
        label="Title", max_length=200, widget=forms.TextInput({"autofocus": True, "lang": ""})
    )
    body = forms.CharField(label="Text", strip=False, max_length=20_000, widget=_area(7, lang=""))
    title_ru = forms.CharField(
        label="Title in Russian", required=False, max_length=200,
        widget=forms.TextInput({"lang": "ru", "placeholder": "the same title"}),
    )  # fmt: skip
    body_ru = forms.CharField(
        label="Text in Russian", required=False, strip=False, max_length=20_000,
        widget=_area(7, lang="ru", placeholder="Empty: everybody gets the other text"),
    )  # fmt: skip
    parse_mode = forms.ChoiceField(label="Markup", required=False, choices=PARSE_MODES)
    channels = forms.MultipleChoiceField(
        label="Channels",
        choices=CHANNELS,
        initial=["inbox"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one channel."},
    )
    extra = JsonObjectField(
        label="Data for clients of the inbox (JSON object)",
        required=False,
        max_length=8000,
        widget=_area(3, spellcheck="false", placeholder='{"link": "/status"}', **{"class": "mono"}),
    )
    canary_percent = forms.IntegerField(
        label="Canary: first to this percent",
        required=False,
        min_value=0,
        max_value=50,
        initial=0,
    )
    canary_max_errors = forms.IntegerField(
        label="Pause if more than this percent of them fail",
        required=False,
        min_value=0,
        max_value=100,
        initial=5,
    )

    def fields_of(self) -> dict[str, Any]:
        """What the services take. Of a valid form."""
        given = self.cleaned_data
        return {
            **{name: _lines(given[name]) for name in TEXTS},
            "channels": given["channels"],
            "audience": self.audience,
            "data": given["extra"],
            "canary_percent": given["canary_percent"] or 0,
            "canary_max_errors": 5
            if given["canary_max_errors"] is None
            else given["canary_max_errors"],
        }

    def refuse(self, field: str, message: str) -> None:
        """Say beside a field what a service refused."""
        name = {"audience": "audience_type", "data": "extra"}.get(field, field)
        text = sentence(message.removeprefix(f"{field}: "))
        self.add_error(name if name in self.fields else None, text)


class TextsForm(ComposeForm):
    """The texts alone: all that can be changed of a broadcast that is paused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(TEXTS):
            del self.fields[name]

    def fields_of(self) -> dict[str, Any]:
        """What the service takes. Of a valid form."""
        return {name: _lines(self.cleaned_data[name]) for name in TEXTS}


def draft_from(data: Any) -> Broadcast:
    """An unsaved broadcast of what stands in a form just now, for the preview. Never raises."""
    texts = {name: _lines(str(data.get(name) or "")) for name in TEXTS}
    texts["parse_mode"] = "HTML" if texts["parse_mode"] == "HTML" else ""
    chosen = data.getlist("channels") if hasattr(data, "getlist") else data.get("channels")
    names = [name for name, _ in CHANNELS if name in (chosen or [])]
    try:
        extra = json.loads(data.get("extra") or "null")
    except ValueError:
        extra = None
    return Broadcast(
        **texts,
        channels=names,
        data=extra if isinstance(extra, dict) else None,
        audience={"type": "all_users"},
        created_at=clock.now(),
    )


def beginning_of(row: Broadcast) -> dict[str, Any]:
    """What the form holds at first for a broadcast that is edited."""
    audience = row.audience
    return {
        **{name: getattr(row, name) for name in TEXTS},
        "channels": row.channels,
        "extra": "" if row.data is None else json.dumps(row.data, indent=2, ensure_ascii=False),
        "canary_percent": row.canary_percent,
        "canary_max_errors": row.canary_max_errors,
        "audience_type": audience.get("type", "all_users"),
        "match": audience.get("match", "all"),
        "conditions": json.dumps(audience.get("conditions", []), ensure_ascii=False),
        "ids": "\n".join(map(str, audience.get("ids", []))),
        "audience_id": str(audience.get("audience_id", "")),
    }


def fields_known() -> list[dict[str, Any]]:
    """The fields of segments, for the builder."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "form": each.form,
            "operations": [
                {"name": name, "title": operation.title}
                for name, operation in each.operations.items()
            ],
            "choices": [{"value": value, "title": title} for value, title in each.choices()],
        }
        for each in conditions().values()
    ]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x00", "")


def _ids(text: str) -> list[int]:
    """The numbers of a text. Raises ValidationError that names what is none."""
    words = [word for word in _BETWEEN.split(text) if word]
    if not words:
        raise forms.ValidationError("Write at least one user id.")
    strange = [word for word in words if not (word.isascii() and word.isdigit() and len(word) < 20)]
    if strange:
        named = ", ".join(f"“{word[:40]}”" for word in strange[:5])
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        raise forms.ValidationError(f"These are no user ids: {named}{more}.")
    return [int(word) for word in words]


def _conditions(text: str) -> list[Any]:
    try:
        found = json.loads(text or "[]")
    except ValueError as exc:
        raise forms.ValidationError(f"This is not JSON: {exc}.") from None
    if not isinstance(found, list) or not found:
        raise forms.ValidationError("Add at least one condition.")
    return [_normal(each) for each in found]


def _normal(one: Any) -> Any:
    """A moment without zone is one in UTC: browsers send what was typed."""
    if isinstance(one, dict) and isinstance(one.get("value"), str):
        try:
            moment = parse_datetime(one["value"])
        except ValueError:
            return one
        if moment is not None and moment.tzinfo is None:
            return {**one, "value": f"{one['value']}Z"}
    return one

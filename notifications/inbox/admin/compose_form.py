"""The form of a notification that a person writes, and who is meant by what stands under "To"."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q

from jobs.admin.forms import JsonObjectField
from lib.errors import DomainError
from notifications.inbox.admin.forms import PRIORITIES
from notifications.inbox.admin.people import Person, people_read
from notifications.inbox.admin.preferences_form import SpanField, span_written
from notifications.inbox.models import Recipient
from notifications.inbox.requests import draft_read
from notifications.inbox.shapes import Draft, Target

SOURCE = "console"  # what a notification is from if nothing else is said
STRANGERS_NAMED = 5

# The field of the form that a field of the request stands for.
_FIELDS = {
    "target": "to",
    "message": "message",
    "source": "source",
    "ttl_s": "ttl_s",
    "collapse_key": "collapse_key",
    "priority": "priority",
    "data": "extra",
    "fallback_after_s": "fallback_after_s",
}


class ComposeForm(forms.Form):
    """A notification to one or many. A valid form has a draft."""

    message = forms.CharField(
        label="Text",
        strip=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 6, "autofocus": True, "lang": ""}),
    )
    to = forms.CharField(
        label="To: user id and login, one person on each line",
        max_length=2_000_000,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "placeholder": "7:alice\n8:bob"}),
    )
    source = forms.CharField(
        label="Source",
        max_length=100,
        initial=SOURCE,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    priority = forms.ChoiceField(label="Priority", choices=PRIORITIES, initial="2")
    ttl_s = SpanField(
        label="Expires unread after",
        required=False,
        max_length=20,
        initial=lambda: span_written(round(settings.INBOX_TTL.total_seconds())),
        widget=forms.TextInput({"placeholder": "15m, 2h, 3d", "autocomplete": "off"}),
    )
    fallback_after_s = SpanField(
        label="Telegram if unread for",
        required=False,
        max_length=20,
        widget=forms.TextInput({"placeholder": "as the person wishes", "autocomplete": "off"}),
    )
    collapse_key = forms.CharField(
        label="Collapse key (replaces the unread one before)",
        required=False,
        max_length=200,
        widget=forms.TextInput({"placeholder": "order:1024", "autocomplete": "off"}),
    )
    extra = JsonObjectField(
        label="Data for the client (JSON object)",
        required=False,
        max_length=8000,
        widget=forms.Textarea(
            {
                "rows": 3,
                "spellcheck": "false",
                "class": "mono",
                "placeholder": '{"link": "/orders/7"}',
            }
        ),
    )

    draft: Draft

    def clean(self) -> dict[str, Any]:
        """Read it as a request to /api/v1/notify would be read."""
        given = super().clean() or {}
        if self.errors:
            return given
        try:
            body = self._body(given)
            self.draft = draft_read(body)
        except DomainError as exc:
            for error in exc.extra.get("errors") or [{"field": "", "message": exc.message}]:
                self._refuse(str(error["field"]), str(error["message"]))
        except forms.ValidationError as exc:
            self.add_error("to", exc)
        return given

    def _body(self, given: dict[str, Any]) -> dict[str, Any]:
        targets = [{"id": user_id, "login": login} for user_id, login in targets_of(given["to"])]
        body = {
            "target": targets,
            "message": given["message"].replace("\r\n", "\n").replace("\x00", ""),
            "source": given["source"],
            "priority": int(given["priority"]),
            "ttl_s": given["ttl_s"],
            "fallback_after_s": given["fallback_after_s"],
            "collapse_key": given["collapse_key"] or None,
            "data": given["extra"],
        }
        return {name: value for name, value in body.items() if value is not None}

    def _refuse(self, field: str, message: str) -> None:
        name = _FIELDS.get(field.partition(".")[0])
        self.add_error(name, message if name else f"{field} {message}".strip())


def targets_of(text: str) -> list[Target]:
    """Whom a text means, each once. A user id or a login alone means the one who is known by it.

    Raises ValidationError that names those who cannot be found. One query.
    """
    people, strange = people_read(text)
    if not people and not strange:
        raise forms.ValidationError("Name at least one person, as 7:alice.")
    known = _by_half(person for person in people if person.user_id is None or not person.login)
    found: dict[Target, None] = {}
    wrong = [f"“{part[:60]}” names nobody" for part in strange]
    for person in people:
        if person.user_id is not None and person.login:
            found[person.user_id, person.login] = None
            continue
        meant = known.get(str(person), [])
        if len(meant) == 1:
            found[meant[0]] = None
        elif meant:
            names = ", ".join(f"{user_id}:{login}" for user_id, login in meant[:STRANGERS_NAMED])
            wrong.append(f"“{person}” may be {names}")
        else:
            wrong.append(f"nobody is known as “{person}”; write user id and login, as 7:alice")
    if wrong:
        more = f" and {len(wrong) - STRANGERS_NAMED} more" if len(wrong) > STRANGERS_NAMED else ""
        sentence = "; ".join(wrong[:STRANGERS_NAMED]) + more
        raise forms.ValidationError(f"{sentence[:1].upper()}{sentence[1:]}.")
    return list(found)


def _by_half(people: Iterable[Person]) -> dict[str, list[Target]]:
    """Who is known by a user id alone or a login alone, by what was written."""
    people = list(people)
    if not people:
        return {}
    user_ids = {one.user_id for one in people if one.user_id is not None}
    logins = {str(one) for one in people}
    rows = Recipient.objects.filter(Q(user_id__in=user_ids) | Q(login__in=logins))
    found: dict[str, list[Target]] = {}
    for user_id, login in rows.order_by("pk").values_list("user_id", "login"):
        for name in {str(user_id), login} & logins:
            found.setdefault(name, []).append((user_id, login))
    return found

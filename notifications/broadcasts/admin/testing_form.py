"""To whom a test goes: to oneself, as the person is known here."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest

from notifications.inbox.models import Recipient


class TestForm(forms.Form):
    """One person, by inbox and by Telegram. What was used last is filled in again."""

    __test__ = False  # its name is no test
    KEPT = "broadcasts_test_to"

    user_id = forms.IntegerField(
        label="Inbox: user id", required=False, min_value=1, max_value=2**63 - 1,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    login = forms.CharField(
        label="and login", required=False, max_length=150,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    telegram_id = forms.IntegerField(
        label="Telegram id", required=False, min_value=1, max_value=2**63 - 1,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    language = forms.ChoiceField(label="Language", choices=[("en", "English"), ("ru", "Russian")])

    @classmethod
    def for_person(cls, request: HttpRequest) -> "TestForm":
        """Filled in for whoever is logged in. One query, none if a test was sent before."""
        kept = request.session.get(cls.KEPT)
        return cls(initial=kept if kept else _myself(request))


def _myself(request: HttpRequest) -> dict[str, Any]:
    """The recipient with the login of the operator; a Telegram id of the admins as the second choice."""
    login = request.user.get_username()
    found = Recipient.objects.filter(login=login).order_by("pk").first()
    admins = settings.ADMIN_TELEGRAM_IDS
    telegram_id = found.telegram_id if found else None
    return {
        "user_id": found.user_id if found else None,
        "login": found.login if found else "",
        "telegram_id": telegram_id or (admins[0] if admins else None),
        "language": "ru" if found and found.language.startswith("ru") else "en",
    }

"""How a person wishes to be told: muted sources, quiet hours, Telegram, how long things are kept."""

from dataclasses import asdict
from datetime import time
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from lib.errors import InputInvalid
from notifications.inbox.api.paging import refused
from notifications.inbox.preferences import (
    NAMES,
    Preferences,
    preferences_get,
    preferences_set,
)
from notifications.inbox.requests import target_check

VIEW, CHANGE = "inbox.view_recipient", "inbox.change_recipient"
_CLOCK_TIMES = ("quiet_from", "quiet_to")
_EXAMPLE = {
    "muted_sources": ["promo"],
    "quiet_from": "22:00",
    "quiet_to": "08:00",
    "time_zone": "Europe/Moscow",
    "fallback_after_s": 300,
    "telegram_id": 500100201,
    "language": "ru",
    "retention_days": 7,
}


class PreferencesShape(StrictSerializer):
    """How a person wishes to be told."""

    muted_sources = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="What they send is kept and never shown.",
    )
    quiet_from = serializers.CharField(
        required=False, allow_null=True, help_text="22:00, on the clock of time_zone."
    )
    quiet_to = serializers.CharField(
        required=False, allow_null=True, help_text="May be of the next day. Both or none."
    )
    time_zone = serializers.CharField(required=False, help_text="Europe/Moscow; default UTC.")
    fallback_after_s = serializers.IntegerField(
        required=False, allow_null=True, help_text="Unread for so long: tell by Telegram, too."
    )
    telegram_id = serializers.IntegerField(required=False, allow_null=True)
    language = serializers.CharField(
        required=False, allow_blank=True, help_text="en, ru, or empty: not known."
    )
    retention_days = serializers.IntegerField(
        required=False, min_value=1, max_value=15, help_text="How long notifications are kept."
    )


class PreferencesApi(APIView):
    """The wishes of one person."""

    required_permission = {"GET": VIEW, "PUT": CHANGE, "PATCH": CHANGE}  # noqa: RUF012 - read only

    @extend_schema(
        operation_id="inbox_preferences",
        summary="Look at the preferences of a person",
        description="Somebody who was never told anything has the defaults.",
        tags=["inbox"],
        responses={200: PreferencesShape, **refusals(s422="`invalid`: the person's name")},
        examples=[OpenApiExample("Wishes", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, user_id: int, login: str) -> Response:
        _person_check(user_id, login)
        return Response(_shown(preferences_get(user_id=user_id, login=login)))

    @extend_schema(
        operation_id="inbox_preferences_set",
        summary="Set the preferences of a person",
        description="All of them: what is left out goes back to its default. Safe to repeat.",
        tags=["inbox"],
        request=PreferencesShape,
        responses={200: PreferencesShape, **refusals(s422="`invalid`")},
        examples=[OpenApiExample("Wishes", _EXAMPLE)],
    )
    def put(self, request: Request, user_id: int, login: str) -> Response:
        return self._set(request, user_id, login, asdict(Preferences([])))

    @extend_schema(
        operation_id="inbox_preferences_change",
        summary="Change some preferences of a person",
        description="What is left out stays as it is. Safe to repeat.",
        tags=["inbox"],
        request=PreferencesShape,
        responses={200: PreferencesShape, **refusals(s422="`invalid`")},
        examples=[OpenApiExample("Mute a source", {"muted_sources": ["promo"]}, request_only=True)],
    )
    def patch(self, request: Request, user_id: int, login: str) -> Response:
        return self._set(request, user_id, login, {})

    def _set(
        self, request: Request, user_id: int, login: str, defaults: dict[str, Any]
    ) -> Response:
        _person_check(user_id, login)
        changes = defaults | _read(request.data)
        found = preferences_set(user_id=user_id, login=login, by=request.user, **changes)
        return Response(_shown(found))


def _person_check(user_id: int, login: str) -> None:
    if why := target_check(user_id, login):
        field, _, sentence = why.partition(" ")
        raise refused("user_id" if field == "id" else field, sentence.rstrip("."))


def _read(body: Any) -> dict[str, Any]:
    """Times of day as such; all else is checked by the service. Raises InputInvalid."""
    if not isinstance(body, dict):
        raise InputInvalid("The body must be a JSON object of preferences.")
    for name in body.keys() - set(NAMES):
        raise refused(name, f"is no preference; there are {', '.join(NAMES)}")
    return {
        name: _clock_time(value) if name in _CLOCK_TIMES else value for name, value in body.items()
    }


def _clock_time(value: Any) -> Any:
    """22:00 or 22:00:30; what is neither stays as it is and is refused by the service."""
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def _shown(found: Preferences) -> dict[str, Any]:
    shown = asdict(found)
    for name in _CLOCK_TIMES:
        if shown[name] is not None:
            shown[name] = shown[name].isoformat("minutes" if not shown[name].second else "seconds")
    return shown

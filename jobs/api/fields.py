"""Fields of requests that DRF does not bring."""

from datetime import timedelta
from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lib import durations


@extend_schema_field(OpenApiTypes.DOUBLE)
class SecondsField(serializers.Field[timedelta, Any, Any, Any]):
    """A span: a number of seconds, or a text such as "30s". Becomes a timedelta."""

    def __init__(self, *, least: float = 0, most: float, **kwargs: Any) -> None:
        self.least, self.most = least, most
        kwargs.setdefault("help_text", f"Seconds, {least:g} to {most:g}.")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> timedelta:
        try:
            span = durations.parse(data)
        except (durations.DurationInvalid, OverflowError, AttributeError, TypeError, ValueError):
            raise serializers.ValidationError(f"{data!r} is not a number of seconds.") from None
        if not self.least <= span.total_seconds() <= self.most:
            raise serializers.ValidationError(
                f"Must be from {self.least:g} to {self.most:g} seconds."
            )
        return span

    def to_representation(self, value: timedelta) -> float:
        return value.total_seconds()


@extend_schema_field({})
class AnyJsonField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, as it is."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            orjson.dumps(data)
        except TypeError:  # read up to a depth of 1,024, but written up to 254 only
            raise serializers.ValidationError("Is nested too deeply.") from None
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(AnyJsonField):
    """A JSON object, as it is."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt filter would otherwise match everything."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                known = ", ".join(sorted(self.fields))
                raise serializers.ValidationError(
                    {name: [f"There is no such field; there are {known}."] for name in unknown}
                )
        return super().to_internal_value(data)

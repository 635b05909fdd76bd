"""What workers say about the end of an attempt, and what they are answered."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from jobs.api.fields import AnyJsonField, SecondsField
from jobs.api.lines import LogLineInput
from jobs.specs import MAX_DELAY


class TokenInput(serializers.Serializer[Any]):
    lease_token = serializers.CharField(allow_blank=True, allow_null=True, trim_whitespace=False)


class CompleteInput(TokenInput):
    result = AnyJsonField(required=False, allow_null=True, help_text="At most 256 kB.")
    metrics = serializers.DictField(
        child=serializers.FloatField(), required=False, help_text="Kept with the log lines."
    )
    logs = LogLineInput(many=True, required=False)


class ErrorInput(serializers.Serializer[Any]):
    """What went wrong; a text is a message."""

    type = serializers.CharField(required=False, allow_blank=True, max_length=200)
    message = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    stack = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"message": data} if isinstance(data, str) else data)


class FailInput(TokenInput):
    error = ErrorInput(required=False)
    retryable = serializers.BooleanField(required=False, default=True)
    retry_after_s = SecondsField(
        most=MAX_DELAY.total_seconds(), required=False, allow_null=True,
        help_text="Instead of the next delay of the ladder.",
    )  # fmt: skip
    dead = serializers.BooleanField(
        required=False, default=False, help_text="Give up now; a person must look."
    )
    service_failed = serializers.BooleanField(
        required=False, default=False, help_text="The breaker of the kind counts this failure."
    )
    logs = LogLineInput(many=True, required=False)


class ReleaseInput(TokenInput):
    delay_s = SecondsField(most=MAX_DELAY.total_seconds(), required=False, default=timedelta(0))
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class Ended(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    attempt = serializers.IntegerField(help_text="Attempts spent so far.")
    max_attempts = serializers.IntegerField()
    run_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried again.")


class CompleteItem(CompleteInput):
    id = serializers.UUIDField()


class FailItem(FailInput):
    id = serializers.UUIDField()


class CompleteBatch(serializers.Serializer[Any]):
    jobs = CompleteItem(many=True)


class FailBatch(serializers.Serializer[Any]):
    jobs = FailItem(many=True)


class EndedItem(Ended):
    status = serializers.IntegerField()
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class EndedBatch(serializers.Serializer[Any]):
    results = EndedItem(many=True)

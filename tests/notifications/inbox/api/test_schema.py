"""The OpenAPI document of the inbox: complete, and without a doubt."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from notifications.inbox.api.urls import urlpatterns

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    """The document of our addresses, made once."""
    GENERATOR_STATS.reset()
    generator = SchemaGenerator(patterns=urlpatterns)  # type: ignore[no-untyped-call]
    yield generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    GENERATOR_STATS.reset()


def operations(schema: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_valid_and_makes_no_warning(schema: Any) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS


def test_each_operation_says_what_it_is_for_and_what_it_answers(schema: Any) -> None:
    found = operations(schema)
    assert len(found) == 12
    for name, each in found:
        assert each.get("summary"), name
        good = [status for status in each["responses"] if status.startswith("2")]
        assert good, name
        assert each["responses"][good[0]]["content"], name
        assert "default" in each["responses"], name


def test_what_is_sent_has_an_example(schema: Any) -> None:
    without = [
        name
        for name, each in operations(schema)
        if "requestBody" in each
        and "examples" not in each["requestBody"]["content"]["application/json"]
    ]
    assert without == []


def test_the_refusals_of_sending_are_told_by_their_codes(schema: Any) -> None:
    answers = schema["paths"]["/api/v1/notify"]["post"]["responses"]
    assert {"202", "400", "409", "413", "422", "429", "503"} <= set(answers)
    assert "too_many_targets" in answers["413"]["description"]

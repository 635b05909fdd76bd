"""The OpenAPI document of the control plane: complete, and without a doubt."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from jobs.api.urls import urlpatterns

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


def test_each_operation_says_what_it_is_for(schema: Any) -> None:
    found = operations(schema)

    assert len(found) >= 40
    assert not [name for name, each in found if not each.get("summary")]
    assert len({each["operationId"] for _, each in found}) == len(found)


def test_each_operation_says_what_it_answers_and_how_it_refuses(schema: Any) -> None:
    for name, each in operations(schema):
        good = [status for status in each["responses"] if status.startswith("2")]
        assert good, name
        assert "default" in each["responses"], name
        for status in good:
            assert status == "204" or each["responses"][status]["content"], name


def test_what_is_sent_has_an_example(schema: Any) -> None:
    worker = [each for name, each in operations(schema) if name.startswith("post /v1/worker/")]
    plain = [each for each in worker if each["operationId"] not in {"worker_lease_one"}]

    without = [
        each["operationId"]
        for each in plain
        if "examples" not in each["requestBody"]["content"]["application/json"]
    ]
    assert without == ["worker_complete_batch", "worker_fail_batch"]

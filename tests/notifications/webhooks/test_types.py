import pytest

from notifications.webhooks import types
from notifications.webhooks.types import event_type_find, event_type_register, event_types

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def own_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(types, "_types", dict(types._types))


def test_a_registered_type_is_found_with_its_example() -> None:
    event_type_register("thing.happened", "A thing happened", {"id": 7})
    found = event_type_find("thing.happened")
    assert found is not None
    assert (found.title, found.example) == ("A thing happened", {"id": 7})
    assert found in event_types()


def test_registering_the_same_again_changes_nothing() -> None:
    for _ in range(2):
        event_type_register("thing.happened", "A thing happened", {"id": 7})
    assert [each.name for each in event_types()].count("thing.happened") == 1


def test_a_name_is_not_given_to_two_types() -> None:
    event_type_register("thing.happened", "A thing happened", {})
    with pytest.raises(ValueError, match="two event types"):
        event_type_register("thing.happened", "Something else", {})


@pytest.mark.parametrize(
    "name", ["", "thing", "Thing.happened", "thing.", "a b.c", "x." + "y" * 80]
)
def test_a_name_that_is_not_like_a_type_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no event type"):
        event_type_register(name, "?", {})


def test_an_example_that_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        event_type_register("thing.happened", "?", {"value": object()})

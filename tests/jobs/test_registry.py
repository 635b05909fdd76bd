"""Declaring kinds, and what is checked of a call before it becomes a row."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import pytest

from jobs import registry
from jobs.errors import ArgsInvalid, KindUnknown
from jobs.registry import RESERVED, kind_find, kind_get, kinds
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.unit


def test_a_declared_kind_is_found_by_its_name(declare: Declare) -> None:
    kind = declare(name="tests.found")
    assert kind_get("tests.found") is kind
    assert kind in kinds()


def test_an_unknown_kind_is_refused_with_its_name() -> None:
    with pytest.raises(KindUnknown, match=r"no job is declared as 'tests.nowhere'"):
        kind_get("tests.nowhere")
    assert kind_find("tests.nowhere") is None


def test_a_kind_can_be_called_like_its_function(declare: Declare) -> None:
    def double(n: int) -> int:
        return 2 * n

    assert declare(double)(4) == 8


def test_its_summary_is_the_first_line_of_its_docstring(declare: Declare) -> None:
    def act() -> None:
        """Do a thing.

        At length.
        """

    assert declare(act).summary == "Do a thing."


def test_two_functions_cannot_share_a_name(declare: Declare) -> None:
    def one() -> None: ...

    def two() -> None: ...

    declare(one)
    with pytest.raises(TypeError, match=r"two jobs are declared as tests\.kind"):
        declare(two)


def test_functions_of_the_same_name_in_two_modules_cannot_share_a_kind(declare: Declare) -> None:
    def sync() -> None: ...

    declare(sync)
    namesake: Callable[[], None] = lambda: None  # noqa: E731
    namesake.__qualname__, namesake.__module__ = sync.__qualname__, "elsewhere.tasks"
    with pytest.raises(TypeError, match=r"two jobs are declared as tests\.kind"):
        declare(namesake)


def test_a_module_may_be_read_again(declare: Declare) -> None:
    def sync() -> None: ...

    declare(sync)
    declare(sync, queue="maintenance")
    assert kind_get("tests.kind").queue == "maintenance"


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_words_of_enqueue_cannot_be_names_of_args(declare: Declare, word: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def act({word}): ...", scope)
    with pytest.raises(TypeError, match=f"may not be called {word}"):
        declare(scope["act"])


def _everything(
    n: int,
    f: float = 0,
    s: str = "",
    flag: bool = False,
    u: UUID | None = None,
    items: list[int] | None = None,
    pairs: dict[str, Any] | None = None,
    word: Literal["a", "b"] = "a",
    anything: Any = None,
) -> None: ...


@pytest.mark.parametrize(
    "args",
    [
        {"n": 1},
        {"n": 1, "f": 1},
        {"n": 1, "f": 1.5, "s": "text", "flag": True},
        {"n": 1, "u": "7f1c33c8-6b2c-4f7e-9d57-6d1f5bfc0a11"},
        {"n": 1, "u": UUID(int=7)},
        {"n": 1, "u": None, "items": [], "pairs": {}},
        {"n": 1, "items": [1, 2], "pairs": {"a": [1]}, "word": "b"},
        {"n": 1, "anything": object()},
    ],
)
def test_args_that_fit_the_signature_pass(declare: Declare, args: dict[str, Any]) -> None:
    declare(_everything).check(args)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "missing a required argument: 'n'"),
        ({"n": 1, "x": 2}, "got an unexpected keyword argument 'x'"),
        ({"n": "1"}, "n must be int, not str"),
        ({"n": True}, "n must be int, not bool"),
        ({"n": 1.0}, "n must be int, not float"),
        ({"n": None}, "n must be int, not NoneType"),
        ({"n": 1, "f": True}, "f must be float, not bool"),
        ({"n": 1, "s": 5}, "s must be str, not int"),
        ({"n": 1, "flag": 1}, "flag must be bool, not int"),
        ({"n": 1, "u": "no uuid"}, "u must be uuid.UUID | None, not str"),
        ({"n": 1, "items": [1, "2"]}, "items must be list[int] | None, not list"),
        ({"n": 1, "pairs": []}, "pairs must be dict[str, Any] | None, not list"),
        ({"n": 1, "word": "c"}, "word must be Literal['a', 'b'], not str"),
    ],
)
def test_args_that_do_not_fit_are_refused_with_a_sentence(
    declare: Declare, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(ArgsInvalid) as refused:
        declare(_everything).check(args)
    assert refused.value.message == f"tests.kind: {says}"
    assert (refused.value.status, refused.value.code) == (422, "invalid_args")


def test_the_kinds_of_one_test_do_not_outlive_it() -> None:
    assert not [name for name in registry._kinds if name.startswith("tests.kind")]

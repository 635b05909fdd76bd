"""What may follow when files change: a registry, so that other rooms bring actions of their own.

    action_register(
        "audience", "Import it as an audience", run,
        fields=(OptionField("name", "Name of the audience", required=False),), changes=("added", "modified"),
    )

`run` is called for one file at a time, at least once per change (a worker may be killed after its
work and before its outcome is written): what it does carries `change.key`, or is harmless to repeat.
What only writes rows says is_atomic=True and shares the transaction of the outcome: exactly once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from monitoring.files.errors import RuleInvalid
from monitoring.files.models import CHANGES
from monitoring.files.rejects import Rejects


class ActionRefused(Exception):
    """The file cannot be used as it is; the text says why. Not tried again by itself."""


class ActionFailed(Exception):
    """It did not work this time; the text says why. Tried again by the ladder."""


class ActionSkipped(Exception):
    """There is nothing to do for this file any more; the text says why."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file, for an action. path is relative to the directory of the rule."""

    key: str  # of this change, for outside effects: "files:123"
    batch_id: str
    rule_id: int
    rule_name: str
    directory: str
    change: str  # of models.Change
    path: str
    old_path: str | None
    size: int
    sha256: str | None
    attempt: int  # 1 is the first
    options: Mapping[str, Any]
    rejects: Rejects = field(repr=False)  # lines that are not taken: rejects.add(line, text, why)
    _opener: Callable[[], Any] = field(repr=False)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """A copy of the content whose change was recorded, at its beginning; gone after the block.

        Raises ActionSkipped if the file is gone or has changed since (that change has a row of its
        own), ActionRefused if it is too large, ActionFailed if it cannot be read now.
        """
        with self._opener() as file:
            yield file


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What an action made of a file. accepted: lines, rows, whatever it counts."""

    accepted: int = 0
    note: str = ""  # for people, a sentence
    is_skipped: bool = False  # there was nothing to do; note says why


@dataclass(frozen=True, slots=True)
class OptionField:
    """One option of an action, for the form of a rule and for the API. check returns the value as it
    is kept, or raises ValueError with a sentence."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    check: Callable[[str], Any] = str


Run = Callable[[FileChange], ActionResult]
RunMany = Callable[[Sequence[FileChange], Mapping[str, int]], ActionResult]


@dataclass(frozen=True, slots=True)
class Action:
    """A registered action. run_many, if there is one, takes a whole batch in the transaction that
    writes its outcome: (its first files, counts by change). It only writes rows; so does run if
    is_atomic, and then a change is acted on exactly once, whoever is killed."""

    name: str
    title: str
    help: str
    run: Run | None
    run_many: RunMany | None
    fields: tuple[OptionField, ...]
    changes: tuple[str, ...]  # that it can do something with
    is_atomic: bool = False

    def options_check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options as they are kept. Raises RuleInvalid, naming the option."""
        known = {each.name: each for each in self.fields}
        if strange := sorted(set(given) - set(known)):
            raise RuleInvalid(f"options: {self.name} takes no {', '.join(map(str, strange))}")
        found: dict[str, Any] = {}
        for each in self.fields:
            text = str(given.get(each.name) if given.get(each.name) is not None else "").strip()
            text = text or each.default
            if not text:
                if each.required:
                    raise RuleInvalid(f"options.{each.name}: {each.label} is missing")
                continue
            if each.choices and text not in dict(each.choices):
                names = ", ".join(name for name, _ in each.choices)
                raise RuleInvalid(f"options.{each.name}: it is one of {names}")
            try:
                found[each.name] = each.check(text)
            except ValueError as exc:
                raise RuleInvalid(f"options.{each.name}: {exc}") from None
        return found


_actions: dict[str, Action] = {}


def action_register(
    name: str,
    title: str,
    run: Run | None = None,
    *,
    run_many: RunMany | None = None,
    help: str = "",  # noqa: A002 - as in forms
    fields: Sequence[OptionField] = (),
    changes: Sequence[str] = CHANGES,
    is_atomic: bool = False,
) -> None:
    """Add an action; called in ready() of the app that brings it. Safe to repeat.

    The name is stored in rules, so it is never changed. Either run or run_many is given.
    """
    if (run is None) == (run_many is None):
        raise TypeError(f"{name}: give run or run_many")
    _actions[name] = Action(
        name, title, help, run, run_many, tuple(fields), tuple(changes), is_atomic
    )


def actions() -> list[Action]:
    """All of them, by title."""
    return sorted(_actions.values(), key=lambda each: each.title)


def action_find(name: str) -> Action | None:
    """The action of a name; None if it vanished between deploys."""
    return _actions.get(name)


def action_get(name: str) -> Action:
    """The action of a name. Raises RuleInvalid."""
    found = _actions.get(name)
    if found is None:
        raise RuleInvalid(f"action: there is no {name!r}; there are {', '.join(sorted(_actions))}")
    return found

"""What a person wrote of a rule, checked before it becomes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from monitoring.files.actions import action_get
from monitoring.files.errors import RuleInvalid
from monitoring.files.models import CHANGES, Rule
from monitoring.files.patterns import patterns_check
from monitoring.files.places import directory_check

LEAST_MS, MOST_MS = 50, 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """Everything of a rule that people decide. debounce_ms None: FILE_DEBOUNCE_MS as it is now;
    changes None: all that the action can do something with."""

    name: str
    directory: str
    patterns: Sequence[str] = ("*",)
    is_recursive: bool = False
    debounce_ms: int | None = None
    changes: Sequence[str] | None = None
    takes_existing: bool = False
    action: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> "RuleDraft":
        """What a rule says now."""
        return cls(**{name: getattr(rule, name) for name in FIELDS})


FIELDS = tuple(RuleDraft.__slots__)
# What a file has to be compared with anew if it changes.
MEANING = ("directory", "patterns", "is_recursive")


def draft_check(draft: RuleDraft) -> dict[str, Any]:
    """The columns of a rule. Raises RuleInvalid, DirectoryRefused, naming the field."""
    name = " ".join(draft.name.split())
    if not name or len(name) > 100 or "\x00" in name:
        raise RuleInvalid("name: give one of 1 to 100 characters")
    debounce_ms = settings.FILE_DEBOUNCE_MS if draft.debounce_ms is None else draft.debounce_ms
    if not LEAST_MS <= debounce_ms <= MOST_MS:
        raise RuleInvalid(f"debounce_ms: it is from {LEAST_MS} to {MOST_MS}")
    action = action_get(draft.action)
    asked = action.changes if draft.changes is None else draft.changes
    if strange := set(asked) - set(CHANGES):
        raise RuleInvalid(f"changes: there is no {', '.join(sorted(strange))}")
    changes = [each for each in CHANGES if each in asked]
    if not changes:
        raise RuleInvalid("changes: choose one at least")
    if not set(changes) & set(action.changes):
        raise RuleInvalid(f"changes: {action.title!r} does something only with files that are "
                          f"{' or '.join(action.changes)}")  # fmt: skip
    return {
        "name": name,
        "directory": directory_check(draft.directory),
        "patterns": patterns_check(draft.patterns),
        "is_recursive": draft.is_recursive,
        "debounce_ms": debounce_ms,
        "changes": changes,
        "takes_existing": draft.takes_existing,
        "action": draft.action,
        "options": action.options_check(draft.options),
    }

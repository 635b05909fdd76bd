"""The dry run of a rule: what it would mean now. Looks, and changes nothing."""

import time
from dataclasses import dataclass
from datetime import datetime

from monitoring.files.drafts import RuleDraft, draft_check
from monitoring.files.errors import DirectoryRefused
from monitoring.files.index import known_among
from monitoring.files.models import WatchedFile
from monitoring.files.patterns import Matcher
from monitoring.files.places import Entry, Place, Stat
from monitoring.files.record import moment_of

SHOWN = 100
REFUSED_SHOWN = 20
BUDGET_S = 3.0


@dataclass(frozen=True, slots=True)
class Match:
    """A file that the rule means. standing: new, changed or known, as far as a look without reading
    can tell; "changed" may turn out to be a touched timestamp."""

    path: str
    size: int
    modified_at: datetime | None
    standing: str


@dataclass(frozen=True, slots=True)
class Matches:
    """count: all that match, as far as was looked; is_cut: there may be more."""

    matches: list[Match]
    count: int
    size: int  # of all of them, in bytes
    refused: list[tuple[str, str]]
    looked: int
    is_cut: bool
    problem: str = ""


def rule_matches(draft: RuleDraft, *, rule_id: int | None = None) -> Matches:
    """What a rule would mean now, newest first among those that were seen. At most BUDGET_S.

    Raises RuleInvalid, DirectoryRefused. What this process cannot see is a `problem`: the watcher
    may run elsewhere. One query if the rule exists.
    """
    columns = draft_check(draft)
    matcher = Matcher(columns["patterns"])
    found: list[tuple[str, Stat]] = []
    refused: list[tuple[str, str]] = []
    looked = count = size = 0
    is_cut = False
    until = time.monotonic() + BUDGET_S
    try:
        with Place(columns["directory"]) as place:
            for entry in place.walk(recursive=columns["is_recursive"]):
                if time.monotonic() > until:
                    is_cut = True
                    break
                looked += 1
                if not matcher(entry.path) or entry.is_alias:
                    continue
                if why := _refusal(entry):
                    refused.append((_shown(entry.path), why))
                    continue
                count, size = count + 1, size + entry.found.st_size
                found.append((entry.path, Stat.of(entry.found)))
                if len(found) >= 2 * SHOWN:
                    found = _newest(found)
    except (OSError, DirectoryRefused) as exc:
        words = exc.message if isinstance(exc, DirectoryRefused) else (exc.strerror or str(exc))
        said = f"{columns['directory']} cannot be looked at from here: {words}."
        return Matches([], 0, 0, [], 0, is_cut=False, problem=said)
    matches = _judged(_newest(found), rule_id)
    return Matches(matches, count, size, refused[:REFUSED_SHOWN], looked, is_cut)


def _newest(found: list[tuple[str, Stat]]) -> list[tuple[str, Stat]]:
    return sorted(found, key=lambda each: (-each[1].mtime_ns, each[0]))[:SHOWN]


def _judged(found: list[tuple[str, Stat]], rule_id: int | None) -> list[Match]:
    known = known_among(rule_id, [path for path, _ in found]) if rule_id else {}
    matches = []
    for path, stat in found:
        row = known.get(path)
        standing = "new"
        if row is not None and row.state == WatchedFile.State.PRESENT:
            standing = "known" if row.stat == stat else "changed"
        matches.append(Match(path, stat.size, moment_of(stat.mtime_ns), standing))
    return matches


def _refusal(entry: Entry) -> str:
    if entry.problem:
        return entry.problem
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        return "Its name is not UTF-8."
    return ""


def _shown(path: str) -> str:
    return path.encode("utf-8", "replace").decode()

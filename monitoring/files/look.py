"""One look at the directory of a rule: what is there, against what the index knows.

Events of the kernel only say where to look; what counts is the difference between disk and index, so
an event that is lost, doubled or late changes nothing. A file is taken when it has settled: its size
and times have stood still for the debounce of its rule, and also while it was read.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.files import index
from monitoring.files.errors import FileMoving, FileRefused
from monitoring.files.index import Known
from monitoring.files.models import Change, Rule, WatchedFile
from monitoring.files.patterns import Matcher
from monitoring.files.places import LONGEST_PATH_BYTES, Entry, Place, Stat
from monitoring.files.record import MOST, Finding, Mandate, changes_record
from monitoring.files.sight import Tick, settled_for_ns, sha256_of

CHUNK = 500  # paths that are compared with the index at once
State = WatchedFile.State

logger = logging.getLogger("switchboard.files")
Record = Callable[[list[Finding]], None]


@dataclass(frozen=True, slots=True)
class RuleView:
    """What a look needs to know of a rule."""

    id: int
    name: str
    version: int
    directory: str
    patterns: tuple[str, ...]
    is_recursive: bool
    debounce_ms: int
    changes: frozenset[str]
    takes_existing: bool
    is_indexed: bool

    @classmethod
    def of(cls, rule: Rule) -> "RuleView":
        return cls(
            id=rule.pk,
            name=rule.name,
            version=rule.version,
            directory=rule.directory,
            patterns=tuple(rule.patterns),
            is_recursive=rule.is_recursive,
            debounce_ms=rule.debounce_ms,
            changes=frozenset(rule.changes),
            takes_existing=rule.takes_existing,
            is_indexed=rule.indexed_at is not None,
        )

    def mandate(self, fence: int) -> Mandate:
        return Mandate(fence, self.id, self.version, self.changes)


@dataclass(slots=True)
class Memory:
    """What one look leaves for the next: stats of files whose clock is ahead of ours."""

    unsure: dict[str, Stat] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """again: paths that had not settled, or is_again_whole if they are many; strange: names that
    cannot be watched at all."""

    again: set[str] = field(default_factory=set)
    is_again_whole: bool = False
    strange: int = 0
    files: int = 0  # changes that were recorded


class Look:
    """Use once. Calls `record` with at most MOST findings at a time."""

    def __init__(
        self, rule: RuleView, place: Place, memory: Memory, *, record: Record, tick: Tick
    ) -> None:
        self.rule = rule
        self.place = place
        self.memory = memory
        self.outcome = Outcome()
        self._record = record
        self._tick = tick
        self._matches = Matcher(rule.patterns)
        self._findings: dict[str, Finding] = {}
        self._gone: dict[int, Known] = {}  # by inode: deleted, or moved to where we have not looked
        self._held: set[int] = set()  # inodes of files that have not settled

    def whole(self) -> Outcome:
        """Look at everything. Constant memory, whatever lies there."""
        for page in index.known_there(self.rule.id):
            self._tick()
            for known in page:
                self._check_known(known)
        entries = self.place.walk(recursive=self.rule.is_recursive)
        self._look_at(entries)
        return self._end()

    def at(self, paths: Iterable[str]) -> Outcome:
        """Look where something happened: files, and directories with all that is in them."""
        there: list[Entry] = []
        missing: list[str] = []
        for path in sorted(paths):
            entry = self._stat(path)
            if entry is None:
                missing.append(path)
            else:
                there.append(entry)
        directories = [entry.path for entry in there if entry.is_directory]
        self._check_missing(missing, directories)
        self._look_at(self._expanded(there))
        return self._end()

    def _check_missing(self, missing: list[str], directories: list[str]) -> None:
        """Files that are gone; what is unknown may have been a directory, and so may what is one now."""
        unknown = list(directories)
        for begin in range(0, len(missing), CHUNK):
            chunk = missing[begin : begin + CHUNK]
            known = index.known_among(self.rule.id, chunk)
            unknown += [path for path in chunk if path not in known]
            for each in known.values():
                if each.is_there:
                    self._check_known(each)
        if self.rule.is_recursive:
            for path in unknown:
                for each in index.known_below(self.rule.id, path):
                    self._check_known(each)

    def _expanded(self, entries: list[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if not entry.is_directory:
                yield entry
            elif self.rule.is_recursive or entry.path == "":
                yield from self.place.walk(entry.path, recursive=self.rule.is_recursive)

    def _stat(self, path: str) -> Entry | None:
        try:
            return self.place.stat(path)
        except PermissionError:
            return None

    def _check_known(self, known: Known) -> None:
        """Is a file of the index still there, and still meant?"""
        if not self._is_meant(known.path):
            self._add(Finding(known.path, State.LEFT_OUT))
            return
        try:
            entry = self.place.stat(known.path)
        except PermissionError:  # the way to it is shut: nobody knows
            return
        if entry is not None and not entry.is_directory:
            return
        if len(self._gone) < MOST and known.stat.inode not in self._gone:
            self._gone[known.stat.inode] = known
        else:
            self._add(_deleted(known))

    def _is_meant(self, path: str) -> bool:
        return self._matches(path) and (self.rule.is_recursive or "/" not in path)

    def _look_at(self, entries: Iterable[Entry]) -> None:
        chunk: list[Entry] = []
        for entry in entries:
            if not self._is_meant(entry.path) or entry.is_alias:
                continue
            if not _is_storable(entry.path):
                self.outcome.strange += 1
                continue
            chunk.append(entry)
            if len(chunk) == CHUNK:
                self._compare(chunk)
                chunk = []
        if chunk:
            self._compare(chunk)

    def _compare(self, chunk: list[Entry]) -> None:
        self._tick()
        known = index.known_among(self.rule.id, [entry.path for entry in chunk])
        for entry in chunk:
            self._compare_one(entry, known.get(entry.path))

    def _compare_one(self, entry: Entry, known: Known | None) -> None:
        if entry.problem:
            self._trouble(entry.path, State.REFUSED, entry.problem, known)
            return
        stat = Stat.of(entry.found)
        if known is not None and known.state == State.PRESENT and known.stat == stat:
            return
        if not self._is_settled(entry.path, stat):
            self._later(entry.path, stat)
            return
        try:
            stat, sha256 = sha256_of(self.place, entry.path, self._tick)
        except (FileMoving, FileNotFoundError, NotADirectoryError):
            self._later(entry.path, stat)
        except FileRefused as exc:
            self._trouble(entry.path, State.REFUSED, f"{exc}.".capitalize(), known)
        except OSError as exc:
            said = exc.strerror or type(exc).__name__
            self._trouble(entry.path, State.UNREADABLE, f"It cannot be read: {said}.", known)
        else:
            self._add(self._finding(entry.path, stat, sha256, known))

    def _finding(self, path: str, stat: Stat, sha256: str, known: Known | None) -> Finding:
        taken = known if known is not None and known.sha256 is not None else None
        if taken is not None and taken.sha256 == sha256 and taken.state != State.DELETED:
            return Finding(path, stat=stat, sha256=sha256)  # touched, or as it was
        source = self._gone.get(stat.inode)
        if source is not None and source.sha256 == sha256:
            del self._gone[stat.inode]
            self._add(Finding(source.path, State.DELETED, moved_to=path))
            # What is renamed over a known file gives it other content: who counts that, wants it.
            change = Change.MODIFIED if taken is not None and taken.is_there else Change.MOVED
            return Finding(path, change=change, stat=stat, sha256=sha256, old_path=source.path)
        if taken is not None and taken.is_there:
            return Finding(path, change=Change.MODIFIED, stat=stat, sha256=sha256)
        if not self.rule.is_indexed and not self.rule.takes_existing:
            return Finding(path, stat=stat, sha256=sha256)
        return Finding(path, change=Change.ADDED, stat=stat, sha256=sha256)

    def _is_settled(self, path: str, stat: Stat) -> bool:
        age_ns = settled_for_ns(stat)
        if age_ns is not None:
            return age_ns >= self.rule.debounce_ms * 1_000_000
        if self.memory.unsure.pop(path, None) == stat:
            return True  # looks are a debounce apart
        if len(self.memory.unsure) < MOST:
            self.memory.unsure[path] = stat
        return False

    def _later(self, path: str, stat: Stat) -> None:
        self._held_back(path)
        if len(self._held) < MOST:
            self._held.add(stat.inode)

    def _held_back(self, path: str) -> None:
        if len(self.outcome.again) < MOST:
            self.outcome.again.add(path)
        else:
            self.outcome.is_again_whole = True

    def _trouble(self, path: str, state: State, problem: str, known: Known | None) -> None:
        if known is None or (known.state, known.problem) != (state, problem):
            self._add(Finding(path, state, problem=problem))
            logger.warning(
                "a file is not taken", extra={"rule": self.rule.id, "path": path, "reason": problem}
            )

    def _add(self, finding: Finding) -> None:
        self._findings[finding.path] = finding
        if len(self._findings) >= MOST - 1:  # a move adds two
            self._flush()

    def _flush(self) -> None:
        findings, self._findings = list(self._findings.values()), {}
        self.outcome.files += sum(1 for each in findings if each.change)
        self._record(findings)

    def _end(self) -> Outcome:
        for inode, known in self._gone.items():
            if inode in self._held:  # moved, and not settled under its new name
                self._held_back(known.path)
            else:
                self._add(_deleted(known))
        if self._findings:
            self._flush()
        return self.outcome


def _deleted(known: Known) -> Finding:
    """What was never taken cannot be missed: then only the index is told."""
    change = Change.DELETED if known.sha256 is not None else None
    return Finding(known.path, State.DELETED, change, known.stat, known.sha256)


def _is_storable(path: str) -> bool:
    """A name that is UTF-8 and of a length that an index takes."""
    try:
        return len(path.encode()) <= LONGEST_PATH_BYTES
    except UnicodeEncodeError:
        return False


def recorder(mandate: Mandate, opened_at: datetime) -> Record:
    """The usual `record`: into the tables. Raises what changes_record raises."""

    def record(findings: list[Finding]) -> None:
        changes_record(mandate, findings, opened_at=opened_at)

    return record

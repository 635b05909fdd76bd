"""Reading the index: what is known of the files of a rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs import sql
from monitoring.files.models import WatchedFile
from monitoring.files.places import Stat

PAGE = 1000
State = WatchedFile.State
THERE = (State.PRESENT, State.UNREADABLE, State.REFUSED)

_COLUMNS = "id, path, state, size, mtime_ns, ctime_ns, inode, sha256, problem"


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the index."""

    id: int
    path: str
    state: str
    stat: Stat
    sha256: str | None
    problem: str

    @property
    def is_there(self) -> bool:
        return self.state in THERE


def known_among(rule_id: int, paths: Sequence[str]) -> dict[str, Known]:
    """What is known of these paths, gone ones too. One query."""
    found = sql.rows(
        f"SELECT {_COLUMNS} FROM files_file WHERE rule_id = %s AND path = ANY (%s)",
        [rule_id, list(paths)],
    )
    return {row[1]: _known(row) for row in found}


def known_below(rule_id: int, path: str) -> Iterator[Known]:
    """What was there below a path, if it was a directory. One query a page."""
    after = f"{path}/"
    while True:
        found = sql.rows(
            f"""SELECT {_COLUMNS} FROM files_file WHERE rule_id = %(rule)s AND state = ANY (%(there)s)
            AND path > %(after)s AND path < %(end)s ORDER BY path LIMIT {PAGE}""",
            # "0" follows "/"
            {"rule": rule_id, "there": list(THERE), "after": after, "end": f"{path}0"},
        )
        yield from map(_known, found)
        if len(found) < PAGE:
            return
        after = found[-1][1]


def known_there(rule_id: int) -> Iterator[list[Known]]:
    """All that is there as far as the index knows, in pages. Constant memory."""
    after = 0
    while True:
        found = sql.rows(
            f"""SELECT {_COLUMNS} FROM files_file WHERE rule_id = %s AND id > %s
            AND state IN ('present', 'unreadable', 'refused') ORDER BY id LIMIT {PAGE}""",
            [rule_id, after],
        )
        if found:
            yield [_known(row) for row in found]
        if len(found) < PAGE:
            return
        after = found[-1][0]


def _known(row: tuple[object, ...]) -> Known:
    key, path, state, size, mtime, ctime, inode, sha256, problem = row
    stat = Stat(size, mtime, ctime, inode)  # type: ignore[arg-type]
    return Known(key, path, state, stat, sha256, problem)  # type: ignore[arg-type]

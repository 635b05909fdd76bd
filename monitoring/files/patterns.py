"""Which names a rule means, and which are never meant."""

import re
from collections.abc import Sequence
from fnmatch import translate

from monitoring.files.errors import RuleInvalid

REJECTS = ".rejects.csv"  # ends the name of a report of ours
MOST = 50
# What is on its way to become something else, and what we write ourselves.
NEVER = ("*.rejects.csv", "*~", "*.tmp", "*.part", "*.partial", "*.filepart", "*.crdownload", "#*#")
_NEVER = re.compile("|".join(translate(pattern) for pattern in NEVER), re.IGNORECASE)


class Matcher:
    """Says of a path within the directory whether the rule means it. Letters count as written.

    A pattern without a slash is compared with the name alone, one with a slash with the whole path;
    `*` also stands for slashes then.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        names = [translate(each) for each in patterns if "/" not in each]
        paths = [translate(each.lstrip("/")) for each in patterns if "/" in each]
        self._names = re.compile("|".join(names)) if names else None
        self._paths = re.compile("|".join(paths)) if paths else None

    def __call__(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if is_hidden(path) or _NEVER.match(name):
            return False
        return bool(
            (self._names and self._names.match(name)) or (self._paths and self._paths.match(path))
        )


def is_hidden(path: str) -> bool:
    """Whether the name, or that of a directory on the way, begins with a dot."""
    return path.startswith(".") or "/." in path


def patterns_check(patterns: Sequence[str]) -> list[str]:
    """The patterns without blanks and doubles. Raises RuleInvalid."""
    found = list(dict.fromkeys(each.strip() for each in patterns if each.strip()))
    if not found:
        raise RuleInvalid("patterns: give one at least; * means every file")
    if len(found) > MOST:
        raise RuleInvalid(f"patterns: {len(found)} are too many, {MOST} are the most")
    for each in found:
        if len(each) > 200 or "\x00" in each or ".." in each.split("/"):
            raise RuleInvalid(f"patterns: {each[:60]!r} cannot be used")
    return found

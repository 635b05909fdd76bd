"""The Procfile: which processes the product consists of, one `name: command` per line."""

import re
from pathlib import Path

_LINE = re.compile(r"([a-z][a-z0-9_-]*):\s*(\S.*)")


def read_procfile(path: Path) -> dict[str, str]:
    """{name: command}, in the order of the file. Raises ValueError for a line that is neither."""
    commands: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"{path.name}:{number} is not `name: command`")
        commands[found[1]] = found[2]
    return commands

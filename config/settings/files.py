"""File watch: which directories rules may name, and how it looks at them (docs/file-watch.md)."""

from pathlib import Path

from config import env
from config.settings.base import DATA_DIR

FILE_DEBOUNCE_MS = env.integer("FILE_DEBOUNCE_MS", 500, least=50, most=600_000)
# A rule may name these directories and what lies in them, nothing else.
FILE_WATCH_ROOTS = env.words("FILE_WATCH_ROOTS", (str(DATA_DIR / "drop"),))
FILE_RESCAN = env.span("FILE_RESCAN", "5m")  # the net below the events of the kernel
FILE_WATCH_POLLING = env.boolean("FILE_WATCH_POLLING", default=False)
FILE_MAX_BYTES = env.integer("FILE_MAX_BYTES", 256 * 1024 * 1024, least=1024)  # read by an action
FILE_HISTORY_DAYS = env.integer("FILE_HISTORY_DAYS", 30, least=1)

for _root in FILE_WATCH_ROOTS:
    if not Path(_root).is_absolute() or Path(_root) == Path("/") or ".." in Path(_root).parts:
        raise env.SettingInvalid(
            "FILE_WATCH_ROOTS",
            f"has {_root!r}; it must be absolute directories without .., and not / itself.",
        )
if FILE_RESCAN.total_seconds() < 1:
    raise env.SettingInvalid("FILE_RESCAN", "must be at least 1s.")

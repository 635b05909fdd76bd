"""Tables of the file watch. How they hang together: docs/file-watch.md."""

from monitoring.files.models.batch import FileBatch, FileEvent
from monitoring.files.models.index import WatchedFile
from monitoring.files.models.rule import CHANGES, Change, Rule
from monitoring.files.models.watcher import Leader, Watcher

__all__ = [
    "CHANGES",
    "Change",
    "FileBatch",
    "FileEvent",
    "Leader",
    "Rule",
    "WatchedFile",
    "Watcher",
]

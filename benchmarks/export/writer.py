"""The process that is measured: it writes a file as the job of the product does, or in another way.

Reads from stdin which way and which file comes next, prints a JSON line for each.
"""

import csv
import json
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import django
import psutil


def main() -> None:
    """Serve the orders that come until stdin closes."""
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    say({"event": "ready"})
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        way = order.pop("way")
        with Peak() as peak:
            began = time.monotonic()
            found = _WAYS[way](**order)
            took = time.monotonic() - began
        say({"event": "written", "took_s": took, "peak_mb": peak.mb, "base_mb": peak.base, **found})


class Peak:
    """The most memory of this process while the block lasts, in MB, seen every 20 ms."""

    def __enter__(self) -> "Peak":
        self._process, self._stop = psutil.Process(), threading.Event()
        self.mb = self.base = self._process.memory_info().rss / 1e6
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.mb = max(self.mb, self._process.memory_info().rss / 1e6)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def product(**order: Any) -> dict[str, Any]:
    """The services of the product: ordered, written, put into its place."""
    from reports.exports.services import export_order
    from reports.exports.writing import export_write

    marks = [time.monotonic()]
    export = export_order(**order)
    done = export_write(export.pk, look=lambda rows, expected: marks.append(time.monotonic()))
    assert done is not None, "nobody cancelled it"
    from django.conf import settings

    longest = max(after - before for before, after in pairwise(marks))
    path = settings.EXPORT_DIR / done.storage_name
    return {"rows": done.rows, "bytes": done.bytes, "longest_s": longest, "path": str(path)}


def one_copy(**order: Any) -> dict[str, Any]:
    """All of it in one statement: one snapshot, however long it takes."""
    from django.db import connection

    from reports.exports import reading

    selection = _selection(order)
    rows = selection.rows().order_by("pk")
    statement, params = reading._statement(selection, rows)  # noqa: SLF001 - the rival's own way in
    count, path = 0, _path("one_copy")
    began = time.monotonic()
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(cursor.mogrify(statement, params)) as copy,
    ):
        for message in copy:
            file.write(bytes(message).partition(b",")[2])
            count += 1
    return _told(path, count, time.monotonic() - began)


def orm(**order: Any) -> dict[str, Any]:
    """The usual way: a cursor of the server, rows as Python values, Python's csv."""
    selection = _selection(order)
    known = {column.name: column for column in selection.source.columns}
    values = [known[name].value for name in selection.columns]
    rows = selection.rows().order_by("pk").values_list(*values)
    count, path = 0, _path("orm")
    began = time.monotonic()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for row in rows.iterator(chunk_size=1000):
            writer.writerow(row)
            count += 1
    return _told(path, count, time.monotonic() - began)


def _selection(order: dict[str, Any]) -> Any:
    from reports.exports.reading import Selection
    from reports.exports.sources import SOURCES

    source = SOURCES[order["type"]]
    return Selection(source, {}, None, None, source.usual_columns, "csv")


def _path(name: str) -> Path:
    from reports.exports.stores import partial_folder

    return partial_folder() / name


def _told(path: Path, count: int, longest_s: float) -> dict[str, Any]:
    size = path.stat().st_size
    path.unlink()
    return {"rows": count, "bytes": size, "longest_s": longest_s}


_WAYS: dict[str, Callable[..., dict[str, Any]]] = {
    "product": product,
    "one_copy": one_copy,
    "orm": orm,
}


def say(what: dict[str, Any]) -> None:
    """One line for the suite."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()

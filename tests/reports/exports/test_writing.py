"""From an order to a file: told, cancelled, failed, overtaken."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from jobs.models import Job, JobHistory
from jobs.testing import assert_enqueued, drain, job_perform
from lib import clock
from notifications.inbox.models import Notification
from notifications.telegram.models import QueuedMessage
from reports.exports import reading, stores, writing
from reports.exports.errors import StoreAway
from reports.exports.models import Export
from reports.exports.services import export_cancel, export_order, link_open
from reports.exports.tasks import watch_exports
from reports.exports.writing import export_write
from tests.reports.exports.conftest import Ordered
from tests.reports.exports.rows import act, subscriber


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def job_of(export: Export) -> UUID:
    assert export.job_id is not None
    return export.job_id


def test_a_done_export_says_what_its_file_is(written: Ordered, folder: Path) -> None:
    act()
    export = written("audit")
    body = (folder / export.storage_name).read_bytes()
    assert (export.state, export.rows, export.bytes) == ("done", 1, len(body))
    assert export.sha256 == hashlib.sha256(body).hexdigest()
    assert export.finished_at is not None
    assert export.expires_at == export.finished_at + timedelta(hours=24)
    assert files(folder) == [export.storage_name]
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert oct((folder / export.storage_name).stat().st_mode)[-3:] == "600"


def test_whoever_ordered_it_is_told_once(olga: User) -> None:
    act()
    export = export_order(type="audit", by=olga, tell_telegram_id=77)
    drain()
    job_perform("reports.write_export", export_id=export.pk)
    export.refresh_from_db()
    (message,) = QueuedMessage.objects.filter(telegram_id=77)
    assert message.notification_type == "export_finished"
    token = message.message.split("/exports/")[1].split('"')[0]
    assert link_open(token) == export
    (notification,) = Notification.objects.filter(recipient__login="olga")
    assert notification.message == f"The export “{export}” is ready: {export.rows} rows."


def test_a_cancelled_export_writes_nothing(db: None, folder: Path) -> None:
    export = export_order(type="audit")
    export_cancel(export_id=export.pk, by=None)
    drain()
    export.refresh_from_db()
    assert (export.state, export.storage_name) == ("cancelled", "")
    assert JobHistory.objects.get(pk=job_of(export)).state == "cancelled"


def test_cancelling_amid_the_writing_stops_it_within_a_chunk(
    db: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        subscriber(number)
    monkeypatch.setattr(reading.chunks, "__kwdefaults__", {"size": 2})
    export = export_order(type="users")
    seen: list[int] = []

    def look(rows: int, expected: int | None) -> None:
        seen.append(rows)
        export_cancel(export_id=export.pk, by=None)

    assert export_write(export.pk, look=look) is None
    export.refresh_from_db()
    assert (export.state, seen) == ("cancelled", [2])
    assert files(folder) == []


def test_cancelling_at_the_last_moment_leaves_no_file(
    db: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act()
    export = export_order(type="audit")
    put = stores.Directory.put

    def late(self: stores.Directory, path: Path, name: str) -> None:
        put(self, path, name)
        export_cancel(export_id=export.pk, by=None)

    monkeypatch.setattr(stores.Directory, "put", late)
    assert export_write(export.pk) is None
    export.refresh_from_db()
    assert (export.state, files(folder)) == ("cancelled", [])


def test_a_stalled_writer_that_wakes_up_changes_nothing(db: None, folder: Path) -> None:
    for _ in range(2):
        act()
    export = export_order(type="audit")
    inner: list[Export | None] = []

    def look(rows: int, expected: int | None) -> None:
        if not inner:
            inner.append(None)
            inner[0] = export_write(export.pk)  # another worker took it over meanwhile

    assert export_write(export.pk, look=look) is None
    export.refresh_from_db()
    assert inner[0] is not None
    assert (export.state, export.attempt) == ("done", 2)
    assert files(folder) == [export.storage_name]


def test_progress_is_noted_while_it_is_written(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        subscriber(number)
    monkeypatch.setattr(reading.chunks, "__kwdefaults__", {"size": 1})
    export = export_order(type="users")
    noted: list[tuple[int, int | None]] = []

    def look(rows: int, expected: int | None) -> None:
        row = Export.objects.get(pk=export.pk)
        assert row.state == "running"
        noted.append((row.rows, row.rows_expected))

    export_write(export.pk, look=look)
    assert [rows for rows, _ in noted] == [1, 2, 3, 4]
    assert noted[-1] == (4, 4)


def fails(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The store refuses the first so many files."""
    left, put = [times], stores.Directory.put

    def refusing(own: stores.Directory, path: Path, name: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise StoreAway("the disk is on fire")
        put(own, path, name)

    monkeypatch.setattr(stores.Directory, "put", refusing)


def test_a_failed_try_is_made_again(
    db: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act()
    fails(monkeypatch, 1)
    export = export_order(type="audit")
    drain()
    export.refresh_from_db()
    assert (export.state, export.error) == ("running", "the disk is on fire")
    with clock.shift(timedelta(seconds=10)):
        drain()
    export.refresh_from_db()
    assert (export.state, export.error, export.attempt) == ("done", "", 2)
    assert files(folder) == [export.storage_name]


def test_when_the_tries_are_used_up_it_fails_and_is_told(
    olga: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, 99)
    export = export_order(type="audit", by=olga, tell_telegram_id=77)
    for hours in range(4):
        with clock.shift(timedelta(hours=hours)):
            drain(queues=["default"])
    export.refresh_from_db()
    assert (export.state, export.error, export.attempt) == ("failed", "the disk is on fire", 4)
    assert files(folder) == []
    (message,) = QueuedMessage.objects.filter(telegram_id=77, notification_type="export_finished")
    assert "the disk is on fire" in message.message
    assert Job.objects.get(pk=job_of(export)).state == "dead"


def test_a_full_disk_is_told_in_words(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    act()
    monkeypatch.setattr(stores, "free_bytes", lambda: 1)
    export = export_order(type="audit")
    with pytest.raises(writing.DiskFull, match="too little room"):
        export_write(export.pk)


def test_an_error_of_the_database_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(writing, "chunks", broken)
    export = export_order(type="audit")
    drain()
    export.refresh_from_db()
    assert export.error == "OperationalError: server closed the connection"


def test_an_export_whose_job_is_gone_is_given_up(db: None) -> None:
    export, other = export_order(type="audit"), export_order(type="audit")
    Job.objects.filter(pk=job_of(export)).delete()
    assert watch_exports() == {"failed": 1}
    export.refresh_from_db()
    other.refresh_from_db()
    assert (export.state, other.state) == ("failed", "waiting")
    assert "its job gave up" in export.error
    assert watch_exports() == {"failed": 0}


def test_a_done_export_is_not_written_again(written: Ordered, folder: Path) -> None:
    export = written("audit")
    assert export_write(export.pk) is None
    assert files(folder) == [export.storage_name]


def test_an_unfinished_file_of_a_killed_worker_is_taken_away(db: None, folder: Path) -> None:
    export = export_order(type="audit")
    stores.partial_folder().joinpath(f"{export.pk}-0").write_bytes(b"half")
    drain()
    export.refresh_from_db()
    assert files(folder) == [export.storage_name]


def test_the_order_is_one_job(db: None) -> None:
    export = export_order(type="audit")
    job = assert_enqueued("reports.write_export", export_id=str(export.pk))
    assert job.pk == export.job_id


def test_exports_are_written_one_after_the_other(db: None) -> None:
    exports = [export_order(type="audit") for _ in range(3)]
    assert {Job.objects.get(pk=job_of(each)).partition_key for each in exports} == {"exports"}
    drain()
    done = Export.objects.order_by("finished_at").values_list("pk", "state")
    assert list(done) == [(each.pk, "done") for each in exports]


def test_a_chunk_is_written_and_forgotten(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file grows chunk by chunk: nothing is kept until the end."""
    for number in range(3):
        subscriber(number)
    monkeypatch.setattr(reading.chunks, "__kwdefaults__", {"size": 1})
    export = export_order(type="users")
    sizes: list[int] = []
    export_write(
        export.pk, look=lambda rows, expected: sizes.append(Export.objects.get(pk=export.pk).bytes)
    )
    assert sizes == sorted(set(sizes))
    assert len(sizes) == 3

"""What goes after a day, what nobody speaks of, and what stays."""

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from lib.ids import uuid7
from reports.exports import stores
from reports.exports.cleaning import Cleaned, exports_clean
from reports.exports.models import Export
from reports.exports.services import export_order
from tests.reports.exports.conftest import Ordered
from tests.reports.exports.rows import act

OLD_S = 2 * 3600


def left(folder: Path, name: str, content: bytes = b"12345", age_s: float = OLD_S) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = clock.now().timestamp() - age_s
    os.utime(path, (at, at))
    return path


def test_a_file_goes_when_its_day_is_over(written: Ordered, folder: Path) -> None:
    act()
    export = written("audit")
    assert exports_clean() == Cleaned()
    with clock.shift(timedelta(hours=24, seconds=1)):
        assert asdict(exports_clean()) == {
            "expired": 1, "orphans": 0, "partials": 0, "bytes": export.bytes, "rows": 0,
        }  # fmt: skip
        assert exports_clean() == Cleaned()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("expired", 1)
    assert list(folder.glob("*.csv")) == []


def test_a_dry_run_tells_the_same_and_takes_nothing(written: Ordered, folder: Path) -> None:
    act()
    export = written("audit")
    orphan = left(folder, f"{uuid7()}-1.csv")
    partial = left(folder, f"{stores.PARTIAL}/{uuid7()}-1")
    with clock.shift(timedelta(hours=25)):
        before = exports_clean(dry_run=True)
        assert all(path.exists() for path in (orphan, partial, folder / export.storage_name))
        assert Export.objects.get().state == "done"
        assert exports_clean() == before
    assert (before.expired, before.orphans, before.partials) == (1, 1, 1)
    assert before.bytes == export.bytes + 10
    assert not any(path.exists() for path in (orphan, partial, folder / export.storage_name))


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "2026.csv", "0-1.csv", ".partial/notes", "subfolder/x.csv"],
)
def test_what_we_did_not_write_stays(db: None, folder: Path, name: str) -> None:
    path = left(folder, name)
    exports_clean()
    assert path.exists()


def test_a_file_that_is_just_on_its_way_to_its_row_stays(db: None, folder: Path) -> None:
    path = left(folder, f"{uuid7()}-1.csv", age_s=60)
    exports_clean()
    assert path.exists()


def test_a_file_of_an_earlier_attempt_goes(written: Ordered, folder: Path) -> None:
    export = written("audit")
    assert export.attempt == 1
    other = left(folder, f"{export.pk}-7.csv")
    left_alone = folder / export.storage_name
    at = clock.now().timestamp() - OLD_S
    os.utime(left_alone, (at, at))
    assert exports_clean().orphans == 1
    assert (other.exists(), left_alone.exists()) == (False, True)


def test_a_file_that_is_being_written_stays_however_long_it_takes(db: None, folder: Path) -> None:
    export = export_order(type="audit")
    Export.objects.update(state="running", attempt=3)
    kept = left(folder, f"{stores.PARTIAL}/{export.pk}-3")
    gone = left(folder, f"{stores.PARTIAL}/{export.pk}-2")
    assert exports_clean().partials == 1
    assert (kept.exists(), gone.exists()) == (True, False)


def test_rows_are_forgotten_after_three_months(written: Ordered) -> None:
    written("audit")
    open_one = export_order(type="audit")
    with clock.shift(timedelta(days=91)):
        cleaned = exports_clean()
    assert (cleaned.expired, cleaned.rows) == (1, 1)
    assert list(Export.objects.all()) == [open_one]


def test_more_files_than_a_batch(
    written: Ordered, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.exports.cleaning.BATCH", 2)
    for _ in range(5):
        written("audit")
        left(folder, f"{uuid7()}-1.csv.gz")
    with clock.shift(timedelta(hours=25)):
        cleaned = exports_clean()
    assert (cleaned.expired, cleaned.orphans) == (5, 5)
    assert list(folder.glob("*.*")) == [folder / stores.PARTIAL]


def test_the_job_tells_its_counts(
    written: Ordered, caplog: pytest.LogCaptureFixture, make_old: Callable[[], None]
) -> None:
    written("audit")
    make_old()
    caplog.set_level("INFO", "switchboard.exports")
    for dry_run in (True, False):
        outcome = job_perform("reports.clean_exports", dry_run=dry_run)
        assert isinstance(outcome, Done)
        assert outcome.result["expired"] == 1
    lines = [vars(record) for record in caplog.records if record.message == "exports cleaned"]
    assert [(line["dry_run"], line["expired"]) for line in lines] == [(True, 1), (False, 1)]


@pytest.fixture
def make_old(db: None) -> Callable[[], None]:
    def make() -> None:
        Export.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    return make

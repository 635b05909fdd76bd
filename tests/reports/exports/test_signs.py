"""What is seen of exports from outside: metrics, the first page, settings that stop the start."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from lib import clock
from lib.now import gather
from reports.exports.metrics import collect
from reports.exports.models import Export
from reports.exports.services import export_order
from tests.reports.exports.conftest import Ordered
from tests.reports.exports.rows import act

PROJECT = Path(__file__).resolve().parents[3]


def test_metrics_count_by_state_and_size(written: Ordered) -> None:
    act()
    export = written("audit")
    export_order(type="audit")
    found = {
        (sample.name, sample.labels.get("state", "")): sample.value
        for metric in collect()
        for sample in metric.samples
    }
    assert found["exports", "done"] == found["exports", "waiting"] == 1
    assert found["exports_files_bytes", ""] == export.bytes
    assert found["exports_files", ""] == 1
    assert found["exports_oldest_age_seconds", ""] >= 0


def test_failed_and_late_exports_are_on_the_first_page(admin_user: User) -> None:
    export_order(type="audit")
    failed = export_order(type="audit")
    Export.objects.filter(pk=failed.pk).update(state="failed", finished_at=clock.now())
    with clock.shift(timedelta(minutes=16)):
        titles = {each.title: each.count for each in gather(admin_user)}
    assert titles["export failed today"] == 1
    assert titles["export waits for long"] == 1


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"EXPORT_STORAGE": "ftp"}, "EXPORT_STORAGE is 'ftp'"),
        ({"EXPORT_STORAGE": "s3"}, "EXPORT_S3_BUCKET must be set"),
        ({"EXPORT_DIR": "exports"}, "EXPORT_DIR must be an absolute directory"),
        ({"EXPORT_KEEP": "0s"}, "EXPORT_KEEP must be between"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    environment: dict[str, str], why: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings.exports"],
        cwd=PROJECT, env={**os.environ, **environment}, text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert why in done.stderr

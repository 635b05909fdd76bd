"""Large files of people: kept by the web, imported by a job, whoever is killed in between."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from config.accounts import token_issue
from jobs.errors import JobCancelled
from jobs.models import Job
from jobs.outcomes import Cancel
from jobs.progress.registry import operation_act, operation_find
from jobs.progress.snapshot import Stage
from jobs.testing import assert_enqueued, drain, job_perform, job_state
from lib import clock
from notifications.broadcasts.audiences import imports, uploads
from notifications.broadcasts.audiences.uploads import (
    ChunkFile,
    upload_cancel,
    upload_import,
    upload_keep,
)
from notifications.broadcasts.errors import BroadcastSettled, FileInvalid
from notifications.broadcasts.models import Audience, AudienceMember, Upload, UploadChunk
from notifications.broadcasts.retention import uploads_forget
from tests.notifications.broadcasts.admin.ways import text, to
from tests.notifications.broadcasts.rows import people_make

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 50
TEXT = "id,login\n" + "".join(f"{n},u{n}\n" for n in range(1, PEOPLE + 11)) + "seven,u7\n"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large, and pieces of it, small enough for a test."""
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 64)
    monkeypatch.setattr(imports, "BATCH", 20)


def kept(body: str = TEXT, **given: Any) -> Upload:
    people_make(PEOPLE)
    content = body.encode()
    about = {"size": len(content), "source": "winter.csv", **given}
    return upload_keep("Winter", io.BytesIO(content), **about)


def test_the_content_comes_back_as_it_was_kept() -> None:
    row = kept()
    assert UploadChunk.objects.count() > 5
    with io.BufferedReader(ChunkFile(row.pk)) as file:
        assert file.read() == TEXT.encode()
        assert file.tell() == row.size


def test_a_job_makes_the_list_and_nothing_of_the_file_stays() -> None:
    row = kept()
    kind, progress = operation_find(row.pk)
    assert (kind.name, progress.stage, list(progress.actions)) == (
        "import", Stage.WAITING, ["cancel"],
    )  # fmt: skip
    drain()
    row.refresh_from_db()
    audience = Audience.objects.get()
    assert (row.state, row.audience_id) == ("done", audience.pk)
    assert (audience.name, audience.members, audience.rejected) == ("Winter", PEOPLE, 11)
    assert not UploadChunk.objects.exists()
    _, progress = operation_find(row.pk)
    assert (progress.stage, progress.total, progress.done, progress.skipped) == (
        Stage.OVER, PEOPLE + 11, PEOPLE, 11,
    )  # fmt: skip
    assert {(each.text, each.count) for each in progress.reasons} == {
        ("Nobody we know has this user_id and login", 10),
        ("User_id is no number", 1),
    }
    assert str(audience.pk) in progress.link


def test_reasons_say_that_they_are_those_of_the_first_rejects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "REJECTS_KEPT", 4)
    row = kept()
    drain()
    (reason,) = operation_find(row.pk)[1].reasons
    assert reason.text.endswith("(among the first 4 of them)")
    assert reason.count == 4


def test_what_the_first_lines_show_to_be_wrong_is_refused_at_the_door() -> None:
    with pytest.raises(FileInvalid, match="no column says who it is"):
        kept("plan,city\npro,x\n")
    assert not Upload.objects.exists()


def test_a_file_that_turns_out_to_be_no_list_fails_with_the_reason() -> None:
    why = "line 62 holds a NUL character"
    row = kept(TEXT.replace("seven", "sev\x00en"))
    drain()
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", why)
    assert not Audience.objects.exists()
    assert not UploadChunk.objects.exists()
    _, progress = operation_find(row.pk)
    assert progress.stage is Stage.OVER
    assert progress.note == "Line 62 holds a NUL character. Nothing was kept."


def test_a_killed_import_leaves_nothing_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    row = kept()
    real, calls = uploads._report, []

    def dies(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise ConnectionError("killed")
        real(*given)

    monkeypatch.setattr(uploads, "_report", dies)
    with pytest.raises(ConnectionError):
        upload_import(row.pk)
    assert not Audience.objects.exists()
    assert not AudienceMember.objects.exists()
    result = upload_import(row.pk)
    assert result is not None
    assert (result.members, Audience.objects.count()) == (PEOPLE, 1)


def test_two_workers_make_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    row = kept()
    real = uploads._end

    def overtaken(*given: Any, **changes: Any) -> None:
        monkeypatch.setattr(uploads, "_end", real)
        with ThreadPoolExecutor(1) as other:  # with a connection of its own
            other.submit(_import_and_leave, row).result(60)
        real(*given, **changes)

    monkeypatch.setattr(uploads, "_end", overtaken)
    outcome = job_perform("broadcasts.import_audience", upload_id=str(row.pk))
    assert isinstance(outcome, Cancel)
    row.refresh_from_db()
    assert Audience.objects.get().pk == row.audience_id
    assert AudienceMember.objects.count() == PEOPLE


def _import_and_leave(row: Upload) -> None:
    try:
        assert upload_import(row.pk) is not None
    finally:
        connection.close()


def test_a_cancel_holds_before_and_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    row = kept()
    job_id = assert_enqueued("broadcasts.import_audience").pk
    operation_act(row.pk, "cancel", by=User.objects.create_superuser("root"))
    assert job_state(job_id) == "cancelled"
    with pytest.raises(BroadcastSettled, match="cancelled already"):
        upload_cancel(upload_id=row.pk, by=None)
    assert not UploadChunk.objects.exists()
    assert isinstance(job_perform("broadcasts.import_audience", upload_id=str(row.pk)), Cancel)

    Upload.objects.update(state="running")
    monkeypatch.setattr(
        uploads, "_report", lambda *_: (_ for _ in ()).throw(JobCancelled("by a person"))
    )
    row = upload_keep("W", io.BytesIO(TEXT.encode()), size=len(TEXT), source="w.csv")
    with pytest.raises(JobCancelled):
        upload_import(row.pk)
    assert not Audience.objects.exists()


def test_a_job_that_died_says_so_and_old_uploads_go() -> None:
    row = kept()
    Job.objects.filter(kind="broadcasts.import_audience").update(state="dead", last_error="poison")
    _, progress = operation_find(row.pk)
    assert (progress.stage, progress.state) == (Stage.OVER, "failed")
    assert "ended without a result" in progress.note
    assert uploads_forget() == 0
    with clock.shift(timedelta(days=8)):
        assert uploads_forget() == 1
    assert not UploadChunk.objects.exists()


def test_a_large_file_over_rest_is_taken_in_and_told(
    account: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.broadcasts.api.audiences.AT_ONCE_BYTES", 100)
    people_make(PEOPLE)
    user = account("machine", "broadcasts.add_audience", "broadcasts.view_audience")
    token = token_issue(account=user, lifetime=timedelta(days=1)).token
    api = Client(headers={"Authorization": f"Bearer {token}"})
    file = SimpleUploadedFile("w.csv", TEXT.replace("id,login", "wer,wie").encode())
    url = "/v1/admin/notifications/audiences"
    answer = api.post(url, {"name": "Winter", "file": file, "user_id": "wer", "login": "wie"})
    body = answer.json()
    assert (answer.status_code, body["state"], body["result"]) == (202, "waiting", None)
    assert api.get(body["progress"]).json()["stage"] == "waiting"
    drain()
    shown = api.get(f"{url}/imports/{body['import_id']}").json()
    assert (shown["state"], shown["result"]["members"]) == ("done", PEOPLE)
    assert shown["result"]["mapping"] == {"user_id": "wer", "login": "wie"}
    assert api.get(f"{url}/imports/{user.pk:032x}").status_code == 404


def test_a_large_file_in_the_console_leads_to_its_progress_and_to_the_list(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.broadcasts.admin.audiences.AT_ONCE_BYTES", 100)
    people_make(PEOPLE)
    file = SimpleUploadedFile("w.csv", TEXT.encode())
    answer = alice.post(to("upload", model="audience"), {"file": file, "name": "Winter"})
    row = Upload.objects.get()
    assert answer["Location"] == f"/progress/{row.pk}"
    assert "Import of Winter" in alice.get(answer["Location"]).content.decode()
    assert "Winter" in text(alice.get(to(model="audience")))
    drain()
    page = alice.get(answer["Location"]).content.decode()
    assert f"{PEOPLE} people are in the list." in page

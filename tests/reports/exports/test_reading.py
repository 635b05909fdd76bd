"""How the rows are read: by chunks along the key, and nothing that comes meanwhile."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.exports import reading
from reports.exports.reading import Selection, chunks, key_bounds, rows_estimate, share_done
from reports.exports.services import export_order
from reports.exports.sources import SOURCES
from tests.reports.exports.rows import act, payment, subscriber


def selection(name: str) -> Selection:
    return Selection(SOURCES[name], {}, None, None, SOURCES[name].usual_columns, "csv")


def test_each_statement_reads_one_chunk_along_the_key(db: None) -> None:
    for number in range(5):
        subscriber(number)
    with CaptureQueriesContext(connection) as seen:
        sizes = [chunk.rows for chunk in chunks(selection("users"), size=2)]
    assert sizes == [2, 2, 1]
    copies = [query["sql"] for query in seen if "TO STDOUT" in query["sql"]]
    assert len(copies) == 3
    for number, query in enumerate(copies):
        assert query.rstrip().endswith("(FORMAT csv)")
        assert re.search(r"ORDER BY \S+ ASC LIMIT 2\)", query)
        assert ('"subscriber"."id" > ' in query) == (number > 0)
        assert "OFFSET" not in query


def test_a_chunk_is_small_whatever_is_exported() -> None:
    assert reading.CHUNK <= 5_000


def test_what_comes_after_the_order_is_left_out(db: None) -> None:
    for _ in range(3):
        payment()
    found = 0
    for chunk in chunks(selection("payments"), size=1):
        found += chunk.rows
        payment()
    assert found == 3


def test_a_row_that_goes_meanwhile_shifts_nobody(db: None) -> None:
    rows = [act(f"a{number}") for number in range(6)]
    names = []
    for chunk in chunks(selection("audit"), size=2):
        names.append(chunk.body)
        rows[1].delete() if len(names) == 1 else None
    text = b"".join(names).decode()
    assert [f"a{number}" in text for number in range(6)] == [True] * 6


def test_how_far_it_is_follows_from_the_key(db: None) -> None:
    first, last = act(), act()
    bounds = key_bounds(SOURCES["audit"], SOURCES["audit"].rows({}, None, None))
    assert bounds == (first.pk, last.pk)
    assert share_done((100, 200), "150") == 0.5
    assert share_done((100, 200), "200") == 1.0
    assert share_done((7, 7), "7") == 1.0
    assert share_done(None, "x") is None
    one, two = payment(), payment()
    assert share_done((one.pk, two.pk), str(two.pk)) == 1.0
    assert key_bounds(SOURCES["servers"], SOURCES["servers"].rows({}, None, None)) is None


def test_an_estimate_counts_nothing(db: None) -> None:
    act()
    with CaptureQueriesContext(connection) as seen:
        assert rows_estimate(selection("audit")) >= 0
    (query,) = [each["sql"] for each in seen]
    assert query.startswith("EXPLAIN (FORMAT json)")
    assert "count(" not in query.lower()


def test_an_order_reads_no_row(db: None) -> None:
    with CaptureQueriesContext(connection) as seen:
        export_order(type="users")
    assert [query["sql"] for query in seen if 'FROM "subscriber"' in query["sql"]] == []

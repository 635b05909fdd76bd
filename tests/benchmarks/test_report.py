"""The arithmetic and the pages of benchmarks.report."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import Measurement
from benchmarks.report import fastest_peer, jobs_table, per_second, ratio, to_markdown, write_table

pytestmark = pytest.mark.unit
FACTS = {"cores": "2", "Python": "3.11.7"}
TODAY = date(2026, 11, 22)


def measurement_make(name: str, rate: float, **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "name": name,
        "peer": True,
        "jobs": 1000,
        "workers": 2,
        "seconds": 1000 / rate,
        "rate": rate,
        "runs": (rate,),
        "settle_s": 0.0,
        "others_cores": (0.0,),
        "enqueue_rate": 4000.0,
        "bulk_enqueue_rate": None,
        "promise": "At least once.",
        "settings": "2 processes.",
        "versions": {name: "1.0"},
    }
    return Measurement(**(values | changes))


def test_the_fastest_peer_is_the_measure_even_if_ours_is_faster() -> None:
    ours = measurement_make("ours", 10_000, peer=False)
    slow, fast = measurement_make("slow", 1000), measurement_make("fast", 4000)

    fastest = fastest_peer([slow, ours, fast])

    assert fastest is fast
    assert ratio(ours, fastest) == 2.5
    assert ratio(slow, fastest) == 0.25
    assert ratio(fast, fastest) == 1.0


def test_without_a_peer_there_is_no_ratio() -> None:
    ours = measurement_make("ours", 10_000, peer=False)

    assert fastest_peer([ours]) is None
    assert ratio(ours, None) is None
    assert jobs_table([ours]).rows[0][2] == "-"


def test_rows_come_fastest_first_with_spread_and_ratio() -> None:
    table = jobs_table(
        [
            measurement_make("slow", 1000, runs=(900.0, 1000.0, 1200.0), default_rate=500.0),
            measurement_make("ours", 10_000, peer=False, bulk_enqueue_rate=25_000.0),
            measurement_make("fast", 4000, others_cores=(0.1, 0.9)),
        ]
    )
    by_column = [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    assert [row["product"] for row in by_column] == ["ours", "fast", "slow"]
    assert [row["x fastest peer"] for row in by_column] == ["2.50", "1.00", "0.25"]
    assert by_column[0]["bulk enqueue/s"] == "25,000"
    assert by_column[1]["others' cores"] == "0.1 to 0.9"
    assert by_column[2]["min to max"] == "900 to 1,200"
    assert by_column[2]["as shipped, jobs/s"] == "500"


def test_the_page_has_one_cell_per_column_and_the_facts_of_the_machine() -> None:
    table = jobs_table([measurement_make("fast", 4000)], notes=("How it was done.",))

    page = to_markdown(table, FACTS, TODAY)

    lines = page.splitlines()
    assert lines[0] == "# No-op jobs per second, 2026-11-22"
    widths = {line.count("|") for line in lines if line.startswith("|")}
    assert widths == {len(table.columns) + 1}
    assert "- How it was done." in lines
    assert "- **fast** (fast 1.0): 2 processes. At least once." in lines
    assert lines[-1] == "Machine: cores 2; Python 3.11.7."


def test_both_files_tell_the_same_and_a_second_run_replaces_them(tmp_path: Path) -> None:
    first = jobs_table([measurement_make("fast", 1000)])
    second = jobs_table([measurement_make("fast", 4000), measurement_make("slow", 1000)])

    write_table(first, FACTS, folder=tmp_path / "results", today=TODAY)
    page, values = write_table(second, FACTS, folder=tmp_path / "results", today=TODAY)

    assert (page.name, values.name) == ("2026-11-22-jobs.md", "2026-11-22-jobs.json")
    content = json.loads(values.read_text())
    assert content["machine"] == FACTS
    assert [(one["name"], one["ratio"]) for one in content["figures"]] == [
        ("fast", 1.0),
        ("slow", 0.25),
    ]
    assert page.read_text() == to_markdown(second, FACTS, TODAY)
    assert len(list((tmp_path / "results").iterdir())) == 2


@pytest.mark.parametrize(
    ("rate", "text"), [(None, "-"), (0.4, "0"), (999.6, "1,000"), (12_345.6, "12,346")]
)
def test_rates_are_whole_numbers_with_commas(rate: float | None, text: str) -> None:
    assert per_second(rate) == text

"""Tables of figures as Markdown and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from benchmarks.harness import Measurement

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """What a suite hands back: ready text for people, plain values for programs."""

    suite: str  # names the file
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    figures: tuple[dict[str, object], ...]


def fastest_peer(measurements: Sequence[Measurement]) -> Measurement | None:
    """The peer with the highest rate; None when no peer was measured."""
    return max((one for one in measurements if one.peer), key=lambda one: one.rate, default=None)


def ratio(measurement: Measurement, fastest: Measurement | None) -> float | None:
    """The rate as a multiple of the fastest peer's."""
    return None if fastest is None else measurement.rate / fastest.rate


def jobs_table(measurements: Sequence[Measurement], *, notes: Sequence[str] = ()) -> Table:
    """Lay out the measurements of the jobs suite, fastest first."""
    fastest = fastest_peer(measurements)
    ordered = sorted(measurements, key=lambda one: -one.rate)
    return Table(
        suite="jobs",
        title="No-op jobs per second",
        columns=(
            *("product", "jobs/s", "x fastest peer", "min to max", "runs", "jobs", "seconds"),
            *(
                "settled after",
                "others' cores",
                "as shipped, jobs/s",
                "enqueue/s",
                "bulk enqueue/s",
            ),
        ),
        rows=tuple(_jobs_row(one, fastest) for one in ordered),
        notes=(*notes, *(_words(one) for one in ordered)),
        figures=tuple({**asdict(one), "ratio": ratio(one, fastest)} for one in ordered),
    )


def to_markdown(table: Table, facts: Mapping[str, str], today: date) -> str:
    """Render the whole page; the first line is the title with the date."""
    lines = [f"# {table.title}, {today.isoformat()}", ""]
    lines += [_line(table.columns), _line(["---"] * len(table.columns))]
    lines += [_line(row) for row in table.rows]
    lines += ["", *(f"- {note}" for note in table.notes)]
    lines += ["", "Machine: " + "; ".join(f"{key} {value}" for key, value in facts.items()) + "."]
    return "\n".join(lines) + "\n"


def write_table(
    table: Table, facts: Mapping[str, str], *, folder: Path, today: date, suffix: str = ""
) -> tuple[Path, Path]:
    """Write <date>-<suite><suffix>.md and .json; a second run on the same day replaces them."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{today.isoformat()}-{table.suite}{suffix}"
    page, values = folder / f"{stem}.md", folder / f"{stem}.json"
    page.write_text(to_markdown(table, facts, today))
    content = {
        "suite": table.suite,
        "date": today.isoformat(),
        "machine": dict(facts),
        "figures": list(table.figures),
    }
    values.write_text(json.dumps(content, indent=2) + "\n")
    return page, values


def per_second(rate: float | None) -> str:
    """1234.5 as "1,234"; None as a dash."""
    return NOTHING if rate is None else f"{rate:,.0f}"


def _jobs_row(one: Measurement, fastest: Measurement | None) -> tuple[str, ...]:
    multiple = ratio(one, fastest)
    return (
        one.name,
        per_second(one.rate),
        NOTHING if multiple is None else f"{multiple:.2f}",
        f"{per_second(min(one.runs))} to {per_second(max(one.runs))}",
        str(len(one.runs)),
        f"{one.jobs:,}",
        f"{one.seconds:.1f}",
        f"{one.settle_s:.1f} s",
        f"{min(one.others_cores):.1f} to {max(one.others_cores):.1f}",
        per_second(one.default_rate),
        per_second(one.enqueue_rate),
        per_second(one.bulk_enqueue_rate),
    )


def _words(one: Measurement) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in one.versions.items())
    return " ".join((f"**{one.name}** ({versions}): {one.settings} {one.promise}", *one.notes))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"

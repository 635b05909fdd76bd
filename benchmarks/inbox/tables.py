"""The table of the inbox suite: what was measured, beside its bar, and under which conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.inbox.push import SHAPES, Pushed, Shape
from benchmarks.report import Table

_Row = tuple[str, str, str]
NOTES = (
    "Server, clients, feeder, Redis and PostgreSQL share the two cores. 'Server' is the share of a "
    "core that the measured web process took (its own processor time, so the figure per core does not "
    "depend on who else wanted one); 'clients' the load generator; 'others' programs that are not the "
    "bench's, and the kernel's own threads, which write to the disk. PostgreSQL with fsync and "
    "synchronous_commit on; Redis with an append-only file synced every second; loopback.",
    "Every delivery is counted and checked: each message carries its number for its person, and a run "
    "is void if a socket got one twice, late, out of order or not at all.",
    "Push: one server process, frames of about 400 bytes, at most sixteen on their way to a socket; "
    "rounds are interleaved, the rate is the median. Steady: from just before the feeder hands it over "
    "until the client has parsed it, 1,000 a second to 500 people.",
    "Acks: rows in PostgreSQL, Redis, push, `notification.read` from the client, the read committed, "
    "`notification.read.ack` back; 500 people with a socket each. Per core is per second of processor "
    "time of the web process. Steady: 1,000 a second in calls of some people each; push is from before "
    "the INSERT until the client has parsed it.",
    "Taking in: POST /api/v1/notify with a token over kept connections, until 202; the rows are "
    "counted afterwards. One request x 1,000: one after the other. At 200/s a latency counts from when "
    "the request was due.",
    "Connections: a ticket for each socket, made beforehand; memory is the growth of the resident set, "
    "the processor share that of 25 s, so with one ping to each. Coming back: all sockets cut by a "
    "reset (or the server killed, -9, and started again), two messages to everybody while all are away, "
    "then all come with the stream_id and epoch they saw last, as fast as the listening queue takes "
    "them, while 500 messages a second go on; the time ends when everybody has everything missed.",
)


def inbox_table(found: Mapping[str, Any], stores: Mapping[str, str]) -> Table:
    """Rows of the parts that were measured."""
    rows: list[_Row] = []
    figures: list[dict[str, object]] = []
    notes = [
        *NOTES,
        f"Servers: {', '.join(f'{name} {number}' for name, number in stores.items())}.",
    ]
    for part, lay_out in (
        ("ingest", _ingest_rows), ("push", _push_rows), ("acks", _ack_rows),
        ("connections", _connection_rows),
    ):  # fmt: skip
        if part in found:
            rows += lay_out(found[part])
            figures.append({"part": part, "figures": _plain(found[part])})
    for name, why in found.get("missing", {}).items():
        rows.append((f"push: {name}", f"NOT MEASURED: {why}", ""))
    if "push" in found:
        notes += _words(found["push"])
    return Table(
        suite="inbox",
        title="Realtime inbox",
        columns=("measure", "value", "bar"),
        rows=tuple(rows),
        notes=tuple(notes),
        figures=tuple(figures),
    )


def _ingest_rows(parts: Mapping[str, Any]) -> list[_Row]:
    many, steady = parts["many"], parts["steady"]
    rates = {
        name: f"{parts[key]['rate']:,.0f}/s, p50 {parts[key]['p50_ms']:.0f} ms;"
        f" {_cores(parts[key]['cores'])}"
        for name, key in (("1 web process", "one_process"), ("2 web processes", "two_processes"))
    }
    return [
        (
            "notify, 1 request x 1,000 targets",
            f"p50 {many['p50_ms']:.0f}, p95 {many['p95_ms']:.0f}, max {many['max_ms']:.0f} ms;"
            f" {_cores(many['cores'])}",
            "p95 < 60 ms",
        ),
        *(
            (f"notify, single target, {name}", value, ">= 900/s, the better")
            for name, value in rates.items()
        ),
        (
            f"notify, single target at {steady['rate']:,.0f}/s, 1 web process",
            f"p50 {steady['p50_ms']:.1f}, p99 {steady['p99_ms']:.1f},"
            f" max {steady['max_ms']:.0f} ms; {_cores(steady['cores'])}",
            "p99 < 60 ms",
        ),
    ]


def _push_rows(pushed: Sequence[Pushed]) -> list[_Row]:
    rows: list[_Row] = []
    for shape in SHAPES:
        rows += [_push_row(one) for one in pushed if one.shape == shape]
        rows += _ratios(shape, [one for one in pushed if one.shape == shape])
    for one in pushed:
        if one.steady:
            waits = one.steady["waits"]
            value = f"p50 {waits['p50']:.2f}, p99 {waits['p99']:.1f}, max {waits['max']:.0f} ms"
            rows.append((f"push at 1,000/s: {one.pusher.name}", value, ""))
    return rows


def _push_row(one: Pushed) -> _Row:
    rates = [run["rate"] for run in one.runs]
    typical = min(one.runs, key=lambda run: abs(run["rate"] - one.rate))
    return (
        f"push, {one.shape.name}: {one.pusher.name}",
        f"{one.rate:,.0f} deliveries/s ({min(rates):,.0f} to {max(rates):,.0f}),"
        f" {one.per_core:,.0f} per core; {_cores(typical['cores'])}",
        "",
    )


def _ratios(shape: Shape, pushed: Sequence[Pushed]) -> list[_Row]:
    rows = []
    for ours in (one for one in pushed if not one.pusher.peer):
        for words, bar in (("Channels", ">= 4"), ("Node", ">= 1")):
            rivals = [one for one in pushed if one.pusher.name.startswith(words)]
            if rivals:
                best = max(rivals, key=lambda one: one.rate)
                times, per_core = ours.rate / best.rate, ours.per_core / best.per_core
                name = f"push, {shape.name}: {ours.pusher.name} to {best.pusher.name}"
                rows.append((name, f"{times:.2f} x (per core {per_core:.2f} x)", bar))
    return rows


def _ack_rows(acks: Mapping[str, Any]) -> list[_Row]:
    runs = sorted(acks["full"], key=lambda run: float(run["rate"]))
    typical, steady = runs[len(runs) // 2], acks["steady"]
    rows = [
        (
            "pushed, read, acknowledged",
            f"{typical['rate']:,.0f}/s; {_cores(typical['cores'])}",
            "",
        ),
        ("the same per core of the web process", f"{typical['per_core']:,.0f}/s", ">= 5,000/s"),
    ]
    for name, key in (("INSERT to screen", "waits"), ("read to ack", "ack_waits")):
        waits = steady[key]
        value = f"p50 {waits['p50']:.1f}, p99 {waits['p99']:.1f}, max {waits['max']:.0f} ms"
        rows.append((f"at 1,000/s over 500 sockets, {name}", value, "p50 < 5, p99 < 50 ms"))
    return rows


def _connection_rows(found: Mapping[str, Any]) -> list[_Row]:
    idle, people = found["idle"], f"{found['people']:,}"
    rows = [
        (f"{people} idle sockets, memory", f"{idle['kb_per_socket']:.1f} KB each", "<= 30 KB"),
        (
            f"{people} idle sockets, processor",
            f"{idle['cores']['server']:.1%} of a core; others {idle['cores']['others']:.2f}",
            "< 15 %",
        ),
    ]
    for name, key in (("cut", "cut"), ("server killed", "killed")):
        rush = found[key]
        value = (
            f"all recovered after {rush['seconds']:.1f} s, open after {rush['opened_s']:.1f} s;"
            f" {rush['missed']:,} missed, 0 lost; {_cores(rush['cores'])}"
        )
        rows.append((f"{people} clients come back, {name}", value, "< 15 s, none lost"))
    return rows


def _words(pushed: Sequence[Pushed]) -> list[str]:
    words = []
    for one in pushed:
        if one.shape == SHAPES[0]:
            versions = ", ".join(
                f"{name} {number}" for name, number in one.pusher.versions().items()
            )
            words.append(f"**{one.pusher.name}** ({versions}): {one.pusher.settings}")
    return words


def _cores(cores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in cores.items())


def _plain(part: Any) -> object:
    if not isinstance(part, list):
        return part
    return [
        {
            "product": one.pusher.name, "peer": one.pusher.peer, **asdict(one.shape),
            "rate": one.rate, "per_core": one.per_core, "runs": one.runs, "steady": one.steady,
            "versions": one.pusher.versions(),
        }
        for one in part
    ]  # fmt: skip

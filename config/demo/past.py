"""The last day, played by the real engine under a clock that is moved back: history with true
tracebacks, attempts and log lines. About a second for some hundreds of jobs."""

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from config.demo import tasks
from jobs import sql, stats
from jobs.engine.lane import Lane
from jobs.enqueue import enqueue_many
from jobs.history import days_prepare
from jobs.registry import JobKind
from lib import clock

DAY = timedelta(hours=23)  # less than a day: what ends is looked for among the last 24 hours
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
QUEUE = "demo"
WORKER = "demo-worker"
MISSPELT_EVERY = 20  # moments; not by dice, whose luck hangs on the hour of the day

Call = tuple[JobKind[Any], dict[str, Any]]


def past_play(seed: int = 7) -> int:
    """Fill the history. Returns how many tries were made. Each call fills again."""
    dice = random.Random(seed)  # noqa: S311 - data to look at
    lane = Lane("demo", WORKER, [QUEUE], None)
    tries = 0
    for number, back in enumerate(_moments()):
        with clock.shift(-back):
            calls = _calls(dice, round(1 + 8 * dice.random() * _busy()))
            if number % MISSPELT_EVERY == 0:
                calls.append((tasks.activate_subscription, {"user_id": number, "plan": "premum"}))
            tries += _play(lane, calls)
    return tries


def _moments() -> Iterator[timedelta]:
    """How long ago: every half hour of the day, then each minute of the last hour."""
    back = DAY
    while back > HOUR:
        yield back
        back -= HOUR / 2
    while back > MINUTE:
        yield back
        back -= MINUTE


def _busy() -> float:
    """0.3 in the small hours to 1 in the evening, as shops are."""
    return 0.3 + 0.7 * max(0.0, 1 - abs(19 - clock.now().hour) / 12)


def _calls(dice: random.Random, count: int) -> list[Call]:
    return [_call(dice) for _ in range(count)]


def _call(dice: random.Random) -> Call:
    user_id = dice.randrange(1, 5000)
    match dice.randrange(20):
        case 0 | 1:
            rows = [{"day": day, "amount": dice.randrange(90, 400)} for day in range(1, 8)]
            if dice.random() < 0.1:
                rows[4].pop("amount")
            return tasks.render_report, {"template": "weekly", "rows": rows}
        case 2:
            return tasks.ask_rates, {"currency": dice.choice(["EUR", "TRY", "RUB"])}
        case 3 | 4 | 5 | 6 | 7 | 8:
            return tasks.charge_card, {
                "user_id": user_id,
                "amount_cents": dice.choice(list(tasks.PLANS.values())),
            }
        case _:
            plan = dice.choice(list(tasks.PLANS))
            return tasks.activate_subscription, {"user_id": user_id, "plan": plan}


def _play(lane: Lane, calls: list[Call]) -> int:
    """Enqueue and run what belongs to this moment; move what Postgres' own clock has stamped."""
    newest = sql.rows("SELECT coalesce(max(id), 0), clock_timestamp() FROM jobs_jobstat")[0]
    days_prepare()
    enqueue_many(calls)
    tries = 0
    while found := lane.turn(threading.Event()):
        tries += found
    stats.flush()
    sql.run(
        "UPDATE jobs_jobstat SET at = date_trunc('minute', at + %s) WHERE id > %s",
        [clock.offset(), newest[0]],
    )
    sql.run(
        "UPDATE jobs_job SET started_at = started_at + %s WHERE queue = %s AND started_at >= %s",
        [clock.offset(), QUEUE, newest[1]],
    )
    return tries

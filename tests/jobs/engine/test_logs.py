"""What a job says is kept for its page; what it ends as is one line in the log."""

import logging
from typing import Any

import pytest

from jobs.context import MAX_LOG_CHARS, MAX_LOG_LINES, JobLogHandler
from jobs.ladders import Delays
from lib.context import correlation_id
from tests.jobs import play
from tests.jobs.conftest import Declare, Work

logger = logging.getLogger("tests.said")
logger.setLevel(logging.INFO)


def _messages(logs: Any) -> list[str]:
    return [line["message"] for line in logs or []]


def test_the_lines_of_a_job_are_kept_with_time_and_level(declare: Declare, work: Work) -> None:
    def act() -> None:
        logger.info("first %s", "line")
        logger.warning("second")

    made = declare(act).enqueue().id
    work()
    logs: Any = play.past(made).logs
    assert [(line["level"], line["message"]) for line in logs] == [
        ("INFO", "first line"), ("WARNING", "second"),
    ]  # fmt: skip
    assert logs[0]["at"] <= logs[1]["at"]


def test_the_lines_of_each_try_are_kept_apart(declare: Declare, work: Work) -> None:
    def act() -> None:
        logger.info("try")
        raise ValueError("no")

    made = declare(act, retry=Delays([0])).enqueue().id
    work()
    assert [_messages(tried.logs) for tried in play.tries(made)] == [["try"], ["try"]]


def test_a_job_that_says_nothing_keeps_nothing(declare: Declare, work: Work) -> None:
    made = declare().enqueue().id
    work()
    assert play.past(made).logs is None


def test_what_is_said_outside_of_a_job_is_not_kept(declare: Declare, work: Work) -> None:
    made = declare(lambda: logger.info("inside")).enqueue().id
    logger.info("before")
    work()
    logger.info("after")
    assert _messages(play.past(made).logs) == ["inside"]


def test_a_chatterbox_keeps_its_last_lines(declare: Declare, work: Work) -> None:
    def act() -> None:
        for n in range(MAX_LOG_LINES + 5):
            logger.info("%d%s", n, "x" * 2000)

    made = declare(act).enqueue().id
    work()
    kept = _messages(play.past(made).logs)
    assert (len(kept), kept[0][:2], len(kept[0])) == (MAX_LOG_LINES, "5x", MAX_LOG_CHARS)


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "\udcff", "\\u0000"],
    ids=["nul", "half a character", "written nul"],  # the ids travel between processes of pytest
)
def test_a_strange_line_does_no_harm(declare: Declare, work: Work, text: str) -> None:
    made = declare(lambda: logger.info("%s", text)).enqueue().id
    other = declare(name="tests.other").enqueue().id
    work()
    assert (play.state(made), play.state(other)) == ("completed", "completed")
    assert len(_messages(play.past(made).logs)) == 1


def test_a_line_that_cannot_be_written_does_no_harm(
    declare: Declare, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with every handler of logging: the mistake of who logs is not the failure of the job."""
    (keeper,) = (one for one in logging.root.handlers if isinstance(one, JobLogHandler))
    monkeypatch.setattr(logging.root, "handlers", [keeper])
    monkeypatch.setattr(logging, "raiseExceptions", False)
    made = declare(lambda: logger.info("%d", "no number")).enqueue().id
    work()
    assert play.state(made) == "completed"


def test_one_line_tells_how_a_job_ended(
    declare: Declare, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    def act(n: int) -> None:
        if n:
            raise ValueError("the reason")

    kind = declare(act, retry=Delays([0]))
    good, bad = kind.enqueue(n=0, correlation_id="c-1").id, kind.enqueue(n=1).id
    with caplog.at_level(logging.INFO, "jobs.engine"):
        work()
    lines = [vars(record) for record in caplog.records if record.name == "jobs.engine"]
    told = [
        (str(line["job_id"]), line["levelname"], line["outcome"], line["attempt"]) for line in lines
    ]
    assert sorted(told) == sorted(
        [
            (str(good), "INFO", "completed", 1), (str(bad), "WARNING", "retried", 1),
            (str(bad), "ERROR", "dead", 2),
        ]
    )  # fmt: skip
    completed = next(line for line in lines if line["outcome"] == "completed")
    assert (completed["kind"], completed["queue"], completed["correlation_id"]) == (
        "tests.kind", "default", "c-1",
    )  # fmt: skip
    assert completed["duration_ms"] >= 0
    assert completed["queue_ms"] >= 0
    assert (
        next(line for line in lines if line["outcome"] == "dead")["reason"]
        == "ValueError: the reason"
    )


def test_a_job_logs_and_calls_under_the_id_of_its_cause(declare: Declare, work: Work) -> None:
    seen: list[str] = []
    kind = declare(lambda: seen.append(correlation_id.get()))
    kind.enqueue(correlation_id="c-1")
    alone = kind.enqueue().id
    work()
    assert seen == ["c-1", alone.hex]
    assert correlation_id.get() == ""

"""Transactions that overlap: each in a thread, held open until the test lets it commit."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from jobs import sql
from tests.races.locks import waiting
from tests.races.together import LONG_S


class Party:
    """One transaction: `acted` when it has done its part, committed only after `commit`."""

    def __init__(self, pool: ThreadPoolExecutor, act: Callable[[], Any]) -> None:
        self.acted = threading.Event()
        self._may_commit = threading.Event()
        self._result: Future[Any] = pool.submit(self._run, act)

    def _run(self, act: Callable[[], Any]) -> Any:
        try:
            with transaction.atomic():
                result = act()
                self.acted.set()
                assert self._may_commit.wait(LONG_S), "nobody let it commit"
            return result
        finally:
            self.acted.set()  # or the test would wait for one that has failed
            connection.close()

    def wait(self) -> "Party":
        """Until it has acted."""
        assert self.acted.wait(LONG_S), "it is stuck"
        return self

    def wait_blocked(self) -> "Party":
        """Until it has acted, or waits for a lock of somebody else."""
        pause = threading.Event()
        while not self.acted.is_set() and not waiting():
            pause.wait(0.01)
        return self

    def commit(self) -> Any:
        """Let it commit. Returns or raises what came of its part."""
        self._may_commit.set()
        return self._result.result(LONG_S)


@contextmanager
def parties() -> Iterator[Callable[[Callable[[], Any]], Party]]:
    """Start them: with parties() as begin: first = begin(act)."""
    with ThreadPoolExecutor(8) as pool:
        begun: list[Party] = []

        def begin(act: Callable[[], Any]) -> Party:
            begun.append(Party(pool, act))
            return begun[-1]

        try:
            yield begin
        finally:
            for each in begun:
                each._may_commit.set()


@contextmanager
def without(function: str, *words: str, instead: str = "") -> Iterator[None]:
    """The control: a function of the database without some of its words, for the time of the block."""
    found = sql.row("SELECT pg_get_functiondef(%s::regproc)", [function])
    assert found is not None
    real = bare = str(found[0])
    for each in words:
        assert each in bare, each
        bare = bare.replace(each, instead)
    sql.run(bare.replace("%", "%%"))
    try:
        yield
    finally:
        sql.run(real.replace("%", "%%"))

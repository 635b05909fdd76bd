"""`python -m config.run`: everything of the Procfile side by side, for `make run`.

Starts servers only for what has no address, prepares the database, starts the processes, says where
to look and what to try once all answer. SIGINT (Ctrl-C), SIGTERM and SIGHUP stop everything.
"""

import json
import logging
import os
import signal
import sys
import time
from dataclasses import astuple
from http.client import HTTPException
from types import FrameType
from urllib.request import urlopen

from django.conf import settings

from config import embedded, env
from config.run.database import worker_ids
from config.run.plan import ROOT, Plan, PortTaken, make_plan
from config.run.supervisor import RunEnded, Supervisor
from config.run.terminal import Terminal
from config.run.welcome import welcome
from config.start import start

UP_WITHIN_S = 90.0
PATIENCE_S = 2.0  # with one answer
STOP_S = 10.0  # beyond the grace of the workers


class Run:
    """One `make run`, from its first line to its last."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.is_stopping = False
        self.terminal = Terminal(
            sys.stdout,
            settings.DATA_DIR / "logs",
            level=_screen_level(),
            quiet=("demo.", "demo-"),
            colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        )
        self.supervisor = Supervisor(ROOT, write=self._write, say=self.terminal.say)
        self._last_line = ""  # of prepare

    def run(self) -> int:
        """Returns the exit status: 0 after a stop that somebody asked for."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        status = 0
        try:
            self._go()
        except RunEnded as exc:
            self.terminal.say(f"\n{exc}. The end of its log:\n{self.terminal.tail(exc.name)}\n")
            status = 1
        finally:
            self.terminal.say("\nStopping ...")
            killed = self.supervisor.stop(_grace_s() + STOP_S)
            if killed:
                self.terminal.say(f"Killed, since it took too long: {', '.join(killed)}.")
            self.terminal.say("Stopped.")
            self.terminal.close()
        return status

    def _go(self) -> None:
        if self.plan.note:
            self.terminal.say(self.plan.note)
        if "sandbox" in self.plan.commands:
            self._start("sandbox")
        login = self._prepare()
        if self.is_stopping:
            return
        earlier = worker_ids(settings.DATABASE_URL)
        for name in self.plan.commands:
            if name != "sandbox":
                self._start(name)
        if self._wait_until_up(earlier):
            self.terminal.say(welcome(self.plan, login))
        while not self.is_stopping:
            self.supervisor.tick()

    def _start(self, name: str) -> None:
        self.supervisor.start(name, self.plan.commands[name], self.plan.environments[name])

    def _prepare(self) -> str:
        """Migrate and fill. Returns the sentence with the login. Raises RunEnded."""
        task = self.supervisor.start(
            "prepare", self.plan.prepare, self.plan.environments["prepare"], is_task=True
        )
        while task.status is None and not self.is_stopping:
            self.supervisor.tick()
        if self.is_stopping:
            return ""
        if task.status != 0:
            raise RunEnded("prepare", "The database could not be prepared")
        login: str = json.loads(self._last_line)["login"]
        return login

    def _wait_until_up(self, earlier: set[str]) -> bool:
        """earlier: workers that do not count. False: somebody asked for a stop meanwhile. Raises RunEnded."""
        deadline = time.monotonic() + UP_WITHIN_S
        while not self.is_stopping:
            self.supervisor.tick()
            if not is_web_ready(self.plan.url):
                late = "web"
            elif not worker_ids(settings.DATABASE_URL) - earlier:
                late = "worker"
            else:
                return True
            if time.monotonic() > deadline:
                raise RunEnded(late, f"{late} was not ready within {UP_WITHIN_S:.0f} s")
        return False

    def _write(self, name: str, line: str) -> None:
        if name == "prepare":
            self._last_line = line
            if line.startswith('{"login"'):
                return
        self.terminal.write(name, line)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.is_stopping = True


def is_web_ready(url: str) -> bool:
    """Whether /ready says yes."""
    try:
        with urlopen(f"{url}/ready", timeout=PATIENCE_S) as answer:  # noqa: S310 - http, ours
            return json.load(answer)["status"] in {"ready", "degraded"}
    except (HTTPException, OSError, ValueError):
        return False


def main() -> int:
    """Status 2 and one sentence when it cannot start."""
    # Whoever presses Ctrl-C waits; what is cut short runs again.
    os.environ["WORKER_GRACE"] = os.environ.get("WORKER_GRACE") or "2s"
    print("Switchboard starts ...", flush=True)
    try:
        start(servers=True)
        status = Run(make_plan()).run()
    except (PortTaken, env.SettingInvalid) as exc:
        print(exc, file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before our own handlers are there
        return 130
    if pids := [pid for pid in astuple(embedded.status(settings.DATA_DIR)) if pid]:
        words = [sys.executable, "-m", "config.run.farewell", str(status), *map(str, pids)]
        os.execv(sys.executable, words)  # noqa: S606 - ourselves
    return status


def _screen_level() -> int:
    """From WARNING on, unless LOG_LEVEL asks for something else."""
    chosen = settings.LOG_LEVEL if os.environ.get("LOG_LEVEL") else "WARNING"
    return logging.getLevelNamesMapping()[chosen]


def _grace_s() -> float:
    return float(settings.JOBS["grace"].total_seconds())


if __name__ == "__main__":
    sys.exit(main())

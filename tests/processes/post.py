"""Somebody who sends notifications all the time, to whichever pod takes them."""

import threading
from collections.abc import Callable, Sequence
from http.client import HTTPException

from tests.processes.pod import Pod
from tests.processes.sockets import Person
from tests.processes.waiting import until


class Post(threading.Thread):
    """`accepted` are the messages that were answered 202: nobody may miss one of them."""

    def __init__(
        self, pods: Callable[[], Sequence[Pod]], people: Sequence[Person], *, pace_s: float = 0.01
    ) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.refused = 0
        self._pods = pods
        self._people = people
        self._pace_s = pace_s
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        count = 0
        while not self._over.wait(self._pace_s):
            count += 1
            message = f"{self.name} {count}"
            pods = self._pods()
            targets = [{"id": user_id, "login": login} for user_id, login in self._people]
            body = {"target": targets, "message": message, "source": "post"}
            try:
                status, _ = pods[count % len(pods)].ask("POST", "/api/v1/notify", body)
            except (OSError, HTTPException):
                status = 0
            if status == 202:
                self.accepted.append(message)
            else:
                self.refused += 1

    def go_on(self, more: int = 30) -> None:
        """Return when so many more were taken."""
        aim = len(self.accepted) + more
        until(lambda: len(self.accepted) >= aim, f"{more} more are taken")

    def stop(self) -> list[str]:
        self._over.set()
        self.join(60)
        return self.accepted

"""`make client`: an inbox in the terminal. Prints what arrives and reads it after two seconds.

    DEV_USER_ID=2 DEV_LOGIN=bob make client

It comes back by itself when the server goes away (spread over time), says where it stopped, and gets
what it missed; reads that could not be sent wait. Ctrl-C ends it. docs/inbox-clients.md shows the
protocol; clients/place.py the variables.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from clients.backoff import Backoff
from clients.place import Place, place_read
from clients.reads import Reads

ACK_AFTER_S = 2.0
# The server takes 50 frames a second and drops the rest.
BURST = 20
BURST_EVERY_S = 0.5
STEADY_S = 5.0  # a connection that held so long was a good one
REFUSED = {4401: "it does not take this identity", 4403: "it does not take this origin"}
HINT = "Start it by `make run` (OPEN_IDENTITY=1), or give a token in DEV_TOKEN."


class Refused(Exception):
    """The server would say the same again."""


class InboxClient:
    """One connection after the other, for one person. say() gets every line that is to be seen."""

    def __init__(
        self,
        place: Place,
        *,
        ack_after_s: float = ACK_AFTER_S,
        device: str = "",
        say: Callable[[str], None] = print,
    ) -> None:
        self.place = place
        self.ack_after_s = ack_after_s
        self.device = device
        self.say = say
        self.reads = Reads()
        self._backoff = Backoff()
        self._cursor = 0  # position up to which nothing is missing
        self._epoch = ""
        self._follows = 0  # frames of the sync that are still to come
        self._last = 0  # where the sync will have brought us
        self._seen: dict[str, int] = {}  # notification id -> edition that was printed
        self._return_at = 0.0  # the server asked to come back then, by the loop's clock
        self._wake = asyncio.Event()
        self._acking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Stay connected until cancelled. Raises Refused."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._once()
            except (OSError, TimeoutError, InvalidHandshake, requests.RequestException) as exc:
                self._check_refusal(exc)
                why = f"no connection to {self.place.url}: {exc}"
            except ConnectionClosed as exc:
                code = exc.rcvd.code if exc.rcvd else 1006
                if code in REFUSED:
                    raise Refused(f"{self.place.url} says {code}: {REFUSED[code]}.") from exc
                why = f"the connection ended ({code}{_reason(exc)})"
            else:
                why = "the connection ended"
            if loop.time() - began > STEADY_S:
                self._backoff.reset()
            delay = max(self._backoff.next(), self._return_at - loop.time())
            self._tell("!", f"{why}; again in {delay:.1f} s")
            await asyncio.sleep(delay)

    @staticmethod
    def _check_refusal(exc: Exception) -> None:
        if isinstance(exc, InvalidStatus) and exc.response.status_code in {401, 403}:
            raise Refused(f"The server answers {exc.response.status_code}.") from exc
        if isinstance(exc, requests.HTTPError) and exc.response.status_code in {401, 403}:
            raise Refused(f"No ticket: the server answers {exc.response.status_code}.") from exc

    async def _once(self) -> None:
        query = await self._identity()
        if self.device:
            query["device"] = self.device
        if self._epoch and self._cursor:
            query |= {"stream_id": f"{self._cursor}-0", "epoch": self._epoch}
        address = f"{self.place.websocket_url}?{urlencode(query)}"
        async with connect(address, compression=None, max_size=None) as wire:
            sending = asyncio.create_task(self._send_reads(wire))
            try:
                async for text in wire:
                    self._hear(json.loads(text))
            finally:
                sending.cancel()
        if wire.close_code in REFUSED:
            raise Refused(f"The server says {wire.close_code}: {REFUSED[wire.close_code]}.")

    async def _identity(self) -> dict[str, str]:
        who: dict[str, Any] = {"user_id": self.place.user_id, "login": self.place.login}
        if not self.place.token:
            return {name: str(value) for name, value in who.items()}
        return {"ticket": await asyncio.to_thread(self._ticket, who)}

    def _ticket(self, who: dict[str, Any]) -> str:
        answer = requests.post(
            f"{self.place.url}/api/v1/ws-tickets", json=who, headers=self.place.headers, timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["ticket"])

    # What arrives

    def _hear(self, frame: dict[str, Any]) -> None:
        data = frame.get("data") or {}
        match frame["type"]:
            case "session":
                self._begin(data)
                return
            case "notification.push":
                self._pushed(data)
            case "notification.read.ack":
                mine = self.reads.done(data["notification_id"])
                self._tell("✓", f"read{'' if mine else ' elsewhere'}: {data['notification_id']}")
            case "notification.update":
                self._tell("~", f"changed: {data['message']}")
            case "notification.recall":
                self.reads.done(data["notification_id"])
                self._tell("-", f"{data['reason']}: {data['notification_id']}")
            case "notification.auto_cleared":
                self.reads.done(data["notification_id"])
                self._tell("-", f"expired unread: {data['notification_id']}")
            case "reconnect":
                loop = asyncio.get_running_loop()
                self._return_at = loop.time() + data.get("after_ms", 0) / 1000
                self._tell("!", "the server goes away soon")
                return
            case "error":
                self._refused_frame(data)
                return
            case _:
                return
        self._step(data)

    def _begin(self, data: dict[str, Any]) -> None:
        self._epoch = data["epoch"]
        self._last = _position(data.get("last_stream_id"))
        self._follows = data.get("follows", 0)
        self._return_at = 0.0
        if not data["recovered"]:
            self._cursor = 0
        if not self._follows:
            self._cursor = max(self._cursor, self._last)
        how = f"{self._follows} missed" if data["recovered"] else f"{data['unread']} unread"
        self._tell("=", f"connected as {self.place.name}: {how}")
        self.reads.again()
        self._wake.set()

    def _step(self, data: dict[str, Any]) -> None:
        """The cursor moves when nothing before it can be missing."""
        if self._follows:
            self._follows -= 1
            if not self._follows:
                self._cursor = max(self._cursor, self._last)
        else:
            position = data.get("position") or data.get("stream_id")
            self._cursor = max(self._cursor, _position(position))

    def _pushed(self, data: dict[str, Any]) -> None:
        notification_id, edition = data["notification_id"], data.get("edition", 1)
        if self._seen.get(notification_id) != edition:
            self._seen[notification_id] = edition
            sign = {"unread": "●", "auto_cleared": "×"}.get(data["status"], "○")
            self._tell(sign, f"{data['source']}: {data['message']}  [{data['status']}]")
        if data["status"] == "unread" and notification_id not in self.reads:
            task = asyncio.create_task(self._read_later(notification_id))
            self._acking.add(task)
            task.add_done_callback(self._acking.discard)

    def _refused_frame(self, data: dict[str, Any]) -> None:
        if data["code"] == "slow_down":
            self.reads.again()
            self._wake.set()
        elif data.get("notification_id"):
            self.reads.done(data["notification_id"])
        self._tell("!", f"{data['code']}: {data['message']}")

    # What is sent

    async def _read_later(self, notification_id: str) -> None:
        await asyncio.sleep(self.ack_after_s)
        self.reads.add(notification_id)
        self._wake.set()

    async def _send_reads(self, wire: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while taken := self.reads.take(BURST):
                for notification_id in taken:
                    data = {"notification_id": notification_id}
                    await wire.send(json.dumps({"type": "notification.read", "data": data}))
                await asyncio.sleep(BURST_EVERY_S)

    def _tell(self, sign: str, text: str) -> None:
        self.say(f"{datetime.now().astimezone():%H:%M:%S} {sign} {text}")


def _position(stream_id: str | None) -> int:
    return int((stream_id or "0").partition("-")[0] or 0)


def _reason(exc: ConnectionClosed) -> str:
    return f" {exc.rcvd.reason}" if exc.rcvd and exc.rcvd.reason else ""


def _ack_after_s() -> float:
    text = os.environ.get("DEV_ACK_S") or str(ACK_AFTER_S)
    try:
        return max(0.0, float(text))
    except ValueError:
        raise SystemExit(f"DEV_ACK_S must be a number of seconds, and is {text!r}.") from None


def main() -> None:
    """Run until Ctrl-C. Status 1 and a sentence if the server refuses us for good."""
    place, ack_after_s = place_read(), _ack_after_s()
    device = os.environ.get("DEV_DEVICE") or f"terminal on {socket.gethostname()}"[:80]

    async def listen() -> None:
        await InboxClient(
            place, ack_after_s=ack_after_s, device=device, say=lambda line: print(line, flush=True)
        ).run()

    try:
        asyncio.run(listen())
    except KeyboardInterrupt:
        print()
    except Refused as exc:
        raise SystemExit(f"{exc} {HINT}") from None


if __name__ == "__main__":
    main()

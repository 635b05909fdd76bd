"""`make sender`: send notifications to one person.

    DEV_USER_ID=2 DEV_LOGIN=bob make sender ARGS='"The shop is open" --count 10 --interval 0.5'

Each carries an Idempotency-Key, so that a try whose answer got lost may be repeated. Status 1 and a
sentence if the server refuses.
"""

import argparse
import os
import time
from uuid import uuid4

import requests

from clients.backoff import Backoff
from clients.place import Place, place_read

TRIES = 6
TIMEOUT_S = 10


class Refused(Exception):
    """The server would say the same again."""


def send(place: Place, *, message: str, source: str, session: requests.Session) -> str:
    """Send one and return its notification_id. Tries again for about half a minute. Raises Refused."""
    body = {
        "target": [{"id": place.user_id, "login": place.login}],
        "message": message,
        "source": source,
    }
    headers = {**place.headers, "Idempotency-Key": str(uuid4())}
    backoff, trouble = Backoff(), ""
    for left in reversed(range(TRIES)):
        try:
            answer = session.post(
                f"{place.url}/api/v1/notify", json=body, headers=headers, timeout=TIMEOUT_S
            )
        except requests.RequestException as exc:
            trouble = str(exc)
        else:
            if answer.ok:
                return str(answer.json()["results"][0]["notification_id"])
            trouble = f"{answer.status_code} {_detail(answer)}"
            if answer.status_code < 500 and answer.status_code not in {409, 429}:
                raise Refused(trouble)
        if left:
            time.sleep(backoff.next())
    raise Refused(f"gave up after {TRIES} tries: {trouble}")


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sender", description="Send notifications.")
    parser.add_argument("message", nargs="?", default=os.environ.get("DEV_MESSAGE") or "Hello")
    count, interval = os.environ.get("DEV_COUNT") or "1", os.environ.get("DEV_INTERVAL_S") or "1"
    parser.add_argument("--count", type=int, default=count, help="how many (1)")
    parser.add_argument("--interval", type=float, default=interval, help="seconds between (1)")
    parser.add_argument("--source", default=os.environ.get("DEV_SOURCE") or "make-sender")
    return parser.parse_args()


def main() -> None:
    """Send what the command line and the environment say."""
    place, options = place_read(), _options()
    with requests.Session() as session:
        for number in range(1, options.count + 1):
            if number > 1:
                time.sleep(max(0.0, options.interval))
            text = f"{options.message} {number}" if options.count > 1 else options.message
            try:
                made = send(place, message=text, source=options.source, session=session)
            except Refused as exc:
                raise SystemExit(f"{place.url}: {exc}") from None
            print(f"{made}  to {place.name}: {text}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()

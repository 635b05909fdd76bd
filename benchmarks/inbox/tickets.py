"""python -m benchmarks.inbox.tickets PEOPLE: print a ticket for each of a JSON list of people.

As POST /api/v1/ws-tickets makes them; here without the request, for ten thousand at once.
"""

import json
import sys

import django


def main(people: list[int]) -> None:
    """Print a JSON list of texts."""
    django.setup()
    from notifications.inbox.tickets import ticket_issue

    print(json.dumps([ticket_issue(user_id=number, login=f"u{number}")[0] for number in people]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

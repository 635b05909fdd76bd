"""Traffic by day, node and user. UTC days; only what was used is kept."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

HISTORY_DAYS = 400


class Usage:
    """Bytes per day and node, and of them per user."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._nodes: defaultdict[date, Counter[str]] = defaultdict(Counter)
        self._users: defaultdict[tuple[date, str], Counter[int]] = defaultdict(Counter)

    def add(self, at_ms: int, node_uuid: str, size: int, user_id: int | None = None) -> None:
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date()
        self._nodes[day][node_uuid] += size
        if user_id is not None:
            self._users[day, node_uuid][user_id] += size

    def of_node(self, days: list[date], node_uuid: str) -> list[int]:
        return [self._nodes[day][node_uuid] if day in self._nodes else 0 for day in days]

    def by_user(self, days: list[date], node_uuid: str) -> Counter[int]:
        """Bytes of a node's users over some days."""
        total: Counter[int] = Counter()
        for day in days:
            total.update(self._users.get((day, node_uuid), {}))
        return total

    def of_user(self, days: list[date], node_uuid: str, user_id: int) -> list[int]:
        used = [self._users.get((day, node_uuid)) for day in days]
        return [counts[user_id] if counts else 0 for counts in used]

    def lifetime_bytes(self) -> int:
        return sum(counts.total() for counts in self._nodes.values())

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Day, node, user and bytes, for a file; user 0 is the node's total of the day."""
        nodes = [
            (day.isoformat(), uuid, 0, size)
            for day, counts in self._nodes.items()
            for uuid, size in counts.items()
        ]
        users = [
            (day.isoformat(), uuid, user_id, size)
            for (day, uuid), counts in self._users.items()
            for user_id, size in counts.items()
        ]
        return nodes + users

    def load(self, rows: list[tuple[str, str, int, int]]) -> None:
        self.reset()
        for text, uuid, user_id, size in rows:
            day = date.fromisoformat(text)
            if user_id:
                self._users[day, uuid][user_id] = size
            else:
                self._nodes[day][uuid] = size


def days_between(first: date, last: date) -> list[date]:
    """Both included; at most HISTORY_DAYS."""
    span = min((last - first).days, HISTORY_DAYS)
    return [first + timedelta(days=number) for number in range(span + 1)]

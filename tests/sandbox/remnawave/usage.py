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


def days_between(first: date, last: date) -> list[date]:
    """Both included; at most HISTORY_DAYS."""
    span = min((last - first).days, HISTORY_DAYS)
    return [first + timedelta(days=number) for number in range(span + 1)]

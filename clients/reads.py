"""Reads that the server has not confirmed yet."""


class Reads:
    """Notification ids in order, each once; an id stays until done(). Reads are idempotent."""

    def __init__(self) -> None:
        self._is_sent: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._is_sent)

    def __contains__(self, notification_id: str) -> bool:
        return notification_id in self._is_sent

    def add(self, notification_id: str) -> None:
        """Queue one. Safe to repeat."""
        self._is_sent.setdefault(notification_id, False)

    def done(self, notification_id: str) -> bool:
        """The server knows of it. Returns whether it was one of ours."""
        return self._is_sent.pop(notification_id, None) is not None

    def again(self) -> None:
        """A new connection: whatever is not confirmed goes out again."""
        self._is_sent = dict.fromkeys(self._is_sent, False)

    def take(self, most: int) -> list[str]:
        """Up to `most` ids to send now; they count as sent."""
        taken = [each for each, is_sent in self._is_sent.items() if not is_sent][:most]
        self._is_sent |= dict.fromkeys(taken, True)
        return taken

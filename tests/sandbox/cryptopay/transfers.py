"""Money that goes out: accepted once per spend_id of an app."""

from typing import Any


class TransferBook:
    """The transfers of all apps, and the users who never opened the bot."""

    def __init__(self) -> None:
        self._latest_id = 550_000
        self.reset()

    def reset(self) -> None:
        self._made: dict[tuple[int, str], dict[str, Any]] = {}
        self.strangers: set[int] = set()

    def is_known(self, app_id: int, spend_id: str) -> bool:
        return (app_id, spend_id) in self._made

    def add(self, app_id: int, spend_id: str, transfer: dict[str, Any]) -> dict[str, Any]:
        """Keep a transfer and give it its id. Its spend_id shows in lists only."""
        self._latest_id += 1
        made = {"transfer_id": self._latest_id, **transfer}
        self._made[app_id, spend_id] = made
        return made

    def rows(self) -> dict[str, Any]:
        """All of it, for a file."""
        made = [(app_id, spend_id, each) for (app_id, spend_id), each in self._made.items()]
        return {"latest_id": self._latest_id, "made": made, "strangers": sorted(self.strangers)}

    def load(self, rows: dict[str, Any], *, id_gap: int) -> None:
        self._latest_id = rows["latest_id"] + id_gap
        self._made = {(app_id, spend_id): each for app_id, spend_id, each in rows["made"]}
        self.strangers = set(rows["strangers"])

    def of(self, app_id: int) -> list[dict[str, Any]]:
        """The newest first."""
        return [
            {**made, "spend_id": spend_id}
            for (owner, spend_id), made in reversed(self._made.items())
            if owner == app_id
        ]

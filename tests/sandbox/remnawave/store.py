"""All users, sorted by id, with indexes that are built when first asked for."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter

from tests.sandbox.remnawave.user import PanelUser, Status

_ID = attrgetter("id")


class Index:
    """Users by a key. Built by the first look-up: a million users that nobody asks for cost none."""

    def __init__(self, key: Callable[[PanelUser], Hashable | None]) -> None:
        self._key = key
        self._found: dict[Hashable, PanelUser | list[PanelUser]] | None = None

    def forget(self) -> None:
        self._found = None

    def find(self, users: Iterable[PanelUser], value: Hashable) -> list[PanelUser]:
        """Those with this key, by id."""
        if self._found is None:
            self._found = {}
            for user in users:
                self.add(user)
        found = self._found.get(value)
        if found is None:
            return []
        return sorted(found, key=_ID) if isinstance(found, list) else [found]

    def add(self, user: PanelUser) -> None:
        if self._found is None or (key := self._key(user)) is None:
            return
        present = self._found.get(key)
        if present is None:
            self._found[key] = user
        elif isinstance(present, list):
            present.append(user)
        else:
            self._found[key] = [present, user]

    def remove(self, user: PanelUser) -> None:
        if self._found is None or (key := self._key(user)) is None:
            return
        present = self._found[key]
        if isinstance(present, list):
            present.remove(user)
        else:
            del self._found[key]


class UserStore:
    """One event loop uses it, so it needs no lock. Ids only grow."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.rows: list[PanelUser] = []
        self.next_id = 1
        self._username = Index(attrgetter("username"))
        self._telegram = Index(attrgetter("telegram_id"))
        self._short_uuid = Index(lambda user: user.keys().short_uuid)
        self._uuid = Index(attrgetter("uuid"))

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, user: PanelUser) -> None:
        """Append a user whose id is next_id or above."""
        self.rows.append(user)
        self.next_id = user.id + 1
        for index in self._indexes():
            index.add(user)

    def extend(self, users: Iterable[PanelUser]) -> None:
        """Append many; indexes are built again when they are asked for."""
        self.rows.extend(users)
        self.next_id = self.rows[-1].id + 1 if self.rows else 1
        for index in self._indexes():
            index.forget()

    def get(self, user_id: int) -> PanelUser | None:
        place = bisect_left(self.rows, user_id, key=_ID)
        if place < len(self.rows) and self.rows[place].id == user_id:
            return self.rows[place]
        return None

    def remove(self, user_ids: Iterable[int]) -> list[PanelUser]:
        """Remove users and return them; ids that nobody has are ignored."""
        gone = [user for user_id in set(user_ids) if (user := self.get(user_id)) is not None]
        for user in gone:
            for index in self._indexes():
                index.remove(user)
        if len(gone) == 1:
            del self.rows[bisect_left(self.rows, gone[0].id, key=_ID)]
        elif gone:
            numbers = {user.id for user in gone}
            self.rows = [user for user in self.rows if user.id not in numbers]
        return gone

    @contextmanager
    def rekeyed(self, user: PanelUser) -> Iterator[None]:
        """Keep the indexes true while a user's telegram id or keys change."""
        for index in self._indexes():
            index.remove(user)
        try:
            yield
        finally:
            for index in self._indexes():
                index.add(user)

    def newest(self, start: int, size: int) -> list[PanelUser]:
        """A page of the list that begins with the highest id."""
        end = len(self.rows) - max(start, 0)
        return self.rows[max(end - size, 0) : end][::-1] if end > 0 else []

    def after(self, user_id: int) -> Iterator[PanelUser]:
        """Users above an id, by id."""
        place = bisect_right(self.rows, user_id, key=_ID)
        return (self.rows[number] for number in range(place, len(self.rows)))

    def by_username(self, username: str) -> PanelUser | None:
        return next(iter(self._username.find(self.rows, username)), None)

    def by_short_uuid(self, short_uuid: str) -> PanelUser | None:
        return next(iter(self._short_uuid.find(self.rows, short_uuid)), None)

    def by_uuid(self, uuid: str) -> PanelUser | None:
        return next(iter(self._uuid.find(self.rows, uuid)), None)

    def by_telegram_id(self, telegram_id: int) -> list[PanelUser]:
        return self._telegram.find(self.rows, telegram_id)

    def status_counts(self) -> dict[str, int]:
        counts = Counter(user.status for user in self.rows)
        return {status.value: counts[status] for status in Status}

    def _indexes(self) -> tuple[Index, ...]:
        return self._username, self._telegram, self._short_uuid, self._uuid

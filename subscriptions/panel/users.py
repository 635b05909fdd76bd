"""Calls about single users. Source: contract, sections 3, 4 and 6."""

import json
from collections.abc import Iterable
from typing import Any, Unpack
from urllib.parse import quote
from uuid import UUID

from subscriptions.panel.dialects import Dialect
from subscriptions.panel.errors import PanelHeld, PanelMissing, PanelRefused, PanelUnknown
from subscriptions.panel.line import Ask, PanelLine, nothing
from subscriptions.panel.types import Device, PanelUser, Squad, UserFields, UserPage
from subscriptions.panel.users_wire import (
    devices_read,
    fields_write,
    page_read,
    squads_read,
    stream_read,
    user_read,
    users_read,
)

PAGE = 1000  # the most that the panel gives at once
_OLDEST_FIRST = json.dumps([{"id": "id", "desc": False}])
_ALREADY = {"enable": "A030", "disable": "A029"}


class UserCalls(PanelLine):
    """Every method makes one request (for panels of v2 sometimes one more, for the uuid)."""

    def user(self, panel_id: int) -> PanelUser:
        """One user. Raises PanelMissing: the proof that it is gone."""

        def make(dialect: Dialect) -> Ask:
            below = "users/by-id" if dialect.keys_by_uuid else "users"
            return Ask("GET", f"{below}/{int(panel_id)}", "users/{id}")

        found = self._read(make, user_read)
        if (differs := self._mixed_up(panel_id, found)) is not None:
            raise PanelHeld(differs)
        return found

    def user_by_username(self, username: str) -> PanelUser:
        """The user of a name, which is unique and never changes. Raises PanelMissing."""
        path = f"users/by-username/{quote(username, safe='')}"
        return self._read(lambda _: Ask("GET", path, "users/by-username"), user_read)

    def user_by_short_uuid(self, short_uuid: str) -> PanelUser:
        """The user of a subscription link, which changes when it is revoked. Raises PanelMissing."""
        path = f"users/by-short-uuid/{quote(short_uuid, safe='')}"
        return self._read(lambda _: Ask("GET", path, "users/by-short-uuid"), user_read)

    def users_by_telegram_id(self, telegram_id: int) -> tuple[PanelUser, ...]:
        """All users of a Telegram account; often one, sometimes none or several."""

        def make(dialect: Dialect) -> Ask:
            if dialect.keys_by_uuid:
                path = f"users/by-telegram-id/{int(telegram_id)}"
                return Ask("GET", path, "users/by-telegram-id")
            params = {"telegramId": int(telegram_id), "size": PAGE}
            return Ask("GET", "users/stream", "users/stream", params)

        def parse(raw: Any) -> tuple[PanelUser, ...]:
            return users_read(raw) if isinstance(raw, list) else stream_read(raw).users

        return self._read(make, parse)

    def users_stream(self, cursor: str | None = None, *, size: int = PAGE) -> UserPage:
        """The next users by number, oldest first; v2.8 and up. Give next_cursor back as it came."""
        params = {"size": size} | ({} if cursor is None else {"cursor": cursor})
        return self._read(lambda _: Ask("GET", "users/stream", "users/stream", params), stream_read)

    def users_page(self, start: int, *, size: int = PAGE) -> UserPage:
        """Users from an offset on, oldest first; for v2.7.

        A user who is deleted meanwhile shifts the rest towards the start: overlap pages.
        """
        params = {"start": start, "size": size, "sorting": _OLDEST_FIRST}
        return self._read(lambda _: Ask("GET", "users", "users", params), page_read)

    def has_stream(self) -> bool:
        """Whether users_stream works with this panel."""
        return self._dialect().has_stream

    def user_create(self, username: str, **fields: Unpack[UserFields]) -> PanelUser:
        """Make a user; expire_at must be given. A repeat is refused by the name (A019)."""
        if "expire_at" not in fields:
            raise ValueError("a new user needs expire_at")
        body = {"username": username, **fields_write(fields)}
        return self._write(lambda _: Ask("POST", "users", "users create", json=body), user_read)

    def user_update(self, panel_id: int, **fields: Unpack[UserFields]) -> PanelUser:
        """Change a user and return it as it is then. Safe to repeat.

        The panel obeys with limits: DISABLED does nothing to an EXPIRED user; a future expire_at
        without status revives an EXPIRED one, but never a DISABLED one; a raised or lifted
        traffic limit revives a LIMITED one. So look at what comes back.
        """
        body = fields_write(fields)

        def make(dialect: Dialect) -> Ask:
            key = self._key(panel_id, dialect)
            named = {"uuid": key} if dialect.keys_by_uuid else {"id": panel_id}
            return Ask("PATCH", "users", "users update", json=named | body)

        return self._written(panel_id, self._write(make, user_read))

    def user_enable(self, panel_id: int) -> PanelUser:
        """Make a user ACTIVE, whatever it was; who expired or used up the traffic falls back soon.

        Safe to repeat.
        """
        return self._act(panel_id, "enable")

    def user_disable(self, panel_id: int) -> PanelUser:
        """Make a user DISABLED, also an expired one: a later extension will not revive it.

        Safe to repeat.
        """
        return self._act(panel_id, "disable")

    def user_reset_traffic(self, panel_id: int) -> PanelUser:
        """Set the used traffic to nothing; LIMITED becomes ACTIVE. A repeat resets again."""
        return self._act(panel_id, "reset-traffic")

    def user_revoke(self, panel_id: int) -> PanelUser:
        """Give a user a new link and new secrets; the old ones stop. A repeat does so again."""
        return self._act(panel_id, "revoke")

    def user_delete(self, panel_id: int) -> bool:
        """Delete a user for good. Safe to repeat: False, it was gone already."""

        def make(dialect: Dialect) -> Ask:
            return Ask("DELETE", f"users/{self._key(panel_id, dialect)}", "users delete")

        try:
            self._write(make, nothing)
        except PanelMissing:
            return False
        return True

    def user_devices(self, panel_id: int) -> tuple[Device, ...]:
        """The devices of a user."""

        def make(dialect: Dialect) -> Ask:
            return Ask("GET", f"hwid/devices/{self._key(panel_id, dialect)}", "hwid/devices")

        return self._read(make, devices_read)

    def squads(self) -> tuple[Squad, ...]:
        """All internal squads."""
        return self._read(lambda _: Ask("GET", "internal-squads", "internal-squads"), squads_read)

    def _act(self, panel_id: int, action: str) -> PanelUser:
        def make(dialect: Dialect) -> Ask:
            path = f"users/{self._key(panel_id, dialect)}/actions/{action}"
            return Ask("POST", path, f"users {action}")

        try:
            found = self._write(make, user_read)
        except PanelRefused as exc:
            if exc.code != _ALREADY.get(action):
                raise
            return self.user(panel_id)
        return self._written(panel_id, found)

    def _written(self, panel_id: int, found: PanelUser) -> PanelUser:
        if (differs := self._mixed_up(panel_id, found)) is not None:
            raise PanelUnknown(differs)
        return found

    def _mixed_up(self, panel_id: int, found: PanelUser) -> str | None:
        """The panel must answer about the user that was asked for: else all writes are held."""
        if found.id == panel_id:
            return None
        what = f"it answers about user {found.id} when asked for {panel_id}"
        self.contract.differs(what, mixes_up=True)
        return what

    def _key(self, panel_id: int, dialect: Dialect) -> str:
        """What names a user in a path. Raises PanelMissing if a panel of v2 does not know the id."""
        if not dialect.keys_by_uuid:
            return str(int(panel_id))
        return str(self._uuids([panel_id], is_needed=True)[panel_id])

    def _uuids(self, panel_ids: Iterable[int], *, is_needed: bool = False) -> dict[int, UUID]:
        """Uuids for a panel of v2: those that we know, and for the rest we ask, one by one."""
        wanted = list(panel_ids)
        known = dict(self._uuids_of(wanted))
        for panel_id in wanted:
            if panel_id in known:
                continue
            try:
                uuid = self.user(panel_id).uuid
            except PanelMissing:
                if is_needed:
                    raise
                continue
            if uuid is None:
                self.contract.differs("user.uuid is missing")
                raise PanelHeld("user.uuid is missing")
            known[panel_id] = uuid
        return known

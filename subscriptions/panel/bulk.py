"""Calls about up to 500 users at once. Source: contract, section 4, "Bulk".

The panel answers at once and works later; ids that it does not know and users that it fails at are
swallowed. So a bulk call proves nothing: `bulk_check` reads back.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Unpack
from uuid import UUID

from subscriptions.panel.dialects import Dialect
from subscriptions.panel.errors import PanelMissing
from subscriptions.panel.line import Ask, nothing
from subscriptions.panel.types import BulkCheck, PanelStatus, PanelUser, UserFields
from subscriptions.panel.users import PAGE, UserCalls
from subscriptions.panel.users_wire import fields_write

MOST = 500
_VISIT = 10  # users that are read in one turn
_DENSE = 20  # numbers between two users up to which reading all of them beats asking one by one


class BulkCalls(UserCalls):
    """One request each, all repeatable unless they say otherwise. Raises ValueError above 500 ids."""

    def bulk_update(self, panel_ids: Collection[int], **fields: Unpack[UserFields]) -> None:
        """Change the same fields of many; squads have a call of their own."""
        if "squads" in fields:
            raise ValueError("squads are changed by bulk_squads")
        self._bulk("update", panel_ids, fields=fields_write(fields))

    def bulk_enable(self, panel_ids: Collection[int]) -> None:
        """Make many ACTIVE."""
        self.bulk_update(panel_ids, status=PanelStatus.ACTIVE)

    def bulk_disable(self, panel_ids: Collection[int]) -> None:
        """Make many DISABLED; expired ones stay EXPIRED."""
        self.bulk_update(panel_ids, status=PanelStatus.DISABLED)

    def bulk_squads(self, panel_ids: Collection[int], squads: Sequence[UUID]) -> None:
        """Replace the squads of many; the panel sends no webhook for it."""
        self._bulk("update-squads", panel_ids, activeInternalSquads=[str(each) for each in squads])

    def bulk_reset_traffic(self, panel_ids: Collection[int]) -> None:
        """Set the used traffic of many to nothing."""
        self._bulk("reset-traffic", panel_ids)

    def bulk_delete(self, panel_ids: Collection[int]) -> None:
        """Delete many for good."""
        self._bulk("delete", panel_ids)

    def bulk_revoke(self, panel_ids: Collection[int]) -> None:
        """Give many new links and secrets. Not repeatable: each call does so again."""
        self._bulk("revoke-subscription", panel_ids)

    def bulk_extend(self, panel_ids: Collection[int], *, days: int) -> None:
        """Add days to the stored end, even one long past. Not repeatable: prefer bulk_update.

        The panel sends no webhook for it.
        """
        if not 1 <= days <= 9999:
            raise ValueError("days must be between 1 and 9999")
        self._bulk("extend-expiration-date", panel_ids, extendDays=days)

    def bulk_check(
        self, panel_ids: Collection[int], is_done: Callable[[PanelUser], bool]
    ) -> BulkCheck:
        """Read the users back and sort them. Changes nothing; call again while some are pending."""
        found = self.users_by_ids(panel_ids)
        done = frozenset(each for each, user in found.items() if user and is_done(user))
        missing = frozenset(each for each, user in found.items() if user is None)
        return BulkCheck(done, frozenset(panel_ids) - done - missing, missing)

    def users_by_ids(self, panel_ids: Collection[int]) -> dict[int, PanelUser | None]:
        """These users as they are now; None for one that the panel does not have.

        The panel has no call for it: runs of near numbers are read by the stream, the rest one by one.
        """
        found: dict[int, PanelUser | None] = {}
        alone: list[int] = []
        has_stream = self.has_stream()
        for run in _runs(sorted(set(panel_ids))):
            if len(run) > 1 and has_stream:
                found |= self._run_read(run)
            else:
                alone += run
        return found | self._each_read(alone)

    def _each_read(self, panel_ids: Sequence[int]) -> dict[int, PanelUser | None]:
        found: dict[int, PanelUser | None] = {}
        for start in range(0, len(panel_ids), _VISIT):
            some = panel_ids[start : start + _VISIT]
            with self.visit(len(some)):
                for panel_id in some:
                    try:
                        found[panel_id] = self.user(panel_id)
                    except PanelMissing:
                        found[panel_id] = None
        return found

    def _run_read(self, run: Sequence[int]) -> dict[int, PanelUser | None]:
        """Users of near numbers. The cursor of the stream is the number of the user before."""
        wanted, found = set(run), dict[int, PanelUser | None].fromkeys(run)
        cursor: str | None = str(run[0] - 1)
        while cursor is not None and int(cursor) < run[-1]:
            page = self.users_stream(cursor, size=min(PAGE, run[-1] - int(cursor)))
            found |= {user.id: user for user in page.users if user.id in wanted}
            cursor = page.next_cursor
        return found

    def _bulk(self, action: str, panel_ids: Collection[int], **body: Any) -> None:
        ids = sorted(set(panel_ids))
        if not 1 <= len(ids) <= MOST:
            raise ValueError(f"a bulk call takes 1 to {MOST} users, not {len(ids)}")

        def make(dialect: Dialect) -> Ask:
            if dialect.keys_by_uuid:
                named: dict[str, Any] = {"uuids": [str(each) for each in self._uuids(ids).values()]}
            else:
                named = {"userIds": ids}
            return Ask("POST", f"users/bulk/{action}", f"users bulk {action}", json=named | body)

        self._write(make, nothing)


def _runs(ids: Sequence[int]) -> Iterator[list[int]]:
    """Ascending numbers, cut where the next is far."""
    run: list[int] = []
    for each in ids:
        if run and each - run[-1] > _DENSE:
            yield run
            run = []
        run.append(each)
    if run:
        yield run

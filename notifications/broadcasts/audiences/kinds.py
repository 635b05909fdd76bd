"""The types of audiences that come with the broadcasts: everybody, explicit ids, an imported list."""

from typing import Any
from uuid import UUID

from jobs import sql
from notifications.broadcasts.audiences.registry import Clause, Json, audience_register
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.models import Audience

IDS_MOST = 100_000


class Everybody:
    """Everybody who has an inbox."""

    title = "Everybody"

    def check(self, audience: Json) -> dict[str, Any]:
        _only(audience, set())
        return {}

    def clause(self, audience: Json) -> Clause:
        del audience
        return Clause("TRUE")

    def describe(self, audience: Json) -> str:
        del audience
        return "everybody"

    def unmatched(self, audience: Json) -> int:
        del audience
        return 0


class ExplicitIds:
    """`{"type": "ids", "ids": [7, 8]}`: people by the user_id of their backend, with all their logins."""

    title = "Explicit ids"

    def check(self, audience: Json) -> dict[str, Any]:
        _only(audience, {"ids"})
        ids = audience.get("ids")
        if not isinstance(ids, list) or not ids:
            raise AudienceInvalid("ids must be a list of at least one user id")
        if len(ids) > IDS_MOST:
            raise AudienceInvalid(
                f"ids has {len(ids)} entries; {IDS_MOST} are the limit: use a file"
            )
        for each in ids:
            if isinstance(each, bool) or not isinstance(each, int) or not -(2**63) <= each < 2**63:
                raise AudienceInvalid(f"ids: {each!r} is no user id")
        return {"ids": list(dict.fromkeys(ids))}

    def clause(self, audience: Json) -> Clause:
        return Clause("r.user_id = ANY (%(a_ids)s::bigint[])", {"a_ids": audience["ids"]})

    def describe(self, audience: Json) -> str:
        count = len(audience["ids"])
        return f"{count} explicit id{'' if count == 1 else 's'}"

    def unmatched(self, audience: Json) -> int:
        found = sql.row(
            """SELECT count(*) FROM unnest(%s::bigint[]) u (id)
            WHERE NOT EXISTS (SELECT FROM inbox_recipient r WHERE r.user_id = u.id)""",
            [audience["ids"]],
        )
        return int(found[0]) if found else 0


class ImportedList:
    """`{"type": "csv", "audience_id": "..."}`: the people of an imported file."""

    title = "Imported list"

    def check(self, audience: Json) -> dict[str, Any]:
        _only(audience, {"audience_id"})
        self._row(audience)
        return {"audience_id": str(UUID(str(audience["audience_id"])))}

    def clause(self, audience: Json) -> Clause:
        row = self._row(audience)
        return Clause(
            """EXISTS (SELECT FROM broadcast_audience_member m
            WHERE m.audience_id = %(a_list)s AND m.recipient_id = r.id)""",
            {"a_list": row.pk},
        )

    def describe(self, audience: Json) -> str:
        row = self._row(audience)
        return f"the list “{row.name}” ({row.members} people)"

    def unmatched(self, audience: Json) -> int:
        return self._row(audience).rejected

    def _row(self, audience: Json) -> Audience:
        try:
            audience_id = UUID(str(audience.get("audience_id")))
        except ValueError:
            raise AudienceInvalid("audience_id must be the id of an imported list") from None
        row = Audience.objects.filter(pk=audience_id).first()
        if row is None:
            raise AudienceInvalid(f"there is no list {audience_id}; it may have been deleted")
        return row


def _only(audience: Json, allowed: set[str]) -> None:
    if strange := set(audience) - allowed - {"type"}:
        raise AudienceInvalid(f"{audience['type']} takes no {', '.join(sorted(strange))}")


def kinds_register() -> None:
    """Make them known. Repeat-safe."""
    audience_register("all_users", Everybody())
    audience_register("ids", ExplicitIds())
    audience_register("csv", ImportedList())

"""GET of users: paged, streamed, one by one."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from tests.sandbox.remnawave.ask import Ask, asked_user, ok, read_user_id
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.filters import filtered, read_filters, read_sorting, sorted_users
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy
from tests.sandbox.wire import Answer

PAGE_LIMIT = 1000


def listed(panel: Panel, ask: Ask) -> Answer:
    """start is an offset, which may be negative; newest first unless sorted."""
    reader = Reader(ask.query, is_query=True)
    reader.integer("start")
    reader.integer("size", least=1, most=PAGE_LIMIT)
    query = reader.finish()
    start, size = query.get("start", 0), query.get("size", 25)
    filters, sorting = read_filters(ask.query), read_sorting(ask.query)
    if not filters and not sorting:
        users, total = panel.users.newest(start, size), len(panel.users)
    else:
        found = sorted_users(filtered(panel.users.rows, filters), sorting)
        users, total = found[max(start, 0) : max(start, 0) + size], len(found)
    return ok({"users": [panel.show(user) for user in users], "total": total})


def stream(panel: Panel, ask: Ask) -> Answer:
    """Keyset paging by id; nextCursor is null on the last page. v3 filters exactly."""
    reader = Reader(ask.query, is_query=True)
    reader.integer("size", least=1, most=PAGE_LIMIT)
    reader.integer("cursor", least=0)
    if panel.dialect.is_v3:
        reader.integer("telegramId")
        reader.choice("status", list(Status))
        reader.choice("trafficLimitStrategy", list(Strategy))
        for name in ("email", "tag", "externalSquadUuid"):
            reader.text(name)
    query = reader.finish()
    size, cursor = query.pop("size", 250), query.pop("cursor", 0)
    chosen: Iterable[PanelUser]
    if "telegramId" in query:
        telegram_id = query.pop("telegramId")
        chosen = (user for user in panel.users.by_telegram_id(telegram_id) if user.id > cursor)
    else:
        chosen = panel.users.after(cursor)
    page = list(islice((user for user in chosen if _fits(user, query)), size + 1))
    has_more = len(page) > size
    return ok(
        {
            "users": [panel.show(user) for user in page[:size]],
            "nextCursor": str(page[size - 1].id) if has_more else None,
            "hasMore": has_more,
        }
    )


def one(panel: Panel, ask: Ask) -> Answer:
    return ok(panel.show(asked_user(panel, ask, "A063")))


def by_number(panel: Panel, ask: Ask) -> Answer:
    return ok(panel.show(_found(panel.users.get(read_user_id(ask.parameters["user"])))))


def by_username(panel: Panel, ask: Ask) -> Answer:
    return ok(panel.show(_found(panel.users.by_username(ask.parameters["name"]))))


def by_short_uuid(panel: Panel, ask: Ask) -> Answer:
    return ok(panel.show(_found(panel.users.by_short_uuid(ask.parameters["name"]))))


def by_telegram_id(panel: Panel, ask: Ask) -> Answer:
    telegram_id = read_user_id(ask.parameters["name"])
    return ok([panel.show(user) for user in panel.users.by_telegram_id(telegram_id)])


def by_email(panel: Panel, ask: Ask) -> Answer:
    return ok(_those(panel, lambda user: user.email == ask.parameters["name"]))


def by_tag(panel: Panel, ask: Ask) -> Answer:
    return ok(_those(panel, lambda user: user.tag == ask.parameters["name"]))


def tags(panel: Panel, ask: Ask) -> Answer:
    return ok({"tags": sorted({user.tag for user in panel.users.rows if user.tag is not None})})


def resolve(panel: Panel, ask: Ask) -> Answer:
    """Exactly one of id (v2: or uuid), shortUuid, username."""
    names = ["id", "shortUuid", "username"] + ([] if panel.dialect.is_v3 else ["uuid"])
    reader = Reader(ask.body)
    reader.integer("id", least=1)
    for name in names[1:]:
        reader.text(name)
    if sum(reader.has(name) for name in names) != 1:
        reader.complain(f"Exactly one of {', '.join(names)} must be provided")
    asked = reader.finish()
    users = panel.users
    user = (
        users.get(asked["id"])
        if "id" in asked
        else users.by_username(asked["username"])
        if "username" in asked
        else users.by_short_uuid(asked["shortUuid"])
        if "shortUuid" in asked
        else users.by_uuid(asked["uuid"])
    )
    if user is None:
        raise refused("A025")
    shown = {"id": user.id, "username": user.username, "shortUuid": user.keys().short_uuid}
    return ok(shown if panel.dialect.is_v3 else {"uuid": user.uuid, **shown})


def _fits(user: PanelUser, query: dict[str, Any]) -> bool:
    return all(_EXACT[name](user) == value for name, value in query.items())


_EXACT: dict[str, Callable[[PanelUser], Any]] = {
    "status": lambda user: user.status,
    "trafficLimitStrategy": lambda user: user.strategy,
    "email": lambda user: user.email,
    "tag": lambda user: user.tag,
    "externalSquadUuid": lambda user: user.external_squad,
}


def _those(panel: Panel, fits: Callable[[PanelUser], bool]) -> list[dict[str, Any]]:
    return [panel.show(user) for user in panel.users.rows if fits(user)]


def _found(user: PanelUser | None) -> PanelUser:
    if user is None:
        raise refused("A063")
    return user

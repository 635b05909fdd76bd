"""Changes of many users: answered at once with an empty body, and silent about what failed."""

from collections.abc import Callable
from random import Random

from tests.sandbox.remnawave import changes
from tests.sandbox.remnawave.ask import Ask, empty, ok
from tests.sandbox.remnawave.errors import PanelError, crashed, invalid, refused
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.remnawave.squads import NAMES
from tests.sandbox.remnawave.times import DAY_MS
from tests.sandbox.remnawave.user import PanelUser, Status
from tests.sandbox.remnawave.users_write import read_changes
from tests.sandbox.wire import Answer

IDS_LIMIT = 500
_FORBIDDEN = (Status.LIMITED, Status.EXPIRED)


def update(panel: Panel, ask: Ask) -> Answer:
    """One queued change per user. LIMITED and EXPIRED pass the schema and then fail with 500."""
    reader = _reader(panel, ask)
    inner = reader.nested("fields")
    fields = read_changes(inner, panel, statuses=list(Status))
    asked = _named(panel, ask, reader)
    if fields.get("status") in _FORBIDDEN:
        raise refused("A089")
    _queue_each(panel, ask.touched, lambda user: changes.update(panel, user, fields))
    return _queued(panel, asked)


def reset_traffic(panel: Panel, ask: Ask) -> Answer:
    asked = _named(panel, ask, _reader(panel, ask))
    _queue_each(panel, ask.touched, lambda user: changes.reset_traffic(panel, user))
    return _queued(panel, asked)


def revoke(panel: Panel, ask: Ask) -> Answer:
    asked = _named(panel, ask, _reader(panel, ask))
    _queue_each(panel, ask.touched, lambda user: changes.revoke(panel, user))
    return _queued(panel, asked)


def update_squads(panel: Panel, ask: Ask) -> Answer:
    """At once, without a webhook; an unknown squad breaks the statement of the whole pack."""
    reader = _reader(panel, ask)
    reader.uuids("activeInternalSquads", required=True)
    asked = _named(panel, ask, reader)
    squads = tuple(reader.found["activeInternalSquads"])
    if any(uuid not in NAMES for uuid in squads):
        raise crashed()
    for user in _those(panel, ask.touched):
        user.squads = squads
    return _done(panel, asked)


def extend(panel: Panel, ask: Ask) -> Answer:
    """On top of the stored expiry, however long past: some stay EXPIRED. At once, no webhook."""
    reader = _reader(panel, ask)
    reader.integer("extendDays", least=1, most=9999, required=True)
    _named(panel, ask, reader)
    users = _those(panel, ask.touched)
    _extend(panel, users, reader.found["extendDays"])
    return _done(panel, len(users))


def delete(panel: Panel, ask: Ask) -> Answer:
    _named(panel, ask, _reader(panel, ask))
    gone = panel.users.remove(ask.touched)
    panel.revision += 1
    return _done(panel, len(gone))


def delete_by_status(panel: Panel, ask: Ask) -> Answer:
    """Everybody of a status, without a limit and without webhooks."""
    reader = Reader(ask.body)
    reader.choice("status", list(Status), required=True)
    status = Status(reader.finish()["status"])

    def run() -> None:
        panel.users.remove([user.id for user in panel.users.rows if user.status is status])

    _queue(panel, run)
    return _queued(panel, panel.users.status_counts()[status.value])


def update_all(panel: Panel, ask: Ask) -> Answer:
    """The fields as they are: none of the rules of a single update."""
    reader = Reader(ask.body)
    fields = read_changes(reader, panel, statuses=list(Status))
    reader.finish()
    fields.pop("externalSquadUuid", None)
    if fields.get("status") in _FORBIDDEN:
        raise refused("A089")

    def run() -> None:
        for user in panel.users.rows:
            changes.set_plain(panel, user, fields)
            if "status" in fields:
                user.status = Status(fields["status"])
            if "trafficLimitBytes" in fields:
                user.threshold = 0
        _revive(panel, panel.users.rows)

    _queue(panel, run)
    return _sent(panel)


def reset_all(panel: Panel, ask: Ask) -> Answer:
    def run() -> None:
        now_ms = panel.now_ms()
        for user in panel.users.rows:
            user.used_bytes = user.threshold = 0
            user.reset_ms = now_ms
            if user.status is Status.LIMITED:
                user.status = Status.ACTIVE

    _queue(panel, run)
    return _sent(panel)


def extend_all(panel: Panel, ask: Ask) -> Answer:
    reader = Reader(ask.body)
    reader.integer("extendDays", least=1, most=9999, required=True)
    days = reader.finish()["extendDays"]
    _queue(panel, lambda: _extend(panel, panel.users.rows, days))
    return _sent(panel)


def is_swallowed(panel: Panel, user_id: int) -> bool:
    """Whether a queued change of this user fails: ordered, or drawn by his id."""
    settings = panel.settings
    if user_id in settings.bulk_fail_ids:
        return True
    share = settings.bulk_fail_share
    return bool(share) and Random(user_id).random() < share


def _reader(panel: Panel, ask: Ask) -> Reader:
    """A reader of the body that has read the ids: numbers in v3, uuids in v2."""
    reader = Reader(ask.body)
    if panel.dialect.is_v3:
        reader.numbers("userIds", most=IDS_LIMIT)
    else:
        reader.uuids("uuids", required=True, most=IDS_LIMIT)
        if reader.found.get("uuids") == []:
            raise invalid([{"code": "too_small", "path": ["uuids"], "message": "Too small"}])
    return reader


def _named(panel: Panel, ask: Ask, reader: Reader) -> int:
    """Put the users whom the body names into touched; return how many it names."""
    found = reader.finish()
    if panel.dialect.is_v3:
        ask.touched.extend(dict.fromkeys(found["userIds"]))
        return len(found["userIds"])
    users = (panel.users.by_uuid(uuid) for uuid in found["uuids"])
    ask.touched.extend(user.id for user in users if user is not None)
    return len(found["uuids"])


def _queue_each(panel: Panel, user_ids: list[int], change: Callable[[PanelUser], None]) -> None:
    """One job per user; whatever goes wrong there is seen by nobody."""
    numbers = list(user_ids)

    def run() -> None:
        for user in _those(panel, numbers):
            if is_swallowed(panel, user.id):
                continue
            try:
                change(user)
            except PanelError:
                continue  # the real queue logs it and goes on

    _queue(panel, run)


def _queue(panel: Panel, run: Callable[[], None]) -> None:
    async def later() -> None:
        await panel.clock.sleep(panel.settings.bulk_delay_s)
        run()
        panel.revision += 1
        panel.queued -= 1

    panel.queued += 1
    panel.background.start(later())


def _those(panel: Panel, user_ids: list[int]) -> list[PanelUser]:
    return [user for user_id in user_ids if (user := panel.users.get(user_id)) is not None]


def _extend(panel: Panel, users: list[PanelUser], days: int) -> None:
    for user in users:
        user.expire_ms += days * DAY_MS
    _revive(panel, users)


def _revive(panel: Panel, users: list[PanelUser]) -> None:
    """EXPIRED users whose expiry now lies ahead, LIMITED ones whose limit is no longer reached."""
    now_ms = panel.now_ms()
    for user in users:
        is_ahead = user.status is Status.EXPIRED and user.expire_ms > now_ms
        has_room = user.status is Status.LIMITED and not 0 < user.limit_bytes <= user.used_bytes
        if is_ahead or has_room:
            user.status = Status.ACTIVE
    panel.revision += 1


def _queued(panel: Panel, affected: int) -> Answer:
    """v2 counts whom the body named, whether they exist or not."""
    return empty(202) if panel.dialect.is_v3 else ok({"affectedRows": affected})


def _done(panel: Panel, affected: int) -> Answer:
    return empty(204) if panel.dialect.is_v3 else ok({"affectedRows": affected})


def _sent(panel: Panel) -> Answer:
    return empty(202) if panel.dialect.is_v3 else ok({"eventSent": True})

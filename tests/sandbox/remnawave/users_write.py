"""Changes of single users."""

import re
from typing import Any

from tests.sandbox.remnawave import changes
from tests.sandbox.remnawave.ask import Ask, asked_user, empty, ok
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import EMAIL, UUID, Reader
from tests.sandbox.remnawave.user import Status, Strategy
from tests.sandbox.wire import Answer

USERNAME = re.compile(r"[a-zA-Z0-9_-]{3,36}")
TAG = re.compile(r"[A-Z0-9_]{1,16}")
SHORT_UUID = re.compile(r"[A-Za-z0-9_-]{16,64}")
SETTABLE = [Status.ACTIVE.value, Status.DISABLED.value]


def create(panel: Panel, ask: Ask) -> Answer:
    reader = Reader(ask.body)
    reader.text("username", pattern=USERNAME, required=True)
    reader.moment("expireAt", required=True)
    reader.choice("status", list(Status))
    reader.text("shortUuid", pattern=SHORT_UUID)
    for name in ("trojanPassword", "ssPassword"):
        reader.text(name, least=8, most=32)
    for name in ("vlessUuid", *([] if panel.dialect.is_v3 else ["uuid"])):
        reader.text(name, pattern=UUID)
    for name in ("createdAt", "lastTrafficResetAt"):
        reader.moment(name)
    read_limits(reader)
    read_person(reader)
    reader.uuids("activeInternalSquads")
    user = changes.create(panel, reader.finish())
    ask.touched.append(user.id)
    return ok(panel.show(user), 201)


def update(panel: Panel, ask: Ask) -> Answer:
    """The key of the dialect wins over username."""
    key = "id" if panel.dialect.is_v3 else "uuid"
    reader = Reader(ask.body)
    if panel.dialect.is_v3:
        reader.integer("id", least=1)
    else:
        reader.text("uuid", pattern=UUID)
    reader.text("username", pattern=USERNAME)
    if not reader.has(key) and not reader.has("username"):
        reader.complain(f"Either {key} or username must be provided")
    fields = read_changes(reader, panel)
    reader.uuids("activeInternalSquads")
    reader.finish()
    users = panel.users
    if "id" in fields:
        user = users.get(fields["id"])
    elif "uuid" in fields:
        user = users.by_uuid(fields["uuid"].lower())
    else:
        user = users.by_username(fields["username"])
    if user is None:
        raise refused("A025")
    ask.touched.append(user.id)
    changes.update(panel, user, fields)
    return ok(panel.show(user))


def enable(panel: Panel, ask: Ask) -> Answer:
    user = asked_user(panel, ask, "A025")
    changes.enable(panel, user)
    return ok(panel.show(user))


def disable(panel: Panel, ask: Ask) -> Answer:
    user = asked_user(panel, ask, "A025")
    changes.disable(panel, user)
    return ok(panel.show(user))


def reset_traffic(panel: Panel, ask: Ask) -> Answer:
    user = asked_user(panel, ask, "A025")
    changes.reset_traffic(panel, user)
    return ok(panel.show(user))


def revoke(panel: Panel, ask: Ask) -> Answer:
    """The body may be missing."""
    reader = Reader({} if ask.body is None else ask.body)
    reader.boolean("revokeOnlyPasswords")
    reader.text("shortUuid", pattern=SHORT_UUID)
    asked = reader.finish()
    user = asked_user(panel, ask, "A025")
    changes.revoke(
        panel,
        user,
        short_uuid=asked.get("shortUuid"),
        only_passwords=asked.get("revokeOnlyPasswords", False),
    )
    return ok(panel.show(user))


def extend(panel: Panel, ask: Ask) -> Answer:
    reader = Reader(ask.body)
    reader.integer("days", least=1, most=9999, required=True)
    days = reader.finish()["days"]
    user = asked_user(panel, ask, "A025")
    changes.extend(panel, user, days)
    return ok(panel.show(user))


def delete(panel: Panel, ask: Ask) -> Answer:
    changes.delete(panel, asked_user(panel, ask, "A025"))
    return empty(204) if panel.dialect.is_v3 else ok({"isDeleted": True})


def read_changes(reader: Reader, panel: Panel, *, statuses: list[str] = SETTABLE) -> dict[str, Any]:
    """What PATCH and bulk update share; an expiry must lie in the future."""
    reader.choice("status", statuses)
    reader.moment("expireAt", after_ms=panel.now_ms())
    read_limits(reader)
    read_person(reader)
    return reader.found


def read_limits(reader: Reader) -> None:
    reader.integer("trafficLimitBytes", least=0)
    reader.choice("trafficLimitStrategy", list(Strategy))


def read_person(reader: Reader) -> None:
    """Fields that null empties."""
    reader.text("description", nullable=True)
    reader.text("tag", pattern=TAG, nullable=True)
    reader.integer("telegramId", nullable=True)
    reader.text("email", pattern=EMAIL, nullable=True)
    reader.integer("hwidDeviceLimit", least=0, nullable=True)
    reader.text("externalSquadUuid", pattern=UUID, nullable=True)

"""One call as the handlers see it, and the answers they give."""

from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.remnawave.errors import invalid, refused
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import UUID, Reader
from tests.sandbox.remnawave.user import PanelUser
from tests.sandbox.wire import Answer, json_answer


@dataclass(slots=True)
class Ask:
    """A call whose route is known. parameters come from the path, as texts.

    touched are the ids of the users whom a write names; the handler fills it in.
    """

    parameters: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    touched: list[int] = field(default_factory=list)


def ok(payload: Any, status: int = 200) -> Answer:
    """The envelope of every answer that has a body."""
    return json_answer(status, {"response": payload})


def empty(status: int) -> Answer:
    return Answer(status, b"")


def asked_user(panel: Panel, ask: Ask, missing: str) -> PanelUser:
    """The user of the path. Raises PanelError: 400 for a key of the other dialect, else missing."""
    key = ask.parameters["user"]
    if panel.dialect.is_v3:
        user = panel.users.get(read_user_id(key))
    elif UUID.fullmatch(key):
        user = panel.users.by_uuid(key.lower())
    else:
        raise invalid([_wrong_uuid("uuid")])
    if user is None:
        raise refused(missing)
    ask.touched.append(user.id)
    return user


def read_user_id(text: str) -> int:
    """A number above 0 of the path. Raises PanelError 400."""
    reader = Reader({"userId": text}, is_query=True)
    reader.integer("userId", least=1)
    user_id: int = reader.finish()["userId"]
    return user_id


def asked_uuid(ask: Ask) -> str:
    """The uuid of the path. Raises PanelError 400."""
    uuid = ask.parameters["uuid"]
    if not UUID.fullmatch(uuid):
        raise invalid([_wrong_uuid("uuid")])
    return uuid.lower()


def _wrong_uuid(name: str) -> dict[str, Any]:
    return {"code": "invalid_format", "format": "uuid", "path": [name], "message": "Invalid UUID"}

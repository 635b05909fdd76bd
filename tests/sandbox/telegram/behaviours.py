"""How a chat meets the bot: open by default, or closed in one of the ways of the contract."""

from dataclasses import dataclass
from enum import StrEnum

from tests.sandbox.telegram.errors import ApiError, bad_request, forbidden

SUPERGROUP_BASE = -1_000_000_000_000  # supergroups and channels begin with -100


class Behaviour(StrEnum):
    """What a chat answers to a message."""

    OK = "ok"
    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"
    NOT_STARTED = "not_started"
    NOT_FOUND = "not_found"
    KICKED = "kicked"
    MIGRATED = "migrated"
    TO_BOT = "to_bot"
    NO_RIGHTS = "no_rights"


@dataclass(frozen=True, slots=True)
class Rule:
    """A behaviour and, for a migrated group, its new id (derived from the old one if None)."""

    behaviour: Behaviour
    migrate_to: int | None = None


_OPEN = Rule(Behaviour.OK)

_REFUSALS = {
    Behaviour.BLOCKED: "bot was blocked by the user",
    Behaviour.DEACTIVATED: "user is deactivated",
    Behaviour.NOT_STARTED: "bot can't initiate conversation with a user",
    Behaviour.TO_BOT: "the bot can't send messages to the bot",
}


class ChatBook:
    """Which chat behaves how. The latest word about a chat counts, whether single or in a range."""

    def __init__(self) -> None:
        self._single: dict[int, Rule] = {}
        self._ranges: list[tuple[range, Rule]] = []

    def set(self, chat_ids: list[int] | range, rule: Rule) -> None:
        """Give many chats one behaviour. A range costs the same however long it is."""
        if isinstance(chat_ids, range):
            for chat_id in [known for known in self._single if known in chat_ids]:
                del self._single[chat_id]
            self._ranges.insert(0, (chat_ids, rule))
            return
        for chat_id in chat_ids:
            self._single[chat_id] = rule

    def rule(self, chat_id: int) -> Rule:
        if not self._single and not self._ranges:
            return _OPEN
        rule = self._single.get(chat_id)
        if rule is not None:
            return rule
        return next((rule for chats, rule in self._ranges if chat_id in chats), _OPEN)

    def clear(self) -> None:
        self._single.clear()
        self._ranges.clear()

    def as_json(self) -> dict[str, object]:
        return {
            "single": {str(chat_id): _rule_json(rule) for chat_id, rule in self._single.items()},
            "ranges": [
                {"from": chats.start, "to": chats[-1], "step": chats.step, **_rule_json(rule)}
                for chats, rule in self._ranges
            ],
        }


def unknown_chat(chat_id: int, rule: Rule) -> ApiError | None:
    """The refusal that the API server gives by itself, before any limit is counted."""
    if rule.behaviour is Behaviour.NOT_FOUND:
        return bad_request("chat not found")
    if rule.behaviour is Behaviour.MIGRATED:
        error = bad_request("group chat was upgraded to a supergroup chat")
        error.parameters = {"migrate_to_chat_id": rule.migrate_to or SUPERGROUP_BASE - abs(chat_id)}
        return error
    return None


def closed_chat(chat_id: int, rule: Rule) -> ApiError | None:
    """The refusal that comes from Telegram itself: a real send, which counts against the limits."""
    if rule.behaviour is Behaviour.KICKED:
        kind = "supergroup" if chat_id < SUPERGROUP_BASE else "group"
        return forbidden(f"bot was kicked from the {kind} chat")
    if rule.behaviour is Behaviour.NO_RIGHTS:
        return bad_request("not enough rights to send text messages to the chat")
    refusal = _REFUSALS.get(rule.behaviour)
    return forbidden(refusal) if refusal else None


def _rule_json(rule: Rule) -> dict[str, object]:
    moved = {} if rule.migrate_to is None else {"migrate_to": rule.migrate_to}
    return {"behaviour": rule.behaviour.value, **moved}

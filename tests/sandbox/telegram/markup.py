"""reply_markup and link_preview_options: checked, and given back the way the server does."""

from typing import Any

from tests.sandbox.telegram.errors import bad_request
from tests.sandbox.telegram.links import checked_link, mentioned_user_id
from tests.sandbox.telegram.params import Parameters

_BUTTON_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_PREVIEW_FLAGS = ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text")
CALLBACK_DATA_LIMIT_BYTES = 64


def read_markup(parameters: Parameters) -> dict[str, Any] | None:
    """The inline keyboard of a call, which messages show; other keyboards are only checked."""
    markup = parameters.nested("reply_markup", "reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    keyboard = markup.get("inline_keyboard")
    if keyboard is None:
        return None
    if not isinstance(keyboard, list) or not all(isinstance(row, list) for row in keyboard):
        raise bad_request('field "inline_keyboard" must be of type Array of Array')
    for row in keyboard:
        for button in row:
            _check_button(button)
    rows = [row for row in keyboard if row]
    return {"inline_keyboard": rows} if rows else None


def _check_button(button: Any) -> None:
    reason = "can't parse inline keyboard button:"
    if not isinstance(button, dict):
        raise bad_request(f"{reason} InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str):
        raise bad_request(f'{reason} Can\'t find field "text"')
    if not any(action in button for action in _BUTTON_ACTIONS):
        raise bad_request(f"{reason} Text buttons are unallowed in the inline keyboard")
    if len(str(button.get("callback_data", "")).encode()) > CALLBACK_DATA_LIMIT_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not _is_button_url(str(url)):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _is_button_url(url: str) -> bool:
    return mentioned_user_id(url) is not None or checked_link(url) is not None


def read_preview(parameters: Parameters) -> dict[str, Any] | None:
    """link_preview_options as the message shows them; also the older flag."""
    options = parameters.nested("link_preview_options", "link preview options")
    if options is None:
        old_flag = parameters.flag("disable_web_page_preview")
        return {"is_disabled": True} if old_flag else None
    if not isinstance(options, dict):
        raise bad_request("object expected as link preview options")
    shown: dict[str, Any] = {name: True for name in _PREVIEW_FLAGS if options.get(name) is True}
    url = options.get("url")
    link = checked_link(url) if isinstance(url, str) and url else None
    if link and not shown.get("is_disabled"):
        shown["url"] = link
    return shown or None

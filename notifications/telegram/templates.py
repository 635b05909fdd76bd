"""Our own messages, rendered: valid Telegram HTML of at most 4096 seen characters, always.

`registry` lists them with the fields that each needs and a sample. Templates are Django templates,
on an engine of their own, so that whatever is inserted is escaped. A line that holds nothing but
template tags leaves no line behind. What several messages say alike is a file in `parts/`.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Origin, Template
from django.template.loaders.filesystem import Loader

from notifications.telegram.kinds import Kind, Message
from notifications.telegram.markup import TEXT_LIMIT, shorten, split
from notifications.telegram.messages import MESSAGES
from notifications.telegram.words import WORDS

__all__ = [
    "LANGUAGES",
    "Message",
    "MessageUnknown",
    "ValuesInvalid",
    "preview",
    "registry",
    "render",
    "render_parts",
]

DIRECTORY = Path(__file__).resolve().parents[2] / "templates" / "telegram"
LANGUAGES = tuple(WORDS)

registry: Mapping[str, Message] = MESSAGES

_NUMBER_ROOM = len("\n\n100/100")
_TAG_LINE = re.compile(r"^[ \t]*((?:\{%[^%\n]*%\}[ \t]*)+)\n", re.MULTILINE)


class MessageUnknown(LookupError):
    """There is no message of this name, or not in this language."""


class ValuesInvalid(ValueError):
    """The values are not those that the message needs; the text says which and why."""


def render(name: str, language: str, **values: Any) -> str:
    """The message with its values, as Telegram HTML ready to be sent.

    Values are given as data (Decimal, aware datetime, ...), see `registry[name].fields`; how they
    look is ours. A text that is too long is cut at a line and says so in its language.
    Raises MessageUnknown; ValuesInvalid if a value is missing, unknown or of the wrong kind.
    """
    return shorten(_rendered(name, language, values), note=WORDS[language].shortened)


def render_parts(name: str, language: str, **values: Any) -> list[str]:
    """The same, and nothing is cut off: a long text comes as several messages, each with its number.

    It is divided between paragraphs, else lines. Raises MessageUnknown, ValuesInvalid.
    """
    text = _rendered(name, language, values)
    parts = split(text)
    if len(parts) == 1:
        return parts
    parts = split(text, TEXT_LIMIT - _NUMBER_ROOM)
    return [f"{part.rstrip()}\n\n<i>{n}/{len(parts)}</i>" for n, part in enumerate(parts, 1)]


def _rendered(name: str, language: str, values: Mapping[str, Any]) -> str:
    message = registry.get(name)
    if message is None or language not in WORDS:
        raise MessageUnknown(f"there is no message {name!r} in {language!r}")
    written = _written(message, language, values)
    # Numbers and dates come written already; the engine shall not localize them by our settings.
    text = _template(name, language).render(
        Context(written, autoescape=True, use_l10n=False, use_tz=False)
    )
    return _tidy(text)


def preview(name: str, language: str) -> str:
    """The message with its sample values. Raises MessageUnknown."""
    if name not in registry:
        raise MessageUnknown(f"there is no message {name!r}")
    return render(name, language, **registry[name].sample)


def _written(message: Message, language: str, values: Mapping[str, Any]) -> dict[str, Any]:
    strange = values.keys() - message.fields.keys()
    if strange:
        raise ValuesInvalid(f"{message.name} takes no {', '.join(sorted(strange))}")
    return {
        name: _value(f"{message.name}.{name}", kind, values.get(name), language)
        for name, kind in message.fields.items()
    }


def _value(label: str, kind: Kind, value: Any, language: str) -> Any:
    if value is None:
        if kind.is_optional:
            return None
        raise ValuesInvalid(f"{label} is missing; it takes {kind.takes}")
    try:
        return kind.write(value, WORDS[language])
    except (ValueError, TypeError, ArithmeticError) as exc:
        raise ValuesInvalid(f"{label} takes {kind.takes}: {exc}") from exc


def _tidy(text: str) -> str:
    text = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    text = text.replace("<pre>\n", "<pre>").replace("\n</pre>", "</pre>")
    return re.sub(r"\n{3,}", "\n\n", text)


class TagLines(Loader):
    """Files of the directory, whose lines of tags leave no line behind."""

    def get_contents(self, origin: Origin) -> str:
        return _TAG_LINE.sub(r"\1", super().get_contents(origin))


@cache
def _engine() -> Engine:
    loader = f"{TagLines.__module__}.{TagLines.__qualname__}"
    return Engine(
        dirs=[str(DIRECTORY)], loaders=[("django.template.loaders.cached.Loader", [loader])]
    )


def _template(name: str, language: str) -> Template:
    return _engine().get_template(f"{name}.{language}.html")

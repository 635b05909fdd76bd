"""How the console shows rules, batches and files. `{% load files_console %}`."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# A word -> the state of static/jobs/console.css that lends its colour.
_TONES = {
    "watched": "completed",
    "unwatched": "dead",
    "away": "dead",
    "paused": "paused",
    "leads": "completed",
    "stands by": "scheduled",
    "silent": "dead",
    "waiting": "scheduled",
    "running": "running",
    "finished": "completed",
    "failed in part": "dead",
    "failed": "dead",
    "pending": "scheduled",
    "done": "completed",
    "skipped": "cancelled",
    "present": "completed",
    "unreadable": "dead",
    "refused": "paused",
    "deleted": "cancelled",
    "left_out": "cancelled",
    "added": "completed",
    "modified": "running",
    "moved": "scheduled",
    "new": "completed",
    "changed": "running",
    "known": "cancelled",
}
_TITLES = {
    "left_out": "the rule was edited and does not mean it any more",
    "refused": "it is never read",
    "unreadable": "taken as soon as it can be read",
    "skipped": "nothing was to be done",
    "known": "taken already, and as it was",
    "changed": "taken already, but its times or size are others by now",
}


@register.simple_tag
def word_badge(word: str) -> SafeString:
    """A word in the colour of what it says."""
    return format_html(
        '<span class="badge is-{}" title="{}">{}</span>',
        _TONES.get(word, "cancelled"),
        _TITLES.get(word, ""),
        word.replace("_", " "),
    )


@register.filter
def size(value: int) -> str:
    """Bytes in the largest unit that leaves a number of 1 or more."""
    number = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1024:
            return (
                f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
            )
        number /= 1024
    return f"{number:.1f} TB"

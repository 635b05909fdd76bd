"""A drop folder: each CSV in it becomes a list for broadcasts. One lies there already, with two bad lines."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from config.demo.broadcasts import FIRST_USER
from config.demo.telegram import FIRST_CHAT
from monitoring.files.drafts import RuleDraft
from monitoring.files.services import rule_create

LISTS, CONTRACTS = "lists", "contracts"
FILE = "autumn-customers.csv"
STRANGER = 999_999  # nobody has this id


def files_make(anna: User) -> None:
    """Make two folders with a rule each. Not repeat-safe: it makes the rules again."""
    root = Path(settings.FILE_WATCH_ROOTS[0])
    for name in (LISTS, CONTRACTS):
        (root / name).mkdir(parents=True, exist_ok=True)
    lines = [f"{FIRST_USER + n}" for n in range(0, 60, 3)]
    text = "\n".join(["user_id", *lines, str(STRANGER), "not a number", ""])
    (root / LISTS / FILE).write_text(text)
    (root / CONTRACTS / "read-me.txt").write_text("Put a file here: a Telegram chat is told.\n")
    rule_create(
        RuleDraft(
            name="Lists of people", directory=str(root / LISTS), patterns=["*.csv"],
            takes_existing=True, action="audience",
        ),
        by=anna,
    )  # fmt: skip
    rule_create(
        RuleDraft(
            name="Contracts", directory=str(root / CONTRACTS), is_recursive=True,
            takes_existing=True, action="telegram",
            options={"chat": str(FIRST_CHAT + 10), "language": "en"},
        ),
        by=anna,
    )  # fmt: skip

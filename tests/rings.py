"""The rings of the suite. A test says with a marker if it is unit, process or browser; what says
nothing gets the database, in one transaction. Folders that stand outside of Django get nothing."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
# Folder under tests/ -> its ring. None: no database, no marker.
FOLDERS: dict[str, str | None] = {
    "processes": "process",
    "browser": "browser",
    "lib": None,
    "sandbox_tests": None,
}
RINGS = ("unit", "process", "browser")


def assign(item: pytest.Item) -> None:
    """Give a collected test the marker of its ring."""
    if any(item.get_closest_marker(ring) for ring in (*RINGS, "django_db")):
        return
    folder = item.path.relative_to(ROOT).parts[0]
    ring = FOLDERS.get(folder, "django_db")
    if ring is not None:
        item.add_marker(ring)

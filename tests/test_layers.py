"""Imports point one way: between the apps, and within an app towards its models."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[1]
# Each may import itself and what stands before it.
APPS = (
    "lib", "jobs", "notifications", "payments", "subscriptions", "monitoring", "reports", "config",
)  # fmt: skip
# Where somebody from outside comes in. A door calls services; nobody calls a door.
DOORS = frozenset({"admin", "api", "consumers", "management", "receivers", "webhooks"})
# A room that is called like a door, but is none: others call its services.
ROOM = ("notifications", "webhooks")
# What enters doors in a list, by its trade.
PORTERS = frozenset({"apps", "urls", "asgi", "wsgi", "sources"})


@functools.cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """(dotted name, tree) of every module of the apps, migrations apart."""
    return tuple(_read())


def _read() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    """Every name that is imported, wherever in the file: inside of functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name: str) -> bool:
    return name.split(".", 1)[0] in APPS


def door_of(name: str) -> tuple[str, str] | None:
    """(its app, which door) of a module that stands in a door: ("jobs", "api") of jobs.api.shapes.

    config has none: its `api` and `admin` are what the doors of all apps are made of.
    """
    parts = name.split(".")
    if parts[0] == "config":
        return None
    inside = 2 if tuple(parts[:2]) == ROOM else 1
    for place, part in enumerate(parts[inside:], inside):
        if part in DOORS:
            return ".".join(parts[:place]), part
    return None


def breaches(name: str, tree: ast.Module) -> Iterator[str]:
    """What a module imports although it stands above it, or is a door of somebody else."""
    own_app = name.split(".", 1)[0]
    for found in filter(ours, imported(tree)):
        app = found.split(".", 1)[0]
        if APPS.index(app) > APPS.index(own_app):
            yield f"{name} imports {found}: {app} stands above {own_app}"
        # An admin may be built of what the admin of a room below is built of; likewise an api.
        own, other = door_of(name), door_of(found)
        is_same_trade = own is not None and other is not None and own[1] == other[1]
        if other and not is_same_trade and name.rsplit(".", 1)[-1] not in PORTERS:
            yield f"{name} imports {found}, which is a door"


def test_imports_point_one_way() -> None:
    assert [each for name, tree in modules() for each in breaches(name, tree)] == []


def test_every_app_is_one_of_the_layers() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks", "clients"} <= set(APPS)


def test_product_code_imports_no_tests_and_no_benchmarks() -> None:
    found = [
        f"{name} imports {each}"
        for name, tree in modules()
        for each in imported(tree)
        if each.split(".", 1)[0] in {"tests", "benchmarks"}
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("lib.http", "from jobs import sql"),
        ("jobs.engine.lane", "def f():\n    from notifications.telegram import lane"),
        ("jobs.services", "import config.site"),
        ("jobs.services", "from jobs.api.shapes import JobShape"),
        ("notifications.telegram.admin", "from notifications.telegram import api"),
        ("notifications.telegram.admin.pages", "from jobs.api.fields import SecondsField"),
        ("payments.services", "from notifications.webhooks.api import endpoints"),
    ],
    ids=[
        "lib",
        "within a function",
        "config",
        "service to door",
        "door to door",
        "door to door below",
        "door of the room called like one",
    ],
)
def test_the_test_sees_a_breach(name: str, source: str) -> None:
    assert list(breaches(name, ast.parse(source)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("jobs.api.worker", "from jobs.api.shapes import JobShape"),
        ("notifications.telegram.admin.pages", "from jobs.admin.pages import ConsoleAdmin"),
        ("config.urls", "from jobs.api import urls"),
        ("reports.selectors", "from jobs.models import Job"),
        ("jobs.tasks", "import django.urls"),
    ],
    ids=["within a door", "same trade below", "porter", "downwards", "not ours"],
)
def test_the_test_sees_no_breach_where_there_is_none(name: str, source: str) -> None:
    assert not list(breaches(name, ast.parse(source)))

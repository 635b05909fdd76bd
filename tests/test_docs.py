"""What the documents say is there: commands, files, settings, packages, versions."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("config", "jobs", "lib", "notifications")
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")]
    if "node_modules" not in path.parts
)
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
READERS = {
    "boolean",
    "choice",
    "integer",
    "integers",
    "networks",
    "rate",
    "span",
    "text",
    "url",
    "words",
}
SETTING = re.compile("[A-Z][A-Z0-9_]+")
# Read by our code but set by no operator; and the other way round, read by what we run.
NOT_SETTINGS = {"HOME", "PATH", "PYTHONPATH", "COVERAGE_PROCESS_START"}
READ_BY_OTHERS = {"FORWARDED_ALLOW_IPS"}  # uvicorn


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@functools.cache
def variables_read() -> frozenset[str]:
    """Every name that env.text("NAME") and its like, or os.environ, is asked for in the product."""
    return frozenset(
        name
        for app in PRODUCT
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in filter(SETTING.fullmatch, _asked(node))
    )


def _asked(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
            args=[ast.Constant(value=str(name)), *_],
        ) if reader in READERS:
            yield name
        case ast.Call(
            func=ast.Name(id="_span" | "_headers"), args=[ast.Constant(value=str(name)), *_]
        ):
            yield name
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(attr="environ")),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name
        case ast.Subscript(
            value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))
        ):
            yield name
        case ast.Compare(
            left=ast.Constant(value=str(name)), comparators=[ast.Attribute(attr="environ")]
        ):
            yield name


def variables_documented() -> set[str]:
    """The first column of the table of settings."""
    table = OPERATIONS.split("## Settings")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[A-Z].*?) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}


def test_every_setting_is_documented() -> None:
    assert sorted(variables_read() - NOT_SETTINGS - variables_documented()) == []


def test_every_documented_setting_is_read() -> None:
    assert sorted(variables_documented() - variables_read() - READ_BY_OTHERS) == []


def test_the_search_for_settings_finds_what_there_is() -> None:
    sources = [
        'env.url("A_URL", "")',
        '_span("B_S", "1s")',
        'os.environ.get("C_C")',
        'os.environ["D_D"]',
        '"E_E" in os.environ',
    ]
    trees = map(ast.parse, sources)
    found = {name for tree in trees for node in ast.walk(tree) for name in _asked(node)}
    assert found == {"A_URL", "B_S", "C_C", "D_D", "E_E"}
    assert {"DATABASE_URL", "TELEGRAM_BOT_TOKEN", "JOB_LEASE", "DEMO"} <= variables_read()


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_relative_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_commands_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.MULTILINE))
    managed = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert made - targets == set()
    assert managed - set(get_commands()) - {"demo"} == set()  # demo: an app of make run


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_paths_in_the_text_exist(document: Path) -> None:
    """A path in backticks that begins with a folder of ours."""
    ours = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"var"}
    found = re.findall(r"`([a-z_.]+/[A-Za-z0-9_./-]*)`", document.read_text())
    missing = [path for path in found if path.split("/")[0] in ours and not (ROOT / path).exists()]
    assert missing == []


def test_every_package_has_its_reason() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = {re.split(r"[\[=]", line)[0] for line in lines if line and not line.startswith("#")}
    reasons = OPERATIONS.split("## Why each dependency is here")[1]
    assert sorted(package for package in packages if package not in reasons) == []
    assert all("==" in line for line in lines if line and not line.startswith("#"))


def test_the_changelog_knows_the_version() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        lines = page.read_text().splitlines()
        assert lines[0].startswith(f"# {page.name[:4]} ")
        assert len(lines) <= 25, page.name


def test_readme_points_to_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.index("make run") < readme.index("make test") < readme.index("curl")


@pytest.mark.parametrize("word", ["/work/", "/root/", "/home/"])
def test_documents_name_no_machine(word: str) -> None:
    assert [path.name for path in DOCUMENTS if word in path.read_text()] == []

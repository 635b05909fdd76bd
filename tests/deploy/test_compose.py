"""The image and the composition, read as text: Docker is not at hand where tests run."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib import durations

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
OURS = {"files", "migrate", "web", "worker"}
THEIRS = {"postgres", "redis"}
# What the services of the compose specification may say, as far as we say it.
KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image",
    "init", "ports", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs",
    "user", "volumes",
}  # fmt: skip
PINNED = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?")


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def services(composition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = composition["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """[(instruction, rest)], continued lines put together."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).split("\n")
    return [
        (word, rest) for word, _, rest in (line.strip().partition(" ") for line in lines) if word
    ]


def test_the_services_are_ours_and_two_servers(services: dict[str, Any]) -> None:
    assert set(services) == OURS | THEIRS
    assert {key for service in services.values() for key in service} <= KEYS


def test_foreign_images_are_pinned_and_none_is_the_latest(
    services: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    bases = [rest.split()[0] for word, rest in dockerfile if word == "FROM"]
    for image in [*bases, *(services[name]["image"] for name in THEIRS)]:
        assert PINNED.fullmatch(image), image


def test_whatever_stays_up_is_asked_how_it_is(
    services: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    assert "HEALTHCHECK" in dict(dockerfile)  # web's, and that of any service without its own
    for name in {"worker"} | THEIRS:
        assert services[name]["healthcheck"]["test"][0] == "CMD"
    assert services["migrate"]["healthcheck"] == {"disable": True}
    assert services["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_run_with_few_rights(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True


def test_the_image_ends_as_an_ordinary_user(dockerfile: list[tuple[str, str]]) -> None:
    last_stage = dockerfile[max(i for i, (word, _) in enumerate(dockerfile) if word == "FROM") :]
    users = [rest for word, rest in last_stage if word == "USER"]
    assert users == ["10001:10001"]
    assert "ADD" not in dict(dockerfile)
    assert dockerfile[-1] == ("CMD", '["python", "-m", "config.serve"]')


def test_the_image_holds_no_secret_and_no_open_door(dockerfile: list[tuple[str, str]]) -> None:
    settings = " ".join(rest for word, rest in dockerfile if word in {"ENV", "ARG"})
    assert "SECRET" not in settings
    assert "PASSWORD" not in settings
    assert "OPEN_IDENTITY" not in settings
    assert "DEBUG=0" in settings


def test_nothing_starts_before_what_it_needs(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in THEIRS
    }
    for name in ("files", "web", "worker"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"}
        }


def test_workers_are_given_longer_than_their_grace(services: dict[str, Any]) -> None:
    grace = re.search(r'"WORKER_GRACE", "(\w+)"', (ROOT / "config/settings/queue.py").read_text())
    assert grace
    given = durations.parse(services["worker"]["stop_grace_period"])
    assert given >= durations.parse(grace[1]) + timedelta(seconds=10)


def test_what_redis_holds_survives_it(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_data_lies_in_volumes_that_are_declared(
    services: dict[str, Any], composition: dict[str, Any]
) -> None:
    used = {volume.split(":")[0] for name in THEIRS for volume in services[name]["volumes"]}
    assert used == set(composition["volumes"])
    # From version 18 on the image keeps its clusters in here, by version.
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_only_this_machine_reaches_the_web_process_directly(services: dict[str, Any]) -> None:
    assert [name for name in services if "ports" in services[name]] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


def test_every_variable_that_must_be_given_is_in_the_example() -> None:
    text = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    example = (ROOT / "deploy" / "compose.env.example").read_text()
    given = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert asked | {"SECRET_KEY", "ALLOWED_HOSTS"} <= given


def test_the_default_tag_is_our_version() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    assert f"switchboard:${{VERSION:-{version}}}" in (ROOT / "compose.yaml").read_text()

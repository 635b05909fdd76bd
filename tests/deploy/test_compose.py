"""The image and the composition, read as text: Docker is not at hand where tests run."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib import durations

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
OURS = {"files", "migrate", "web", "worker"}
SERVERS = {"postgres", "redis"}
WATCHERS = {"alertmanager", "grafana", "prometheus"}
THEIRS = SERVERS | WATCHERS
PINNED = re.compile(r"[a-z]+(/[a-z]+)?:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?")


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


def test_the_services_are_ours_and_what_they_stand_on_and_what_watches(
    services: dict[str, Any],
) -> None:
    assert set(services) == OURS | THEIRS


def test_it_is_what_the_compose_specification_allows() -> None:
    ran = subprocess.run(
        [
            sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
            str(ROOT / "compose.yaml"),
        ],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


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
        name: {"condition": "service_healthy"} for name in SERVERS
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
    used = {
        volume.split(":")[0]
        for name in THEIRS
        for volume in services[name]["volumes"]
        if not volume.startswith(".")
    }
    assert used == set(composition["volumes"])
    # From version 18 on the image keeps its clusters in here, by version.
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_only_this_machine_reaches_ports_directly(services: dict[str, Any]) -> None:
    open_ones = {name for name in services if "ports" in services[name]}
    assert open_ones == {"web", "grafana"}
    for name in open_ones:
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])


def test_only_ours_reach_the_servers(services: dict[str, Any], composition: dict[str, Any]) -> None:
    assert composition["networks"]["data"]["internal"] is True
    assert {name for name in services if "data" in services[name]["networks"]} == OURS | SERVERS
    assert all(services[name]["networks"] == ["data"] for name in SERVERS)


def test_the_network_of_prometheus_may_read_metrics_and_no_other(
    services: dict[str, Any], composition: dict[str, Any]
) -> None:
    (pool,) = composition["networks"]["observing"]["ipam"]["config"]
    allowed = services["web"]["environment"]["METRICS_ALLOWED"].split(",")
    assert set(allowed) == {"127.0.0.0/8", pool["subnet"]}
    assert services["prometheus"]["networks"] == ["observing"]


def test_nobody_takes_all_memory_and_logs_end(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["logging"]["options"]["max-size"], name


def test_secrets_come_from_files_that_a_script_makes(
    services: dict[str, Any], composition: dict[str, Any], tmp_path: Path
) -> None:
    declared = set(composition["secrets"])
    assert {
        name for service in services.values() for name in service.get("secrets", ())
    } == declared
    for name in OURS:
        files = {
            value.rpartition("/")[2]
            for key, value in services[name]["environment"].items()
            if key.endswith("_FILE")
        }
        assert files == set(services[name]["secrets"]), name
    script = tmp_path / "secrets.sh"
    script.write_text((ROOT / "deploy" / "secrets.sh").read_text())
    first = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == declared
    assert len(made["secret_key"]) == 64
    assert made["postgres_password"] in made["database_url"]
    assert "telegram_bot_token" in first.stdout
    subprocess.run(["sh", str(script)], capture_output=True, check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_prometheus_asks_each_service_at_the_port_where_it_answers(
    services: dict[str, Any],
) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    asked = {
        (name, found["port"])
        for job in config["scrape_configs"]
        for found in job.get("dns_sd_configs", ())
        for name in found["names"]
    }
    port = int(services["worker"]["environment"]["METRICS_PORT"])
    assert asked == {("web", 8000), ("worker", port)}
    assert f":{port}/health" in services["worker"]["healthcheck"]["test"][-1]


def test_every_variable_that_must_be_given_is_in_the_example() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert (
        "web"
        in re.findall(
            r"^ALLOWED_HOSTS=.*", (ROOT / "deploy/compose.env.example").read_text(), re.M
        )[0]
    )
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    example = (ROOT / "deploy" / "compose.env.example").read_text()
    given = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert asked | {"ALLOWED_HOSTS", "SITE_URL"} <= given


def test_the_default_tag_is_our_version() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    assert f"switchboard:${{VERSION:-{version}}}" in (ROOT / "compose.yaml").read_text()

"""Bodies of the panel have the very keys and types of the contract's samples."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.webhooks import sign
from tests.sandbox_tests.panel_api import PanelApi

SAMPLES = Path(__file__).resolve().parents[1] / "sandbox" / "remnawave" / "samples"
NODE = "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01"


def sample(name: str) -> Any:
    return orjson.loads((SAMPLES / f"{name}.json").read_bytes())


def shape(content: Any) -> Any:
    """Keys and types; of lists the merged shape of all items, of null nothing."""
    if isinstance(content, dict):
        return {name: shape(value) for name, value in content.items()}
    if isinstance(content, list):
        merged: Any = None
        for item in content:
            merged = merge(merged, shape(item))
        return [merged]
    if content is None or isinstance(content, bool | str):
        return None if content is None else type(content).__name__
    return "number"


def merge(first: Any, second: Any) -> Any:
    """What is null or empty in one is taken from the other."""
    if isinstance(first, dict) and isinstance(second, dict):
        names = [*first, *(name for name in second if name not in first)]
        return {name: merge(first.get(name), second.get(name)) for name in names}
    if isinstance(first, list) and isinstance(second, list):
        return [merge(first[0], second[0])]
    return second if first is None else first


def fits(found: Any, wanted: Any) -> bool:
    """Same keys; a null on either side says nothing about the type."""
    if found is None or wanted is None:
        return True
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            fits(found[name], wanted[name]) for name in found
        )
    if isinstance(found, list) and isinstance(wanted, list):
        return fits(found[0], wanted[0])
    return bool(found == wanted)


@pytest.fixture
def busy_panel(sandbox: Sandbox) -> Sandbox:
    """A panel in which something of everything happened."""
    ids = sandbox.panel.seed(5, first_id=1040)
    sandbox.panel.use(ids, 10**9, NODE)
    sandbox.panel.add_device(1042, "A1B2C3D4E5F6A7B8")
    return sandbox


@pytest.mark.parametrize(
    ("name", "http_method", "path"),
    [
        ("rw3.users.one", "GET", "users/1042"),
        ("rw3.users.stream", "GET", "users/stream?size=2"),
        ("rw3.users.list", "GET", "users?start=0&size=4"),
        ("rw3.users.accessible-nodes", "GET", "users/1042/accessible-nodes"),
        ("rw3.hwid.user-devices", "GET", "hwid/devices/1042"),
        ("rw3.internal-squads.list", "GET", "internal-squads"),
        ("rw3.config-profiles.inbounds", "GET", "config-profiles/inbounds"),
        ("rw3.nodes.list", "GET", "nodes"),
        ("rw3.system.metadata", "GET", "system/metadata"),
        ("rw3.system.health", "GET", "system/health"),
        ("rw3.system.configuration", "GET", "system/configuration"),
        ("rw3.system.stats", "GET", "system/stats"),
        ("rw3.system.stats.bandwidth", "GET", "system/stats/bandwidth?tz=Europe/Moscow"),
        ("rw3.system.stats.nodes", "GET", "system/stats/nodes"),
        ("rw3.system.nodes.metrics", "GET", "system/nodes/metrics"),
        (
            "rw3.system.stats.digest",
            "GET",
            "system/stats/digest?start=2026-11-19T00:00:00Z&end=2026-11-20T00:00:00Z",
        ),
        ("rw3.bandwidth-stats.nodes", "GET", "bandwidth-stats/nodes?start={0}&end={0}"),
        (
            "rw3.bandwidth-stats.node-users",
            "GET",
            "bandwidth-stats/nodes/" + NODE + "/users?start={0}&end={0}",
        ),
        ("rw3.bandwidth-stats.user", "GET", "bandwidth-stats/users/1042?start={0}&end={0}"),
        (
            "rw3.bandwidth-stats.nodes-usage",
            "POST",
            "bandwidth-stats/nodes/usage?start={0}&end={0}",
        ),
    ],
)
def test_v3_bodies_have_the_shape_of_their_samples(
    busy_panel: Sandbox, api: PanelApi, name: str, http_method: str, path: str
) -> None:
    today = busy_panel.clock()["now"][:10]
    body = {"nodesUuids": [NODE]} if http_method == "POST" else None
    answer = api.ask(http_method, path.format(today), body)
    assert answer.status_code == 200, answer.text
    found, wanted = shape(answer.json()), shape(sample(name))
    assert fits(found, wanted), f"{found}\n{wanted}"


@pytest.mark.parametrize("version", ["2.8", "2.7"])
def test_v2_bodies_have_the_shape_of_their_samples(
    busy_panel: Sandbox, api: PanelApi, version: str
) -> None:
    busy_panel.panel.dialect(version)
    uuid = api.get("users/by-id/1042")["uuid"]
    user = api.ask("GET", f"users/{uuid}").json()
    assert fits(shape(user), shape(sample("rw2.users.one")))
    nodes, wanted = shape(api.ask("GET", "nodes").json()), shape(sample("rw2.nodes.list"))
    if version == "2.7":
        for name in ("proxyUrl", "nodeConsumptionMultiplier", "note"):
            del wanted["response"][0][name]
    assert fits(nodes, wanted), f"{nodes}\n{wanted}"


@pytest.mark.unit
def test_a_comparison_of_shapes_sees_a_missing_key_and_a_wrong_type() -> None:
    wanted = shape(sample("rw3.users.one"))
    fewer = sample("rw3.users.one")
    del fewer["response"]["tag"]
    other = sample("rw3.users.one")
    other["response"]["userTraffic"]["usedTrafficBytes"] = "1"
    assert not fits(shape(fewer), wanted)
    assert not fits(shape(other), wanted)


@pytest.mark.unit
def test_the_signature_is_that_of_the_test_vector() -> None:
    vector = sample("rw3.webhook.signed-delivery")
    assert (
        sign(vector["rawBody"].encode(), vector["secret"])
        == vector["headers"]["X-Remnawave-Signature"]
    )

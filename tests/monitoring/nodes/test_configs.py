"""Settings of servers: without secrets, with what was changed; and where servers stand."""

import csv
import json

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from monitoring.dashboard.models import PlatformEvent
from monitoring.nodes import configs, countries, locating
from monitoring.nodes.configs import changes_between, config_hash, config_of
from monitoring.nodes.errors import NodeUnknown, PlaceInvalid
from monitoring.nodes.locating import node_place, node_unplace, nodes_locate
from monitoring.nodes.models import Node, NodeConfigChange
from subscriptions.panel import door
from subscriptions.panel.nodes_wire import node_read
from tests.monitoring.nodes.rows import FI, MINUTE, NL, look, node, node_make, perform
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.panel import bodies


def test_the_settings_are_read_and_an_unchanged_server_has_no_line(panel: PanelHand) -> None:
    look()
    assert perform("monitoring.sync_node_configs") == {"read": 3, "changed": []}
    first = node()
    assert first.config["tags"] == ["EU", "PREMIUM"]
    assert {each["tag"] for each in first.config["inbounds"]} == {
        "VLESS_REALITY_TCP",
        "VLESS_XHTTP",
    }
    assert len(first.config_hash) == 64
    perform("monitoring.sync_node_configs")
    assert node().config_hash == first.config_hash
    assert not NodeConfigChange.objects.exists()


def test_what_was_changed_is_a_line_of_the_server(panel: PanelHand) -> None:
    look()
    perform("monitoring.sync_node_configs")
    panel.node(str(NL), limit_bytes=30 << 40)
    with clock.shift(MINUTE):
        assert perform("monitoring.sync_node_configs")["changed"] == ["NL-Amsterdam-1"]
    line = NodeConfigChange.objects.get()
    assert line.changes == [{"field": "traffic_limit_bytes", "was": 20 << 40, "is": 30 << 40}]
    assert line.config_hash == node().config_hash
    assert PlatformEvent.objects.get(kind="node_config").title == (
        "NL-Amsterdam-1: changed traffic limit"
    )


def test_no_secret_reaches_the_table() -> None:
    secrets = {
        "privateKey": "hushhush-key",
        "settings": {"clients": [{"password": "hushhush-password"}]},
        "rawInbound": {"streamSettings": {"realitySettings": {"shortIds": ["hushhush-id"]}}},
        "port": {"odd": "hushhush-port"},
    }
    body = json.loads(json.dumps(bodies.NODE))
    for inbound in body["configProfile"]["activeInbounds"]:
        inbound.update(secrets)
    body["proxyUrl"] = "socks5://user:hushhush@proxy.example.net:1080"
    body["newField"] = "hushhush-new"
    config = config_of(node_read(body))
    assert "hushhush" not in json.dumps(config)
    assert config["proxy"] is True


def test_the_hash_does_not_depend_on_the_order_of_fields() -> None:
    assert config_hash({"a": 1, "b": [2]}) == config_hash({"b": [2], "a": 1})
    assert config_hash({"a": 1}) != config_hash({"a": 2})


def test_changes_are_told_field_by_field() -> None:
    was, now = {"name": "a", "port": 1, "note": None}, {"name": "b", "port": 1, "note": "n"}
    assert [each["field"] for each in changes_between(was, now)] == ["name", "note"]


def test_an_older_answer_changes_no_settings(panel: PanelHand) -> None:
    look()
    client, early = door.panel(), clock.now()
    old = client.nodes()
    panel.node(str(NL), limit_bytes=1)
    configs.configs_write(client.nodes(), early + MINUTE)
    configs.configs_write(old, early)
    assert node().config["traffic_limit_bytes"] == 1


def test_a_new_server_has_its_settings_and_its_place_soon(panel: PanelHand) -> None:
    look()
    assert_enqueued("monitoring.sync_locations")
    assert_enqueued("monitoring.sync_node_configs")


def test_all_countries_of_the_standard_are_in_the_table() -> None:
    table = countries.countries()
    assert len(table) == 249
    with countries._FILE.open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 250  # none stands there twice
    for code, each in table.items():
        assert len(code) == 2, code
        assert code.isupper(), code
        assert each.name, code
        assert -90 <= each.latitude <= 90, code
        assert -180 <= each.longitude <= 180, code
    assert countries.country_name("NL") == "Netherlands"
    assert countries.country_name("XX") == "unknown country"
    assert countries.country_name("QZ") == "QZ"


def test_servers_stand_where_their_country_is(panel: PanelHand) -> None:
    look()
    assert perform("monitoring.sync_locations") == {"moved": 3, "without_place": 0}
    assert (node().latitude, node().longitude) == (52.37, 4.9)
    assert perform("monitoring.sync_locations")["moved"] == 0


def test_a_place_that_a_person_gave_wins() -> None:
    row, user = node_make(), User.objects.create(username="olga")
    node_place(node_id=row.pk, latitude=51.44, longitude=5.47, city=" Eindhoven ", by=user)
    assert nodes_locate()["moved"] == 0
    row.refresh_from_db()
    assert (row.latitude, row.city, row.is_placed_by_hand) == (51.44, "Eindhoven", True)
    node_unplace(node_id=row.pk, by=user)
    node_unplace(node_id=row.pk, by=user)
    row.refresh_from_db()
    assert (row.latitude, row.city, row.is_placed_by_hand) == (52.37, "", False)
    acts = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(acts) == ["nodes.place", "nodes.unplace"]


def test_a_server_that_moves_to_another_country_moves_on_the_map() -> None:
    row = node_make()
    nodes_locate()
    Node.objects.update(country_code="FI")
    nodes_locate()
    row.refresh_from_db()
    assert row.latitude == 60.17
    Node.objects.update(country_code="XX")
    assert nodes_locate() == {"moved": 1, "without_place": 1}


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (0, 181), (-90.1, 0), (0, -200)])
def test_no_place_is_not_on_earth(latitude: float, longitude: float) -> None:
    row = node_make()
    with pytest.raises(PlaceInvalid):
        node_place(node_id=row.pk, latitude=latitude, longitude=longitude, city="", by=None)


def test_a_server_that_nobody_knows_has_no_place() -> None:
    with pytest.raises(NodeUnknown):
        node_place(node_id=FI, latitude=0, longitude=0, city="", by=None)
    with pytest.raises(NodeUnknown):
        locating.node_unplace(node_id=FI, by=None)

"""What belongs to a user besides himself: devices, metadata of integrators, squads, nodes."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.remnawave.ask import Ask, asked_user, empty, ok
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.nodes import NodeState
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import UUID, Reader
from tests.sandbox.remnawave.squads import NAMES, PROFILE, SQUADS, all_inbounds, squad_json
from tests.sandbox.remnawave.times import iso
from tests.sandbox.remnawave.user import PanelUser
from tests.sandbox.wire import Answer

MEMBERS_LIMIT = 1000


def devices(panel: Panel, ask: Ask) -> Answer:
    return ok(_devices(panel, asked_user(panel, ask, "A063")))


def delete_device(panel: Panel, ask: Ask) -> Answer:
    reader = _owner_reader(panel, ask)
    reader.text("hwid", required=True)
    user = _owner(panel, ask, reader)
    kept = [item for item in panel.devices.get(user.id, []) if item["hwid"] != ask.body["hwid"]]
    if len(kept) == len(panel.devices.get(user.id, [])):
        raise refused("A204")
    panel.devices[user.id] = kept
    return ok(_devices(panel, user))


def delete_devices(panel: Panel, ask: Ask) -> Answer:
    user = _owner(panel, ask, _owner_reader(panel, ask))
    panel.devices.pop(user.id, None)
    return ok(_devices(panel, user))


def device_json(panel: Panel, user: PanelUser, device: dict[str, str]) -> dict[str, Any]:
    """2.7 names the owner by uuid, everything newer by number."""
    has_number = panel.dialect.has_stream
    owner: Any = user.id if has_number else user.uuid
    return {
        "hwid": device["hwid"],
        "userId" if has_number else "userUuid": owner,
        "platform": device.get("platform", "iOS"),
        "osVersion": "26.1",
        "deviceModel": device.get("deviceModel", "iPhone 17"),
        "userAgent": "Happ/3.2.1/ios",
        "requestIp": "203.0.113.17",
        "createdAt": device["createdAt"],
        "updatedAt": device["createdAt"],
    }


def add_device(panel: Panel, user: PanelUser, hwid: str) -> None:
    """A device that asked for the subscription; announced without the user's squads."""
    device = {"hwid": hwid, "createdAt": iso(panel.now_ms())}
    panel.devices.setdefault(user.id, []).append(device)
    content = {
        "hwidUserDevice": device_json(panel, user, device),
        "user": panel.show(user) | {"activeInternalSquads": []},
    }
    panel.announce_other("user_hwid_devices", "user_hwid_devices.added", content)


def metadata(panel: Panel, ask: Ask) -> Answer:
    user = asked_user(panel, ask, "A025")
    if user.id not in panel.metadata:
        raise refused("A226")
    return ok({"metadata": panel.metadata[user.id]})


def put_metadata(panel: Panel, ask: Ask) -> Answer:
    """Replaces the whole object."""
    reader = Reader(ask.body)
    reader.nested("metadata")
    reader.finish()
    user = asked_user(panel, ask, "A025")
    panel.metadata[user.id] = ask.body["metadata"]
    return ok({"metadata": panel.metadata[user.id]})


def accessible_nodes(panel: Panel, ask: Ask) -> Answer:
    user = asked_user(panel, ask, "A025")
    squads = [
        {"squadName": squad.name, "activeInbounds": list(squad.inbounds)}
        for squad in SQUADS
        if squad.uuid in user.squads
    ]
    nodes = [
        {
            "uuid": node.uuid,
            "nodeName": node.name,
            "countryCode": node.country,
            "configProfileUuid": PROFILE,
            "configProfileName": "Main",
            "activeSquads": squads,
        }
        for node in panel.nodes.rows
        if squads and node.has_profile and node.state is not NodeState.DISABLED
    ]
    owner: dict[str, Any] = {"userId": user.id} if panel.dialect.is_v3 else {"userUuid": user.uuid}
    return ok({**owner, "activeNodes": nodes})


def request_history(panel: Panel, ask: Ask) -> Answer:
    """The sandbox serves no subscriptions, so nobody ever asked for one."""
    asked_user(panel, ask, "A025")
    return ok({"total": 0, "records": []})


def squads(panel: Panel, ask: Ask) -> Answer:
    members = dict.fromkeys(NAMES, 0)
    for user in panel.users.rows:
        for uuid in user.squads:
            members[uuid] += 1
    found = [squad_json(squad, members[squad.uuid]) for squad in SQUADS]
    return ok({"total": len(found), "internalSquads": found})


def inbounds(panel: Panel, ask: Ask) -> Answer:
    found = [
        inbound
        | {"activeSquads": [squad.uuid for squad in SQUADS if inbound["tag"] in squad.inbounds]}
        for inbound in all_inbounds()
    ]
    return ok({"total": len(found), "inbounds": found})


def add_members(panel: Panel, ask: Ask) -> Answer:
    return _change_members(panel, ask, lambda own, uuid: (*own, uuid) if uuid not in own else own)


def remove_members(panel: Panel, ask: Ask) -> Answer:
    return _change_members(
        panel, ask, lambda own, uuid: tuple(item for item in own if item != uuid)
    )


def _change_members(
    panel: Panel, ask: Ask, change: Callable[[tuple[str, ...], str], tuple[str, ...]]
) -> Answer:
    reader = Reader(ask.body)
    reader.numbers("userIds", most=MEMBERS_LIMIT)
    numbers = reader.finish()["userIds"]
    uuid = ask.parameters["uuid"].lower()
    if uuid not in NAMES:
        raise refused("A118")
    ask.touched.extend(numbers)
    for number in numbers:
        user = panel.users.get(number)
        if user is not None:
            user.squads = change(user.squads, uuid)
    return empty(202)


def _devices(panel: Panel, user: PanelUser) -> dict[str, Any]:
    found = [device_json(panel, user, item) for item in panel.devices.get(user.id, [])]
    return {"total": len(found), "devices": found}


def _owner_reader(panel: Panel, ask: Ask) -> Reader:
    reader = Reader(ask.body)
    if panel.dialect.has_stream:
        reader.integer("userId", least=1, required=True)
    else:
        reader.text("userUuid", pattern=UUID, required=True)
    return reader


def _owner(panel: Panel, ask: Ask, reader: Reader) -> PanelUser:
    found = reader.finish()
    users = panel.users
    user = users.get(found["userId"]) if "userId" in found else users.by_uuid(found["userUuid"])
    if user is None:
        raise refused("A025")
    ask.touched.append(user.id)
    return user
